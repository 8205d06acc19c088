using System.Net;

namespace OKLA.Host.Auth;

/// <summary>Log messages of signing in: ids 1000 to 1099.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Information, "{Scheme} credential from {Address} refused: {Refusal}")]
    public static partial void CredentialRefused(ILogger logger, string scheme, Refusal refusal, IPAddress? address);

    [LoggerMessage(1001, LogLevel.Information, "Read {Count} token keys from {Source}")]
    public static partial void KeysRead(ILogger logger, string source, int count);

    [LoggerMessage(1002, LogLevel.Warning, "Could not read token keys from {Source}; going on with the {Count} read before")]
    public static partial void KeysNotRead(ILogger logger, string source, int count, Exception exception);

    [LoggerMessage(1003, LogLevel.Warning, "A token key of {Source} is not used. {Sentence}")]
    public static partial void KeyUnfit(ILogger logger, string source, string sentence);

    [LoggerMessage(1004, LogLevel.Warning, "The demo issuer hands out buyer, dealer and admin tokens to anybody who asks: Development only")]
    public static partial void DemoIssuerOn(ILogger logger);

    [LoggerMessage(1010, LogLevel.Information, "API key {KeyId} ({Kind}, {Scopes}) created by {Actor}")]
    public static partial void KeyCreated(ILogger logger, string keyId, string kind, string scopes, string actor);

    [LoggerMessage(1011, LogLevel.Information, "API key {KeyId} revoked by {Actor}")]
    public static partial void KeyRevoked(ILogger logger, string keyId, string actor);

    [LoggerMessage(1012, LogLevel.Warning, "Could not note when API key {KeyId} was last used")]
    public static partial void LastUseNotNoted(ILogger logger, string keyId, Exception exception);
}
