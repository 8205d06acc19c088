using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tests.Modules.ML;

/// <summary>A small marketplace with planted tastes and prices, all drawn from one seed.</summary>
internal static class Town
{
    public static readonly string[] Makes = ["Toyota", "Honda", "Kia", "Hyundai", "Nissan", "Ford"];
    public static readonly string[] Bodies = ["sedan", "jeepeta", "camioneta", "hatchback"];

    /// <summary>Dollars that a make and a body add to the price of a new vehicle.</summary>
    private static readonly double[] MakeValue = [26_000, 24_000, 17_000, 19_000, 20_000, 30_000];
    private static readonly double[] BodyValue = [0, 12_000, 9_000, -3_000];

    /// <summary>Vehicles listed evenly over some days; the price falls 9 % a year and carries noise of 8 %.</summary>
    public static IReadOnlyList<(CatalogItem Item, DateTimeOffset At)> Vehicles(int count, DateTimeOffset from, double days, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(n =>
        {
            var (make, body, year) = (random.Next(Makes.Length), random.Next(Bodies.Length), random.Next(2008, 2026));
            var usd = (MakeValue[make] + BodyValue[body]) * Math.Pow(0.91, 2026 - year) * Math.Exp(0.08 * Normal(random));
            var pesos = random.Next(3) == 0;
            var item = Room.Car($"car-{n:0000}", Makes[make], $"{Bodies[body]}{(char)('a' + random.Next(2))}", year,
                Math.Round((decimal)usd * (pesos ? 53.3m : 1m)), pesos ? "DOP" : "USD", Bodies[body]) with { SellerId = $"dealer-{n}" };
            return (item, from.AddDays(days * n / count));
        })];
    }

    /// <summary>
    /// What people with one favourite make and one favourite body view: both fit 60 times as often as none, one fits 6 times as often.
    /// </summary>
    public static IEnumerable<StreamEvent> Visits(IReadOnlyList<(CatalogItem Item, DateTimeOffset At)> vehicles, int people, int views, DateTimeOffset from, double days, int seed)
    {
        var random = new Random(seed);
        for (var person = 0; person < people; person++)
        {
            var (make, body) = Taste(person);
            var weights = vehicles.Select(v => Want(v.Item, make, body)).ToArray();
            var total = weights.Sum();
            for (var view = 0; view < views; view++)
            {
                var left = random.NextDouble() * total;
                var chosen = 0;
                while (chosen < weights.Length - 1 && (left -= weights[chosen]) > 0) chosen++;
                var at = from.AddDays(random.NextDouble() * days);
                yield return random.Next(10) == 0
                    ? Room.Behaviour(EventTypes.Contacted, $"v{person}", null, vehicles[chosen].Item.Id, at)
                    : Room.View($"v{person}", vehicles[chosen].Item.Id, at);
            }
        }
    }

    public static (string Make, string Body) Taste(int person) => (Makes[person % Makes.Length], Bodies[person / Makes.Length % Bodies.Length]);

    public static double Want(CatalogItem item, string make, string body) => (item.Text("make") == make, item.Text("bodyType") == body) switch
    {
        (true, true) => 60,
        (true, false) or (false, true) => 6,
        _ => 1,
    };

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
