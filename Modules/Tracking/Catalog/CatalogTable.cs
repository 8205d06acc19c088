using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tracking.Catalog;

/// <summary>Reading and writing <c>tracking.items</c>, whole sets at a time.</summary>
internal static class CatalogTable
{
    private const string Columns = "id, kind, title, price, currency, attributes, description, tags, place, seller, images, status, listed_at, updated_at, location, available";

    // "OKLACATA": one writer of the catalogue at a time, so that what was compared is what is replaced.
    private const long WriteLock = 0x4F4B4C41_43415441;

    /// <summary>Makes this transaction the only one that changes the catalogue until it ends.</summary>
    public static async Task LockAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select pg_advisory_xact_lock($1)", transaction.Connection) { Parameters = { new() { Value = WriteLock } } };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The entries of these ids; missing ones are left out.</summary>
    public static async Task<List<CatalogEntry>> ReadAsync(NpgsqlConnection connection, IReadOnlyCollection<string> ids, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"select {Columns} from tracking.items where id = any($1)", connection) { Parameters = { new() { Value = ids.ToArray() } } };
        return await ReadAllAsync(command, ct);
    }

    /// <summary>Live entries of a kind in id order after an id.</summary>
    public static async Task<List<CatalogEntry>> ListAsync(NpgsqlConnection connection, string kind, string? afterId, int limit, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"select {Columns} from tracking.items where status = 'live' and kind = $1 and id > $2 order by id limit $3", connection)
        {
            Parameters = { new() { Value = kind }, new() { Value = afterId ?? "" }, new() { Value = limit } },
        };
        return await ReadAllAsync(command, ct);
    }

    /// <summary>Inserts or replaces entries; each id once.</summary>
    public static async Task WriteAsync(NpgsqlTransaction transaction, IReadOnlyCollection<CatalogEntry> entries, CancellationToken ct)
    {
        if (entries.Count == 0)
        {
            return;
        }

        await using var command = new NpgsqlCommand($"""
            insert into tracking.items ({Columns})
            select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            on conflict (id) do update set kind = excluded.kind, title = excluded.title, price = excluded.price, currency = excluded.currency,
                attributes = excluded.attributes, description = excluded.description, tags = excluded.tags, place = excluded.place,
                seller = excluded.seller, images = excluded.images, status = excluded.status, listed_at = excluded.listed_at, updated_at = excluded.updated_at,
                location = excluded.location, available = excluded.available
            """, transaction.Connection);
        void Add<T>(NpgsqlDbType type, Func<CatalogEntry, T> value) =>
            command.Parameters.Add(new NpgsqlParameter { Value = entries.Select(value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type });
        Add(NpgsqlDbType.Text, entry => entry.Item.Id);
        Add(NpgsqlDbType.Text, entry => entry.Item.Kind);
        Add(NpgsqlDbType.Text, entry => entry.Item.Title);
        Add(NpgsqlDbType.Numeric, entry => entry.Item.Price?.Amount);
        Add(NpgsqlDbType.Text, entry => entry.Item.Price?.Currency);
        Add(NpgsqlDbType.Jsonb, entry => Json(entry.Item.Attributes));
        Add(NpgsqlDbType.Text, entry => entry.Item.Description);
        Add(NpgsqlDbType.Jsonb, entry => Json(entry.Item.Tags));
        Add(NpgsqlDbType.Text, entry => entry.Item.Place);
        Add(NpgsqlDbType.Text, entry => entry.Item.SellerId);
        Add(NpgsqlDbType.Jsonb, entry => Json(entry.Item.Images));
        Add(NpgsqlDbType.Text, entry => entry.Status);
        Add(NpgsqlDbType.TimestampTz, entry => entry.ListedAt.UtcDateTime);
        Add(NpgsqlDbType.TimestampTz, entry => entry.UpdatedAt.UtcDateTime);
        Add(NpgsqlDbType.Jsonb, entry => entry.Item.Location is { } location ? Json(location) : null);
        Add(NpgsqlDbType.Jsonb, entry => entry.Item.Window is { } window ? Json(window) : null);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, EventJson.Options);

    private static async Task<List<CatalogEntry>> ReadAllAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var row = await command.ExecuteReaderAsync(ct);
        var entries = new List<CatalogEntry>();
        while (await row.ReadAsync(ct))
        {
            var price = row.IsDBNull(3) ? null : new Money(row.GetDecimal(3), row.GetString(4));
            var attributes = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(row.GetString(5), EventJson.Options)!;
            var item = new CatalogItem(row.GetString(0), row.GetString(1), row.GetString(2), price, attributes)
            {
                Description = row.IsDBNull(6) ? null : row.GetString(6),
                Tags = JsonSerializer.Deserialize<string[]>(row.GetString(7), EventJson.Options)!,
                Place = row.IsDBNull(8) ? null : row.GetString(8),
                SellerId = row.IsDBNull(9) ? null : row.GetString(9),
                Images = JsonSerializer.Deserialize<string[]>(row.GetString(10), EventJson.Options)!,
                Location = row.IsDBNull(14) ? null : JsonSerializer.Deserialize<GeoPoint>(row.GetString(14), EventJson.Options),
                Window = row.IsDBNull(15) ? null : JsonSerializer.Deserialize<TimeWindow>(row.GetString(15), EventJson.Options),
            };
            entries.Add(new CatalogEntry(item, row.GetString(11), row.GetFieldValue<DateTimeOffset>(12), row.GetFieldValue<DateTimeOffset>(13)));
        }

        return entries;
    }
}
