using System.Globalization;
using OKLA.Host.Demo;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Cli;

/// <summary><c>simulate</c>: lets simulated people browse a catalogue of vehicles or of activities, while campaigns run.</summary>
internal static class SimulateVerb
{
    public static Verb Verb { get; } = new(
        "simulate", [],
        [
            new("--catalog", "KIND", "vehicles, or activities in a city (default vehicles)"),
            new("--visitors", "N", "people (default 2000)"),
            new("--days", "D", "days up to now (default 60)"),
            new("--seed", "S", "the same seed, the same people (default 1)"),
            new("--listings", "N", "listings or activities to make up when the catalogue is empty (default 3000)"),
            new("--campaigns", "N", "advertising campaigns that run beside (default 6 with vehicles, else 0)"),
        ],
        "lets simulated people browse the imported catalogue, or a made-up one", RunAsync)
    {
        Check = invocation => CommandOf(invocation, null),
    };

    private static async Task<int> RunAsync(Invocation invocation, IServiceProvider services, Terminal terminal, CancellationToken ct)
    {
        var progress = new ProgressLine(terminal);
        var command = CommandOf(invocation, progress);
        SimulationReport report;
        try
        {
            report = await services.GetRequiredService<IMessageBus>().InvokeAsync<SimulationReport>(command, ct);
        }
        finally
        {
            progress.Done();
        }

        if (report.Repeated)
        {
            terminal.Out.WriteLine($"Seed {report.Run.Seed} was simulated before; nothing changed.");
            return CommandLine.Success;
        }

        var events = report.Events.Values.Sum();
        string Day(int day) => report.Run.Start.AddDays(day).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        terminal.Table([],
        [
            ["visitors", Terminal.Count(report.Run.Visitors)],
            [report.Run.Kind == SimulationRun.Activities ? "activities on offer" : "vehicles on offer", Terminal.Count(report.Items)],
            ["visits", Terminal.Count(report.Sessions)],
            ["events", Terminal.Count(events)],
            .. report.Events.OrderByDescending(pair => pair.Value).Select(pair => (IReadOnlyList<string>)[$"  {pair.Key}", Terminal.Count(pair.Value)]),
        ]);
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"  seed {report.Run.Seed}, {Day(0)} to {Day(report.Run.Days)}, {(report.Run.Listings > 0 ? "made-up catalogue" : "catalogue as it is")}");
        terminal.Out.WriteLine($"  {Terminal.Duration(report.Seconds)}, {Terminal.Count((long)(events / Math.Max(report.Seconds, 1e-3)))} events/s");
        return CommandLine.Success;
    }

    private static Simulate CommandOf(Invocation invocation, IProgress<WorkProgress>? progress)
    {
        var kind = invocation.Text("--catalog") switch
        {
            null or "vehicles" => SimulationRun.Vehicles,
            "activities" => SimulationRun.Activities,
            var other => throw new UsageException($"--catalog takes vehicles or activities, not '{other}'."),
        };
        return new Simulate(
            invocation.Number("--visitors", 2_000, 1, 10_000_000), invocation.Number("--days", 60, 1, 3_650), (ulong)invocation.Number("--seed", 1, 0, int.MaxValue),
            invocation.Number("--listings", 3_000, 1, 1_000_000), kind, invocation.Number("--campaigns", kind == SimulationRun.Vehicles ? 6 : 0, 0, 1_000), progress);
    }
}
