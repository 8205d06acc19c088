using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models;
using OKLA.ML.Models.Frames;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training;

/// <summary>
/// Trains the model of days to sale. Split: what was known at a time teaches, ads listed after it are the test. Ads that were there when the log began are
/// left out: of those that came with them only the slow ones are left (left truncation).
/// </summary>
internal sealed class DaysToSaleTraining(FrameSource source, MLOptions options, ExchangeRates rates) : ModelTraining
{
    private const int LeastAds = 150;

    /// <summary>Share of the newest ads that are the test: twice the usual, as a test must leave time to sell.</summary>
    private const double TestShare = 0.4;

    private const int LongestHorizon = 90;
    private const int ImportanceAds = 1_000;
    private const double Shortest = 0.25;
    private const int Seed = 42;

    private List<Life> lives = [];
    private DaysToSale measured = null!;
    private DateTimeOffset splitAt;
    private DateTimeOffset now;
    private int learned;
    private HeldOutRows? heldOut;

    public override string Model => ModelNames.DaysToSalePredictor;

    public override bool LargerIsBetter => true;

    public override ModelSignature Signature => DaysToSalePredictor.Asked;

    public override HeldOutRows? HeldOutRows => heldOut;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        // Load.
        progress?.Report(new WorkProgress(0, "reading ads"));
        (lives, var how) = await ReadAsync(ct);
        if (lives.Count < LeastAds)
        {
            throw new TooLittleDataException($"There are {lives.Count} ads whose listing was seen; {LeastAds} are needed.");
        }

        // Split.
        splitAt = lives[(int)(lives.Count * (1 - TestShare))].ListedAt;
        if (!lives.Any(life => life.ListedAt >= splitAt && life.Sold) && lives.LastOrDefault(life => life.ListedAt < splitAt) is { } before)
        {
            // The newest ads came in one moment, as with a snapshot, and none of them had time to sell.
            splitAt = before.ListedAt;
        }

        Spell[] train = [.. lives.Where(life => life.ListedAt < splitAt).Select(life => life.Until(splitAt))];
        Spell[] test = [.. lives.Where(life => life.ListedAt >= splitAt).Select(life => life.Until(now))];
        if (train.Length < LeastAds / 2 || !train.Any(spell => spell.Sold) || !test.Any(spell => spell.Sold))
        {
            throw new TooLittleDataException($"The split at {splitAt:u} leaves {train.Length} ads to learn from and {test.Count(spell => spell.Sold)} sales to measure on.");
        }

        // Fit.
        progress?.Report(new WorkProgress(0.2, "fitting"));
        measured = Fit(train, ct);
        learned = train.Length;

