using System.Text.Json;
using System.Text.Json.Serialization;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// What a vehicle's asking price should be.
/// Entity: an ad. Label: the logarithm of its last stated price in dollars at the rate of that day.
/// Features: make, model, body, fuel, condition, transmission, year and age, mileage where stated, title words, mean prices of make, model, model year and
/// title words (<see cref="PriceMeans"/>), and what a hedonic regression says (<see cref="PriceHedonics"/>).
/// Trainer: the regression, whose misses gradient boosting of trees learns, one for the median and two for the ends of the interval, which are then widened
/// or narrowed until they hold the wanted share of newer ads (conformalised quantile regression, Romano, Patterson, Candès 2019). All of it is
/// lifted or lowered to the level that the newest ads ask.
/// Gate: median absolute percentage error on the newest ads below that of the group median and of the serving version.
/// Answer: point and interval in dollars, how the stated price compares, and what raises or lowers it.
/// </summary>
internal sealed class PricePredictor
{
    private const int Format = 2;
    private const int BackgroundAds = 8;
    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private readonly TableEncoder categories;
    private readonly PriceMeans means;
    private readonly PriceHedonics line;
    private readonly GradientBoostingModel centre;
    private readonly GradientBoostingModel low;
    private readonly GradientBoostingModel high;
    private readonly double margin;
    private readonly double level;

    private PricePredictor(
        TableEncoder categories, PriceMeans means, PriceHedonics line, GradientBoostingModel centre, GradientBoostingModel low, GradientBoostingModel high, double margin, double level,
        IReadOnlyList<PriceFeatures> background)
    {
        this.categories = categories;
        this.means = means;
        this.line = line;
        this.centre = centre;
        this.low = low;
        this.high = high;
        this.margin = margin;
        this.level = level;
        Background = background;
    }

    /// <summary>A price in dollars and the interval around it.</summary>
    public readonly record struct Estimate(double Usd, double Low, double High);

    /// <summary>Typical ads, that explanations compare with where nobody says with which.</summary>
    public IReadOnlyList<PriceFeatures> Background { get; }

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
        progress?.Report(new WorkProgress(0, "hedonic regression"));
        var line = PriceHedonics.Fit(ads, labels, threads);
        var means = PriceMeans.Fit(ads, labels);
        var (table, targets) = Training(categories, ads, labels, knobs, threads);
        var options = new GradientBoostingOptions
        {
            Iterations = knobs.Trees, LearningRate = knobs.LearningRate, MaxLeaves = knobs.Leaves, MinRowsPerLeaf = 10, RowSample = 0.7, ColumnSampleByTree = 0.5, Lambda = 3,
            Objective = BoostingObjective.AbsoluteError, Seed = knobs.Seed, Threads = threads,
        };
        var centre = GradientBoosting.Train(table, targets, options, progress: new Rounds(progress, 0.2, 0.5, knobs.Trees), cancellation: ct);

        // The interval's ends learn from the older ads only, so that the newer ones can tell how far they are off.
        var older = Math.Max(1, (int)(ads.Count * (1 - knobs.CalibrationShare)));
        var (oldAds, oldLabels, newer, newLabels) = (ads.Take(older).ToArray(), labels[..older], ads.Skip(older).ToArray(), labels[older..]);
        var tail = (1 - knobs.Coverage) / 2;
        var (properTable, properTargets) = Training(categories, oldAds, oldLabels, knobs, threads);
        var ends = options with { Objective = BoostingObjective.Quantile, MinRowsPerLeaf = 20, Iterations = Math.Max(1, knobs.Trees / 2) };
        var low = GradientBoosting.Train(properTable, properTargets, ends with { QuantileAlpha = tail }, progress: new Rounds(progress, 0.6, 0.8, ends.Iterations), cancellation: ct);
        var high = GradientBoosting.Train(properTable, properTargets, ends with { QuantileAlpha = 1 - tail }, progress: new Rounds(progress, 0.8, 1, ends.Iterations), cancellation: ct);

        var oldLine = PriceHedonics.Fit(oldAds, oldLabels, threads);
        double[] said = [.. newer.Select(oldLine.Predict)];
        float[] misses = [.. newLabels.Select((label, i) => (float)(label - said[i]))];
        var held = Table(categories, newer, PriceMeans.Fit(oldAds, oldLabels).Transform(newer), said);
        var margin = Margin(low.Predict(held, threads), high.Predict(held, threads), misses, knobs.Coverage);

