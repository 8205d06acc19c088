using System.Security.Claims;
using System.Text;
using System.Text.Json;
using OKLA.Shared.Web;

namespace OKLA.Host.Auth;

/// <summary>
/// A signed token (RFC 7515 compact form, RFC 7519 claims), taken apart but not yet believed.
/// Written after RFC 8725: nothing in the token chooses how it is checked.
/// </summary>
internal sealed class Jwt
{
    /// <summary>Longest token, in characters.</summary>
    public const int MaximumLength = 8192;

    /// <summary>Longest text claim or key id, in characters.</summary>
    public const int MaximumTextLength = 256;

    private const long LatestTime = 253_402_300_799; // 9999-12-31T23:59:59Z

    private byte[] signed = [];
    private byte[] signature = [];
    private byte[] payload = [];

    /// <summary>The algorithm the token claims: HS256, RS256 or ES256.</summary>
    public string Algorithm { get; private init; } = "";

    /// <summary>The key the token claims to be signed with, or null.</summary>
    public string? KeyId { get; private init; }

    /// <summary>Takes a token apart and reads its header.</summary>
    /// <returns><see cref="Refusal.None"/> with the token, or why it cannot be one of ours.</returns>
    public static Refusal TryParse(ReadOnlySpan<char> token, out Jwt? jwt)
    {
        jwt = null;
        if (token.Length > MaximumLength) return Refusal.TokenTooLarge;
        var firstDot = token.IndexOf('.');
        var lastDot = token.LastIndexOf('.');
        if (firstDot < 1 || lastDot == firstDot || token[(firstDot + 1)..lastDot].Contains('.')) return Refusal.TokenMalformed;
        if (!StrictBase64Url.TryDecode(token[..firstDot], out var headerBytes)
            || !StrictBase64Url.TryDecode(token[(firstDot + 1)..lastDot], out var payload)
            || !StrictBase64Url.TryDecode(token[(lastDot + 1)..], out var signature)
            || !StrictJson.TryParseObject(headerBytes, out var header)
            || !StrictJson.TryGetText(header, "alg", MaximumTextLength, out var algorithm)
            || !StrictJson.TryGetText(header, "kid", MaximumTextLength, out var keyId)
            || !StrictJson.TryGetText(header, "typ", MaximumTextLength, out var type))
            return Refusal.TokenMalformed;

        if (algorithm is not ("HS256" or "RS256" or "ES256")) return Refusal.AlgorithmNotAllowed;
        // "crit" names extensions a reader must understand or refuse (RFC 7515 section 4.1.11); none is understood here.
        // "b64" changes what is signed and is only lawful beside "crit" (RFC 7797).
        if (header.TryGetProperty("crit", out _) || header.TryGetProperty("b64", out _)) return Refusal.CriticalHeader;
        if (type is not null && !IsAccessToken(type)) return Refusal.WrongTokenType;

        jwt = new Jwt
        {
            Algorithm = algorithm,
            KeyId = keyId,
            signed = Encoding.ASCII.GetBytes(token[..lastDot].ToString()),
            signature = signature,
            payload = payload,
        };
        return Refusal.None;
    }

