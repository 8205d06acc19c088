using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OKLA.Features.Facts;
using OKLA.Features.Online;
using OKLA.Features.Registry;
using OKLA.Host;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Benchmarks.Features;

/// <summary>What the largest cost: a campaign, an item and its seller with many events each, computed from nothing, and the history of a large catalogue in memory.</summary>
internal static class HeavyBenchmark
{
    public static async Task RunAsync(int events)
    {
        var folder = Directory.CreateTempSubdirectory("okla-bench-").FullName;
        await using (var host = await OklaHost.BuildAsync(BenchHost.Settings(folder)))
        {
            var database = host.App.Services.GetRequiredService<NpgsqlDataSource>();
            var item = System.Text.Json.JsonSerializer.Serialize(
                new CatalogItem("heavy", "vehicle", "Toyota Corolla 2018", new Money(10_000, "USD"), new Dictionary<string, System.Text.Json.JsonElement>
                {
                    ["make"] = System.Text.Json.JsonSerializer.SerializeToElement("Toyota"), ["model"] = System.Text.Json.JsonSerializer.SerializeToElement("Corolla"),
                }) { SellerId = "dealer-heavy" }, EventJson.Options);
            await using (var fill = database.CreateCommand("""
                insert into features.facts (position, type, occurred_at, known_at, person_id, item_id, campaign_id, channel, amount)
                select n, case n % 3 when 0 then 'item_viewed' when 1 then 'campaign_click' else 'campaign_impression' end, t, t, 'p' || n % 5000,
                    case n % 3 when 0 then 'heavy' end, case when n % 3 > 0 then 'verano' end, 'instagram', n % 60
                from generate_series(1, $1) n, lateral (select now() - make_interval(secs => ($1 - n) * 60) as t) at
                """))
            {
                fill.Parameters.Add(new NpgsqlParameter { Value = events * 3 / 2 });
                fill.CommandTimeout = 0;
                await fill.ExecuteNonQueryAsync();
            }

            await using (var list = database.CreateCommand("""
                insert into features.item_history (position, item_id, change, occurred_at, known_at, body, price, currency)
                select n, case n when 1 then 'heavy' else 'car-' || n end, 'listed', '2020-01-01', '2020-01-01', $2::jsonb || jsonb_build_object('id', case n when 1 then 'heavy' else 'car-' || n end,
                    'sellerId', case n when 1 then 'dealer-heavy' else 'dealer-' || n % 500 end), 10000 + n, 'USD' from generate_series(1, $1) n
                """))
            {
                list.Parameters.Add(new NpgsqlParameter { Value = 100_000 });
                list.Parameters.Add(new NpgsqlParameter { Value = item });
                list.CommandTimeout = 0;
                await list.ExecuteNonQueryAsync();
            }

            await using (var analyze = database.CreateCommand("analyze"))
            {
                await analyze.ExecuteNonQueryAsync();
            }

            var before = GC.GetTotalMemory(forceFullCollection: true);
            var reading = Stopwatch.StartNew();
            await host.App.Services.GetRequiredService<CatalogueHistory>().ReadOnAsync(default);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"100,000 items in memory: {(GC.GetTotalMemory(forceFullCollection: true) - before) / 1048576.0:0} MiB, read in {reading.Elapsed.TotalSeconds:0.0} s"));
            var store = host.App.Services.GetRequiredService<OnlineStore>();
            var table = new Table("entity", "events", "seconds cold", "again");
            foreach (var (entity, id, count) in new[] { (Entity.Campaign, "verano", events), (Entity.Item, "heavy", events / 2), (Entity.Dealer, "dealer-heavy", events / 2), (Entity.User, "p3", events * 3 / 2 / 5000) })
            {
                var times = new double[2];
                for (var i = 0; i < 2; i++)
                {
                    var clock = Stopwatch.StartNew();
                    await store.GetAsync(entity, [id], default);
                    times[i] = clock.Elapsed.TotalSeconds;
                }

                table.Add($"{entity.Name} {id}", count, times[0], times[1]);
            }

            table.Print();
        }

        Directory.Delete(folder, recursive: true);
    }
}
