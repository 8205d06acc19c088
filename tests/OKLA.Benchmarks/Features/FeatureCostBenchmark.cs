using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OKLA.Features.Facts;
using OKLA.Features.Offline;
using OKLA.Features.Registry;
using OKLA.Host;
using OKLA.Host.Demo;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Benchmarks.Features;

/// <summary>
/// What one more feature costs: the lines of its declaration, and how long it takes until everybody has its values of now and of every day of the log. A feature
/// that reads what facts hold needs nothing rebuilt; one that reads a property that they lack needs the facts once more from the log, which is measured as well.
/// </summary>
internal static class FeatureCostBenchmark
{
    private const int Days = 60, AtOnce = 20_000;

    public static async Task RunAsync(int visitors, string? keep)
    {
        var lines = File.ReadAllLines(SourceOf(nameof(AddedFeature))).SkipWhile(line => line.Trim() != "// begin").Skip(1).TakeWhile(line => line.Trim() != "// end").Count();
        var folder = keep ?? Directory.CreateTempSubdirectory("okla-bench-").FullName;
        await using (var host = await OklaHost.BuildAsync(BenchHost.Settings(folder)))
        {
            var services = host.App.Services;
            var subscriptions = services.GetRequiredService<Subscriptions>();
            if ((await subscriptions.StatusAsync()).All(status => status.Position == 0))
            {
                await services.GetRequiredService<IMessageBus>().InvokeAsync<SimulationReport>(new Simulate(visitors, Days, Seed: 1, Listings: Math.Max(500, visitors / 5)));
                await subscriptions.CatchUpAsync();
            }

            var database = services.GetRequiredService<NpgsqlDataSource>();
            await using (var analyze = database.CreateCommand("vacuum analyze"))
            {
                await analyze.ExecuteNonQueryAsync();
            }

            var (events, last, people) = (0L, default(DateTime), new List<string>());
            await using (var command = database.CreateCommand("select count(*), max(occurred_at) from features.facts"))
            await using (var row = await command.ExecuteReaderAsync())
            {
                await row.ReadAsync();
                (events, last) = (row.GetInt64(0), row.GetDateTime(1));
            }

            await using (var command = database.CreateCommand("select distinct person_id from features.facts where person_id is not null order by 1"))
            await using (var row = await command.ExecuteReaderAsync())
            {
                while (await row.ReadAsync())
                {
                    people.Add(row.GetString(0));
                }
            }

            var catalogue = services.GetRequiredService<CatalogueHistory>();
            await catalogue.ReadOnAsync(default);
            var pointInTime = services.GetRequiredService<PointInTime>();
            // Registered as at a start, so that a declaration that does not fit is refused.
            var house = services.GetRequiredService<FeatureRegistry>();
            var registry = new FeatureRegistry([.. house.Of(Entity.User), .. AddedFeature.All()]);
            var (one, all) = (new EntityPlan(Entity.User, [registry.All[^1]]), new EntityPlan(Entity.User, [.. registry.All]));

            var table = new Table($"{lines} lines: {registry.All[^1].Id}", "values", "seconds", "events/s", "seconds per 1M events");
            foreach (var (name, plan) in new[] { ("the one feature", one), ($"all {all.Steps.Count} of a person", all) })
            {
                table.Add([$"{name}, everybody, now", people.Count, .. await MeasureAsync(pointInTime, plan, people, [last.Ticks], catalogue, events)]);
            }

            long[] days = [.. Enumerable.Range(0, Days).Select(day => last.Ticks - (day * TimeSpan.TicksPerDay))];
            table.Add([$"the one feature, everybody, each of {Days} days", (long)people.Count * Days, .. await MeasureAsync(pointInTime, one, people, days, catalogue, events)]);

            await subscriptions.RebuildAsync(FactSubscription.SubscriptionName);
            var rebuilding = Stopwatch.StartNew();
            await subscriptions.CatchUpAsync(FactSubscription.SubscriptionName);
            table.Add(["facts once more from the log", events, .. Rates(rebuilding.Elapsed, events)]);
            table.Print();
        }

        if (keep is null)
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<object?[]> MeasureAsync(PointInTime pointInTime, EntityPlan plan, List<string> people, long[] times, CatalogueHistory catalogue, long events)
    {
        var clock = Stopwatch.StartNew();
        foreach (var part in people.Chunk(AtOnce / times.Length))
        {
            await pointInTime.EvaluateAsync(plan, [.. part.SelectMany(id => times.Select(at => new Point(id, at)))], catalogue, long.MaxValue, default);
        }

        return Rates(clock.Elapsed, events);
    }

    private static object?[] Rates(TimeSpan took, long events) => [took.TotalSeconds, events / took.TotalSeconds, took.TotalSeconds * 1e6 / events];

    private static string SourceOf(string type, [CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, $"{type}.cs");
}
