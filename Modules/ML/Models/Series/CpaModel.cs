using System.Globalization;
using Microsoft.Extensions.Options;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Registry;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Models.Series;

/// <summary><see cref="CpaPredictor"/> as a model of this house; asked through <c>GET /api/campaigns/{id}/cpa-forecast</c>.</summary>
internal sealed class CpaModel(SeriesStore series, IMessageBus bus, IOptions<MLOptions> options, TimeProvider clock)
    : SeriesModel(ModelNames.CpaPredictor, "What an application will cost in the next hour of a campaign's channel.", CpaPredictor.Load, new SeriesSources(series, bus, options.Value, clock),
        sources => new CpaTraining(sources));

/// <summary>Trains the forecast of costs. Split: the newest hours are the test; baselines are the cost of the last hour that had one, and of the same hour a week before.</summary>
internal sealed class CpaTraining(SeriesSources sources) : ModelTraining
{
    private const int LeastCases = 500;
    private readonly DateTimeOffset now = sources.Clock.GetUtcNow();
    private IReadOnlyList<CampaignSeries> series = [];
    private List<CpaPredictor.Case> all = [];
    private List<CpaPredictor.Case> train = [];
    private CpaPredictor measured = null!;
    private DateTimeOffset splitAt;
    private IReadOnlyList<Action> questions = [];

    public override string Model => ModelNames.CpaPredictor;

    public override bool LargerIsBetter => false;

