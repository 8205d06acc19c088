using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// What a vehicle's asking price should be.
/// Entity: an ad. Label: the logarithm of its last stated price in dollars at the rate of that day.
/// Features: make, model, body, fuel, condition, transmission, year and age, mileage where stated, day of the price, mean prices of make, model,
/// model year and title words (<see cref="PriceMeans"/>).
/// Trainer: gradient boosting of trees, one for the mean and two for the ends of the interval, which are then widened or narrowed until they
/// hold the wanted share of newer ads (conformalised quantile regression, Romano, Patterson, Candès 2019).
/// Gate: median absolute percentage error on the newest ads below that of the group median and of the serving version.
/// Answer: point and interval in dollars, and how the stated price compares.
/// </summary>
internal sealed class PricePredictor
{
    private const int Format = 1;

    /// <summary>The column that the trees start from.</summary>
    private const string Start = "mean_model_year";

    private readonly TableEncoder categories;
    private readonly PriceMeans means;
    private readonly GradientBoostingModel centre;
    private readonly GradientBoostingModel low;
    private readonly GradientBoostingModel high;
    private readonly double margin;

    private PricePredictor(TableEncoder categories, PriceMeans means, GradientBoostingModel centre, GradientBoostingModel low, GradientBoostingModel high, double margin)
    {
        this.categories = categories;
        this.means = means;
        this.centre = centre;
        this.low = low;
        this.high = high;
        this.margin = margin;
    }

    /// <summary>A price in dollars and the interval around it.</summary>
    public readonly record struct Estimate(double Usd, double Low, double High);

    /// <summary>Learns from ads in the order of their listing.</summary>
    /// <param name="ads">Ads, oldest first.</param>
    /// <param name="usd">Their prices in dollars.</param>
    /// <param name="knobs">Knobs.</param>
    /// <param name="threads">Threads.</param>
    /// <param name="progress">Hears 0 to 1.</param>
    /// <param name="ct">Stops it.</param>
    public static PricePredictor Fit(
        IReadOnlyList<PriceFeatures> ads, IReadOnlyList<double> usd, PriceKnobs knobs, int threads, IProgress<WorkProgress>? progress = null, CancellationToken ct = default)
    {
        var labels = usd.Select(price => Math.Log(price)).ToArray();
        var categories = TableEncoder.Fit(PriceFeatures.Categories(ads), PriceFeatures.Encoding);
        var means = PriceMeans.Fit(ads, labels);
        var table = Table(categories, ads, means.TransformTraining(ads, labels, knobs.Seed));
        var targets = Beside(table, labels);
        var options = new GradientBoostingOptions
        {
            Iterations = knobs.Trees, LearningRate = knobs.LearningRate, MaxLeaves = knobs.Leaves, MinRowsPerLeaf = 5, RowSample = 0.8, ColumnSampleByTree = 0.8, Objective = BoostingObjective.AbsoluteError,
            Seed = knobs.Seed, Threads = threads,
        };
        var centre = GradientBoosting.Train(table, targets, options, progress: new Rounds(progress, 0, 0.4, knobs.Trees), cancellation: ct);

        // The interval's ends learn from the older ads only, so that the newer ones can tell how far they are off.
        var older = Math.Max(1, (int)(ads.Count * (1 - knobs.CalibrationShare)));

        var tail = (1 - knobs.Coverage) / 2;
        var (oldMeans, oldAds) = (PriceMeans.Fit([.. ads.Take(older)], labels[..older]), ads.Take(older).ToArray());
        var properTable = Table(categories, oldAds, oldMeans.TransformTraining(oldAds, labels[..older], knobs.Seed));
        var properTargets = Beside(properTable, labels[..older]);
        var ends = options with { Objective = BoostingObjective.Quantile, MinRowsPerLeaf = 20, Iterations = knobs.Trees / 2 };
        var low = GradientBoosting.Train(properTable, properTargets, ends with { QuantileAlpha = tail }, progress: new Rounds(progress, 0.4, 0.7, ends.Iterations), cancellation: ct);
        var high = GradientBoosting.Train(properTable, properTargets, ends with { QuantileAlpha = 1 - tail }, progress: new Rounds(progress, 0.7, 1, ends.Iterations), cancellation: ct);

        var newer = ads.Skip(older).ToArray();
        var heldTable = Table(categories, newer, oldMeans.Transform(newer));
        var heldTargets = Beside(heldTable, labels[older..]);
        var margin = Margin(low.Predict(heldTable, threads), high.Predict(heldTable, threads), heldTargets, knobs.Coverage);
        return new PricePredictor(categories, means, centre, low, high, margin);
    }

