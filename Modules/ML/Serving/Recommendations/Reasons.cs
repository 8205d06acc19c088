using System.Globalization;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Serving.Recommendations;

/// <summary>An item of a person's history and what it gave to a score.</summary>
internal readonly record struct Ground(HistoryItem Met, Card Card, double Gave);

/// <summary>
/// Why an item is shown, in Dominican Spanish, out of the history that gave it its score: several items that have with it in common what they are
/// ("Porque viste tres jeepetas Toyota bajo RD$1.5 M"), else the one that gave most.
/// </summary>
internal static class Reasons
{
    private const int MostCounted = 10;

    /// <summary>What cost more than so many times the price of the shown item says nothing about what it may cost.</summary>
    private const decimal AboutPrice = 1.25m;

    /// <summary>Attributes that items may have in common, the closest first.</summary>
    private static readonly Dictionary<string, string[][]> Groups = new(StringComparer.Ordinal)
    {
        ["vehicle"] = [["bodyType", "make"], ["bodyType"], ["make"]],
        ["activity"] = [["type", "locality"], ["type"], ["locality"]],
    };

    /// <summary>The reason.</summary>
    /// <param name="shown">The item.</param>
    /// <param name="grounds">The history; what gave nothing is no reason.</param>
    public static string Of(Card shown, IReadOnlyList<Ground> grounds)
    {
        var gave = grounds.Where(ground => ground.Gave > 0).OrderByDescending(ground => ground.Gave).ToArray();
        if (gave.Length == 0)
        {
            return Texts.Spanish["reason.taste"];
        }

        var total = gave.Sum(ground => ground.Gave);
        foreach (var names in Groups.GetValueOrDefault(shown.Snapshot.Item.Kind) ?? [])
        {
            // A group speaks only when it holds the strongest ground and most of what was given.
            var alike = gave.Where(ground => names.All(name => shown.Snapshot.Item.Text(name) is { } own && ground.Card.Snapshot.Item.Text(name) == own)).ToArray();
            if (alike.Length >= 2 && alike.Contains(gave[0]) && alike.Sum(ground => ground.Gave) >= total / 2)
            {
                return Many(shown, names, alike);
            }
        }

        return Texts.Spanish[KeyOf("reason", gave[0].Met.StrongestType), gave[0].Card.Name];
    }

    private static string Many(Card shown, string[] names, Ground[] alike)
    {
        var (about, cap) = UnderCap(shown, alike);
        var types = about.Select(ground => ground.Met.StrongestType).Distinct().ToArray();
        var what = shown.Snapshot.Item.Kind == "activity" ? Activities(shown, names) : Vehicles(shown, names);
        var number = Texts.Spanish[about.Length <= MostCounted ? $"number.{about.Length}" : "number.many"];
        var said = Texts.Spanish[KeyOf("reason.many", types is [var only] ? only : EventTypes.ItemViewed), number, what];
        return cap is { } most ? Texts.Spanish["reason.under", said, Pesos(most)] : said;
    }

    /// <summary>Those of about the shown vehicle's price or less, and the round sum they stay under; all of them and none where that would leave out most of what was given, or promise too much.</summary>
    private static (Ground[] About, decimal? Cap) UnderCap(Card shown, Ground[] alike)
    {
        if (shown.Snapshot.Item.Kind != "vehicle" || shown.View.PriceDop is not > 0)
        {
            return (alike, null);
        }

        var about = alike.Where(ground => ground.Card.View.PriceDop is > 0 and var price && price <= AboutPrice * shown.View.PriceDop).ToArray();
        return about.Length >= 2 && about.Sum(ground => ground.Gave) >= alike.Sum(ground => ground.Gave) / 2 && CapOf(about.Max(ground => ground.Card.View.PriceDop!.Value)) is var cap && shown.View.PriceDop <= cap
            ? (about, cap) : (alike, null);
    }

    private static string Vehicles(Card shown, string[] names)
    {
        var body = shown.Snapshot.Item.Text("bodyType") ?? "";
        var plural = names.Contains("bodyType") && Texts.Spanish.Has($"plural.{body}") ? Texts.Spanish[$"plural.{body}"] : Texts.Spanish["plural.vehicle"];
        return names.Contains("make") ? $"{plural} {shown.View.Make}" : plural;
    }

    private static string Activities(Card shown, string[] names)
    {
        var said = Texts.Spanish["plural.activity"];
        if (names.Contains("type"))
        {
            said = Texts.Spanish["reason.of", said, shown.Snapshot.Item.Text("type")!];
        }

        return names.Contains("locality") ? Texts.Spanish["reason.in", said, shown.Snapshot.Item.Text("locality")!] : said;
    }

    /// <summary>The next round sum: 50,000 pesos apart below a million, 100,000 above.</summary>
    internal static decimal CapOf(decimal most)
    {
        var step = most < 1_000_000 ? 50_000m : 100_000m;
        return Math.Ceiling(most / step) * step;
    }

    /// <summary>A sum as people say it: RD$850,000, RD$1.5 M.</summary>
    internal static string Pesos(decimal amount) => amount >= 1_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"RD${amount / 1_000_000:0.#} M") : string.Create(CultureInfo.InvariantCulture, $"RD${amount:N0}");

    private static string KeyOf(string prefix, string type) => Texts.Spanish.Has($"{prefix}.{type}") ? $"{prefix}.{type}" : $"{prefix}.{EventTypes.ItemViewed}";
}
