using System.Globalization;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Cli;

/// <summary><c>archive list</c>, <c>archive load FILE</c>, <c>archive export --before DATE</c>: old events in files, and back.</summary>
internal static class ArchiveVerbs
{
    private const string All = "all";

    public static Verb List { get; } = new("archive list", [], [], "lists the files that old events went to", ListAsync);

    public static Verb Load { get; } = new("archive load", ["FILE"], [], $"brings the events of a file (or of all files: {All}) back into the log", LoadAsync);

    public static Verb Export { get; } = new(
        "archive export", [], [new("--before", "DATE", "events known before this day (UTC), as 2026-01-31")], "moves old behaviour events from the log into files", ExportAsync)
    {
        Check = invocation => Before(invocation),
    };

    private static async Task<int> ListAsync(Invocation invocation, IServiceProvider services, Terminal terminal, CancellationToken ct)
    {
        var files = await services.GetRequiredService<Archive>().ListAsync(ct);
        if (files.Count == 0)
        {
            terminal.Out.WriteLine("No events were archived.");
            return CommandLine.Success;
        }

        terminal.Table(
            ["file", "state", "events", "first", "last", "KiB", "types"],
            [.. files.Select(file => (IReadOnlyList<string>)
            [
                file.File, file.State.ToString().ToLowerInvariant(), Terminal.Count(file.Events), Terminal.Count(file.FirstPosition), Terminal.Count(file.LastPosition),
                Terminal.Count(file.Bytes / 1024), string.Join(' ', file.SchemaVersions.Keys.Order(StringComparer.Ordinal)),
            ])]);
        return CommandLine.Success;
    }

    private static async Task<int> LoadAsync(Invocation invocation, IServiceProvider services, Terminal terminal, CancellationToken ct)
    {
        var archive = services.GetRequiredService<Archive>();
        var wanted = Path.GetFileName(invocation.Arguments[0]);
        var files = (await archive.ListAsync(ct)).Where(file => wanted == All ? file.State is ArchiveState.Done or ArchiveState.Deleting or ArchiveState.Loading : file.File == wanted).ToList();
        if (files.Count == 0 && wanted != All)
        {
            terminal.Error.WriteLine($"No archive of this database is called {wanted}; archive list shows them.");
            return CommandLine.Failure;
        }

        var progress = new ProgressLine(terminal);
        long events = 0;
        try
        {
            foreach (var file in files)
            {
                events += await archive.LoadAsync(file.Id, progress, ct) ?? 0;
            }
        }
        finally
        {
            progress.Done();
        }

        terminal.Out.WriteLine($"  {Terminal.Count(events)} events are in the log again, of {Terminal.Count(files.Count)} files");
        return CommandLine.Success;
    }

    private static async Task<int> ExportAsync(Invocation invocation, IServiceProvider services, Terminal terminal, CancellationToken ct)
    {
        // What subscriptions have not read would stay.
        await services.GetRequiredService<Subscriptions>().CatchUpAsync(ct: ct);
        var progress = new ProgressLine(terminal);
        ArchiveReport report;
        try
        {
            report = await services.GetRequiredService<IMessageBus>().InvokeAsync<ArchiveReport>(new ArchiveEvents(Before(invocation), progress), ct);
        }
        finally
        {
            progress.Done();
        }

        terminal.Out.WriteLine($"  {Terminal.Count(report.Events)} events left the log, {Terminal.Count(report.Files)} files were written");
        foreach (var waiting in report.Waiting)
        {
            terminal.Out.WriteLine($"  later ones stay: {waiting}");
        }

        return CommandLine.Success;
    }

    private static DateOnly Before(Invocation invocation) =>
        DateOnly.TryParseExact(invocation.Required("--before"), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? day : throw new UsageException($"--before takes a day such as 2026-01-31, not '{invocation.Text("--before")}'.");
}
