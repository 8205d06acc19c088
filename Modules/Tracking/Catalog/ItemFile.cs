using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.Files;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Catalog;

/// <summary>A row of a file of items: the item, or what is wrong with it.</summary>
/// <param name="Number">Line of data in the file, from 1.</param>
/// <param name="Item">The item; null when something is wrong.</param>
/// <param name="Problem">Field and reason; null when nothing is.</param>
/// <param name="Raw">The row as it was read, cut to what is worth keeping.</param>
internal sealed record ItemRow(long Number, CatalogItem? Item, (string Field, string Message)? Problem, string Raw);

/// <summary>Reads files of items row by row; a bad row is answered as such and reading goes on.</summary>
internal static class ItemFile
{
    private const int MaxLine = 1 << 20;
    private const int MaxKept = 20_000;

    /// <summary>One JSON object a line, as <c>PUT /api/catalog/items/{id}</c> takes it, with its <c>id</c>.</summary>
    public static async IAsyncEnumerable<ItemRow> ReadNdjsonAsync(string path, string kind, Func<string, Task<KindSchema?>> schemas, [EnumeratorCancellation] CancellationToken ct)
    {
        var number = 0L;
        await foreach (var line in LinesAsync(path, ct))
        {
            if (line is { Length: 0 })
            {
                continue;
            }

            yield return await OfJsonAsync(++number, line, kind, schemas);
        }
    }

    /// <summary>
    /// A CSV file whose columns are <c>id</c>, <c>title</c>, <c>kind</c>, <c>price</c>, <c>currency</c>, <c>description</c>, <c>tags</c> and <c>images</c> (separated by a bar),
    /// <c>sellerId</c>, <c>place</c>, <c>latitude</c>, <c>longitude</c>, <c>from</c>, <c>until</c>; every other column is an attribute of that name, typed by the kind's schema.
    /// </summary>
    public static async IAsyncEnumerable<ItemRow> ReadCsvAsync(string path, string kind, Func<string, Task<KindSchema?>> schemas, [EnumeratorCancellation] CancellationToken ct)
    {
        var file = await DelimitedFile.InspectAsync(path, ct);
        string[]? header = null;
        var number = 0L;
        await foreach (var (row, _) in file.ReadAsync(ct))
        {
            if (header is null)
            {
                header = row;
                continue;
            }

            number++;
            var raw = Keep(string.Join(',', row));
            if (row.Length != header.Length)
            {
                yield return new ItemRow(number, null, ("", $"{row.Length} fields where the header has {header.Length}."), raw);
                continue;
            }

            var cells = new CsvCells(header, row);
            var schema = await schemas(cells.Text("kind") ?? kind);
            var body = cells.Body(kind, schema);
            yield return cells.Problem is { } problem ? new ItemRow(number, null, problem, raw) : Checked(number, cells.Text("id") ?? "", body, schema, raw);
        }
    }

    private static async Task<ItemRow> OfJsonAsync(long number, byte[]? line, string kind, Func<string, Task<KindSchema?>> schemas)
    {
        if (line is null)
        {
            return new ItemRow(number, null, ("", $"The line is longer than {MaxLine:N0} bytes."), "");
        }

        var raw = Keep(Encoding.UTF8.GetString(line));
        try
        {
            using var document = JsonDocument.Parse(line);
            var id = document.RootElement.ValueKind != JsonValueKind.Object ? throw new JsonException("An object is wanted.", "$", 0, 0)
                : document.RootElement.TryGetProperty("id", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString()! : "";
            var body = document.Deserialize<ItemBody>(JsonSerializerOptions.Web)!;
            body = body with { Kind = body.Kind ?? kind };
            return Checked(number, id, body, await schemas(body.Kind), raw);
        }
        catch (JsonException malformed)
        {
            var (field, messages) = Problems.JsonErrors(malformed).First();
            return new ItemRow(number, null, (field, messages[0]), raw);
        }
        catch (InvalidOperationException)
        {
            // An escaped half of a surrogate pair: valid JSON, but no text.
            return new ItemRow(number, null, ("", "Not a valid Unicode text."), raw);
        }
    }

    private static ItemRow Checked(long number, string id, ItemBody body, KindSchema? schema, string raw)
    {
        var errors = ItemBody.Check(id, body, schema);
        return errors.Count == 0 ? new ItemRow(number, body.As(id), null, raw) : new ItemRow(number, null, (errors.First().Key, errors.First().Value[0]), raw);
    }

    private static string Keep(string raw) => raw.Length <= MaxKept ? raw : raw[..MaxKept];

    /// <summary>Lines without their ends; null for one that is too long to hold.</summary>
    private static async IAsyncEnumerable<byte[]?> LinesAsync(string path, [EnumeratorCancellation] CancellationToken ct)
    {
        var pipe = PipeReader.Create(File.OpenRead(path), new StreamPipeReaderOptions(bufferSize: 1 << 16));
        var skipping = false;
        while (true)
        {
            var read = await pipe.ReadAsync(ct);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end);
                buffer = buffer.Slice(buffer.GetPosition(1, end));
                yield return skipping || line.Length > MaxLine ? null : Trimmed(line);
                skipping = false;
            }

            if (read.IsCompleted)
            {
                if (skipping || buffer.Length > 0)
                {
                    yield return skipping || buffer.Length > MaxLine ? null : Trimmed(buffer);
                }

                await pipe.CompleteAsync();
                yield break;
            }

            if (skipping || buffer.Length > MaxLine)
            {
                (skipping, buffer) = (true, buffer.Slice(buffer.End));
            }

            pipe.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private static byte[] Trimmed(ReadOnlySequence<byte> line)
    {
        var bytes = line.ToArray().AsSpan();
        return (bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[3..] : bytes).Trim(" \t\r"u8).ToArray();
    }
}
