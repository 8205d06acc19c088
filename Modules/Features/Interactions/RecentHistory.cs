using Dapper;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Interactions;

/// <summary>Answers <see cref="GetRecentHistory"/> from one index range.</summary>
internal static class RecentHistoryHandler
{
    /// <summary>Events looked at for one answer: a heavy visitor must not make a request slow.</summary>
    private const int MaxEvents = 1_000;

    public static async Task<IReadOnlyList<HistoryItem>> Handle(
        GetRecentHistory query, NpgsqlDataSource database, IOptions<FeaturesOptions> options, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var (types, said, weights) = options.Value.WeightColumns;
        var rows = await connection.QueryAsync<(string ItemId, float Weight, int Events, string StrongestType, DateTime LastAt, bool Refused)>(new CommandDefinition("""
            select item_id, coalesce(sum(weight), 0)::real, count(weight)::int, coalesce((array_agg(type order by weight desc nulls last, position desc))[1], ''), max(occurred_at),
                coalesce((array_agg(channel order by position desc) filter (where type = @Feedback))[1] = 'dislike', false)
            from (
                select item_id, weight, f.type, channel, position, occurred_at from features.facts f left join unnest(@types, @said, @weights) as w (type, said, weight) on f.type = w.type and (w.said is null or w.said = f.channel)
                where (weight is not null or f.type = @Feedback) and person_id = @PersonId and item_id is not null and occurred_at <= @at and known_at <= @at order by occurred_at desc limit @MaxEvents
            ) latest
            group by item_id order by max(occurred_at) desc, item_id limit @Limit
            """, new
            {
                query.PersonId, Feedback = EventTypes.FeedbackGiven, at = query.AsOf.UtcDateTime, MaxEvents, query.Limit, types, said, weights,
            }, cancellationToken: ct));
        return [.. rows.Select(row => new HistoryItem(row.ItemId, row.Weight, row.Events, row.StrongestType, new DateTimeOffset(row.LastAt, TimeSpan.Zero)) { Refused = row.Refused })];
    }
}
