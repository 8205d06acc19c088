using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Cli;

/// <summary><c>import listings FILE</c>: brings a CSV file of listings into the catalogue.</summary>
internal static class ImportListingsVerb
{
    public static Verb Verb { get; } = new(
        "import listings", ["FILE"],
        [
            new("--map", "make=COLUMN,…", "which column holds what; guessed by the header's names when left out"),
            new("--source", "NAME", "where the listings come from (default: the file's name)"),
        ],
        "imports listings from a CSV file, snapshot by snapshot", RunAsync);

    private static async Task<int> RunAsync(Invocation invocation, IServiceProvider services, Terminal terminal, CancellationToken ct)
    {
        var progress = new ProgressLine(terminal);
        var started = terminal.Clock.GetTimestamp();
        var command = new ImportListings(invocation.Arguments[0], invocation.Text("--map"), invocation.Text("--source"), Progress: progress);
        ImportReport report;
        try
        {
            report = await services.GetRequiredService<IMessageBus>().InvokeAsync<ImportReport>(command, ct);
        }
        finally
        {
            progress.Done();
        }

        var seconds = terminal.Clock.GetElapsedTime(started).TotalSeconds;
        if (report.Repeated)
        {
            terminal.Out.WriteLine("This file was imported before; nothing changed. It came to:");
        }

        terminal.Table([],
        [
            ["rows read", Terminal.Count(report.Rows)],
            ["kept", Terminal.Count(report.Kept)],
            ["set aside", Terminal.Count(report.SetAside.Values.Sum())],
            .. report.SetAside.OrderByDescending(pair => pair.Value).Select(pair => (IReadOnlyList<string>)[$"  {pair.Key}", Terminal.Count(pair.Value)]),
        ]);
        terminal.Out.WriteLine();
        terminal.Table(
            ["snapshot", "rows", "kept", "listed", "changed", "repriced", "unchanged", "withdrawn"],
            [.. report.Snapshots.Select(snapshot => (IReadOnlyList<string>)
            [
                snapshot.TakenAt.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture), Terminal.Count(snapshot.Rows), Terminal.Count(snapshot.Kept),
                Terminal.Count(snapshot.Changes.Listed), Terminal.Count(snapshot.Changes.Updated), Terminal.Count(snapshot.Changes.Repriced),
                Terminal.Count(snapshot.Changes.Unchanged), Terminal.Count(snapshot.Changes.Ended),
            ])]);
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"  {report.Encoding}; {report.Columns}");
        terminal.Out.WriteLine($"  import {report.ImportId}, {Terminal.Duration(seconds)}; the set-aside rows are in tracking.set_aside_rows");
        return CommandLine.Success;
    }
}
