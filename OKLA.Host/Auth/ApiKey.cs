using System.Buffers;
using System.Security.Cryptography;

namespace OKLA.Host.Auth;

/// <summary>An API key as the database keeps it.</summary>
internal sealed record ApiKey
{
    /// <summary>16 hexadecimal digits; not secret.</summary>
    public required string KeyId { get; init; }

    /// <summary><see cref="Server"/> or <see cref="Browser"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>SHA-256 of the secret's 32 bytes.</summary>
    public required byte[] SecretHash { get; init; }

    /// <summary>What it allows.</summary>
    public required string[] Scopes { get; init; }

    /// <summary>Pages a browser key works on, as <c>https://host[:port]</c>.</summary>
    public required string[] Origins { get; init; }

    /// <summary>When it last signed a request in, to the minute.</summary>
    public DateTime? LastUsedAt { get; init; }

    /// <summary>When it was revoked, or null.</summary>
    public DateTime? RevokedAt { get; init; }

    /// <summary>Kind of a key that stays on a server.</summary>
    public const string Server = "server";

    /// <summary>Kind of a key that is shipped to browsers, so known to everybody.</summary>
    public const string Browser = "browser";

    private const string Prefix = "okla_";
    private const int IdDigits = 16;
    private const int SecretBytes = 32;
    private const int Length = 5 + IdDigits + 1 + (2 * SecretBytes);
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    /// <summary>Makes the two halves of a new key from 64 and 256 random bits.</summary>
    /// <returns>The id, the text to show once, and the hash to keep.</returns>
    public static (string KeyId, string Text, byte[] SecretHash) Generate()
    {
        var id = RandomNumberGenerator.GetHexString(IdDigits, lowercase: true);
        var secret = RandomNumberGenerator.GetBytes(SecretBytes);
        return (id, $"{Prefix}{id}_{Convert.ToHexStringLower(secret)}", SHA256.HashData(secret));
    }

    /// <summary>Takes <c>okla_id_secret</c> apart; false when the text is no key.</summary>
    public static bool TryParse(string? text, out string keyId, out byte[] secretHash)
    {
        (keyId, secretHash) = ("", []);
        if (text is not { Length: Length } || !text.StartsWith(Prefix, StringComparison.Ordinal) || text[Prefix.Length + IdDigits] != '_') return false;
        var id = text.AsSpan(Prefix.Length, IdDigits);
        var secret = text.AsSpan(Length - (2 * SecretBytes));
        if (id.ContainsAnyExcept(Digits) || secret.ContainsAnyExcept(Digits)) return false;
        (keyId, secretHash) = (id.ToString(), SHA256.HashData(Convert.FromHexString(secret)));
        return true;
    }

    /// <summary>Whether the key signs this request in.</summary>
    /// <param name="hash">Hash of the secret that was sent.</param>
    /// <param name="origin">The request's <c>Origin</c> header.</param>
    public Refusal Check(byte[] hash, string? origin)
    {
        if (!CryptographicOperations.FixedTimeEquals(SecretHash, hash)) return Refusal.KeyWrongSecret;
        if (RevokedAt is not null) return Refusal.KeyRevoked;
        // A program can send any origin: this keeps other sites' pages out, and the single scope limits what is left.
        if (Kind == Browser && (origin is null || !Origins.Contains(origin, StringComparer.OrdinalIgnoreCase))) return Refusal.KeyWrongOrigin;
        return Refusal.None;
    }

    /// <summary>Brings a page's origin into the form browsers send; null when it is none.</summary>
    public static string? NormalizeOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
        && uri is { PathAndQuery: "/", Fragment: "", UserInfo: "" }
            ? $"{uri.Scheme}://{uri.IdnHost}{(uri.IsDefaultPort ? "" : ":" + uri.Port)}"
            : null;
}