    /// <summary>Believes the token, or says why not.</summary>
    /// <param name="candidates">The keys that bear the token's key id.</param>
    /// <param name="options">Clock skew and names of roles.</param>
    /// <param name="now">The time.</param>
    /// <param name="identity">Who the token says its bearer is, when the answer is <see cref="Refusal.None"/>.</param>
    public Refusal Check(IReadOnlyList<VerificationKey> candidates, AuthOptions options, DateTimeOffset now, out ClaimsIdentity? identity)
    {
        identity = null;
        var ofAlgorithm = candidates.Where(key => key.Algorithm == Algorithm).ToList();
        if (ofAlgorithm.Count == 0) return candidates.Count == 0 ? Refusal.UnknownKey : Refusal.AlgorithmNotOfKey;
        if (ofAlgorithm.Find(key => key.Verify(signed, signature)) is not { } signer) return Refusal.BadSignature;

        if (!StrictJson.TryParseObject(payload, out var claims)) return Refusal.BadClaims;
        if (!StrictJson.TryGetText(claims, "iss", MaximumTextLength, out var issuer)) return Refusal.BadClaims;
        if (issuer != signer.Trust.Issuer) return Refusal.WrongIssuer;
        if (!TryGetTexts(claims, "aud", out var audiences)) return Refusal.BadClaims;
        if (!audiences.Contains(signer.Trust.Audience)) return Refusal.WrongAudience;

        if (!TryGetTime(claims, "exp", out var expires) || expires is null
            || !TryGetTime(claims, "nbf", out var notBefore)
            || !TryGetTime(claims, "iat", out var issued))
            return Refusal.BadClaims;
        var time = now.ToUnixTimeMilliseconds() / 1000.0;
        var skew = options.ClockSkew.TotalSeconds;
        if (time >= expires + skew) return Refusal.Expired;
        if (notBefore > time + skew) return Refusal.NotYetValid;
        if (issued > time + skew) return Refusal.IssuedInTheFuture;

        return TryGetIdentity(claims, options, out identity) ? Refusal.None : Refusal.BadClaims;
    }

    // RFC 9068 section 2.1 names access tokens at+jwt; most issuers still write JWT. Anything else was made for another use.
    private static bool IsAccessToken(string type) =>
        type.Equals("JWT", StringComparison.OrdinalIgnoreCase)
        || type.Equals("at+jwt", StringComparison.OrdinalIgnoreCase)
        || type.Equals("application/at+jwt", StringComparison.OrdinalIgnoreCase);

    private static bool TryGetIdentity(JsonElement claims, AuthOptions options, out ClaimsIdentity? identity)
    {
        identity = null;
        if (!StrictJson.TryGetText(claims, "sub", MaximumTextLength, out var user) || user is null
            || !StrictJson.TryGetText(claims, "dealer_id", MaximumTextLength, out var dealer)
            || !TryGetTexts(claims, "role", out var role)
            || !TryGetTexts(claims, "roles", out var roles)
            || !TryGetTexts(claims, "scope", out var scopes))
            return false;

        identity = new ClaimsIdentity(JwtBearerHandler.Scheme, CurrentUser.Claims.User, CurrentUser.Claims.Role);
        identity.AddClaim(new Claim(CurrentUser.Claims.User, user));
        if (dealer is not null) identity.AddClaim(new Claim(CurrentUser.Claims.DealerId, dealer));
        foreach (var name in role.Concat(roles).Select(options.RoleNamed).OfType<string>().Distinct())
            identity.AddClaim(new Claim(CurrentUser.Claims.Role, name));
        // What an issuer grants to applications never makes anybody an admin: that takes the role.
        foreach (var scope in scopes.SelectMany(list => list.Split(' ')).Distinct().Where(IsScopeOfUsers))
            identity.AddClaim(new Claim(CurrentUser.Claims.Scope, scope));
        return true;
    }

    private static bool IsScopeOfUsers(string scope) => scope != Policies.Scopes.Admin && Policies.Scopes.All.Contains(scope);

    // One text or an array of texts; absent is an empty list.
    private static bool TryGetTexts(JsonElement owner, string name, out List<string> texts)
    {
        texts = [];
        if (!owner.TryGetProperty(name, out var member)) return true;
        IEnumerable<JsonElement> values = member.ValueKind == JsonValueKind.Array ? member.EnumerateArray() : [member];
        foreach (var value in values)
        {
            if (texts.Count == 100 || !StrictJson.TryGetText(value, MaximumLength, out var text)) return false;
            texts.Add(text!);
        }

        return true;
    }

    // A NumericDate (RFC 7519 section 2): seconds since 1970, fractions allowed; absent is null.
    private static bool TryGetTime(JsonElement owner, string name, out double? seconds)
    {
        seconds = null;
        if (!owner.TryGetProperty(name, out var member)) return true;
        if (member.ValueKind != JsonValueKind.Number || !member.TryGetDouble(out var value) || !(value >= 0 && value <= LatestTime)) return false;
        seconds = value;
        return true;
    }
}
