using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Demo;

/// <summary>Command: lets simulated people browse the catalogue, or a generated one when there is none. Answers <see cref="SimulationReport"/>.</summary>
/// <param name="Visitors">People.</param>
/// <param name="Days">Days up to now.</param>
/// <param name="Seed">Seed; a seed that was simulated to its end before changes nothing, one that broke off goes on.</param>
/// <param name="Listings">Listings to generate when the catalogue is empty.</param>
/// <param name="Kind">What the catalogue holds: <see cref="SimulationRun.Vehicles"/> or <see cref="SimulationRun.Activities"/>.</param>
/// <param name="Campaigns">Advertising campaigns that run beside.</param>
/// <param name="Progress">Hears how far it is.</param>
internal sealed record Simulate(
    int Visitors = 2_000, int Days = 60, ulong Seed = 1, int Listings = 3_000, string Kind = SimulationRun.Vehicles, int Campaigns = 0, IProgress<WorkProgress>? Progress = null) : ICommand;

/// <summary>Answer to <see cref="Simulate"/>.</summary>
/// <param name="Run">What it depended on.</param>
/// <param name="Repeated">Whether it had been simulated before, so that nothing changed now.</param>
/// <param name="Items">Items that were on offer at some time.</param>
/// <param name="Sessions">Visits.</param>
/// <param name="Events">Behaviour events by type, those of this call.</param>
/// <param name="Seconds">Time taken.</param>
internal sealed record SimulationReport(SimulationRun Run, bool Repeated, int Items, int Sessions, IReadOnlyDictionary<string, int> Events, double Seconds);

/// <summary>
/// Handles <see cref="Simulate"/>. Days are lived one after the other: the catalogue's changes first, then everybody's visits, in the
/// order of time, in large appends; then an event that says the day is over, after which a broken run goes on.
/// </summary>
internal sealed class SimulateHandler(NpgsqlDataSource database, EventLog log, IMessageBus bus, IOptions<DemoOptions> options, TimeProvider clock)
{
    private const int AppendSize = 10_000;

    public async Task<SimulationReport> HandleAsync(Simulate command, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var (run, finishedDays) = await StartAsync(command, ct);
        if (finishedDays >= run.Days)
        {
            return new SimulationReport(run, true, 0, 0, new Dictionary<string, int>(), clock.GetElapsedTime(began).TotalSeconds);
        }

        var offered = run.Listings > 0 ? [] : (await ReadCatalogueAsync(run.Kind, ct)).ToDictionary(entry => entry.Item.Id, StringComparer.Ordinal);
        var everOffered = offered.Keys.ToHashSet();
        IWorld world = run.Kind == SimulationRun.Activities ? new ActivityWorld(run) : new VehicleWorld(run);
        var campaigns = new CampaignModel(run);
        var byType = new Dictionary<string, int>();
        var sessions = 0;
        var appending = Task.CompletedTask;
        for (var day = 0; day < run.Days; day++)
        {
            // Days that are in the log already are lived again only for what people remember of them.
            var write = day >= finishedDays;
            if (world.Planned.Count > 0)
            {
                if (write)
                {
                    await appending;
                }

                await ChangeCatalogueAsync(run, world.Planned, world.TakeSold(), day, offered, write, ct);
                everOffered.UnionWith(offered.Keys);
            }

            if (world.Planned.Count > 0 || day == 0)
            {
                world.Open(offered.Values);
            }

            var events = new List<StreamEvent>();
            var sessionsToday = world.Live(day, events, ct);
            if (!write)
            {
                continue;
            }

            campaigns.Live(day, events);
            events.Sort(static (a, b) => DateTimeOffset.Compare(a.Event.OccurredAt!.Value, b.Event.OccurredAt!.Value) is not 0 and var order ? order : a.Event.Id.CompareTo(b.Event.Id));
            foreach (var item in events)
            {
                byType[item.Event.Type] = byType.GetValueOrDefault(item.Event.Type) + 1;
            }

            sessions += sessionsToday;
            // The next day is thought up while this one goes to the disk.
            await appending;
            appending = AppendAsync(run, events, new SimulatedDay(day, sessionsToday, events.Count), ct);
            command.Progress?.Report(new WorkProgress((day + 1.0) / run.Days, $"day {day + 1}, {byType.Values.Sum():N0} events"));
        }

        await appending;
        return new SimulationReport(run, false, everOffered.Count, sessions, byType, clock.GetElapsedTime(began).TotalSeconds);
    }

