using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace OKLA.ML.Datasets;

/// <summary>A file for the time of one request.</summary>
internal sealed class TemporaryFile : IDisposable
{
    /// <summary>Beginning of the names of those that this process makes.</summary>
    public static readonly string OwnPrefix = $"{Prefix}{Environment.ProcessId}-";

    private const string Prefix = "okla-dataset-";

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), OwnPrefix + Guid.NewGuid().ToString("N"));

    /// <summary>Deletes what a host that was killed left behind: no request takes a day.</summary>
    public static void DeleteAbandoned(DateTimeOffset now)
    {
        foreach (var path in Directory.EnumerateFiles(System.IO.Path.GetTempPath(), Prefix + "*"))
        {
            if (File.GetLastWriteTimeUtc(path) < now.UtcDateTime.AddDays(-1))
            {
                File.Delete(path);
            }
        }
    }

    public void Dispose() => File.Delete(Path);
}

/// <summary>How a table that comes from outside says that it is written; null where it is guessed.</summary>
/// <param name="ContentType">Media type, with its charset.</param>
/// <param name="Delimiter">What parts fields of CSV.</param>
/// <param name="Header">Whether the first row of CSV names the columns.</param>
internal sealed record Wording(string? ContentType = null, char? Delimiter = null, bool Header = true);

/// <summary>Brings a body from outside onto the disk as plain text, within bounds, and opens it as a table.</summary>
internal static class Intake
{
    // Below this an upload may unpack as it likes.
    private const long FreeBytes = 64 << 20;

    /// <summary>The body as a table over <paramref name="file"/>, which must outlive it.</summary>
    /// <exception cref="DatasetRefusedException">It is too large, no text, or no table.</exception>
    public static async Task<TableRows> OpenAsync(Stream body, TemporaryFile file, Wording wording, DatasetLimits limits, CancellationToken ct)
    {
        using var raw = new TemporaryFile();
        await using (var target = File.Create(raw.Path))
        {
            await CopyAsync(body, target, limits.MaxBytes, limits.MaxBytes, ct);
        }

        var start = await StartAsync(raw.Path, ct);
        switch (start)
        {
            case []:
                throw new DatasetRefusedException("body", "The file is empty.");
            case [0x1F, 0x8B, ..]:
                await UnpackAsync(raw.Path, file.Path, limits, ct);
                break;
            case [(byte)'P', (byte)'K', 3, 4, ..]:
                throw new DatasetRefusedException("body", "A ZIP archive or a workbook: send the table itself as CSV or NDJSON, packed with gzip if at all.");
            default:
                File.Move(raw.Path, file.Path);
                break;
        }

        start = await StartAsync(file.Path, ct);
        if (start is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] || Charset(wording).StartsWith("utf-16", StringComparison.Ordinal))
        {
            var big = start is [0xFE, 0xFF, ..] || (start is not [0xFF, 0xFE, ..] && Charset(wording) == "utf-16be");
            await TranscodeAsync(file.Path, big ? Encoding.BigEndianUnicode : Encoding.Unicode, ct);
        }

        await RefuseBinaryAsync(file.Path, ct);
        return await IsJsonAsync(file.Path, wording, ct) ? await JsonTable.OpenAsync(file.Path, limits, ct) : await CsvTable.OpenAsync(file.Path, wording, Charset(wording), limits, ct);
    }

    private static string Charset(Wording wording)
    {
        var at = wording.ContentType?.IndexOf("charset=", StringComparison.OrdinalIgnoreCase) ?? -1;
        return at < 0 ? "" : wording.ContentType![(at + 8)..].Split(';')[0].Trim(' ', '"').ToLowerInvariant();
    }

    private static async Task<bool> IsJsonAsync(string path, Wording wording, CancellationToken ct)
    {
        var type = wording.ContentType?.Split(';')[0].Trim().ToLowerInvariant() ?? "";
        var first = (await StartAsync(path, ct)).AsSpan().TrimStart([.. Encoding.UTF8.Preamble, .. " \t\r\n"u8]);
        if (first is [(byte)'[', ..] && type != "text/csv")
        {
            throw new DatasetRefusedException("body", "A JSON array: send one object a line (NDJSON).");
        }

        return type is "application/x-ndjson" or "application/ndjson" or "application/jsonl" or "application/json" || (first is [(byte)'{', ..] && type != "text/csv");
    }

    private static async Task<byte[]> StartAsync(string path, CancellationToken ct)
    {
        await using var stream = File.OpenRead(path);
        var start = new byte[64];
        return start[..await stream.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, ct)];
    }

    private static async Task UnpackAsync(string packed, string path, DatasetLimits limits, CancellationToken ct)
    {
        await using var source = new GZipStream(File.OpenRead(packed), CompressionMode.Decompress);
        await using var target = File.Create(path);
        try
        {
            await CopyAsync(source, target, limits.MaxBytes, Math.Max(FreeBytes, new FileInfo(packed).Length * limits.MaxExpansion), ct);

            // The unpacker takes a file that is cut off for one that ends. The last four bytes say how much it should be (RFC 1952, section 2.3.1).
            await using var ending = File.OpenRead(packed);
            var size = new byte[4];
            ending.Seek(-Math.Min(4, ending.Length), SeekOrigin.End);
            await ending.ReadExactlyAsync(size, ct);
            if (BinaryPrimitives.ReadUInt32LittleEndian(size) != (uint)target.Length)
            {
                throw new InvalidDataException();
            }
        }
        catch (InvalidDataException)
        {
            throw new DatasetRefusedException("body", "The gzip data are damaged, cut off, or several files in one.");
        }
    }

    private static async Task TranscodeAsync(string path, Encoding encoding, CancellationToken ct)
    {
        using var plain = new TemporaryFile();
        await using (var source = Encoding.CreateTranscodingStream(File.OpenRead(path), encoding, Encoding.UTF8))
        await using (var target = File.Create(plain.Path))
        {
            await source.CopyToAsync(target, ct);
        }

        File.Move(plain.Path, path, overwrite: true);
    }

    private static async Task RefuseBinaryAsync(string path, CancellationToken ct)
    {
        await using var stream = File.OpenRead(path);
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            int read;
            for (var at = 0L; (read = await stream.ReadAsync(buffer, ct)) > 0; at += read)
            {
                if (buffer.AsSpan(0, read).IndexOf((byte)0) is >= 0 and var place)
                {
                    throw new DatasetRefusedException("body", $"Byte {at + place + 1:N0} is zero: not a text, or UTF-16 without its byte order mark (say charset=utf-16le).");
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task CopyAsync(Stream source, Stream target, long most, long plausible, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            int read;
            var total = 0L;
            while ((read = await source.ReadAsync(buffer, ct)) > 0)
            {
                total += read;
                if (total > most)
                {
                    throw new DatasetRefusedException("body", $"The table is larger than {most:N0} bytes.") { Status = StatusCodes.Status413PayloadTooLarge };
                }

                if (total > plausible)
                {
                    throw new DatasetRefusedException("body", $"The file unpacks to more than {plausible:N0} bytes, which no table of its size does.") { Status = StatusCodes.Status413PayloadTooLarge };
                }

                await target.WriteAsync(buffer.AsMemory(0, read), ct);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
