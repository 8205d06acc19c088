using System.Collections.Concurrent;
using OKLA.Shared.Contracts;

namespace OKLA.Host.Demo;

/// <summary>What a simulated person sees of a vehicle.</summary>
/// <param name="Id">The item.</param>
/// <param name="Body">Body type.</param>
/// <param name="Make">Make, lower case.</param>
/// <param name="LogPrice">Natural logarithm of the price in USD; null when it is not stated.</param>
/// <param name="Year">Model year; null when it is not stated.</param>
/// <param name="ListedAt">When it was listed (UTC).</param>
/// <param name="Seller">Who sells it; null when it is not stated.</param>
/// <param name="Price">Asking price; null when it is not stated.</param>
internal sealed record Vehicle(string Id, string Body, string Make, double? LogPrice, int? Year, DateTimeOffset ListedAt, string? Seller = null, Money? Price = null)
{
    public static Vehicle Of(CatalogEntry entry, double pesosPerDollar)
    {
        var item = entry.Item;
        double? price = item.Price is { Amount: > 0 } money ? Math.Log((double)money.Amount / (money.Currency == "DOP" ? pesosPerDollar : 1)) : null;
        return new Vehicle(
            item.Id, item.Text("bodyType") ?? "", (item.Text("make") ?? "").ToLowerInvariant(), price, (int?)item.Number("year"), entry.ListedAt, item.SellerId, item.Price);
    }
}

/// <summary>
/// The logistic choice model of the simulation (McFadden 1974, with two alternatives): the probability that a person who looks at a
/// listing wants it. Body, make, price against budget, age of the vehicle, the listing's own quality and its freshness add up to
/// log-odds; a share of choices ignores them all.
/// </summary>
internal sealed class WantModel(SimulationRun run)
{
    private readonly ConcurrentDictionary<int, Person> people = new();
    private readonly ConcurrentDictionary<string, double> qualities = new();

    /// <summary>P(person wants vehicle) at a time, 0 to 1.</summary>
    public double Probability(int person, Vehicle vehicle, DateTimeOffset at) => Probability(people.GetOrAdd(person, Create), vehicle, at);

    /// <summary>The person's taste.</summary>
    public Taste TasteOf(int person) => people.GetOrAdd(person, Create).Taste;

    /// <summary>How well a listing is made (pictures, text, price for what it is): the same for everybody, in log-odds.</summary>
    public double QualityOf(string itemId) => qualities.GetOrAdd(itemId, static (id, seed) => 0.6 * SeededRandom.Of(seed, SeededRandom.Key(id), 0x0A11).Gaussian(), run.Seed);

    private Person Create(int person) => new(Taste.Of(run.Seed, person));

    private double Probability(Person person, Vehicle vehicle, DateTimeOffset at)
    {
        var taste = person.Bodies.GetOrAdd(vehicle.Body, static (body, t) => t.ForBody(body), person.Taste)
            + person.Makes.GetOrAdd(vehicle.Make, static (make, t) => t.ForMake(make), person.Taste)
            + PriceTerm(person.Taste, vehicle) + AgeTerm(person.Taste, vehicle, at);
        var fresh = 0.5 * Math.Exp(-Math.Max(0, (at - vehicle.ListedAt).TotalDays) / run.Choice.FreshnessDays);
        var logOdds = run.Choice.BaseInterest + (run.Choice.TasteStrength * taste) + QualityOf(vehicle.Id) + fresh;
        return ((1 - run.Choice.Distraction) / (1 + Math.Exp(-logOdds))) + (run.Choice.Distraction * run.Choice.DistractedInterest);
    }

    // Above the budget interest falls steeply, below it slowly: a much cheaper car is another class of car.
    private static double PriceTerm(Taste taste, Vehicle vehicle)
    {
        if (vehicle.LogPrice is not { } price)
        {
            return -0.5;
        }

        var distance = price - taste.LogBudget;
        var scaled = distance / (distance > 0 ? 0.25 : 0.7);
        return 0.8 - Math.Min(6, 0.5 * scaled * scaled);
    }

    private static double AgeTerm(Taste taste, Vehicle vehicle, DateTimeOffset at)
    {
        if (vehicle.Year is not { } year)
        {
            return -0.5;
        }

        var scaled = (Math.Max(0, at.Year - year) - taste.PreferredAge) / 4;
        return 0.4 - Math.Min(4, 0.4 * scaled * scaled);
    }

    private sealed record Person(Taste Taste)
    {
        public ConcurrentDictionary<string, double> Bodies { get; } = new();

        public ConcurrentDictionary<string, double> Makes { get; } = new();
    }
}
