using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Host.Demo;

/// <summary>A simulated world: what comes and goes in its catalogue, and the people who live in it.</summary>
internal interface IWorld
{
    /// <summary>Listings that come and go by plan; none when the catalogue that was there is used.</summary>
    public IReadOnlyList<PlannedListing> Planned { get; }

    /// <summary>Items that people bought from each other since this was last asked.</summary>
    public IReadOnlyList<string> TakeSold();

    /// <summary>Hears what is on offer from now on.</summary>
    public void Open(IReadOnlyCollection<CatalogEntry> offered);

    /// <summary>Lets everybody live a day; events go to <paramref name="events"/>. Answers the visits.</summary>
    public int Live(int day, List<StreamEvent> events, CancellationToken ct);
}

/// <summary>The marketplace of vehicles.</summary>
internal sealed class VehicleWorld(SimulationRun run) : IWorld
{
    private readonly WantModel wants = new(run);
    private readonly DealModel dealing = new(run);
    private readonly DealBook deals = new();
    private readonly List<Visitor> visitors = [.. Enumerable.Range(0, run.Visitors).Select(person => new Visitor(run, person))];
    private readonly Dictionary<CatalogEntry, Vehicle> seen = new(ReferenceEqualityComparer.Instance);
    private Market market = new([], new WantModel(run));

    public IReadOnlyList<PlannedListing> Planned { get; } =
        run.Listings > 0 ? DominicanCatalogue.Generate(run.Seed, run.Listings, run.Start, run.Days, run.Choice.PesosPerDollar, run.Choice.FraudShare) : [];

    public IReadOnlyList<string> TakeSold() => deals.TakeNew();

    public void Open(IReadOnlyCollection<CatalogEntry> offered) => market = new Market([.. offered.Select(Seen)], wants);

    public int Live(int day, List<StreamEvent> events, CancellationToken ct)
    {
        var visits = 0;
        foreach (var visitor in visitors)
        {
            ct.ThrowIfCancellationRequested();
            visits += visitor.Live(day, market, wants, dealing, deals, events);
        }

        return visits;
    }

    private Vehicle Seen(CatalogEntry entry)
    {
        if (!seen.TryGetValue(entry, out var vehicle))
        {
            seen[entry] = vehicle = Vehicle.Of(entry, run.Choice.PesosPerDollar);
        }

        return vehicle;
    }
}
