using Dapper;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Interactions;

/// <summary>Answers <see cref="GetPopularItems"/> from the daily sums.</summary>
internal static class PopularItemsHandler
{
    public static async Task<IReadOnlyList<PopularItem>> Handle(
        GetPopularItems query, NpgsqlDataSource database, IOptions<FeaturesOptions> options, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var weights = options.Value.EventWeights;
        return (await connection.QueryAsync<PopularItem>(new CommandDefinition("""
            select d.item_id, sum(d.events * w.weight)::float8 as score
            from features.item_days d join unnest(@Types, @Weights) as w (type, weight) using (type)
            where d.day > (@now at time zone 'America/Santo_Domingo')::date - @Days and d.day <= (@now at time zone 'America/Santo_Domingo')::date
            group by d.item_id having sum(d.events * w.weight) > 0 order by score desc, d.item_id limit @Limit
            """, new { Types = weights.Keys.ToArray(), Weights = weights.Values.ToArray(), query.Days, query.Limit, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct))).AsList();
    }
}
