using System.Runtime.CompilerServices;
using Dapper;
using Npgsql;
using NpgsqlTypes;
using OKLA.Shared.Contracts;
using OKLA.Shared.Files;
using OKLA.Shared.Messaging;

namespace OKLA.Tracking.Catalog;

/// <summary>One file on its way into the catalogue.</summary>
internal sealed class ItemUpload(
    string path, string kind, string source, string? map, bool preview, NpgsqlDataSource database, IMessageBus bus, ImportOptions options, TimeProvider clock)
{
    private const int BatchRows = 1_000;
    private const int ShownProblems = 100;
    private const int ShownItems = 10;

    private readonly Dictionary<string, KindSchema?> schemas = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> setAside = [];
    private readonly List<UploadItems.RowProblem> problems = [];
    private readonly List<CatalogItem> sample = [];
    private CatalogChanges changes = new(0, 0, 0, 0);
    private long rows;
    private long kept;

    public async Task<UploadItems.Receipt> RunAsync(bool ndjson, CancellationToken ct)
    {
        if (ndjson)
        {
            return await ItemsAsync("ndjson", "", ItemFile.ReadNdjsonAsync(path, kind, name => SchemaAsync(name, ct), ct), ct);
        }

        var header = await HeaderAsync(ct);
        return header.Contains("id", StringComparer.OrdinalIgnoreCase) && header.Contains("title", StringComparer.OrdinalIgnoreCase)
            ? await ItemsAsync("csv", string.Join(',', header), ItemFile.ReadCsvAsync(path, kind, name => SchemaAsync(name, ct), ct), ct)
            : await ListingsAsync(header, ct);
    }

    private async Task<UploadItems.Receipt> ItemsAsync(string format, string columns, IAsyncEnumerable<ItemRow> read, CancellationToken ct)
    {
        Guid? import = preview ? null : await RegisterAsync(columns.Length == 0 ? format : columns, ct);
        await foreach (var batch in BatchesAsync(read, ct))
        {
            // Within a file the last statement about an item holds.
            var items = batch.Where(row => row.Item is not null).Select(row => row.Item!).GroupBy(item => item.Id).Select(same => same.Last()).ToList();
            if (import is { } id)
            {
                if (items.Count > 0)
                {
                    var done = await bus.InvokeAsync<CatalogChanges>(new PutCatalogItems(items), ct);
                    changes = new CatalogChanges(changes.Listed + done.Listed, changes.Updated + done.Updated, changes.Repriced + done.Repriced, changes.Unchanged + done.Unchanged);
                }

                await KeepAsync(id, [.. batch.Where(row => row.Problem is not null)], ct);
            }
        }

        if (import is not null)
        {
            await using var connection = await database.OpenConnectionAsync(ct);
            await connection.ExecuteAsync(new CommandDefinition(
                "update tracking.imports set finished_at = @now, rows_read = @rows where id = @import", new { now = clock.GetUtcNow(), rows, import }, cancellationToken: ct));
        }

        return Answer(import, format, columns);
    }

    private async Task<UploadItems.Receipt> ListingsAsync(string[] header, CancellationToken ct)
    {
        if (!preview)
        {
            var report = await bus.InvokeAsync<ImportReport>(new ImportListings(path, map, source, kind), ct);
            var all = report.Snapshots.Select(snapshot => snapshot.Changes).ToList();
            changes = new CatalogChanges(all.Sum(c => c.Listed), all.Sum(c => c.Updated), all.Sum(c => c.Repriced), all.Sum(c => c.Unchanged), all.Sum(c => c.Ended));
            return new UploadItems.Receipt(false, report.ImportId, "listings", report.Columns, report.Rows, report.Kept, report.SetAside, [], [], changes);
        }

        var columns = ListingColumns.Of(header, map);
        var snapshots = new Dictionary<DateTimeOffset, Batch>();
        await foreach (var raw in DataAsync(ct))
        {
            var (row, rejection) = ListingRow.Read(++rows, raw, columns, kind, options, clock.GetUtcNow());
            if (rejection is { } why)
            {
                Note(rows, why.Field ?? "", why.Reason);
                continue;
            }

            var taken = row!.Snapshot ?? DateTimeOffset.MinValue;
            (snapshots.TryGetValue(taken, out var batch) ? batch : snapshots[taken] = new Batch(row.Snapshot)).Rows.Add(row);
        }

        foreach (var batch in snapshots.Values)
        {
            batch.FindImplausible(options);
            if (columns[ListingColumns.Id] is not null || !options.KeepIdenticalRows)
            {
                batch.FindRepeats();
            }

            batch.SetAside.ForEach(row => Note(row.Number, row.Field ?? "", row.Reason));
            kept += batch.Rows.Count;
            sample.AddRange(batch.Rows.Take(ShownItems - sample.Count).Select(row => row.Item));
        }

        return Answer(null, "listings", columns.Text);
    }

    private async IAsyncEnumerable<List<ItemRow>> BatchesAsync(IAsyncEnumerable<ItemRow> read, [EnumeratorCancellation] CancellationToken ct)
    {
        var batch = new List<ItemRow>(BatchRows);
        await foreach (var row in read.WithCancellation(ct))
        {
            Count(row);
            batch.Add(row);
            if (batch.Count == BatchRows)
            {
                yield return batch;
                batch = new List<ItemRow>(BatchRows);
            }
        }

        yield return batch;
    }

    private UploadItems.Receipt Answer(Guid? import, string format, string columns) =>
        new(preview, import, format, columns, rows, kept, setAside, [.. problems.OrderBy(problem => problem.Row)], sample, preview ? null : changes);

    private void Note(long row, string field, string reason)
    {
        setAside[reason] = setAside.GetValueOrDefault(reason) + 1;
        if (problems.Count < ShownProblems)
        {
            problems.Add(new UploadItems.RowProblem(row, field, reason));
        }
    }

    private void Count(ItemRow row)
    {
        rows++;
        if (row.Problem is var (field, message))
        {
            Note(row.Number, field, message);
            return;
        }

        kept++;
        if (sample.Count < ShownItems)
        {
            sample.Add(row.Item!);
        }
    }

    private async Task<KindSchema?> SchemaAsync(string name, CancellationToken ct)
    {
        if (schemas.TryGetValue(name, out var known))
        {
            return known;
        }

        var found = await Kinds.FindAsync(database, name, ct);

        // A file of made-up kinds must not fill the memory.
        if (schemas.Count < BatchRows)
        {
            schemas[name] = found;
        }

        return found;
    }

    private async Task<string[]> HeaderAsync(CancellationToken ct)
    {
        await foreach (var row in (await DelimitedFile.InspectAsync(path, ct)).ReadAsync(ct))
        {
            return row.Row;
        }

        throw new ImportRefusedException("The file is empty.");
    }

    private async IAsyncEnumerable<string[]> DataAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var isHeader = true;
        await foreach (var (row, _) in (await DelimitedFile.InspectAsync(path, ct)).ReadAsync(ct))
        {
            if (!isHeader)
            {
                yield return row;
            }

            isHeader = false;
        }
    }

    private async Task<Guid> RegisterAsync(string columns, CancellationToken ct)
    {
        var file = await DelimitedFile.InspectAsync(path, ct);
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.QuerySingleAsync<Guid>(new CommandDefinition("""
            with import as (
                insert into tracking.imports as i (id, source, file, content, columns, encoding, started_at)
                values (@id, @source, 'upload', @ContentHash, @columns, @encoding, @now)
                on conflict (source, content, columns) do update set file = i.file returning id),
            repeated as (delete from tracking.set_aside_rows where import_id in (select id from import))
            select id from import
            """,
            new { id = Guid.CreateVersion7(), source, file.ContentHash, columns, encoding = file.Encoding.WebName, now = clock.GetUtcNow() }, cancellationToken: ct));
    }

    private async Task KeepAsync(Guid import, IReadOnlyList<ItemRow> bad, CancellationToken ct)
    {
        if (bad.Count == 0)
        {
            return;
        }

        await using var command = database.CreateCommand("""
            insert into tracking.set_aside_rows (import_id, row_number, reason, field, raw) select $1, n, r, f, to_jsonb(t) from unnest($2, $3, $4, $5) as rows (n, r, f, t)
            """);
        command.Parameters.Add(new() { Value = import });
        command.Parameters.Add(new() { Value = bad.Select(row => row.Number).ToArray() });
        command.Parameters.Add(new() { Value = bad.Select(row => row.Problem!.Value.Message).ToArray() });
        command.Parameters.Add(new() { Value = bad.Select(row => row.Problem!.Value.Field.Replace('\0', '\uFFFD')).ToArray() });
        command.Parameters.Add(new() { Value = bad.Select(row => row.Raw.Replace('\0', '\uFFFD')).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        await command.ExecuteNonQueryAsync(ct);
    }
}
