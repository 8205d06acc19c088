using System.Text.Json;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Features.Items;

/// <summary>The one definition of an item's state at a time, used by the live projection, by training frames and by tests.</summary>
internal static class ItemState
{
    /// <summary>Columns that <see cref="Read"/> wants, in order.</summary>
    public const string Columns = "body, price, currency, status, listed_at, priced_at, updated_at, position";

    /// <summary>
    /// Folds features.item_history in event time (position breaks ties). $1: event and known-at time at or before; $2: ids, or null for all.
    /// A price stands from the row that states it; sold and withdrawn end an item until it is listed again. One pass without joins: right
    /// after a large import the planner has no statistics, and joins of the parts would be nested loops.
    /// </summary>
    public const string AsOf = """
        select item_id, body->>'kind' as kind, coalesce(status, 'live') as status, body, price, currency, priced_at, listed_at, updated_at, price_changes, position
        from (
            select item_id,
                (array_agg(body order by occurred_at desc, position desc) filter (where body is not null))[1] as body,
                (array_agg(price order by occurred_at desc, position desc) filter (where change in ('listed', 'updated', 'repriced')))[1] as price,
                (array_agg(currency order by occurred_at desc, position desc) filter (where change in ('listed', 'updated', 'repriced')))[1] as currency,
                max(occurred_at) filter (where change in ('listed', 'updated', 'repriced')) as priced_at,
                (array_agg(case change when 'listed' then 'live' else change end order by occurred_at desc, position desc)
                    filter (where change in ('listed', 'sold', 'withdrawn')))[1] as status,
                min(occurred_at) filter (where body is not null) as listed_at, max(occurred_at) as updated_at,
                count(*) filter (where change = 'repriced') as price_changes, max(position) as position
            from features.item_history
            where occurred_at <= $1 and known_at <= $1 and ($2::text[] is null or item_id = any($2))
            group by item_id
        ) folded
        where body is not null
        """;

    public static ItemSnapshot Read(NpgsqlDataReader row)
    {
        var item = JsonSerializer.Deserialize<CatalogItem>(row.GetFieldValue<byte[]>(0), EventJson.Options)!;
        var price = row.IsDBNull(1) || row.IsDBNull(2) ? null : new Money(row.GetDecimal(1), row.GetString(2));
        return new ItemSnapshot(
            item with { Price = price }, row.GetString(3), row.GetFieldValue<DateTimeOffset>(4), row.GetFieldValue<DateTimeOffset>(5),
            row.GetFieldValue<DateTimeOffset>(6), row.GetInt64(7));
    }

    public static async Task<IReadOnlyList<ItemSnapshot>> ReadAllAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var reader = await command.ExecuteReaderAsync(ct);
        var items = new List<ItemSnapshot>();
        while (await reader.ReadAsync(ct))
        {
            items.Add(Read(reader));
        }

        return items;
    }
}
