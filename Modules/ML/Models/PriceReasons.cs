using System.Globalization;
using System.Numerics;

namespace OKLA.ML.Models;

/// <summary>
/// What raises or lowers a price: Shapley values (Shapley 1953) over groups of what an ad says, exact over all subsets, interventional against given ads
/// (Janzing, Minorics, Blöbaum 2020). Make and model are one group, as one means nothing without the other. Groups in which the ad and those that it is
/// compared with agree add nothing and cost nothing. A title that only names the vehicle belongs to make and model: it says the same again.
/// </summary>
internal static class PriceReasons
{
    /// <summary>The groups, in the order of <see cref="Parts.Adds"/>.</summary>
    public static IReadOnlyList<string> Inputs { get; } = ["model", "year", "bodyType", "fuel", "condition", "transmission", "mileageKm", "title"];

    /// <summary>How a price comes about, in logarithms of dollars.</summary>
    /// <param name="Base">The mean of those it is compared with.</param>
    /// <param name="Output">The ad's.</param>
    /// <param name="Adds">What each of <see cref="Inputs"/> adds: base and these make the output.</param>
    public sealed record Parts(double Base, double Output, IReadOnlyList<double> Adds);

    /// <summary>Parts of an ad's price.</summary>
    /// <param name="ad">The ad.</param>
    /// <param name="against">With what it is compared, at least one; their prices are taken to be of the ad's day.</param>
    /// <param name="logPrices">The model.</param>
    public static Parts Of(PriceFeatures ad, IReadOnlyList<PriceFeatures> against, Func<IReadOnlyList<PriceFeatures>, double[]> logPrices)
    {
        // The mean over the others of games against one of them each: their Shapley values add up as their prices do, and against one other only what differs from it plays.
        var named = IsName(ad);
        var (asked, games) = (new Dictionary<PriceFeatures, int>(), new List<(int[] Players, int[] Places)>());
        foreach (var other in against.Select(other => other with { At = ad.At }))
        {
            int[] players = [.. Enumerable.Range(0, Inputs.Count - (named ? 1 : 0)).Where(group => !Says(other, group, named).SequenceEqual(Says(ad, group, named)))];
            var places = new int[1 << players.Length];
            for (var subset = 0; subset < places.Length; subset++)
            {
                var mixed = other;
                for (var p = 0; p < players.Length; p++)
                {
                    mixed = (subset & (1 << p)) != 0 ? Take(mixed, ad, players[p], named) : mixed;
                }

                // The same vehicle comes about in several ways, and is asked about once.
                asked.TryAdd(mixed, asked.Count);
                places[subset] = asked[mixed];
            }

            games.Add((players, places));
        }

        var (answers, from, output, adds) = (logPrices([.. asked.Keys]), 0.0, 0.0, new double[Inputs.Count]);
        foreach (var (players, places) in games)
        {
            var value = Array.ConvertAll(places, place => answers[place]);
            (from, output) = (from + (value[0] / games.Count), output + (value[^1] / games.Count));
            for (var p = 0; p < players.Length; p++)
            {
                for (var subset = 0; subset < value.Length; subset++)
                {
                    if ((subset & (1 << p)) == 0)
                    {
                        adds[players[p]] += Weight(BitOperations.PopCount((uint)subset), players.Length) * (value[subset | (1 << p)] - value[subset]) / games.Count;
                    }
                }
            }
        }

        return new Parts(from, output, adds);
    }

    /// <summary>What a part is worth in dollars, so that the parts add up to the difference of the prices: the logarithmic mean of the two prices times the part (Ang 2004).</summary>
    public static double Usd(Parts parts, double add)
    {
        var (from, to) = (Math.Exp(parts.Base), Math.Exp(parts.Output));
        return add * (Math.Abs(parts.Output - parts.Base) < 1e-9 ? from : (to - from) / (parts.Output - parts.Base));
    }

    /// <summary>|S|! (M − |S| − 1)! / M!.</summary>
    private static double Weight(int size, int players)
    {
        var weight = 1.0 / players;
        for (var s = 0; s < size; s++)
        {
            weight *= (s + 1.0) / (players - 1 - s);
        }

        return weight;
    }

    /// <summary>Whether every word of the title stands in make, model or year.</summary>
    private static bool IsName(PriceFeatures ad)
    {
        var name = PriceFeatures.WordsOf(string.Create(CultureInfo.InvariantCulture, $"{ad.Make} {ad.Model} {ad.Year}")).ToHashSet(StringComparer.Ordinal);
        return ad.Words.All(name.Contains);
    }

    private static object?[] Says(PriceFeatures ad, int group, bool named) => group switch
    {
        0 when named => [ad.Make, ad.Model, .. ad.Words],
        0 => [ad.Make, ad.Model],
        1 => [ad.Year],
        2 => [ad.Body],
        3 => [ad.Fuel],
        4 => [ad.Condition],
        5 => [ad.Transmission],
        6 => [ad.MileageKm],
        _ => [.. ad.Words],
    };

    private static PriceFeatures Take(PriceFeatures to, PriceFeatures from, int group, bool named) => group switch
    {
        0 when named => to with { Make = from.Make, Model = from.Model, Words = from.Words },
        0 => to with { Make = from.Make, Model = from.Model },
        1 => to with { Year = from.Year },
        2 => to with { Body = from.Body },
        3 => to with { Fuel = from.Fuel },
        4 => to with { Condition = from.Condition },
        5 => to with { Transmission = from.Transmission },
        6 => to with { MileageKm = from.MileageKm },
        _ => to with { Words = from.Words },
    };
}
