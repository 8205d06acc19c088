using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;

namespace OKLA.ML.Models;

/// <summary>
/// Hedonic regression (Rosen 1974): the logarithm of a price as a sum of what make, model, trim words, age and the rest are worth. Ridge with a width for
/// each kind of term, which is the same as a Gaussian prior of that width, so that a rare model leans on its make and a model year that was never
/// seen on the line of the older ones. Outliers count less (Huber's weights, by iteratively reweighted least squares).
/// </summary>
internal sealed class PriceHedonics
{
    /// <summary>Variance of a price's logarithm around its sum, against which the widths are weighed.</summary>
    private const double Noise = 0.02;

    /// <summary>Miss from which a price counts less: a third above or a quarter below.</summary>
    private const double Huber = 0.3;

    private const int Reweightings = 3;
    private const double Tolerance = 1e-3;
    private const int Folds = 5;

    /// <summary>Widest ages that are told apart, in years.</summary>
    private const double Youngest = -1, Oldest = 40;

    private readonly Dictionary<string, double> worth = new(StringComparer.Ordinal);
    private double start;

    private PriceHedonics()
    {
    }

    /// <summary>Learns from ads and the logarithms of their prices.</summary>
    public static PriceHedonics Fit(IReadOnlyList<PriceFeatures> ads, IReadOnlyList<double> logUsd, int threads)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var entries = new List<(int Row, int Column, float Value)>(ads.Count * 40);
        for (var row = 0; row < ads.Count; row++)
        {
            foreach (var (key, value) in Distinct(ads[row]))
            {
                places.TryAdd(key, places.Count);
                entries.Add((row, places[key], (float)value));
            }
        }

        var x = SparseMatrix.FromTriples(ads.Count, places.Count, entries);
        var y = logUsd.Select(value => (float)value).ToArray();
        var options = new RidgeOptions { Regularization = Noise, Tolerance = Tolerance, Threads = threads };
        var model = RidgeRegression.Fit(x, y, options);
        for (var round = 0; round < Reweightings; round++)
        {
            var weights = model.Predict(x).Select((value, row) => (float)Math.Min(1, Huber / Math.Max(1e-9, Math.Abs(value - y[row])))).ToArray();
            model = RidgeRegression.Fit(x, y, options, weights);
        }

        var learned = new PriceHedonics { start = model.Intercept };
        foreach (var (key, place) in places)
        {
            learned.worth[key] = model.Weights[place];
        }

        return learned;
    }

    /// <summary>What each ad's price would be said to be by a line that learned from the ads of the other folds.</summary>
    public static double[] OutOfFold(IReadOnlyList<PriceFeatures> ads, IReadOnlyList<double> logUsd, int seed, int threads)
    {
        var random = new Random(seed);
        var fold = ads.Select(_ => random.Next(Folds)).ToArray();
        var said = new double[ads.Count];
        for (var f = 0; f < Folds; f++)
        {
            var others = Enumerable.Range(0, ads.Count).Where(row => fold[row] != f).ToArray();
            if (others.Length == 0)
            {
                continue;
            }

            var line = Fit([.. others.Select(row => ads[row])], [.. others.Select(row => logUsd[row])], threads);
            for (var row = 0; row < ads.Count; row++)
            {
                said[row] = fold[row] == f ? line.Predict(ads[row]) : said[row];
            }
        }

        return said;
    }

    /// <summary>The logarithm of an ad's price; what was never met is worth nothing.</summary>
    public double Predict(PriceFeatures ad)
    {
        var sum = start;
        foreach (var (key, value) in Distinct(ad))
        {
            sum += worth.GetValueOrDefault(key) * value;
        }

        return sum;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(start);
        writer.Write(worth.Count);
        foreach (var (key, value) in worth.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            writer.Write(key);
            writer.Write(value);
        }
    }

    public static PriceHedonics Load(BinaryReader reader)
    {
        var read = new PriceHedonics { start = reader.ReadDouble() };
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            read.worth.Add(reader.ReadString(), reader.ReadDouble());
        }

        return read;
    }

    private static IEnumerable<(string Key, double Value)> Distinct(PriceFeatures ad) => Terms(ad).DistinctBy(term => term.Key, StringComparer.Ordinal);

    /// <summary>
    /// The terms of an ad. The number beside a name is the width of what it may be worth, in logarithms, as Dominican ads show it: makes lie some 60 % apart,
    /// models of a make 35 %, trims 20 %.
    /// </summary>
    private static IEnumerable<(string Key, double Value)> Terms(PriceFeatures ad)
    {
        var levels = ad.Levels();
        var (make, stem, stemYear, model, modelYear) = (levels[0], levels[1], levels[2], levels[3], levels[4]);
        yield return (make, 0.6);
        yield return (stem, 0.35);
        yield return (model, 0.2);
        yield return (stemYear, 0.12);
        yield return (modelYear, 0.12);
        foreach (var word in ad.Words)
        {
            yield return ($"word {word}", 0.08);
            yield return ($"word {ad.Make}|{word}", 0.1);
        }

        yield return ($"body {ad.Body}", 0.3);
        yield return ($"fuel {ad.Fuel}", 0.2);
        yield return ($"condition {ad.Condition}", 0.2);
        yield return ($"transmission {ad.Transmission}", 0.1);
        yield return ($"body {make}|{ad.Body}", 0.15);
        yield return ($"fuel {make}|{ad.Fuel}", 0.1);
        yield return ($"body {stem}|{ad.Body}", 0.1);
        yield return ($"fuel {stem}|{ad.Fuel}", 0.1);
        if (!double.IsNaN(ad.MileageKm))
        {
            yield return ("mileage", 0.3 * Math.Log(1 + (ad.MileageKm / 10_000)));
            yield return ("mileage stated", 0.1);
        }

        if (double.IsNaN(ad.Year))
        {
            yield return ("no year", 1);
            yield break;
        }

        yield return ($"year {ad.Year}", 0.1);
        yield return ($"year {ad.Body}|{ad.Year}", 0.05);
        yield return ($"year {make}|{ad.Year}", 0.05);
        foreach (var term in Depreciation(ad, make, stem))
        {
            yield return term;
        }
    }

    /// <summary>A line over age with bends at 2, 5, 10 and 18 years: one for all, one for each body type, and with fewer bends for makes and models.</summary>
    private static IEnumerable<(string Key, double Value)> Depreciation(PriceFeatures ad, string make, string stem)
    {
        var age = Math.Clamp(ad.Age, Youngest, Oldest);
        foreach (var bend in new[] { 0, 2, 5, 10, 18 })
        {
            var past = (bend == 0 ? age : Math.Max(0, age - bend)) / 5;
            yield return ($"age {bend}", past);
            yield return ($"age {bend} {ad.Body}", 0.5 * past);
            if (bend is 0 or 5 or 10)
            {
                yield return ($"age {bend} {make}", 0.25 * past);
                yield return ($"age {bend} {stem}", 0.15 * past);
            }
        }
    }
}
