using System.Buffers.Text;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc;

namespace OKLA.Shared.Web;

/// <summary>A part of a list. <paramref name="Next"/> is the cursor of the following page, null on the last.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>Which part of a list is asked for, from the query string (<c>[AsParameters]</c>).</summary>
/// <param name="Limit">Items a page, 1 to 200; 50 when absent.</param>
/// <param name="Cursor">The <c>next</c> of the page before; absent for the first.</param>
public sealed record PageRequest(
    [property: FromQuery(Name = "limit"), Range(1, PageRequest.Largest)] int? Limit = null,
    [property: FromQuery(Name = "cursor"), MaxLength(500)] string? Cursor = null)
{
    /// <summary>The largest page.</summary>
    public const int Largest = 200;

    /// <summary>Items to answer.</summary>
    public int Size => Math.Clamp(Limit ?? 50, 1, Largest);

    /// <summary>Rows to read: one more than <see cref="Size"/>, to see whether a page follows.</summary>
    public int Rows => Size + 1;

    /// <summary>The key after which to read; false when the cursor is not one of ours, which is a 400 for the client. An absent cursor is true and the default.</summary>
    public bool TryKey<TKey>(out TKey? key) => Paging.TryDecode(Cursor, out key);
}

/// <summary>Keyset paging: a page is found by the sort key of the last row before it, so that it costs the same at any depth and rows that come in between shift nothing.</summary>
public static class Paging
{
    /// <summary>The first <see cref="PageRequest.Size"/> of <paramref name="rows"/> (read with <see cref="PageRequest.Rows"/> as limit) and, when there is one more, the cursor after them.</summary>
    public static Page<T> ToPage<T, TKey>(this IReadOnlyList<T> rows, PageRequest request, Func<T, TKey> key) =>
        rows.Count <= request.Size
            ? new(rows, null)
            : new([.. rows.Take(request.Size)], Encode(key(rows[request.Size - 1])));

    /// <summary>A sort key (a value, a tuple, a record) as an opaque URL-safe cursor.</summary>
    public static string Encode<TKey>(TKey key) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(key, Json));

    /// <summary>The key of a cursor; null or empty is true and the default key.</summary>
    public static bool TryDecode<TKey>(string? cursor, [MaybeNull] out TKey key)
    {
        key = default;
        if (string.IsNullOrEmpty(cursor)) return true;
        try
        {
            key = JsonSerializer.Deserialize<TKey>(Base64Url.DecodeFromChars(cursor), Json);
            return key is not null;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return false;
        }
    }

    // Tuples have fields, not properties.
    private static readonly JsonSerializerOptions Json = new() { IncludeFields = true };
}
