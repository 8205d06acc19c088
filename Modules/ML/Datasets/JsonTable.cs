using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace OKLA.ML.Datasets;

/// <summary>A file of NDJSON as a table: its columns are all names that occur, in the order they do; objects within objects are parted by dots, lists stay JSON.</summary>
internal static class JsonTable
{
    private const int MaxLine = 1 << 20;
    private const int MaxDepth = 8;

    public static async Task<TableRows> OpenAsync(string path, DatasetLimits limits, CancellationToken ct)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var number = 0L;
        await foreach (var line in LinesAsync(path, ct))
        {
            number++;
            Read(line, number, (name, _) =>
            {
                if (places.TryAdd(name, places.Count) && places.Count > limits.MaxColumns)
                {
                    throw new DatasetRefusedException("body", $"By line {number:N0} the objects have more than {limits.MaxColumns:N0} different names.");
                }
            });
        }

        if (places.Count == 0)
        {
            throw new DatasetRefusedException("body", "The file is empty.");
        }

        return new TableRows(TableRows.Checked([.. places.Keys], limits), RowsAsync(path, places, ct));
    }

    /// <summary>A value as the text of a cell; null where there is none.</summary>
    public static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        _ => value.GetRawText(),
    };

    private static async IAsyncEnumerable<string?[]> RowsAsync(string path, Dictionary<string, int> places, [EnumeratorCancellation] CancellationToken ct)
    {
        var number = 0L;
        await foreach (var line in LinesAsync(path, ct))
        {
            var row = new string?[places.Count];
            Read(line, ++number, (name, value) => row[places[name]] = value);
            yield return row;
        }
    }

    private static void Read(ReadOnlyMemory<byte> line, long number, Action<string, string?> cell)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new DatasetRefusedException("body", $"Line {number:N0} is no JSON object.");
            }

            Flatten(document.RootElement, "", 1);
        }
        catch (JsonException malformed)
        {
            throw new DatasetRefusedException("body", $"Line {number:N0} is not valid JSON at byte {(malformed.BytePositionInLine ?? 0) + 1:N0}.");
        }
        catch (InvalidOperationException)
        {
            // Bytes that are not UTF-8, or an escaped half of a surrogate pair.
            throw new DatasetRefusedException("body", $"Line {number:N0} holds what is no Unicode text.");
        }

        void Flatten(JsonElement part, string prefix, int depth)
        {
            foreach (var property in part.EnumerateObject())
            {
                var name = prefix + property.Name;
                if (property.Value.ValueKind == JsonValueKind.Object && depth < MaxDepth)
                {
                    Flatten(property.Value, name + ".", depth + 1);
                    continue;
                }

                var text = Text(property.Value);
                if (text?.Contains('\0') == true || name.Contains('\0'))
                {
                    throw new DatasetRefusedException("body", $"Line {number:N0} holds the character U+0000 in '{name.Replace("\0", "", StringComparison.Ordinal)}'.");
                }

                cell(name, text);
            }
        }
    }

    /// <summary>Lines that are not blank, without their ends.</summary>
    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> LinesAsync(string path, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var stream = File.OpenRead(path);
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 1 << 16, leaveOpen: true));
        var number = 0L;
        while (true)
        {
            var read = await pipe.ReadAsync(ct);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                if (Line(buffer.Slice(0, end), ++number) is { Length: > 0 } line)
                {
                    yield return line;
                }

                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (read.IsCompleted)
            {
                if (Line(buffer, number + 1) is { Length: > 0 } last)
                {
                    yield return last;
                }

                await pipe.CompleteAsync();
                yield break;
            }

            if (buffer.Length > MaxLine)
            {
                _ = Line(buffer, number + 1);
            }

            pipe.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private static ReadOnlyMemory<byte> Line(ReadOnlySequence<byte> written, long number)
    {
        if (written.Length > MaxLine)
        {
            throw new DatasetRefusedException("body", $"Line {number:N0} is longer than {MaxLine:N0} bytes.");
        }

        var line = written.ToArray().AsMemory();
        line = line.Span.StartsWith(Encoding.UTF8.Preamble) ? line[3..] : line;
        return line.Trim(" \t\r"u8.ToArray());
    }
}
