using Dapper;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Features.Profiles;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Interactions;

/// <summary>Answers <see cref="GetActivePeople"/>.</summary>
internal static class ActivePeopleHandler
{
    public static async Task<IReadOnlyList<ActivePerson>> Handle(GetActivePeople query, NpgsqlDataSource database, IOptions<FeaturesOptions> options, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var rows = await connection.QueryAsync<Row>(new CommandDefinition($"""
            with latest as (
                select person_id, max(occurred_at) as at, coalesce((array_agg(marketing order by position desc) filter (where marketing is not null))[1], false) as may_be_told
                from features.facts where person_id is not null and occurred_at > @since and occurred_at <= @at and known_at <= @at
                group by person_id order by max(occurred_at) desc, person_id limit @Limit
            )
            select person_id, may_be_told, item_id, sum(weight)::real as weight, count(*)::int as events, (array_agg(type order by weight desc, position desc))[1] as strongest_type, max(occurred_at) as last_at
            from latest join features.facts f using (person_id) cross join lateral (select {options.Value.WeightSql} as weight) w
            where item_id is not null and weight is not null and occurred_at > @since and occurred_at <= @at and known_at <= @at
            group by person_id, may_be_told, item_id order by person_id, max(occurred_at) desc, item_id
            """, new { since = query.Since.UtcDateTime, at = query.AsOf.UtcDateTime, query.Limit }, cancellationToken: ct));
        return [.. rows.GroupBy(row => row.PersonId, StringComparer.Ordinal).Select(own => new ActivePerson(
            own.Key, own.First().MayBeTold,
            [.. own.Take(query.ItemsEach).Select(row => new HistoryItem(row.ItemId, row.Weight, row.Events, row.StrongestType, new DateTimeOffset(row.LastAt, TimeSpan.Zero)))]))];
    }

    private sealed record Row(string PersonId, bool MayBeTold, string ItemId, float Weight, int Events, string StrongestType, DateTime LastAt);
}

/// <summary>Answers <see cref="ListPeople"/>.</summary>
internal static class ListPeopleHandler
{
    public static async Task<IReadOnlyList<string>> Handle(ListPeople query, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return (await connection.QueryAsync<string>(new CommandDefinition("""
            (select distinct person_id from features.facts f where person_id > @after and occurred_at > @since
                and not exists (select 1 from features.person_links l where l.anonymous_id = f.person_id and linked_from <= @now and (split_from is null or split_from > @now))
            order by person_id limit @Limit)
            union
            (select distinct user_id from features.person_links l where user_id > @after and linked_from <= @now and (split_from is null or split_from > @now)
                and exists (select 1 from features.facts f where f.person_id = l.anonymous_id and f.occurred_at > @since)
            order by user_id limit @Limit)
            order by 1 limit @Limit
            """, new { after = query.AfterId ?? "", since = query.Since.UtcDateTime, now = clock.GetUtcNow().UtcDateTime, query.Limit }, cancellationToken: ct))).AsList();
    }
}

/// <summary>Answers <see cref="GetSegmentPeople"/>.</summary>
internal static class SegmentPeopleHandler
{
    public static async Task<IReadOnlyList<string>?> Handle(GetSegmentPeople query, NpgsqlDataSource database, CancellationToken ct)
    {
        if (Segments.All.All(segment => segment.Name != query.Segment))
        {
            return null;
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        return (await connection.QueryAsync<string>(new CommandDefinition("""
            select s.person_id from features.person_segments s
            cross join lateral (
                select marketing from features.facts f where f.person_id = s.person_id and marketing is not null order by f.occurred_at desc, f.position desc limit 1
            ) consent
            where s.segment = @Segment and consent.marketing and s.person_id > coalesce(@AfterId, '') order by s.person_id limit @Limit
            """, new { query.Segment, query.AfterId, query.Limit }, cancellationToken: ct))).AsList();
    }
}
