using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using OKLA.Features.Facts;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Interactions;

/// <summary>Answers <see cref="GetInteractionFrame"/>: one pass over the table, streamed out in log order. What a visitor did is told of the user that it was known to be at that time, and of which users before.</summary>
internal static class InteractionFrameHandler
{
    public static async Task<InteractionFrame> Handle(
        GetInteractionFrame query, NpgsqlDataSource database, IOptions<FeaturesOptions> options, CancellationToken ct)
    {
        var (people, items) = (new Dictionary<string, int>(StringComparer.Ordinal), new Dictionary<string, int>(StringComparer.Ordinal));
        var (person, item, weight) = (new List<int>(), new List<int>(), new List<float>());
        var (occurred, known, place, shown) = (new List<long>(), new List<long>(), new List<int>(), new List<int>());
        var (ids, id) = (new Dictionary<string, int>(StringComparer.Ordinal), new List<int>());
        var at = query.AsOf.UtcDateTime.ToString("O");
        var links = await PersonLinks.ReadAsync(database, null, long.MaxValue, ct);
        await using var connection = await database.OpenConnectionAsync(ct);

        // COPY takes no parameters: the time is our own text of a DateTime.
        await using var rows = await connection.BeginBinaryExportAsync($"""
            copy (
                select * from (
                    select person_id, item_id, {options.Value.WeightSql} as weight, occurred_at, known_at, position,
                        case when type = '{EventTypes.RecommendationClicked}' then least(greatest(amount, -1), 1000)::int end as place
                    from features.facts
                    where person_id is not null and item_id is not null and occurred_at <= '{at}'::timestamptz and known_at <= '{at}'::timestamptz
                ) interactions
                where weight is not null order by position
            ) to stdout (format binary)
            """, ct);
        while (await rows.StartRowAsync(ct) >= 0)
        {
            var bears = await rows.ReadAsync<string>(ct);
            person.Add(IndexOf(people, links.PersonOf(bears, query.AsOf.UtcTicks)));
            if (!links.IsEmpty)
            {
                id.Add(IndexOf(ids, bears));
            }

            item.Add(IndexOf(items, await rows.ReadAsync<string>(ct)));
            weight.Add(await rows.ReadAsync<float>(ct));
            occurred.Add((await rows.ReadAsync<DateTime>(NpgsqlDbType.TimestampTz, ct)).Ticks);
            known.Add((await rows.ReadAsync<DateTime>(NpgsqlDbType.TimestampTz, ct)).Ticks);
            await rows.SkipAsync(ct);
            if (rows.IsNull)
            {
                place.Add(-1);
                await rows.SkipAsync(ct);
            }
            else
            {
                place.Add(await rows.ReadAsync<int>(ct));
            }
        }

        await rows.DisposeAsync();
        await using var lists = new NpgsqlCommand("""
            select least(amount, 1000)::int from features.facts where type = $1 and amount >= 1 and occurred_at <= $2 and known_at <= $2 order by position
            """, connection);
        lists.Parameters.Add(new NpgsqlParameter { Value = EventTypes.RecommendationShown });
        lists.Parameters.Add(new NpgsqlParameter { Value = query.AsOf.UtcDateTime });
        await using var reader = await lists.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            shown.Add(reader.GetInt32(0));
        }

        return new InteractionFrame([.. people.Keys], [.. items.Keys], [.. person], [.. item], [.. weight], [.. occurred], [.. known]) 
        {
            Position = [.. place], ListsShown = [.. shown], Ids = [.. ids.Keys], Id = [.. id], Links = [.. links.Spans],
        };
    }

    private static int IndexOf(Dictionary<string, int> ids, string id)
    {
        if (!ids.TryGetValue(id, out var index))
        {
            index = ids.Count;
            ids.Add(id, index);
        }

        return index;
    }
}