        // Evaluate beside the group's median days and the serving version.
        progress?.Report(new WorkProgress(0.9, "measuring on newer ads"));
        var known = await TruthAsync([.. train.Concat(test).Select(spell => spell.Life.ItemId)], ct);
        double? servingFigure = serving is { } old && old.Until <= splitAt ? Concord(test, DaysToSale.Load(old.Artefact).Medians([.. test.Select(spell => spell.Life.Ad)])) : null;
        heldOut = Sold([.. test.Where(spell => spell.Sold)]);
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"by listing from {splitAt:yyyy-MM-dd HH:mm} UTC: {train.Length} ads to learn from ({train.Count(spell => spell.Sold)} sold by then), {test.Length} newer ones to measure on ({test.Count(spell => spell.Sold)} sold by now); {measured.Distribution}; {how}{(known.All(double.IsFinite) ? "; ceiling: the pace that the simulator planned, and none where its buyers take many ads before" : "")}"),
            Metrics(train, test, known[..train.Length], known[train.Length..]), servingFigure)
        {
            RowsLearned = train.Length,
            RowsMeasured = test.Length,
            Importance = Importance(test),
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) =>
        new(Fit([.. lives.Select(life => life.Until(now))], ct).Save(), new { Seed }, Data(), now, lives.Count);

    public override TrainedModel Measured() => new(measured.Save(), new { Seed }, Data(), splitAt, learned);

    private object Data() => new { ads = lives.Count, splitAt, asOf = now };

    /// <summary>Newer ads that sold, with their days and the median foretold: of the others nobody knows the days yet.</summary>
    private HeldOutRows Sold(IReadOnlyList<Spell> sold)
    {
        var medians = measured.Medians([.. sold.Select(spell => spell.Life.Ad)]);
        return new HeldOutRows(
            [
                .. RawRows.Columns([.. DaysToSalePredictor.Asked.Inputs.Select(input => input.Name)], [.. sold.Select(spell => DaysToSalePredictor.RowOf(spell.Life.Ad))]),
                new RawColumn("place", [.. sold.Select(spell => spell.Life.Place)]), new RawColumn("seller", [.. sold.Select(spell => spell.Life.Seller)]),
            ],
            [.. sold.Select(spell => (float)spell.Days)], Array.ConvertAll(medians, days => (float)days), 0);
    }

    /// <summary>By how much concordance on newer ads falls when what they say is shuffled among them.</summary>
    private ColumnImportance[] Importance(Spell[] test)
    {
        Spell[] some = [.. test.Take(ImportanceAds)];
        var columns = RawRows.Columns([.. DaysToSalePredictor.Asked.Inputs.Select(input => input.Name)], [.. some.Select(spell => DaysToSalePredictor.RowOf(spell.Life.Ad))]);
        return TableChecks.ByShuffling(
            columns, shuffled => 1 - Concord(some, measured.Medians([.. some.Select((spell, i) => DaysToSalePredictor.AdOf(shuffled.Row(i), spell.Life.Ad.Features.At))])), Seed);
    }

    private DaysToSale Fit(IReadOnlyList<Spell> spells, CancellationToken ct) =>
        DaysToSale.Fit([.. spells.Select(spell => spell.Life.Ad)], [.. spells.Select(spell => (float)spell.Days)], [.. spells.Select(spell => spell.Sold)], Seed, options.Threads, ct);

    private MetricRow[] Metrics(Spell[] train, Spell[] test, double[] truthOfTrain, double[] truth)
    {
        const string Median = "median of make and model (Kaplan-Meier)";
        DaysToSale.Ad[] ads = [.. test.Select(spell => spell.Life.Ad)];
        var horizon = Math.Clamp((int)(0.8 * test.Max(spell => spell.Days)), 1, LongestHorizon);
        var groups = GroupMedians(train, horizon);
        var (ours, theirs) = (measured.Medians(ads), test.Select(groups).ToArray());
        int[] sold = [.. Enumerable.Range(0, test.Length).Where(i => test[i].Sold)];
        double[] Of(double[] values) => [.. sold.Select(i => values[i])];
        double[] days = [.. sold.Select(i => test[i].Days)];
        var known = truth.All(double.IsFinite);
        double[] times = [.. Enumerable.Range(1, horizon).Select(day => (double)day)];
        var survival = measured.Survival(ads, times);
        var all = KaplanMeier([.. train.Select(spell => spell.Days)], [.. train.Select(spell => spell.Sold)]);
        var average = times.Select(time => Enumerable.Repeat(all(time), test.Length).ToArray()).ToArray();
        double[] Means(double[][] curves) => [.. Enumerable.Range(0, test.Length).Select(i => 1 + curves.Take(curves.Length - 1).Sum(curve => curve[i]))];
        var (mean, meanOfAll) = (Means(survival), Means(average));

        // Whoever knew each ad's true median would learn from the earlier ads by how much days stray around it, and no more.
        var stray = known && truthOfTrain.All(double.IsFinite) ? KaplanMeier([.. train.Select((spell, i) => spell.Days / truthOfTrain[i])], [.. train.Select(spell => spell.Sold)]) : null;
        var meanOfTruth = stray is null ? null : Means(Array.ConvertAll(times, time => Array.ConvertAll(truth, median => stray(time / median))));

        // Ads of one seller are alike: intervals draw sellers, and ads whose seller is not known one by one.
        var ranges = HeldOutUnits.By([.. test.Select(spell => spell.Life.Seller)], Seed).OfRows(some =>
        {
            Spell[] drawn = Array.ConvertAll(some, i => test[i]);
            double[] medians = Array.ConvertAll(some, i => ours[i]), means = Array.ConvertAll(some, i => mean[i]);
            return [Concord(drawn, medians), RestrictedMae(drawn, medians, horizon), RestrictedR2(drawn, means, horizon)];
        });
        MetricRow[] rows =
        [
            new MetricRow("concordance", Concord(test, ours), Concord(test, theirs), Median, known ? Concord(test, truth) : null).Within(ranges[0]),
            new MetricRow($"MAE of days up to {horizon}", RestrictedMae(test, ours, horizon), RestrictedMae(test, theirs, horizon), Median, known ? RestrictedMae(test, truth, horizon) : null).Within(ranges[1]),
            new MetricRow($"R2 of days up to {horizon}", RestrictedR2(test, mean, horizon), RestrictedR2(test, meanOfAll, horizon), "the same curve for all", meanOfTruth is null ? null : RestrictedR2(test, meanOfTruth, horizon)).Within(ranges[2]),
            new MetricRow("MAE days of those sold", RegressionMetrics.Mae(days, Of(ours)), RegressionMetrics.Mae(days, Of(theirs)), Median, known ? RegressionMetrics.Mae(days, Of(truth)) : null),
            new MetricRow($"integrated Brier, {horizon} days", times.Select((time, i) => Brier(test, survival[i], time)).Average(), times.Select((time, i) => Brier(test, average[i], time)).Average(), "the same curve for all"),
            new MetricRow("P(sold within 30 days), mean", 1 - measured.Survival(ads, [30])[0].Average(), 1 - KaplanMeier([.. test.Select(spell => spell.Days)], [.. test.Select(spell => spell.Sold)])(30), "share of the test (Kaplan-Meier)"),
        ];
        return [.. rows.Where(row => double.IsFinite(row.Model))];
    }

    /// <summary>
    /// Mean absolute error of min(T, horizon), cases weighed by the inverse probability of not having been censored: of newer ads only the quick ones
    /// are seen to sell, and the error over those alone would praise whoever says "soon" to all.
    /// </summary>
    private static double RestrictedMae(Spell[] test, double[] said, double horizon) =>
        Weighed(test, horizon, (spell, i) => Math.Abs(Math.Min(spell.Days, horizon) - Math.Min(said[i], horizon)));

    /// <summary>The share of the variance of min(T, horizon) that restricted means explain, with the same weights.</summary>
    private static double RestrictedR2(Spell[] test, double[] said, double horizon)
    {
        var centre = Weighed(test, horizon, (spell, _) => Math.Min(spell.Days, horizon));
        var variance = Weighed(test, horizon, (spell, _) => Math.Pow(Math.Min(spell.Days, horizon) - centre, 2));
        return variance < 1e-9 ? double.NaN : 1 - (Weighed(test, horizon, (spell, i) => Math.Pow(Math.Min(spell.Days, horizon) - said[i], 2)) / variance);
    }

    private static double Weighed(Spell[] test, double horizon, Func<Spell, int, double> of)
    {
        var uncensored = KaplanMeier([.. test.Select(spell => spell.Days)], [.. test.Select(spell => !spell.Sold)]);
        var (sum, total) = (0.0, 0.0);
        for (var i = 0; i < test.Length; i++)
        {
            var spell = test[i];
            var weight = spell.Days >= horizon ? 1 / Math.Max(0.01, uncensored(horizon)) : spell.Sold ? 1 / Math.Max(0.01, uncensored(Math.BitDecrement(spell.Days))) : 0;
            (sum, total) = (sum + (weight * (weight > 0 ? of(spell, i) : 0)), total + weight);
        }

        return sum / Math.Max(total, 1e-12);
    }

    /// <summary>Harrell's concordance of median days: a longer one is a smaller risk.</summary>
    private static double Concord(Spell[] test, double[] medians) =>
        Concordance.Index([.. test.Select(spell => spell.Days)], [.. test.Select(spell => spell.Sold)], [.. medians.Select(median => -median)]);

    /// <summary>Brier score at a time with cases weighed by the inverse probability of not having been censored (Graf et al. 1999, eq. 8).</summary>
    internal static double Brier(IReadOnlyList<Spell> test, double[] survival, double time)
    {
        var uncensored = KaplanMeier([.. test.Select(spell => spell.Days)], [.. test.Select(spell => !spell.Sold)]);
        var sum = 0.0;
        for (var i = 0; i < test.Count; i++)
        {
            var (days, sold) = (test[i].Days, test[i].Sold);
            sum += days <= time && sold ? survival[i] * survival[i] / Math.Max(0.01, uncensored(Math.BitDecrement(days)))
                : days > time ? (1 - survival[i]) * (1 - survival[i]) / Math.Max(0.01, uncensored(time))
                : 0;
        }

        return sum / test.Count;
    }

    /// <summary>The Kaplan-Meier estimate of P(T > t) (1958).</summary>
    internal static Func<double, double> KaplanMeier(double[] days, bool[] happened)
    {
        var order = Enumerable.Range(0, days.Length).OrderBy(i => days[i]).ToArray();
        var (times, levels, level) = (new List<double>(), new List<double>(), 1.0);
        for (var at = 0; at < order.Length;)
        {
            var (end, events) = (at, 0);
            for (; end < order.Length && days[order[end]] == days[order[at]]; end++)
            {
                events += happened[order[end]] ? 1 : 0;
            }

            level *= 1 - ((double)events / (order.Length - at));
            times.Add(days[order[at]]);
            levels.Add(level);
            at = end;
        }

        return time => times.BinarySearch(time) is var place && (place >= 0 ? place : ~place - 1) is >= 0 and var last ? levels[last] : 1;
    }

    /// <summary>The baseline: the Kaplan-Meier median of the ads of the same make and base model where there are ten, of the same body type, of all; at most the horizon.</summary>
    private static Func<Spell, double> GroupMedians(Spell[] train, double horizon)
    {
        static string[] Keys(Spell spell) => [spell.Life.Ad.Features.Levels()[1], $"body {spell.Life.Ad.Features.Body}", ""];
        var medians = train.SelectMany(spell => Keys(spell).Select(key => (key, spell))).GroupBy(pair => pair.key, pair => pair.spell, StringComparer.Ordinal)
            .Where(group => group.Key.Length == 0 || group.Count() >= 10).ToDictionary(group => group.Key, group =>
            {
                Spell[] spells = [.. group];
                var curve = KaplanMeier([.. spells.Select(spell => spell.Days)], [.. spells.Select(spell => spell.Sold)]);
                return spells.Select(spell => spell.Days).Where(time => curve(time) <= 0.5).DefaultIfEmpty(horizon).Min();
            }, StringComparer.Ordinal);
        return spell => medians[Keys(spell).First(medians.ContainsKey)];
    }

    private async Task<double[]> TruthAsync(IReadOnlyList<string> items, CancellationToken ct) => (await source.Bus.InvokeAsync<TrueProbabilities>(new GetTrueDaysToSale(items), ct)).Values;

    /// <summary>Every ad whose listing was seen, with its end, in the order of listing.</summary>
    private async Task<(List<Life> Lives, string How)> ReadAsync(CancellationToken ct)
    {
        var (listed, ends) = (new Dictionary<string, Life>(StringComparer.Ordinal), new Dictionary<string, (DateTimeOffset At, bool Sold, bool Fraud)>(StringComparer.Ordinal));
        foreach (var one in await source.EventsAsync([EventTypes.ItemListed, EventTypes.ItemSold, EventTypes.ItemWithdrawn], ct))
        {
            if (one.Type == EventTypes.ItemListed)
            {
                var item = one.Read<ItemListed>().Item;
                if (item.Kind == "vehicle")
                {
                    var snapshot = new ItemSnapshot(item, "live", one.OccurredAt, one.OccurredAt, one.OccurredAt, one.Position);
                    listed.TryAdd(item.Id, new Life(item.Id, new DaysToSale.Ad(PriceFeatures.Of(snapshot), (double?)rates.ToUsd(item.Price, one.OccurredAt) ?? double.NaN), one.OccurredAt, null, false) { Place = item.Place, Seller = item.SellerId });
                }
            }
            else
            {
                var end = one.Read<ItemEnded>();
                ends.TryAdd(end.ItemId, (one.OccurredAt, one.Type == EventTypes.ItemSold, end.Reason == ItemEnded.Fraud));
            }
        }

        // Where a source tells only that ads are gone, as snapshots of a site do, gone is as near to sold as it gets.
        var salesKnown = ends.Values.Any(end => end.Sold);
        now = listed.Values.Select(life => life.ListedAt).Concat(ends.Values.Select(end => end.At)).DefaultIfEmpty(source.Now).Max();
        var began = listed.Count == 0 ? now : listed.Values.Min(life => life.ListedAt);
        var watched = await FirstLookAsync(ct) ?? began;
        var all = listed.Values.Where(life => life.ListedAt > began && life.ListedAt >= watched)
            .Where(life => !ends.TryGetValue(life.ItemId, out var end) || !end.Fraud)
            .Select(life => ends.TryGetValue(life.ItemId, out var end) ? life with { EndedAt = end.At, Sold = end.Sold || !salesKnown } : life)
            .OrderBy(life => life.ListedAt).ThenBy(life => life.ItemId, StringComparer.Ordinal).ToList();
        return (all, salesKnown ? "withdrawn ads are censored" : "sales are not told from withdrawals: gone counts as sold");
    }

    /// <summary>When people were first seen to look: from then on the life of every ad is known from its start.</summary>
    private async Task<DateTimeOffset?> FirstLookAsync(CancellationToken ct) => await source.FirstAsync(EventTypes.ItemViewed, ct);

    /// <summary>An ad and its end.</summary>
    internal sealed record Life(string ItemId, DaysToSale.Ad Ad, DateTimeOffset ListedAt, DateTimeOffset? EndedAt, bool Sold)
    {
        /// <summary>Where it was offered.</summary>
        public string? Place { get; init; }

        /// <summary>By whom.</summary>
        public string? Seller { get; init; }

        /// <summary>As it was known at a time.</summary>
        public Spell Until(DateTimeOffset time) => EndedAt is { } end && end <= time
            ? new Spell(this, Math.Max(Shortest, (end - ListedAt).TotalDays), Sold)
            : new Spell(this, Math.Max(Shortest, (time - ListedAt).TotalDays), false);
    }

    /// <summary>Days on offer, and whether they ended by a sale.</summary>
    internal sealed record Spell(Life Life, double Days, bool Sold);
}
