using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Files;

namespace OKLA.Tracking.Catalog;

/// <summary>
/// Handles <see cref="ImportListings"/>: reads the file row by row and lets it take effect snapshot by snapshot, each in one transaction
/// of items, events, ads and set-aside rows. After a crash the same command goes on where it stopped.
/// </summary>
/// <remarks>
/// One snapshot is held in memory (about 2 KB a row). Its events carry the snapshot's time as event time and as known-at time, so that
/// the past can be replayed: an ad is listed at its first snapshot, withdrawn at the first one that lacks it.
/// <para>
/// Rows that say exactly what another row of their snapshot says, where there are no ad ids, are set aside as <c>duplicate_row</c>. In the
/// scrape of supercarros.com they are three of ten, mostly new cars; their distances in the file fall off smoothly without a peak at the
/// size of a page, so most are dealers who advertise several identical cars, not pages read twice. Still nothing tells them apart:
/// whichever of them is sold, the others look the same in the next snapshot, and thirty copies of one price-list line would count thirty
/// times in training and sit on both sides of any split. One of them stands for all; each of the others is kept with its reason.
/// <see cref="ImportOptions.KeepIdenticalRows"/> makes ads of them.
/// </para>
/// </remarks>
internal sealed class ImportListingsHandler(NpgsqlDataSource database, EventLog log, IOptions<ImportOptions> options, TimeProvider clock)
{
    public async Task<ImportReport> HandleAsync(ImportListings command, CancellationToken ct)
    {
        var file = await DelimitedFile.InspectAsync(command.File, ct);
        await using var rows = file.ReadAsync(ct).GetAsyncEnumerator(ct);
        if (!await rows.MoveNextAsync())
        {
            throw new ImportRefusedException($"'{command.File}' is empty.");
        }

        var columns = ListingColumns.Of(rows.Current.Row, command.Columns);
        var source = command.Source ?? Path.GetFileNameWithoutExtension(command.File);
        var (id, finished, started) = await RegisterAsync(source, file, columns, ct);
        if (finished)
        {
            return await ImportReports.ReadAsync(database, id, repeated: true, ct);
        }

        var batch = new Batch(null);
        var number = 0L;
        var early = new List<SetAside>();
        while (await rows.MoveNextAsync())
        {
            var (raw, fraction) = rows.Current;
            var (row, rejection) = ListingRow.Read(++number, raw, columns, command.Kind, options.Value, started);
            if (rejection is not null)
            {
                batch.SetAside.Add(new SetAside(number, rejection.Reason, rejection.Field, raw));
                continue;
            }

            if (batch.Rows.Count > 0 && row!.Snapshot > batch.TakenAt)
            {
                await ApplyAsync(id, source, columns, batch, started, ct);
                batch = new Batch(null);
            }

            if (batch.Rows.Count > 0 && row!.Snapshot < batch.TakenAt)
            {
                batch.SetAside.Add(new SetAside(number, "snapshot_out_of_order", ListingColumns.Snapshot, raw));
                continue;
            }

            batch.Rows.Add(row!);
            batch.TakenAt = row!.Snapshot;
            if (number % 500 == 0)
            {
                command.Progress?.Report(new WorkProgress(fraction, $"{number:N0} rows"));
            }
        }

        await ApplyAsync(id, source, columns, batch, started, ct);
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "update tracking.imports set finished_at = @now, rows_read = @number where id = @id", new { now = clock.GetUtcNow(), number, id }, cancellationToken: ct));
        command.Progress?.Report(new WorkProgress(1, $"{number:N0} rows"));
        return await ImportReports.ReadAsync(database, id, repeated: false, ct);
    }

    /// <summary>Finds or makes the import of this content; an unfinished one keeps its start, which is the time of rows without a snapshot.</summary>
    private async Task<(Guid Id, bool Finished, DateTimeOffset StartedAt)> RegisterAsync(string source, DelimitedFile file, ListingColumns columns, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.QuerySingleAsync<(Guid, bool, DateTimeOffset)>(new CommandDefinition("""
            insert into tracking.imports as i (id, source, file, content, columns, encoding, started_at)
            values (@id, @source, @name, @ContentHash, @Text, @encoding, @now)
            on conflict (source, content, columns) do update set file = i.file
            returning id, finished_at is not null, started_at
            """,
            new
            {
                id = Guid.CreateVersion7(), source, name = Path.GetFileName(file.Path), file.ContentHash, columns.Text,
                encoding = file.Encoding.WebName, now = clock.GetUtcNow(),
            },
            cancellationToken: ct));
    }

    /// <summary>Lets one snapshot take effect, or sets its rows aside when a later one of the source already did.</summary>
    private async Task ApplyAsync(Guid importId, string source, ListingColumns columns, Batch batch, DateTimeOffset startedAt, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await CatalogTable.LockAsync(transaction, ct);
        var takenAt = batch.TakenAt ?? startedAt;
        var last = await connection.ExecuteScalarAsync<DateTime?>(new CommandDefinition(
            "select max(snapshot) from tracking.imported_snapshots where source = @source", new { source }, cancellationToken: ct));
        var own = await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "select exists (select from tracking.imported_snapshots where source = @source and snapshot = @takenAt and import_id = @importId)",
            new { source, takenAt, importId }, cancellationToken: ct));
        if (own)
        {
            return;
        }

        var total = batch.Rows.Count + batch.SetAside.Count;
        if (batch.Rows.Count > 0 && takenAt.UtcDateTime <= last)
        {
            // A file that has grown by new snapshots brings the old ones again; history is not written twice.
            batch.SetAside.AddRange(batch.Rows.Select(row => new SetAside(row.Number, "snapshot_already_imported", ListingColumns.Snapshot, row.Raw)));
            batch.Rows.Clear();
        }

        batch.FindImplausible(options.Value);
        if (columns[ListingColumns.Id] is not null || !options.Value.KeepIdenticalRows)
        {
            batch.FindRepeats();
        }

        if (batch.Rows.Count > 0)
        {
            var changes = await PutAsync(transaction, source, columns, batch.Rows, takenAt, ct);
            await connection.ExecuteAsync(new CommandDefinition("""
                insert into tracking.imported_snapshots (source, snapshot, import_id, rows, kept, listed, updated, repriced, unchanged, withdrawn)
                values (@source, @takenAt, @importId, @total, @Count, @Listed, @Updated, @Repriced, @Unchanged, @Ended)
                """,
                new { source, takenAt, importId, total, batch.Rows.Count, changes.Listed, changes.Updated, changes.Repriced, changes.Unchanged, changes.Ended },
                cancellationToken: ct));
        }

        // Rows of a batch without a good one may stand there already when an import goes on after a crash.
        await connection.ExecuteAsync(new CommandDefinition(
            "delete from tracking.set_aside_rows where import_id = @importId and row_number = any(@numbers)",
            new { importId, numbers = batch.SetAside.Select(row => row.Number).ToArray() }, cancellationToken: ct));
        await WriteSetAsideAsync(connection, importId, columns, batch.SetAside, ct);
        await transaction.CommitAsync(ct);
    }

    private async Task<CatalogChanges> PutAsync(
        NpgsqlTransaction transaction, string source, ListingColumns columns, List<ListingRow> rows, DateTimeOffset takenAt, CancellationToken ct)
    {
        var connection = transaction.Connection!;
        // With ids of their own, ads have the id as key and number 0; without, numbers count from 1.
        var keys = rows.Select(row => row.AdId ?? row.AdKey).ToHashSet();
        var wholeSource = columns[ListingColumns.Snapshot] is not null;
        var ads = (await connection.QueryAsync<(string Key, int Number, string ItemId)>(new CommandDefinition(
            "select ad_key, number, item_id from tracking.imported_ads where source = @source and (@wholeSource or ad_key = any(@keys))",
            new { source, wholeSource, keys = keys.ToArray() }, cancellationToken: ct))).AsList();
        var known = (await CatalogTable.ReadAsync(connection, [.. ads.Select(ad => ad.ItemId)], ct)).ToDictionary(entry => entry.Item.Id);
        var adsByKey = ads.ToLookup(ad => ad.Key);

        var items = new List<CatalogItem>(rows.Count);
        var fresh = new List<(string Key, int Number, string ItemId)>();
        foreach (var group in rows.GroupBy(row => row.AdId ?? row.AdKey))
        {
            var here = group.ToList();
            var before = adsByKey[group.Key].ToDictionary(ad => ad.Number, ad => known[ad.ItemId]);
            var numbers = here[0].AdId is not null ? [0] : AdMatching.Match(
                [.. before.Select(ad => new KnownAd(ad.Key, ad.Value.Item.Price!.Amount, ad.Value.Status == CatalogDecisions.Live))],
                [.. here.Select(row => row.Price.Amount)], options.Value.MaxPriceMove);
            for (var i = 0; i < here.Count; i++)
            {
                var entry = before.GetValueOrDefault(numbers[i]);
                var itemId = entry?.Item.Id ?? ItemId(source, group.Key, numbers[i]);
                items.Add(Merge(entry?.Item, here[i].Item with { Id = itemId }));
                if (entry is null)
                {
                    fresh.Add((group.Key, numbers[i], itemId));
                }
            }
        }

        // What a source without snapshots does not mention is unknown, not gone.
        var seen = items.Select(item => item.Id).ToHashSet();
        var gone = wholeSource ? known.Values.Where(entry => !seen.Contains(entry.Item.Id)) : [];
        var ended = await WithdrawCatalogItemsHandler.ApplyAsync(transaction, log, gone, sold: false, reason: "not_in_snapshot", takenAt, takenAt, ct);
        var changes = await PutCatalogItemsHandler.ApplyAsync(transaction, log, known.Values, items, takenAt, takenAt, ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "insert into tracking.imported_ads (source, ad_key, number, item_id) select @source, k, n, i from unnest(@keys, @numbers, @ids) as new (k, n, i)",
            new { source, keys = fresh.Select(ad => ad.Key).ToArray(), numbers = fresh.Select(ad => ad.Number).ToArray(), ids = fresh.Select(ad => ad.ItemId).ToArray() },
            cancellationToken: ct));
        return changes with { Ended = ended };
    }

    /// <summary>What a later row leaves out (a source may drop a column) stays as it was known.</summary>
    private static CatalogItem Merge(CatalogItem? before, CatalogItem now) => before is null ? now : now with
    {
        Attributes = before.Attributes.Concat(now.Attributes).GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Last().Value),
        Description = now.Description ?? before.Description,
        Place = now.Place ?? before.Place,
        SellerId = now.SellerId ?? before.SellerId,
        Tags = before.Tags,
        Images = before.Images,
        Location = before.Location,
        Window = before.Window,
    };

    private static string ItemId(string source, string key, int number)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{source}\n{key}"));
        return number == 0 ? $"ad-{Convert.ToHexStringLower(hash.AsSpan(0, 10))}" : $"ad-{Convert.ToHexStringLower(hash.AsSpan(0, 10))}-{number}";
    }

    private static async Task WriteSetAsideAsync(NpgsqlConnection connection, Guid importId, ListingColumns columns, List<SetAside> rows, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy tracking.set_aside_rows (import_id, row_number, reason, field, raw) from stdin (format binary)", ct);
        foreach (var row in rows)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(importId, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync(row.Number, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(row.Reason, NpgsqlDbType.Text, ct);
            await copy.WriteAsync(row.Field, NpgsqlDbType.Text, ct);
            await copy.WriteAsync(RawJson(columns, row.Raw), NpgsqlDbType.Jsonb, ct);
        }

        await copy.CompleteAsync(ct);
    }

    /// <summary>The row by column name; as a list when the number of fields differs. PostgreSQL stores no U+0000, so that one is shown as �.</summary>
    private static string RawJson(ListingColumns columns, string[] raw)
    {
        var clean = raw.Select(value => value.Replace('\0', '\uFFFD')).ToArray();
        return raw.Length == columns.Header.Count && columns.Header.Distinct().Count() == raw.Length
            ? JsonSerializer.Serialize(columns.Header.Zip(clean).ToDictionary(pair => pair.First, pair => pair.Second), EventJson.Options)
            : JsonSerializer.Serialize(clean, EventJson.Options);
    }
}
