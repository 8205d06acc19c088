using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Training;

/// <summary>
/// Trains the price model. Split: the ads first listed last are the test. An ad never stands on both sides: test ads that repeat one of the
/// training part (same title and year of the same seller, or of the same price where no seller is known) are left out.
/// </summary>
internal sealed class PriceTraining(IMessageBus bus, MLOptions options, ExchangeRates rates, TimeProvider clock) : ModelTraining
{
    /// <summary>Prices outside are typing errors or deposits, not prices of vehicles.</summary>
    private const double MinUsd = 300, MaxUsd = 2_000_000;

    /// <summary>A price so many times above or below the median of its make and base model is in the wrong currency or misses digits.</summary>
    private const double ImplausibleFactor = 10;

    private const double CommonUsd = 300_000;
    private const int ImportanceAds = 1_000;

    private readonly PriceKnobs knobs = options.Price;
    private List<Ad> ads = [];
    private List<Ad> train = [];
    private PricePredictor measured = null!;
    private DateTimeOffset now;
    private DateTimeOffset splitAt;
    private int setAside;
    private HeldOutRows? heldOut;

    public override string Model => ModelNames.PricePredictor;

    public override bool LargerIsBetter => false;

    public override ModelSignature Signature => PriceModel.Asked;

    public override HeldOutRows? HeldOutRows => heldOut;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        // Load.
        progress?.Report(new WorkProgress(0, "reading ads"));
        now = clock.GetUtcNow();
        var items = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(now), ct);
        ads = Plausible(Priced(items), Priced(items));
        setAside = items.Count - ads.Count;
        if (ads.Count < knobs.MinAds)
        {
            throw new TooLittleDataException($"There are {ads.Count} ads with a price; {knobs.MinAds} are needed.");
        }

        // Split by the time of first listing; the training part is the catalogue exactly as it was known then.
        var (how, later) = await SplitAsync(ct);
        later = Plausible(later, train);
        var known = train.SelectMany(ad => ad.Identities).ToHashSet(StringComparer.Ordinal);
        var test = later.Where(ad => !ad.Identities.Any(known.Contains)).ToList();
        if (train.Count < knobs.MinAds / 2 || test.Count < knobs.MinAds / 20)
        {
            throw new TooLittleDataException($"The split at {splitAt:u} leaves {train.Count} ads to learn from and {test.Count} new ones to measure on.");
        }

        // Fit.
        measured = Fit(train, new ProgressPart(progress, 0.1, 0.9), ct);

        // Evaluate beside the group median and the serving version.
        progress?.Report(new WorkProgress(0.9, "measuring on newer ads"));
        var truth = test.Select(ad => ad.Usd!.Value).ToArray();
        var ours = measured.Predict([.. test.Select(ad => ad.Features)], options.Threads);
        var points = Array.ConvertAll(ours, estimate => estimate.Usd);
        var medians = GroupMedian.Of(train);
        var baseline = test.Select(medians.Predict).ToArray();
        double? servingError = null;
        if (serving is { } old && old.Until <= splitAt)
        {
            var theirs = PricePredictor.Load(old.Artefact).Predict([.. test.Select(ad => ad.Features)], options.Threads);
            servingError = RegressionMetrics.MedianApe(truth, Array.ConvertAll(theirs, estimate => estimate.Usd));
        }

        heldOut = new HeldOutRows(Described(test), Array.ConvertAll(truth, usd => (float)usd), Array.ConvertAll(points, usd => (float)usd), 0);
        var (lows, highs) = (Array.ConvertAll(ours, estimate => estimate.Low), Array.ConvertAll(ours, estimate => estimate.High));
        const string Median = "median of make, model and year";

        // Ads of one seller are alike: intervals draw sellers, and ads whose seller is not known one by one.
        var units = HeldOutUnits.By([.. test.Select(ad => ad.Item.Item.SellerId)], knobs.Seed);
        var ranges = units.OfRows(rows => Figures(Array.ConvertAll(rows, i => truth[i]), Array.ConvertAll(rows, i => points[i])));
        var (own, groups) = (Figures(truth, points), Figures(truth, baseline));
        MetricRow Beside(string name, int figure) => new MetricRow(name, own[figure], groups[figure], Median).Within(ranges[figure]);
        double[] held = [.. truth.Select((usd, i) => usd >= lows[i] && usd <= highs[i] ? 1.0 : 0)];
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"{how}: {train.Count} ads to learn from, {test.Count} new ones to measure on; {later.Count - test.Count} left out that repeat an ad of the first part, {setAside} without a plausible price"),
            [
                Beside("median APE", 0), Beside("R2", 1), Beside("R2 up to USD 300,000", 2), Beside("MAE USD", 3), Beside("R2 of log price", 4),
                new MetricRow("interval coverage", RegressionMetrics.IntervalCoverage(truth, lows, highs), knobs.Coverage, "wanted").Within(units.Mean(held)),
                new MetricRow("median interval width / price", MedianWidth(ours), null, ""),
            ],
            servingError)
        {
            RowsLearned = train.Count,
            RowsMeasured = test.Count,
            Importance = Importance(test, truth),
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) =>
        new(Fit(ads, progress, ct).Save(), knobs, Data(), now, ads.Count);

    public override TrainedModel Measured() => new(measured.Save(), knobs, Data(), splitAt, train.Count);

    /// <summary>What ads say, as the model is asked, and beside it where and by whom they are offered.</summary>
    private RawColumn[] Described(IReadOnlyList<Ad> test)
    {
        var offered = ads.CountBy(ad => ad.Item.Item.SellerId ?? "").ToDictionary(StringComparer.Ordinal);
        return
        [
            .. RawRows.Columns([.. PriceModel.Asked.Inputs.Select(input => input.Name)], [.. test.Select(ad => PriceModel.RowOf(ad.Item))]),
            new RawColumn("place", [.. test.Select(ad => ad.Item.Item.Place)]), new RawColumn("seller", [.. test.Select(ad => ad.Item.Item.SellerId)]),
            new RawColumn("sellerAds", [.. test.Select(ad => ad.Item.Item.SellerId is { } seller ? offered[seller].ToString(CultureInfo.InvariantCulture) : null)]),
        ];
    }

    /// <summary>By how much the median APE on newer ads grows when what they say is shuffled among them.</summary>
    private ColumnImportance[] Importance(List<Ad> test, double[] truth)
    {
        int[] some = [.. Enumerable.Range(0, Math.Min(ImportanceAds, test.Count))];
        var columns = RawRows.Columns([.. PriceModel.Asked.Inputs.Select(input => input.Name)], [.. some.Select(i => PriceModel.RowOf(test[i].Item))]);
        return TableChecks.ByShuffling(
            columns,
            shuffled => RegressionMetrics.MedianApe(
                truth.AsSpan(0, some.Length).ToArray(), Array.ConvertAll(measured.Predict([.. some.Select(i => PriceModel.FeaturesOf(shuffled.Row(i), now))], options.Threads), estimate => estimate.Usd)),
            knobs.Seed);
    }

    private PricePredictor Fit(List<Ad> from, IProgress<WorkProgress>? progress, CancellationToken ct) =>
        PricePredictor.Fit([.. from.Select(ad => ad.Features)], [.. from.Select(ad => ad.Usd!.Value)], knobs, options.Threads, progress, ct);

    private object Data() => new { ads = ads.Count, withoutPrice = setAside, splitAt, asOf = now };

    private List<Ad> Priced(IEnumerable<ItemSnapshot> items) =>
        [.. items.Select(item => Ad.Of(item, rates)).Where(ad => ad.Usd is >= MinUsd and <= MaxUsd).OrderBy(ad => ad.Item.ListedAt).ThenBy(ad => ad.Item.Item.Id, StringComparer.Ordinal)];

    /// <summary>The ads whose price is not absurd beside those of their make and base model among <paramref name="known"/> ads.</summary>
    private static List<Ad> Plausible(List<Ad> some, List<Ad> known)
    {
        var medians = known.GroupBy(ad => ad.Features.Levels()[1], StringComparer.Ordinal).Where(group => group.Count() >= 5)
            .ToDictionary(group => group.Key, group => GroupMedian.Middle(group.Select(ad => ad.Usd!.Value)), StringComparer.Ordinal);
        return [.. some.Where(ad => !medians.TryGetValue(ad.Features.Levels()[1], out var median)
            || (ad.Usd < median * ImplausibleFactor && ad.Usd > median / ImplausibleFactor))];
    }

    /// <summary>
    /// Sets the training part and answers the ads after it. Ads of one moment (an imported snapshot) stay together; where all are of one
    /// moment there is no time to split by, and the seed draws.
    /// </summary>
    private async Task<(string How, List<Ad> Later)> SplitAsync(CancellationToken ct)
    {
        var at = ads[Math.Clamp((int)(ads.Count * (1 - options.HoldOutShare)), 1, ads.Count - 1)].Item.ListedAt;
        if (ads.LastOrDefault(ad => ad.Item.ListedAt < at) is { } lastBefore)
        {
            splitAt = lastBefore.Item.ListedAt;
            var then = Priced(await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(splitAt), ct));
            train = Plausible(then, then);
            return (string.Create(CultureInfo.InvariantCulture, $"by first listing after {splitAt:yyyy-MM-dd HH:mm} UTC"), [.. ads.Where(ad => ad.Item.ListedAt > splitAt)]);
        }

        splitAt = now;
        var drawn = ads.ToArray();
        new Random(knobs.Seed).Shuffle(drawn);
        var held = (int)(drawn.Length * options.HoldOutShare);
        train = [.. drawn[held..].OrderBy(ad => ad.Item.Item.Id, StringComparer.Ordinal)];
        return ("at random, as all ads were listed at one moment", [.. drawn[..held]]);
    }

    /// <summary>R² without boats and machines above <see cref="CommonUsd"/>, one of which weighs as much in squared error as two thousand cars.</summary>
    private static double CommonR2(double[] truth, double[] predicted)
    {
        var common = Enumerable.Range(0, truth.Length).Where(i => truth[i] <= CommonUsd).ToArray();
        return RegressionMetrics.R2(Array.ConvertAll(common, i => truth[i]), Array.ConvertAll(common, i => predicted[i]));
    }

    private static double[] Figures(double[] truth, double[] predicted) =>
        [RegressionMetrics.MedianApe(truth, predicted), RegressionMetrics.R2(truth, predicted), CommonR2(truth, predicted), RegressionMetrics.Mae(truth, predicted), RegressionMetrics.R2(Logs(truth), Logs(predicted))];

    private static double[] Logs(double[] values) => Array.ConvertAll(values, Math.Log);

    private static double MedianWidth(PricePredictor.Estimate[] estimates)
    {
        var widths = estimates.Select(estimate => (estimate.High - estimate.Low) / estimate.Usd).Order().ToArray();
        return widths[widths.Length / 2];
    }

    /// <summary>An ad with its price in dollars (null when it has none) and what tells it from others.</summary>
    internal sealed record Ad(ItemSnapshot Item, PriceFeatures Features, double? Usd)
    {
        /// <summary>Its id, and title with year and seller, or with the price where no seller is known.</summary>
        public string[] Identities =>
        [
            "id " + Item.Item.Id,
            string.Create(CultureInfo.InvariantCulture, $"ad {PriceFeatures.Plain(Item.Item.Title)}|{Features.Year}|{Item.Item.SellerId ?? $"{Item.Item.Price?.Amount:0} {Item.Item.Price?.Currency}"}"),
        ];

        public static Ad Of(ItemSnapshot item, ExchangeRates rates) => new(item, PriceFeatures.Of(item), (double?)rates.ToUsd(item.Item.Price, item.PricedAt));
    }

    /// <summary>The baseline: the median price of make, model and year; where there is no such ad, of make and model, make and base model, make, all.</summary>
    internal sealed class GroupMedian
    {
        private readonly Dictionary<string, double> medians;

        private GroupMedian(Dictionary<string, double> medians) => this.medians = medians;

        public static GroupMedian Of(IReadOnlyList<Ad> ads) => new(
            ads.SelectMany(ad => Keys(ad).Select(key => (key, ad.Usd!.Value))).GroupBy(pair => pair.key, pair => pair.Value, StringComparer.Ordinal)
                .ToDictionary(group => group.Key, Middle, StringComparer.Ordinal));

        public double Predict(Ad ad) => medians[Keys(ad).First(medians.ContainsKey)];

        private static IEnumerable<string> Keys(Ad ad) => ad.Features.Levels() is [var make, var stem, var stemYear, var model, var modelYear] ? [modelYear, stemYear, model, stem, make, ""] : [""];

        public static double Middle(IEnumerable<double> values)
        {
            var sorted = values.Order().ToArray();
            return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        }
    }
}
