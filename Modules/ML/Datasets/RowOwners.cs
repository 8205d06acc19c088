using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Datasets;

/// <summary>Whose each row of a table is: kept beside the table, a line a row, so that an erased person's rows are found although the table does not name her.</summary>
internal sealed class RowOwners : IDisposable
{
    private static readonly string[] Naming = ["anonymousId", "userId", "buyerId", "personId"];
    private readonly TemporaryFile file = new();

    /// <summary>Whose a row is, as one text.</summary>
    public static string Of(params IEnumerable<string?> ids) => string.Join(' ', ids.OfType<string>().Distinct(StringComparer.Ordinal).Select(Uri.EscapeDataString));

    /// <summary>Whose an event is: of whoever its body or its stream names.</summary>
    public static string Of(RecordedEvent item, JsonElement body)
    {
        var stream = item.StreamId.AsSpan(item.StreamId.IndexOf('-') + 1).ToString();
        return body.ValueKind != JsonValueKind.Object ? Of(stream)
            : Of([.. Naming.Select(name => body.TryGetProperty(name, out var id) && id.ValueKind == JsonValueKind.String ? id.GetString() : null), stream]);
    }

    /// <summary>The ids of a line.</summary>
    public static IEnumerable<string> Read(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString);

    /// <summary>The table without its last text a row, which goes here.</summary>
    public TableRows Aside(TableRows table)
    {
        return table with { Owned = false, Rows = RowsAsync(default) };

        async IAsyncEnumerable<string?[]> RowsAsync([EnumeratorCancellation] CancellationToken ct)
        {
            await using var lines = new StreamWriter(file.Path, append: false, new UTF8Encoding(false)) { NewLine = "\n" };
            await foreach (var row in table.Rows.WithCancellation(ct))
            {
                await lines.WriteLineAsync(row[^1]);
                yield return row[..^1];
            }
        }
    }

    /// <summary>The lines, once the table was gone through.</summary>
    public FileStream Read() => File.OpenRead(file.Path);

    public void Dispose() => file.Dispose();
}