    /// <summary>Estimates for ads, in their order.</summary>
    public Estimate[] Predict(IReadOnlyList<PriceFeatures> ads, int threads = 1)
    {
        if (ads.Count == 0)
        {
            return [];
        }

        var table = Table(categories, ads, means.Transform(ads));
        var (c, l, h) = (centre.Predict(table, threads), low.Predict(table, threads), high.Predict(table, threads));
        return [.. Enumerable.Range(0, ads.Count).Select(i =>
        {
            var start = table[Start].Numbers[i];
            var usd = Math.Exp(start + c[i]);
            return new Estimate(usd, Math.Min(usd, Math.Exp(start + l[i] - margin)), Math.Max(usd, Math.Exp(start + h[i] + margin)));
        })];
    }

    /// <summary>
    /// How a stated price compares: <c>good</c> below the middle between the interval's lower end and the estimate, <c>high</c> above the middle
    /// on the other side, else <c>fair</c>. With an 80 % interval of normal errors about one ad in four is good and one in four high.
    /// </summary>
    public static string Verdict(double listedUsd, Estimate estimate) =>
        listedUsd < (estimate.Low + estimate.Usd) / 2 ? "good" : listedUsd > (estimate.Usd + estimate.High) / 2 ? "high" : "fair";

    /// <summary>The model as bytes.</summary>
    public byte[] Save()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("OKLA.PricePredictor");
        writer.Write(Format);
        writer.Write(margin);
        means.Save(writer);
        writer.Flush();
        categories.Save(stream);
        centre.Save(stream);
        low.Save(stream);
        high.Save(stream);
        return stream.ToArray();
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Something else, or of another format.</exception>
    public static PricePredictor Load(byte[] artefact)
    {
        using var stream = new MemoryStream(artefact);
        using var reader = new BinaryReader(stream);
        if (reader.ReadString() != "OKLA.PricePredictor" || reader.ReadInt32() != Format)
        {
            throw new InvalidDataException("This is not a price model of a known format.");
        }

        var margin = reader.ReadDouble();
        var means = PriceMeans.Load(reader);
        return new PricePredictor(
            TableEncoder.Load(stream), means, GradientBoostingModel.Load(stream), GradientBoostingModel.Load(stream), GradientBoostingModel.Load(stream), margin);
    }

    /// <summary>
    /// How far both ends must move out (or in, when negative) to hold the wanted share of ads that they have not seen: the
    /// ⌈(n + 1)·coverage⌉-th smallest of max(low − y, y − high) (Romano et al. 2019, eq. 6 and 8).
    /// </summary>
    internal static double Margin(float[] low, float[] high, float[] labels, double coverage)
    {
        if (labels.Length == 0)
        {
            return 0;
        }

        var misses = labels.Select((y, i) => Math.Max(low[i] - y, y - high[i])).Order().ToArray();
        return misses[Math.Clamp((int)Math.Ceiling((misses.Length + 1) * coverage) - 1, 0, misses.Length - 1)];
    }

    private static Dataset Table(TableEncoder categories, IReadOnlyList<PriceFeatures> ads, Column[] means) =>
        new([.. categories.Transform(PriceFeatures.Categories(ads)).Columns, .. PriceFeatures.Numbers(ads), .. means]);

    /// <summary>How far labels lie from where the trees start: the trees learn only what the mean of the model year does not tell.</summary>
    private static float[] Beside(Dataset table, double[] labels)
    {
        var start = table[Start].Numbers;
        var targets = new float[labels.Length];
        for (var i = 0; i < targets.Length; i++)
        {
            targets[i] = (float)labels[i] - start[i];
        }

        return targets;
    }

    private sealed class Rounds(IProgress<WorkProgress>? progress, double from, double to, int rounds) : IProgress<BoostingProgress>
    {
        public void Report(BoostingProgress value)
        {
            if (value.Iteration % 20 == 0)
            {
                progress?.Report(new WorkProgress(from + (to - from) * value.Iteration / rounds, $"boosting, round {value.Iteration} of {rounds}"));
            }
        }
    }
}
