using System.ComponentModel.DataAnnotations;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Online;

/// <summary>GET /api/features/{entity}/{id}: what is known about a user or an item now, as numbers and short texts by snake_case name.</summary>
internal static class GetFeatures
{
    /// <summary>The features of one entity.</summary>
    /// <param name="Entity">user or item.</param>
    /// <param name="Id">Its id.</param>
    /// <param name="At">When they were computed (UTC).</param>
    /// <param name="Values">Values by name; null where nothing is known.</param>
    public sealed record FeatureVector(string Entity, string Id, DateTimeOffset At, IReadOnlyDictionary<string, object?> Values);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/{entity}/{id}", Handle).WithName("GetFeatures");

    internal static async Task<Results<Ok<FeatureVector>, ProblemHttpResult>> Handle(
        [AllowedValues("user", "item")] string entity, [MaxLength(200)] string id, NpgsqlDataSource database, ExchangeRates rates, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(ct);
        var found = await connection.QuerySingleAsync(new CommandDefinition(
            entity == "user" ? OfUser : OfItem, new { id, now = now.UtcDateTime, rate = rates.DopPerUsd(now) }, cancellationToken: ct));
        var values = ((IDictionary<string, object?>)found).ToDictionary(pair => pair.Key, pair => pair.Value);
        return values.Remove("known", out var known) && known is true
            ? TypedResults.Ok(new FeatureVector(entity, id, now, values))
            : TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"Nothing is known about {entity} {id}.");
    }

    private const string OfUser = """
        with types as (select * from features.person_types where person_id = @id),
        liked as (
            select p.item_id, i.body->'attributes'->>'make' as make, i.body->'attributes'->>'bodyType' as body_type,
                case i.currency when 'USD' then i.price when 'DOP' then i.price / @rate end as usd
            from features.person_items p left join features.items i using (item_id) where p.person_id = @id
        ), recent as (select * from features.interactions where person_id = @id and occurred_at > @now - interval '30 days' and occurred_at <= @now)
        select exists (select from types) as known,
            coalesce((select sum(events) from types), 0)::bigint as events_total,
            coalesce((select sum(events) from types where type = 'item_viewed'), 0)::bigint as views_total,
            coalesce((select sum(events) from types where type = 'searched'), 0)::bigint as searches_total,
            coalesce((select sum(events) from types where type = 'favorite_added'), 0)::bigint as favorites_total,
            coalesce((select sum(events) from types where type = 'contacted'), 0)::bigint as contacts_total,
            coalesce((select sum(events) from types where type = 'test_drive_requested'), 0)::bigint as test_drives_total,
            (select count(*) from recent where occurred_at > @now - interval '7 days') as item_events_7d,
            (select count(*) from recent) as item_events_30d,
            (select count(*) from liked) as distinct_items,
            (select count(distinct make) from liked) as distinct_makes,
            (select mode() within group (order by make) from liked) as top_make,
            (select mode() within group (order by body_type) from liked) as top_body_type,
            (select round(percentile_cont(0.5) within group (order by usd)::numeric) from liked) as price_level_usd,
            (select round((percentile_cont(0.75) within group (order by usd) - percentile_cont(0.25) within group (order by usd))::numeric) from liked) as price_spread_usd,
            (select round(extract(epoch from @now - max(last_at)) / 86400, 3) from types) as days_since_last_event,
            (select round(extract(epoch from @now - min(first_at)) / 86400, 3) from types) as tenure_days
        """;

    private const string OfItem = """
        with item as (select * from features.items where item_id = @id), days as (select * from features.item_days where item_id = @id)
        select exists (select from item) or exists (select from days) as known,
            (select status from item) as status,
            coalesce((select sum(events) from days where type = 'item_viewed'), 0)::bigint as views_total,
            coalesce((select sum(events) from days where type = 'item_viewed' and day > (@now at time zone 'America/Santo_Domingo')::date - 7), 0)::bigint as views_7d,
            coalesce((select sum(events) from days where type = 'item_viewed' and day > (@now at time zone 'America/Santo_Domingo')::date - 30), 0)::bigint as views_30d,
            coalesce((select sum(events) from days where type = 'favorite_added'), 0)::bigint as favorites_total,
            coalesce((select sum(events) from days where type = 'contacted'), 0)::bigint as contacts_total,
            (select count(*) from features.person_items where item_id = @id) as distinct_people,
            (select round(case currency when 'USD' then price when 'DOP' then price / @rate end, 2) from item) as price_usd,
            (select price_changes from item) as price_changes,
            (select coalesce(jsonb_array_length(body->'images'), 0) from item) as photo_count,
            (select round(extract(epoch from @now - listed_at) / 86400, 3) from item) as age_days,
            (select round(extract(epoch from @now - max(last_at)) / 86400, 3) from days) as days_since_last_event
        """;
}
