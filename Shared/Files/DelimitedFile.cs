using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using CsvHelper;

namespace OKLA.Shared.Files;

/// <summary>A file of delimited text on disk (comma, semicolon, tab or bar, told from its first lines): what it is read with, and its rows one by one.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="ContentHash">SHA-256 of its bytes in hexadecimal.</param>
/// <param name="Encoding">UTF-8 when every byte fits, otherwise Latin-1, which reads anything.</param>
/// <param name="Length">Its size in bytes.</param>
public sealed record DelimitedFile(string Path, string ContentHash, Encoding Encoding, long Length)
{
    /// <summary>Reads the file once through to tell its content and encoding.</summary>
    /// <exception cref="UnreadableFileException">There is no such file, or it cannot be read.</exception>
    public static async Task<DelimitedFile> InspectAsync(string path, CancellationToken ct)
    {
        try
        {
            await using var stream = File.OpenRead(path);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var decoder = new UTF8Encoding(false, throwOnInvalidBytes: true).GetDecoder();
            var (buffer, utf8) = (new byte[1 << 16], true);
            int read;
            do
            {
                read = await stream.ReadAsync(buffer, ct);
                hash.AppendData(buffer, 0, read);
                utf8 = utf8 && Decodes(decoder, buffer.AsSpan(0, read), last: read == 0);
            }
            while (read > 0);

            return new DelimitedFile(path, Convert.ToHexStringLower(hash.GetHashAndReset()), utf8 ? Encoding.UTF8 : Encoding.Latin1, stream.Length);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new UnreadableFileException($"'{path}' cannot be read: {fault.Message}");
        }
    }

    /// <summary>
    /// The header first, then every row with the share of the file read so far; a row with broken quotes comes as one field, its raw text. Without
    /// <paramref name="separator"/> the first lines decide what parts fields.
    /// </summary>
    public async IAsyncEnumerable<(string[] Row, double Fraction)> ReadAsync([EnumeratorCancellation] CancellationToken ct, char? separator = null)
    {
        var broken = new HashSet<long>();
        await using var stream = File.OpenRead(Path);
        using var csv = CsvReader.Create(stream, new CsvReaderOptions
        {
            HasHeader = false,
            Separator = separator,
            Encoding = Encoding,
            TrimWhitespace = true,
            MaxRecordSize = 1 << 20,
            OnMalformedRecord = found =>
            {
                // A stray quote, as in 22" wheels, is read as written; the others leave open where a field ends.
                if (found.Reason != CsvMalformedReason.StrayQuote)
                {
                    broken.Add(found.RecordNumber);
                }
            },
        });
        for (var number = 1L; await NextAsync(csv, number, ct); number++)
        {
            var row = new string[csv.FieldCount];
            for (var i = 0; i < row.Length; i++)
            {
                row[i] = csv.GetString(i);
            }

            yield return (broken.Remove(number) ? [Encoding.UTF8.GetString(csv.RawRecord)] : row, Length == 0 ? 1 : Math.Min(1, (double)stream.Position / Length));
        }
    }

    private async Task<bool> NextAsync(CsvReader csv, long number, CancellationToken ct)
    {
        try
        {
            return await csv.ReadAsync(ct);
        }
        catch (CsvFormatException tooLong)
        {
            throw new UnreadableFileException($"'{Path}', row {number}: {tooLong.Message} A quote that is never closed is the usual cause.");
        }
    }

    private static bool Decodes(Decoder decoder, ReadOnlySpan<byte> bytes, bool last)
    {
        try
        {
            decoder.GetCharCount(bytes, last);
            Span<char> target = new char[bytes.Length + 4];
            decoder.GetChars(bytes, target, last);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}

/// <summary>A file that cannot be read as delimited text; the message names it and says why.</summary>
public sealed class UnreadableFileException(string message) : Exception(message);
