using System.Security.Cryptography;
using System.Text.Json;

namespace OKLA.Host.Auth;

/// <summary>Reads a JSON Web Key Set (RFC 7517): the keys that can check HS256, RS256 or ES256, and why the others cannot.</summary>
internal static class JsonWebKeys
{
    private const int MaximumKeys = 100;

    /// <summary>The keys of a set that are fit for use, and one sentence for each that is not.</summary>
    public sealed record KeySet(IReadOnlyList<VerificationKey> Keys, IReadOnlyList<string> Unfit);

    /// <summary>Reads a key set.</summary>
    /// <param name="utf8">The document.</param>
    /// <param name="trust">Whose tokens the keys may vouch for.</param>
    /// <param name="allowSecrets">
    /// Whether <c>oct</c> keys count. Not from a URL: a secret that anybody can fetch lets anybody sign.
    /// </param>
    /// <exception cref="FormatException">The document is no key set, or none of its keys is fit for use.</exception>
    public static KeySet Parse(ReadOnlyMemory<byte> utf8, Trust trust, bool allowSecrets)
    {
        if (!StrictJson.TryParseObject(utf8, out var document)
            || !document.TryGetProperty("keys", out var members)
            || members.ValueKind != JsonValueKind.Array)
            throw new FormatException("It is not a JSON object with an array \"keys\".");
        if (members.GetArrayLength() > MaximumKeys) throw new FormatException($"It holds more than {MaximumKeys} keys.");

        var keys = new List<VerificationKey>();
        var unfit = new List<string>();
        foreach (var member in members.EnumerateArray())
        {
            try
            {
                keys.Add(ParseKey(member, trust, allowSecrets));
            }
            catch (Exception e) when (e is FormatException or CryptographicException)
            {
                unfit.Add($"Key {unfit.Count + keys.Count + 1}: {e.Message}");
            }
        }

        if (keys.Count == 0) throw new FormatException($"No key in it is fit for use. {string.Join(' ', unfit)}");
        return new KeySet(keys, unfit);
    }

    private static VerificationKey ParseKey(JsonElement jwk, Trust trust, bool allowSecrets)
    {
        if (jwk.ValueKind != JsonValueKind.Object) throw new FormatException("not an object.");
        var id = Text(jwk, "kid", required: false);
        if (Text(jwk, "use", required: false) is { } use && use != "sig") throw new FormatException("not meant for signatures.");
        if (jwk.TryGetProperty("key_ops", out var operations)
            && (operations.ValueKind != JsonValueKind.Array
                || !operations.EnumerateArray().Any(operation => operation.ValueKind == JsonValueKind.String && operation.ValueEquals("verify"))))
            throw new FormatException("not meant for checking signatures.");

        VerificationKey key = Text(jwk, "kty", required: true) switch
        {
            "RSA" => new RsaKey(id, Bytes(jwk, "n"), Bytes(jwk, "e"), trust),
            "EC" when Text(jwk, "crv", required: true) == "P-256" => new EcKey(id, Bytes(jwk, "x"), Bytes(jwk, "y"), trust),
            "EC" => throw new FormatException("of a curve other than P-256."),
            "oct" when allowSecrets => new HmacKey(id, Bytes(jwk, "k"), trust),
            "oct" => throw new FormatException("a secret in a place that anybody may read."),
            _ => throw new FormatException("of an unknown type."),
        };
        if (Text(jwk, "alg", required: false) is { } algorithm && algorithm != key.Algorithm)
            throw new FormatException($"for an algorithm other than {key.Algorithm}.");
        return key;
    }

    private static string? Text(JsonElement jwk, string name, bool required) =>
        StrictJson.TryGetText(jwk, name, Jwt.MaximumTextLength, out var text) && !(required && text is null)
            ? text
            : throw new FormatException($"its \"{name}\" is missing or no text.");

    private static byte[] Bytes(JsonElement jwk, string name) =>
        jwk.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String
            && StrictBase64Url.TryDecode(member.GetString(), out var bytes) && bytes.Length > 0
            ? bytes
            : throw new FormatException($"its \"{name}\" is missing or not base64url.");
}
