using System.ComponentModel.DataAnnotations;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Features.Facts;
using OKLA.Features.Offline;
using OKLA.Features.Online;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.Jobs;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.Features.Monitoring;

/// <summary>Command: looks at what is served to a sample of those who were active lately, and at what a frame of the same moments says.</summary>
/// <param name="Sample">At most so many of each entity.</param>
internal sealed record WatchFeatures(int Sample = 500) : ICommand;

/// <summary>Handles <see cref="WatchFeatures"/>; GET /api/features/statistics answers what it found.</summary>
internal static class WatchFeaturesHandler
{
    /// <summary>What was found, latest first.</summary>
    /// <param name="Statistics">One for each feature and day.</param>
    public sealed record Response(IReadOnlyList<FeatureDay> Statistics);

    /// <summary>What the values of a feature were like on a day.</summary>
    /// <param name="Feature">Full name.</param>
    /// <param name="Day">Day in Santo Domingo.</param>
    /// <param name="Entities">How many were looked at.</param>
    /// <param name="NullRate">Share of them without a value.</param>
    /// <param name="Mean">Mean of the numbers; null for texts.</param>
    /// <param name="Deviation">Standard deviation of the numbers.</param>
    /// <param name="Deciles">The nine bounds between the tenths of the numbers.</param>
    /// <param name="Drift">Population stability index against the earliest day of the week before: below 0.1 steady, above 0.25 another population; null without one.</param>
    /// <param name="Skewed">How many were served another value than a frame of the same moment has.</param>
    /// <param name="AgeSeconds">Age of the oldest vector that was served.</param>
    public sealed record FeatureDay(
        string Feature, DateOnly Day, long Entities, double NullRate, double? Mean, double? Deviation, IReadOnlyList<double> Deciles, double? Drift, long Skewed, double AgeSeconds);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/statistics", ListAsync).WithName("ListFeatureStatistics").RequireAuthorization(Policies.Admin);

    public static async Task Handle(WatchFeatures command, OnlineStore store, PointInTime pointInTime, NpgsqlDataSource database, ExchangeRates rates, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, JobSchedule.SantoDomingo).DateTime);
        foreach (var (entity, column) in new[] { (Entity.User, "person_id"), (Entity.Item, "item_id"), (Entity.Session, "session_id"), (Entity.Campaign, "campaign_id") })
        {
            await using var connection = await database.OpenConnectionAsync(ct);
            var ids = (await connection.QueryAsync<string>(new CommandDefinition($"""
                select {column} from (select distinct {column} from features.facts where {column} is not null and occurred_at > @since and occurred_at <= @now) active
                order by md5({column} || @day) limit @Sample
                """, new { since = now.UtcDateTime.AddDays(-1), now = now.UtcDateTime, day = day.ToString("O", System.Globalization.CultureInfo.InvariantCulture), command.Sample }, cancellationToken: ct))).AsList();
            var served = new List<CachedVector>();
            foreach (var id in ids)
            {
                served.Add(await store.GetAsync(entity, id, ct));
            }

            // The same moments again, from a catalogue read anew, as training would read them.
            var features = store.Registry.Of(entity).ToList();
            var catalogue = new CatalogueHistory(database, rates);
            await catalogue.ReadOnAsync(long.MaxValue, ct);
            var trained = await pointInTime.EvaluateAsync(new EntityPlan(entity, features), [.. ids.Select((id, n) => new Point(id, served[n].At))], catalogue, long.MaxValue, ct);
            var age = served.Count == 0 ? 0 : (now.UtcTicks - served.Min(vector => vector.At)) / (double)TimeSpan.TicksPerSecond;
            for (var place = 0; place < features.Count && ids.Count > 0; place++)
            {
                var numbers = served.Select(vector => vector.Values[place].Number).ToArray();
                var found = FeatureStatistics.Of(numbers);
                var isNumber = features[place].Type == FeatureType.Number;
                var before = await connection.QueryFirstOrDefaultAsync<(double[] Deciles, double[] Shares)>(new CommandDefinition(
                    "select deciles, shares from features.statistics where feature = @name and day < @day and day >= @week and cardinality(deciles) = 9 order by day limit 1",
                    new { name = features[place].Id.ToString(), day, week = day.AddDays(-7) }, cancellationToken: ct));
                await connection.ExecuteAsync(new CommandDefinition("""
                    insert into features.statistics (feature, day, entities, null_rate, mean, deviation, deciles, shares, drift, skewed, age_seconds)
                    values (@name, @day, @entities, @missing, @Mean, @Deviation, @Deciles, @Shares, @drift, @skewed, @age)
                    on conflict (feature, day) do update set entities = excluded.entities, null_rate = excluded.null_rate, mean = excluded.mean, deviation = excluded.deviation,
                        deciles = excluded.deciles, shares = excluded.shares, drift = excluded.drift, skewed = excluded.skewed, age_seconds = excluded.age_seconds
                    """, new
                {
                    name = features[place].Id.ToString(), day, entities = (long)ids.Count, found.Mean, found.Deviation, found.Deciles, found.Shares, age,
                    missing = isNumber ? found.NullRate : served.Count(vector => vector.Values[place].IsNone) / (double)ids.Count,
                    drift = before.Deciles is null || found.Mean is null ? (double?)null : FeatureStatistics.Drift(before.Deciles, before.Shares, numbers),
                    skewed = (long)Enumerable.Range(0, ids.Count).Count(n => served[n].Values[place] != trained[n].Values[place]),
                }, cancellationToken: ct));
            }
        }
    }

    internal static async Task<Ok<Response>> ListAsync(NpgsqlDataSource database, CancellationToken ct, [MaxLength(100)] string? feature = null, [Range(1, 366)] int days = 1)
    {
        await using var command = database.CreateCommand("""
            select feature, day, entities, null_rate, mean, deviation, deciles, drift, skewed, age_seconds from features.statistics
            where ($1::text is null or feature = $1) and day > (select max(day) from features.statistics) - $2 order by day desc, feature
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)feature ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = days });
        await using var reader = await command.ExecuteReaderAsync(ct);
        var found = new List<FeatureDay>();
        double? Number(int column) => reader.IsDBNull(column) ? null : reader.GetDouble(column);
        while (await reader.ReadAsync(ct))
        {
            found.Add(new FeatureDay(
                reader.GetString(0), reader.GetFieldValue<DateOnly>(1), reader.GetInt64(2), reader.GetDouble(3), Number(4), Number(5), reader.GetFieldValue<double[]>(6), Number(7), reader.GetInt64(8), reader.GetDouble(9)));
        }

        return TypedResults.Ok(new Response(found));
    }
}