        // The older ads do not know what has become dearer since; the newer ones are part of the whole line already.
        var level = misses.Length == 0 ? 0 : (1 - knobs.CalibrationShare) * misses.Order().ElementAt(misses.Length / 2);
        return new PricePredictor(categories, means, line, centre, low, high, margin, level, [.. PriceFeatures.Typical(ads, usd, BackgroundAds).Select(one => one.Ad)]);
    }

    /// <summary>Estimates for ads, in their order.</summary>
    public Estimate[] Predict(IReadOnlyList<PriceFeatures> ads, int threads = 1)
    {
        if (ads.Count == 0)
        {
            return [];
        }

        double[] said = [.. ads.Select(line.Predict)];
        var table = Table(categories, ads, means.Transform(ads), said);
        var (c, l, h) = (centre.Predict(table, threads), low.Predict(table, threads), high.Predict(table, threads));
        return [.. Enumerable.Range(0, ads.Count).Select(i =>
        {
            var start = said[i] + level;
            var usd = Math.Exp(start + c[i]);
            return new Estimate(usd, Math.Min(usd, Math.Exp(start + l[i] - margin)), Math.Max(usd, Math.Exp(start + h[i] + margin)));
        })];
    }

    /// <summary>
    /// What each input adds to the logarithm of an ad's price against other ads: exact Shapley values (<see cref="PriceReasons"/>), which add up to the
    /// difference between the ad and the mean of the others.
    /// </summary>
    /// <param name="ad">The ad.</param>
    /// <param name="against">With what it is compared; empty takes <see cref="Background"/>.</param>
    public PriceReasons.Parts Explain(PriceFeatures ad, IReadOnlyList<PriceFeatures> against) =>
        PriceReasons.Of(ad, against.Count > 0 ? against : Background, ads => [.. Centres(ads)]);

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
        writer.Write(level);
        writer.Write(JsonSerializer.Serialize(Background, Json));
        means.Save(writer);
        line.Save(writer);
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

        var (margin, level) = (reader.ReadDouble(), reader.ReadDouble());
        var background = JsonSerializer.Deserialize<PriceFeatures[]>(reader.ReadString(), Json)!;
        var means = PriceMeans.Load(reader);
        var line = PriceHedonics.Load(reader);
        return new PricePredictor(
            TableEncoder.Load(stream), means, line, GradientBoostingModel.Load(stream), GradientBoostingModel.Load(stream), GradientBoostingModel.Load(stream), margin, level, background);
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

    /// <summary>Logarithms of the points.</summary>
    private IEnumerable<double> Centres(IReadOnlyList<PriceFeatures> ads)
    {
        double[] said = [.. ads.Select(line.Predict)];
        var misses = centre.Predict(Table(categories, ads, means.Transform(ads), said), 1);
        return said.Select((start, i) => start + level + misses[i]);
    }

    /// <summary>What the trees learn: the misses of a regression that did not see the ads.</summary>
    private static (Dataset Table, float[] Targets) Training(TableEncoder categories, IReadOnlyList<PriceFeatures> ads, double[] labels, PriceKnobs knobs, int threads)
    {
        var said = PriceHedonics.OutOfFold(ads, labels, knobs.Seed, threads);
        var table = Table(categories, ads, PriceMeans.Fit(ads, labels).TransformTraining(ads, labels, knobs.Seed), said);
        return (table, [.. labels.Select((label, i) => (float)(label - said[i]))]);
    }

    private static Dataset Table(TableEncoder categories, IReadOnlyList<PriceFeatures> ads, Column[] means, double[] said) => new(
    [
        .. categories.Transform(PriceFeatures.Categories(ads)).Columns, .. PriceFeatures.Numbers(ads), .. means, Column.Numeric("line", Array.ConvertAll(said, value => (float)value)),
        .. means.Where(mean => PriceFeatures.LevelNames.Contains(mean.Name)).Select(mean => Column.Numeric($"{mean.Name}_beside", [.. mean.Numbers.ToArray().Select((value, i) => (float)(value - said[i]))])),
    ]);

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
