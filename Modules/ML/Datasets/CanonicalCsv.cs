using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using CsvHelper;
using Microsoft.AspNetCore.Http;

namespace OKLA.ML.Datasets;

/// <summary>
/// The one way in which a table is kept: UTF-8 without a mark, comma, quotes only where needed, line feeds, header first, nothing where a value is missing. The same table
/// is the same bytes, whatever it came as.
/// </summary>
internal static class CanonicalCsv
{
    // A row from outside is at most 1 MiB, which quotes can at most double; a row of JSON gains a comma for every absent name.
    private const int MaxRow = 16 << 20;
    private const int BufferBytes = 1 << 18;

    /// <summary>What was written.</summary>
    /// <param name="Sha256">Its checksum.</param>
    /// <param name="Names">Names of the columns.</param>
    /// <param name="Rows">Rows.</param>
    /// <param name="Sample">Some of the rows, each as likely as the others.</param>
    public sealed record Written(string Sha256, IReadOnlyList<string> Names, long Rows, IReadOnlyList<string?[]> Sample);

    /// <summary>Writes a table into a file.</summary>
    /// <exception cref="DatasetRefusedException">A row is refused, or there is none.</exception>
    public static async Task<Written> WriteAsync(TableRows table, string path, CancellationToken ct, long mostBytes = long.MaxValue)
    {
        await using var file = File.Create(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new ArrayBufferWriter<byte>(BufferBytes * 2);
        var sample = NewSample(table.Names.Count);
        var rows = 0L;
        Append(buffer, table.Names);
        await foreach (var row in table.Rows.WithCancellation(ct))
        {
            Append(buffer, row);
            if (sample.Place() is >= 0 and var place)
            {
                sample.Put(place, [.. row.Select(Cut)]);
            }

            rows++;
            if (buffer.WrittenCount >= BufferBytes)
            {
                await DrainAsync();
            }
        }

        await DrainAsync();
        return rows == 0
            ? throw new DatasetRefusedException(table.Field, "The table has no rows.")
            : new Written(Convert.ToHexStringLower(hash.GetHashAndReset()), table.Names, rows, sample.Kept);

        async ValueTask DrainAsync()
        {
            if (file.Position + buffer.WrittenCount > mostBytes)
            {
                throw new DatasetRefusedException(table.Field, $"The table is larger than {mostBytes:N0} bytes.") { Status = StatusCodes.Status413PayloadTooLarge };
            }

            hash.AppendData(buffer.WrittenSpan);
            await file.WriteAsync(buffer.WrittenMemory, ct);
            buffer.ResetWrittenCount();
        }
    }

    /// <summary>The rows of a stream that <see cref="WriteAsync"/> wrote, header first; a missing value is an empty text. The array is used again for the next row; the stream is closed at the end.</summary>
    public static async IAsyncEnumerable<string[]> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken ct)
    {
        using var csv = CsvReader.Create(stream, new CsvReaderOptions
        {
            HasHeader = false, Separator = ',', Encoding = Encoding.UTF8, TrimWhitespace = false, MaxRecordSize = MaxRow, PoolStrings = true, BufferSize = 1 << 17,
        });
        string[]? row = null;
        while (await csv.ReadAsync(ct))
        {
            row ??= new string[csv.FieldCount];
            if (csv.FieldCount != row.Length)
            {
                throw new InvalidDataException($"A kept row has {csv.FieldCount} fields where there are {row.Length} columns.");
            }

            for (var c = 0; c < row.Length; c++)
            {
                row[c] = csv.GetString(c);
            }

            yield return row;
        }
    }

    /// <summary>Rows drawn evenly from a stream that <see cref="WriteAsync"/> wrote, as that drew them.</summary>
    public static async Task<IReadOnlyList<string?[]>> SampleAsync(Stream stream, int columns, CancellationToken ct)
    {
        var sample = NewSample(columns);
        var header = true;
        await foreach (var row in ReadAsync(stream, ct))
        {
            if (!header && sample.Place() is >= 0 and var place)
            {
                sample.Put(place, [.. row.Select(Cut)]);
            }

            header = false;
        }

        return sample.Kept;
    }

    private static Reservoir<string?[]> NewSample(int columns) => new(Math.Clamp(1_000_000 / columns, 200, 20_000));

    private static string? Cut(string? text) => text is { Length: > 200 } ? text[..200] : text;

    private static void Append(ArrayBufferWriter<byte> buffer, IReadOnlyList<string?> row)
    {
        for (var c = 0; c < row.Count; c++)
        {
            if (c > 0)
            {
                buffer.Write(","u8);
            }

            var text = row[c] ?? "";

            // A row of one empty field would otherwise be a blank line, and a quoted first one keeps its mark from being taken for one of order.
            if (text.AsSpan().IndexOfAny(",\"\n\r") < 0 && (row.Count > 1 || text.Length > 0) && !text.StartsWith('\uFEFF'))
            {
                Encoding.UTF8.GetBytes(text, buffer);
                continue;
            }

            buffer.Write("\""u8);
            Encoding.UTF8.GetBytes(text.Replace("\"", "\"\"", StringComparison.Ordinal), buffer);
            buffer.Write("\""u8);
        }

        buffer.Write("\n"u8);
    }
}