    public override IReadOnlyList<Action> Questions => questions;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        series = await sources.Series.CampaignsAsync(now, null, null, ct);
        all = CpaPredictor.Cases(series, DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
        if (all.Count < LeastCases)
        {
            throw new TooLittleDataException($"There are {all.Count} hours of campaigns with an application and a week of history before; {LeastCases} are needed.");
        }

        var first = all[(int)(all.Count * (1 - sources.Options.HoldOutShare))];
        splitAt = first.Series.At(first.Hour);
        train = [.. all.Where(one => one.Series.At(one.Hour) < splitAt)];
        var test = all.Where(one => one.Series.At(one.Hour) >= splitAt).ToList();
        progress?.Report(new WorkProgress(0.1, "fitting"));
        measured = CpaPredictor.Fit(series, train, sources.Options.Threads, ct);
        progress?.Report(new WorkProgress(0.9, "measuring on later hours"));

        var truth = test.Select(one => one.Cpa).ToArray();
        (CampaignSeries, int)[] asked = [.. test.Select(one => (one.Series, one.Hour))];
        var answers = measured.Predict(series, asked);
        var ours = Array.ConvertAll(answers, answer => answer.Usd);
        var previous = test.Select(Previous).ToArray();
        var week = test.Select((one, i) => new CpaPredictor.Case(one.Series, one.Hour - 168).Cpa is var cpa && double.IsFinite(cpa) ? cpa : previous[i]).ToArray();
        var ceiling = await CeilingAsync(test, ct);
        double? Ceiling(Func<double[], double[], double> metric)
        {
            var known = Enumerable.Range(0, truth.Length).Where(i => double.IsFinite(ceiling[i])).ToArray();
            return known.Length < truth.Length / 2 ? null : metric(Array.ConvertAll(known, i => truth[i]), Array.ConvertAll(known, i => ceiling[i]));
        }

        double Mae(double[] t, double[] p) => RegressionMetrics.Mae(t, p);
        double Ape(double[] t, double[] p) => RegressionMetrics.MedianApe(t, p);
        var (better, name) = Mae(truth, previous) <= Mae(truth, week) ? (previous, "previous hour") : (week, "same hour last week");
        double? before = serving is { } old && old.Until <= splitAt
            ? Mae(truth, Array.ConvertAll(CpaPredictor.Load(old.Artefact).Predict(series, asked), answer => answer.Usd)) : null;
        var campaigns = series.GroupBy(one => one.Campaign).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
        questions = [.. test.Take(HeldOutQuestions.Most).Select(one => (Action)(() => measured.Predict(campaigns[one.Series.Campaign], [(one.Series, one.Hour)])))];

        // Hours of a day are alike, whichever the channel: intervals draw days.
        var days = HeldOutUnits.By([.. test.Select(one => one.Series.At(one.Hour).ToOffset(SeriesStore.Local).Date)]);
        var apes = days.OfRows(rows => [Ape(Array.ConvertAll(rows, i => truth[i]), Array.ConvertAll(rows, i => ours[i]))])[0];
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"by hour at {splitAt:yyyy-MM-dd HH:mm} UTC: {train.Count} hours to learn from, {test.Count} later ones with an application, {series.Count} channels of {series.Select(one => one.Campaign).Distinct().Count()} campaigns"),
            [
                new MetricRow("MAE USD", Mae(truth, ours), Mae(truth, better), name, Ceiling(Mae)).Within(days.Mean(Losses(truth, ours))),
                new MetricRow("MAE USD (other baseline)", Mae(truth, ours), Mae(truth, ReferenceEquals(better, previous) ? week : previous), ReferenceEquals(better, previous) ? "same hour last week" : "previous hour", Ceiling(Mae)),
                new MetricRow("median APE", Ape(truth, ours), Ape(truth, better), name, Ceiling(Ape)).Within(apes),
                new MetricRow("interval coverage", RegressionMetrics.IntervalCoverage(truth, [.. answers.Select(a => a.Low)], [.. answers.Select(a => a.High)]), CpaPredictor.Coverage, "wanted")
                    .Within(days.Mean([.. answers.Select((answer, i) => truth[i] >= answer.Low && truth[i] <= answer.High ? 1.0 : 0)])),
            ],
            before)
        {
            RowsLearned = train.Count,
            RowsMeasured = test.Count,
            Cases = new CaseLosses("absolute error in dollars", [.. test.Select(Key)], Losses(truth, ours), Losses(truth, better)),
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) =>
        new(CpaPredictor.Fit(series, all, sources.Options.Threads, ct).Save(), new { CpaPredictor.Coverage }, Data(), now, all.Count);

    public override TrainedModel Measured() => new(measured.Save(), new { CpaPredictor.Coverage }, Data(), splitAt, train.Count);

    private object Data() => new { hours = all.Count, channels = series.Count, splitAt, asOf = now };

    /// <summary>The cost of the last hour before that had one.</summary>
    private static double Previous(CpaPredictor.Case one)
    {
        for (var hour = one.Hour - 1; hour >= 0; hour--)
        {
            if (new CpaPredictor.Case(one.Series, hour).Cpa is var cpa && double.IsFinite(cpa))
            {
                return cpa;
            }
        }

        return one.Series.Usd.Take(one.Hour).Sum();
    }

    /// <summary>
    /// What somebody would foretell who knows the money to be spent and the true expectation m of applications, faults included: dollars divided by the median of a Poisson
    /// count that is not 0. Only the last tenth of the spending it does not know.
    /// </summary>
    private async Task<double[]> CeilingAsync(List<CpaPredictor.Case> test, CancellationToken ct)
    {
        var truth = await sources.Bus.InvokeAsync<TrueCampaignHours>(
            new GetTrueCampaignHours([.. test.Select(one => (one.Series.Campaign, one.Series.Channel, one.Series.At(one.Hour), (double?)null))]), ct);
        return [.. truth.PlannedUsd.Zip(truth.Applications, (usd, mean) => double.IsFinite(mean) ? usd / MedianAboveZero(mean) : double.NaN)];
    }

    /// <summary>Median of a Poisson count given that it is not 0.</summary>
    internal static double MedianAboveZero(double mean)
    {
        var half = 0.5 * (1 - Math.Exp(-mean));
        var (count, mass, sum) = (1, Math.Exp(-mean) * mean, 0.0);
        while (sum + mass < half && count < 10_000)
        {
            sum += mass;
            mass *= mean / ++count;
        }

        return count;
    }

    private static double[] Losses(double[] truth, double[] predicted) => [.. truth.Zip(predicted, (t, p) => Math.Abs(t - p))];

    /// <summary>The same number in every process.</summary>
    private static long Key(CpaPredictor.Case one) =>
        $"{one.Series.Campaign}|{one.Series.Channel}".Aggregate(one.Series.At(one.Hour).UtcTicks, (hash, c) => unchecked((hash * 31) + c));
}
