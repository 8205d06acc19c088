using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Datasets;

/// <summary>Tells an erased person's ids by their hashes; asked about many texts, of which most come again.</summary>
internal sealed class ErasedPerson(PersonErased erased)
{
    private const int LongestId = 300;
    private const int Remembered = 100_000;
    private readonly byte[] salt = Encoding.UTF8.GetBytes(erased.Salt);
    private readonly HashSet<string> hashes = [.. erased.Hashes];
    private readonly Dictionary<string, bool> known = new(StringComparer.Ordinal);

    /// <summary>Whether a text is one of the ids, or a key made of one and something else with a bar between (<c>person|item</c>).</summary>
    public bool Is(string? text)
    {
        if (text is null or "" || text.Length > LongestId)
        {
            return false;
        }

        if (known.TryGetValue(text, out var said))
        {
            return said;
        }

        if (known.Count >= Remembered)
        {
            known.Clear();
        }

        return known[text] = Hashed(text) || (text.Contains('|') && text.Split('|').Any(Hashed));
    }

    /// <summary>Whether one of the texts is.</summary>
    public bool IsIn(IEnumerable<string?> texts) => texts.Any(Is);

    /// <summary>Whether one of the texts in a piece of JSON is.</summary>
    public bool IsIn(JsonElement part) => part.ValueKind switch
    {
        JsonValueKind.String => Is(part.GetString()),
        JsonValueKind.Array => part.EnumerateArray().Any(IsIn),
        JsonValueKind.Object => part.EnumerateObject().Any(property => IsIn(property.Value)),
        _ => false,
    };

    private bool Hashed(string id)
    {
        Span<byte> bytes = stackalloc byte[salt.Length + Encoding.UTF8.GetMaxByteCount(LongestId)];
        salt.CopyTo(bytes);
        var length = salt.Length + Encoding.UTF8.GetBytes(id, bytes[salt.Length..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..length], hash);
        return hashes.Contains(Convert.ToHexStringLower(hash));
    }
}
