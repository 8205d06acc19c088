using Microsoft.AspNetCore.Http;
using OKLA.Shared.Web;
using OKLA.Tracking.Privacy;

namespace OKLA.Tracking.Ingest;

/// <summary>What the server knows about who sends events, beside what the events say.</summary>
/// <param name="IsServer">Whether it showed a key that never leaves a server, or is an admin: it may speak for anybody.</param>
/// <param name="UserId">The user that its token proves; null without one.</param>
/// <param name="IsBot">Whether it is a program that looks at pages by itself.</param>
/// <param name="Objects">Whether it sends <c>DNT: 1</c> or <c>Sec-GPC: 1</c>.</param>
/// <param name="Key">Today's key for hashes of addresses.</param>
/// <param name="AddressHash">Hash of a browser's address; null for a server, whose address says nothing about the visitor.</param>
internal sealed record Sender(bool IsServer, string? UserId, bool IsBot, bool Objects, AddressKey? Key, string? AddressHash)
{
    private const string Server = "server";
    private const string UserPrefix = "user:";

    /// <summary>Whether the host asks nobody for keys (Development), so that nobody can prove more.</summary>
    public bool IsUnasked { get; init; }

    /// <summary>Whether its word counts as a server's does.</summary>
    public bool IsBelieved => IsServer || IsUnasked;

    /// <summary>What was proved, as a rejected event keeps it for its replay.</summary>
    public string? TrustedAs => IsBelieved ? Server : UserId is null ? null : UserPrefix + UserId;

    /// <summary>
    /// Whether it may say who the user is. A browser's word is not enough: anybody could write into anybody's history. So the id
    /// must be the one that the visitor's token proves, or come from a server, or to a host that asks nobody for keys.
    /// </summary>
    public bool MaySpeakFor(string userId) => IsBelieved || userId == UserId;

    /// <summary>The sender of a request.</summary>
    public static Sender Of(HttpRequest request, CurrentUser caller, AddressKey key, bool asksForKeys)
    {
        var isServer = caller.IsServer || caller.IsAdmin;
        return new Sender(
            isServer, caller.Id, !isServer && Bots.IsBot(request.Headers.UserAgent.ToString()),
            request.Headers["DNT"] == "1" || request.Headers["Sec-GPC"] == "1", key,
            !isServer && request.HttpContext.Connection.RemoteIpAddress is { } address ? key.Hash(address) : null)
        {
            IsUnasked = !asksForKeys,
        };
    }

    /// <summary>The sender of a rejected event that is replayed.</summary>
    public static Sender Restored(string? trustedAs, bool isBot) => new(
        trustedAs == Server, trustedAs?.StartsWith(UserPrefix, StringComparison.Ordinal) == true ? trustedAs[UserPrefix.Length..] : null, isBot, false, null, null);
}