    /// <summary>The run of this seed: as it stands in the log, or a new one that ends now.</summary>
    private async Task<(SimulationRun Run, int FinishedDays)> StartAsync(Simulate command, CancellationToken ct)
    {
        if (await SimulationRuns.FindAsync(log, command.Seed, ct) is { } known)
        {
            if (known.Run.Kind != command.Kind)
            {
                throw new SimulationRefusedException($"Seed {command.Seed} was simulated with items of kind {known.Run.Kind}. Take another seed.");
            }

            return known.Run.Visitors == command.Visitors && known.Run.Days == command.Days
                ? known
                : throw new SimulationRefusedException(
                    $"Seed {command.Seed} was simulated with {known.Run.Visitors} visitors over {known.Run.Days} days. Take another seed, or the same numbers to go on.");
        }

        var isEmpty = (await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new ListCatalogItems(command.Kind, Limit: 1), ct)).Count == 0;
        var start = Visitor.LocalMidnight(clock.GetUtcNow()).AddDays(-command.Days);
        var run = new SimulationRun(command.Seed, command.Visitors, command.Days, start, isEmpty ? command.Listings : 0, options.Value, command.Kind, command.Campaigns);
        var started = NewEvent.Of(SimulationRun.StartedType, run, run.Start) with { KnownAt = run.Start };
        var result = await log.AppendAsync(SimulationRun.StreamOf(run.Seed), ExpectedVersion.NoStream, [started], ct);
        return result.Status == AppendStatus.Appended ? (run, 0) : throw new SimulationRefusedException($"Seed {command.Seed} is being simulated by another process.");
    }

    private async Task<List<CatalogEntry>> ReadCatalogueAsync(string kind, CancellationToken ct)
    {
        var all = new List<CatalogEntry>();
        string? last = null;
        while (await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new ListCatalogItems(kind, last), ct) is { Count: > 0 } page)
        {
            all.AddRange(page);
            last = page[^1].Item.Id;
        }

        return all;
    }

    /// <summary>What is listed, repriced and ended on a day, put through Tracking at the start of the day.</summary>
    private async Task ChangeCatalogueAsync(
        SimulationRun run, IReadOnlyList<PlannedListing> planned, IReadOnlyList<string> soldYesterday, int day, Dictionary<string, CatalogEntry> offered, bool write, CancellationToken ct)
    {
        var (from, to) = (run.Start.AddDays(day), run.Start.AddDays(day + 1));
        bool Today(DateTimeOffset? at) => at < to && (at >= from || day == 0);
        var puts = new List<CatalogItem>();
        foreach (var listing in planned.Where(listing => Today(listing.ListedAt)))
        {
            puts.Add(listing.Item);
            offered[listing.Item.Id] = new CatalogEntry(listing.Item, "live", listing.ListedAt, listing.ListedAt);
        }

        foreach (var listing in planned.Where(listing => listing.CutAt is not null && !Today(listing.ListedAt) && Today(listing.CutAt) && offered.ContainsKey(listing.Item.Id)))
        {
            var cut = listing.Item with { Price = listing.CutPrice };
            puts.Add(cut);
            offered[cut.Id] = new CatalogEntry(cut, "live", offered[cut.Id].ListedAt, from);
        }

        var ended = planned.Where(listing => Today(listing.EndsAt) && offered.ContainsKey(listing.Item.Id) && !soldYesterday.Contains(listing.Item.Id))
            .Select(listing => (listing.Item.Id, listing.Sold, listing.Reason)).Concat(soldYesterday.Where(offered.ContainsKey).Select(id => (Id: id, Sold: true, Reason: (string?)null))).ToList();
        ended.ForEach(item => offered.Remove(item.Id));
        if (!write)
        {
            return;
        }

        // What was there before the first day keeps its own date, so that its age is known.
        foreach (var group in puts.GroupBy(item => offered.TryGetValue(item.Id, out var entry) && day == 0 ? entry.ListedAt : from).OrderBy(group => group.Key))
        {
            await bus.InvokeAsync<CatalogChanges>(new PutCatalogItems([.. group], group.Key, group.Key), ct);
        }

        foreach (var way in ended.GroupBy(item => (item.Sold, item.Reason)))
        {
            await bus.InvokeAsync<CatalogChanges>(new WithdrawCatalogItems([.. way.Select(item => item.Id)], way.Key.Sold, way.Key.Reason, from, from), ct);
        }
    }

    private async Task AppendAsync(SimulationRun run, List<StreamEvent> events, SimulatedDay day, CancellationToken ct)
    {
        await Task.Yield();
        var end = run.Start.AddDays(day.Day + 1);
        events.Add(new StreamEvent(SimulationRun.StreamOf(run.Seed), NewEvent.Of(SimulationRun.DayType, day, end) with { KnownAt = end }));
        await using var connection = await database.OpenConnectionAsync(ct);
        foreach (var chunk in events.Chunk(AppendSize))
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await log.AppendAsync(transaction, chunk, ct);
            await transaction.CommitAsync(ct);
        }
    }
}

/// <summary>A simulation cannot be done as asked; the message is for the person who asked.</summary>
internal sealed class SimulationRefusedException(string message) : Exception(message);

/// <summary>Finds simulations in the log.</summary>
internal static class SimulationRuns
{
    /// <summary>The simulation of a seed and how many of its days are in the log; null when there is none.</summary>
    public static async Task<(SimulationRun Run, int FinishedDays)?> FindAsync(EventLog log, ulong seed, CancellationToken ct)
    {
        SimulationRun? run = null;
        var days = 0;
        await foreach (var recorded in log.ReadStreamAsync(SimulationRun.StreamOf(seed), ct: ct))
        {
            if (recorded.Type == SimulationRun.StartedType)
            {
                run = recorded.Read<SimulationRun>();
            }
            else if (recorded.Type == SimulationRun.DayType)
            {
                days = Math.Max(days, recorded.Read<SimulatedDay>().Day + 1);
            }
        }

        return run is null ? null : (run, days);
    }
}
