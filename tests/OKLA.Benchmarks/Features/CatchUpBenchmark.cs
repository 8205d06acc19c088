using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OKLA.Features.Facts;
using OKLA.Host;
using OKLA.Host.Demo;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Benchmarks.Features;

/// <summary>How long a log that is there already takes each projection: one after the other from zero, then all at once as <see cref="Subscriptions.CatchUpAsync"/> does.</summary>
internal static class CatchUpBenchmark
{
    /// <param name="visitors">Simulated people.</param>
    /// <param name="keep">Folder to make the log in, or to take it from when it is there; a folder of its own that is deleted at the end when left out.</param>
    public static async Task RunAsync(int visitors, string? keep)
    {
        var folder = keep ?? Directory.CreateTempSubdirectory("okla-bench-").FullName;
        await using (var host = await OklaHost.BuildAsync(BenchHost.Settings(folder)))
        {
            var services = host.App.Services;
            var subscriptions = services.GetRequiredService<Subscriptions>();
            if ((await subscriptions.StatusAsync()).All(status => status.Position == 0))
            {
                var report = await services.GetRequiredService<IMessageBus>().InvokeAsync<SimulationReport>(new Simulate(visitors, Days: 60, Seed: 1, Listings: Math.Max(500, visitors / 5)));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{visitors:N0} visitors, {report.Items:N0} items, {report.Events.Values.Sum():N0} behaviour events"));
                var first = Stopwatch.StartNew();
                await subscriptions.CatchUpAsync();
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"all projections at first, right after the log was filled: {first.Elapsed.TotalSeconds:0.0} s"));
            }

            var table = new Table("projection from zero", "events", "seconds", "events/s");
            var names = subscriptions.All.Select(subscription => subscription.Name).Order(StringComparer.Ordinal).ToList();
            var most = 0L;
            var facts = subscriptions.All.OfType<FactSubscription>().Single();
            foreach (var probe in new[] { new Probe("reading the facts' events alone", facts, null), new Probe("reading and taking them apart alone", facts, services.GetRequiredService<ExchangeRates>()) })
            {
                var alone = new Subscriptions(services.GetRequiredService<NpgsqlDataSource>(), [probe], TimeProvider.System);
                await alone.RebuildAsync(probe.Name);
                await MeasureAsync(alone, probe.Name, table);
            }

            foreach (var name in names)
            {
                await subscriptions.RebuildAsync(name);
                most = Math.Max(most, await MeasureAsync(subscriptions, name, table));
            }

            foreach (var name in names)
            {
                await subscriptions.RebuildAsync(name);
            }

            var all = Stopwatch.StartNew();
            await subscriptions.CatchUpAsync();
            table.Add("all", most, all.Elapsed.TotalSeconds, most / all.Elapsed.TotalSeconds);
            table.Print();
        }

        if (keep is null)
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<long> MeasureAsync(Subscriptions subscriptions, string name, Table table)
    {
        var subscription = subscriptions.All.Single(one => one.Name == name);
        var (clock, events) = (Stopwatch.StartNew(), 0L);
        Subscriptions.Progress step;
        do
        {
            step = await subscriptions.AdvanceAsync(subscription);
            events += step.Handled;
        }
        while (step.More);
        table.Add(name, events, clock.Elapsed.TotalSeconds, events / clock.Elapsed.TotalSeconds);
        return events;
    }

    /// <summary>Reads what another subscription reads and keeps nothing.</summary>
    private sealed class Probe(string name, Subscription like, ExchangeRates? rates) : Subscription
    {
        public override string Name => name;

        public override IReadOnlyCollection<string>? EventTypes => like.EventTypes;

        public override int BatchSize => like.BatchSize;

        public override Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
        {
            if (rates is not null)
            {
                foreach (var e in events)
                {
                    FactColumns.Read(e, rates);
                }
            }

            return Task.CompletedTask;
        }

        public override Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct) => Task.CompletedTask;
    }
}
