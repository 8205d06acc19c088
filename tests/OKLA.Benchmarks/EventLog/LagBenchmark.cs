using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OKLA.Host;
using OKLA.Shared.EventLog;

namespace OKLA.Benchmarks.EventLog;

/// <summary>
/// Time from the moment an event enters a commit to the moment a subscription's own commit that holds its result is done; beside
/// the time of one durable append, the least that any reader could be behind.
/// </summary>
internal static class LagBenchmark
{
    public static async Task RunAsync(int events)
    {
        var folder = Directory.CreateTempSubdirectory("okla-bench-").FullName;
        var probe = new LagProbe();
        await using (var host = await OklaHost.BuildAsync(BenchHost.Settings(folder), configure: builder => builder.Services.AddSingleton<Subscription>(probe)))
        {
            await host.App.StartAsync();
            var writer = host.App.Services.GetRequiredService<EventWriter>();
            var table = new Table("load", "events", "append p50 ms", "lag p50 ms", "lag p99 ms", "lag p50 / append p50");
            foreach (var perSecond in new[] { 20, 200, 2000 })
            {
                probe.Lags.Clear();
                var count = Math.Min(events, perSecond * 5);
                var appends = new ConcurrentBag<double>();
                var clock = System.Diagnostics.Stopwatch.StartNew();
                var running = new List<Task>();
                for (var i = 0; i < count; i++)
                {
                    while (clock.Elapsed.TotalSeconds < i / (double)perSecond)
                    {
                        await Task.Delay(1);
                    }

                    running.Add(AppendAsync(writer, appends, i));
                }

                await Task.WhenAll(running);
                while (probe.Lags.Count < count)
                {
                    await Task.Delay(10);
                }

                var lags = new LoadResult(count, 1, [.. probe.Lags]);
                var append = new LoadResult(count, 1, [.. appends]).Percentile(.5);
                table.Add($"{perSecond} events/s", count, append, lags.Percentile(.5), lags.Percentile(.99), lags.Percentile(.5) / append);
            }

            table.Print();
            await host.App.StopAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task AppendAsync(EventWriter writer, ConcurrentBag<double> appends, int index)
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        await writer.WriteAsync([new StreamEvent($"lag-{index % 100}", new NewEvent("lag_probe", Encoding.UTF8.GetBytes("{}")))]);
        appends.Add(System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    private sealed class LagProbe : Subscription
    {
        public ConcurrentBag<double> Lags { get; } = [];

        public override string Name => "lag-probe";

        public override IReadOnlyCollection<string> EventTypes => ["lag_probe"];

        public override Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct) => Task.CompletedTask;

        public override Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct) => Task.CompletedTask;

        public override Task CommittedAsync(IReadOnlyList<RecordedEvent> events, CancellationToken ct)
        {
            foreach (var item in events)
            {
                Lags.Add((TimeProvider.System.GetUtcNow() - item.KnownAt).TotalMilliseconds);
            }

            return Task.CompletedTask;
        }
    }
}
