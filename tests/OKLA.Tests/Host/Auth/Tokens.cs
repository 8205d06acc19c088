using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace OKLA.Tests.Host.Auth;

/// <summary>Makes tokens, good and bad, and the key sets that check them.</summary>
internal static class Tokens
{
    public const string Issuer = "https://login.okla.test";
    public const string Audience = "okla";
    public const string Secret = "0123456789abcdef0123456789abcdef";

    /// <summary>The claims of a buyer whose token was made a minute ago and lives for ten.</summary>
    public static JsonObject Claims(DateTimeOffset now) => new()
    {
        ["iss"] = Issuer,
        ["aud"] = Audience,
        ["sub"] = "user-1",
        ["role"] = "buyer",
        ["iat"] = now.ToUnixTimeSeconds() - 60,
        ["nbf"] = now.ToUnixTimeSeconds() - 60,
        ["exp"] = now.ToUnixTimeSeconds() + 600,
    };

    public static JsonObject Header(string algorithm, string? keyId) =>
        keyId is null ? new() { ["alg"] = algorithm, ["typ"] = "JWT" } : new() { ["alg"] = algorithm, ["typ"] = "JWT", ["kid"] = keyId };

    public static string Make(string header, string payload, Func<byte[], byte[]> sign)
    {
        var signed = $"{Encode(header)}.{Encode(payload)}";
        return $"{signed}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    public static string Hs256(JsonObject claims, string? keyId = null, string secret = Secret, JsonObject? header = null) =>
        Make((header ?? Header("HS256", keyId)).ToJsonString(), claims.ToJsonString(), Hmac(secret));

    public static Func<byte[], byte[]> Hmac(string secret) => bytes => HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), bytes);

    public static string Rs256(JsonObject claims, RSA key, string? keyId, JsonObject? header = null) =>
        Make((header ?? Header("RS256", keyId)).ToJsonString(), claims.ToJsonString(), bytes => key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    public static string Es256(JsonObject claims, ECDsa key, string? keyId) =>
        Make(Header("ES256", keyId).ToJsonString(), claims.ToJsonString(), bytes => key.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));

    public static JsonObject Jwk(RSA key, string? keyId)
    {
        var parameters = key.ExportParameters(false);
        return With(keyId, new() { ["kty"] = "RSA", ["use"] = "sig", ["n"] = Base64Url.EncodeToString(parameters.Modulus), ["e"] = Base64Url.EncodeToString(parameters.Exponent) });
    }

    public static JsonObject Jwk(ECDsa key, string? keyId, string curve = "P-256")
    {
        var point = key.ExportParameters(false).Q;
        return With(keyId, new() { ["kty"] = "EC", ["crv"] = curve, ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) });
    }

    public static JsonObject Jwk(string secret, string? keyId) =>
        With(keyId, new() { ["kty"] = "oct", ["k"] = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(secret)) });

    public static string Set(params JsonObject[] keys) => new JsonObject { ["keys"] = new JsonArray(keys) }.ToJsonString();

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static JsonObject With(string? keyId, JsonObject jwk)
    {
        if (keyId is not null) jwk["kid"] = keyId;
        return jwk;
    }
}
