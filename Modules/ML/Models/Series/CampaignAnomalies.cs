using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using OKLA.ML.Registry;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Models.Series;

/// <summary>What a watch keeps: from which score on it speaks.</summary>
/// <param name="Threshold">Score.</param>
/// <param name="AlarmsAWeek">Alarms a week and series that the past would have brought at it.</param>
internal sealed record WatchSettings(double Threshold, double AlarmsAWeek)
{
    public byte[] Save() => JsonSerializer.SerializeToUtf8Bytes(this, EventJson.Options);

    /// <exception cref="InvalidDataException">The artefact is damaged.</exception>
    public static WatchSettings Load(byte[] artefact) => JsonSerializer.Deserialize<WatchSettings>(artefact, EventJson.Options) ?? throw new InvalidDataException("The artefact holds nothing.");
}

/// <summary>How unusual an hour of a campaign's channel was.</summary>
/// <param name="Score">Robust deviations, 0 or more.</param>
/// <param name="What">cost, clicks or applications, whichever is the least usual.</param>
/// <param name="IsMore">Whether there was more than usual.</param>
internal readonly record struct UnusualHour(double Score, string What, bool IsMore);

/// <summary>Watches a campaign's channel: money against the same hours before, clicks and applications against the money.</summary>
internal static class CampaignWatch
{
    /// <summary>Every hour's score.</summary>
    public static UnusualHour[] Score(CampaignSeries series)
    {
        var cost = UsualHours.Score(series.Usd, UsualHours.Median(series.Usd), 1, 0.1);
        var clicks = UsualHours.Score(series.Clicks, UsualHours.Rate(series.Clicks, series.Usd), 2, 1);
        var applications = UsualHours.Score(series.Applications, UsualHours.Rate(series.Applications, series.Usd), 4, 1);
        return [.. Enumerable.Range(0, series.Length).Select(hour =>
        {
            var (score, what) = (Math.Abs(cost[hour]), "cost");
            (score, what) = Math.Abs(clicks[hour]) > score ? (Math.Abs(clicks[hour]), "clicks") : (score, what);
            (score, what) = Math.Abs(applications[hour]) > score ? (Math.Abs(applications[hour]), "applications") : (score, what);
            return new UnusualHour(score, what, (what == "cost" ? cost : what == "clicks" ? clicks : applications)[hour] > 0);
        })];
    }

    /// <summary>The baseline: the cost of an application over four hours in deviations of the week before (three-sigma chart).</summary>
    public static double[] CostChart(CampaignSeries series)
    {
        const int Week = 24 * 7;
        var cpa = Enumerable.Range(0, series.Length).Select(hour =>
        {
            var from = Math.Max(0, hour - 3);
            return series.Usd[from..(hour + 1)].Sum() / (series.Applications[from..(hour + 1)].Sum() + 0.5);
        }).ToArray();
        return [.. Enumerable.Range(0, series.Length).Select(hour =>
        {
            if (hour < Week)
            {
                return 0;
            }

            var before = cpa[(hour - Week)..hour];
            var mean = before.Average();
            return Math.Abs(cpa[hour] - mean) / Math.Max(1e-6, Math.Sqrt(before.Average(value => (value - mean) * (value - mean))));
        })];
    }
}

/// <summary>
/// Says when a campaign's channel is not as usual: runaway money, clicks or applications out of proportion to it; read through <c>GET /api/ml/anomalies</c>.
/// Entity: a channel of a campaign in an hour. Trainer: <see cref="CampaignWatch"/> with a threshold that brings as many alarms as somebody will read. Gate: a higher F1 on
/// known faults than a three-sigma chart of the cost per application with as many alarms.
/// </summary>
internal sealed class CampaignAnomalyDetector(SeriesStore series, IMessageBus bus, IOptions<MLOptions> options, TimeProvider clock) : ModelDefinition
{
    public override string Name => ModelNames.CampaignAnomalyDetector;

    public override string Summary => "When a campaign's channel is not as usual.";

    public override ModelTraining NewTraining() => new CampaignWatchTraining(series, bus, options.Value, clock);
}

/// <summary>Sets the threshold on the older hours and measures on the newer ones, where the simulator knows what was broken.</summary>
internal sealed class CampaignWatchTraining(SeriesStore store, IMessageBus bus, MLOptions options, TimeProvider clock) : ModelTraining
{
    private const int LeastHours = 24 * 28;
    private const double AlarmsAWeek = 0.75;
    private readonly DateTimeOffset now = clock.GetUtcNow();
    private IReadOnlyList<CampaignSeries> series = [];
    private double[][] scores = [];
    private WatchSettings measured = null!;
    private DateTimeOffset splitAt;

    public override string Model => ModelNames.CampaignAnomalyDetector;

    public override bool LargerIsBetter => true;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        series = [.. (await store.CampaignsAsync(now, null, null, ct)).Where(one => one.Length >= LeastHours)];
        if (series.Count == 0)
        {
            throw new TooLittleDataException($"No campaign has {LeastHours / 24} days of history.");
        }

        var (first, last) = (series.Min(one => one.Start), series.Max(one => one.At(one.Length)));
        // Alarms are rare, so that more is kept to measure on than elsewhere.
        splitAt = first.AddHours(Math.Floor((last - first).TotalHours * (1 - Math.Max(0.4, options.HoldOutShare))));
        int Cut(CampaignSeries one) => Math.Clamp((int)(splitAt - one.Start).TotalHours, 0, one.Length);
        scores = [.. series.Select(one => CampaignWatch.Score(one).Select(hour => hour.Score).ToArray())];
        progress?.Report(new WorkProgress(0.6, "measuring on later hours"));
        var known = await bus.InvokeAsync<TrueCampaigns>(new GetTrueCampaigns([.. series.Select(one => one.Campaign).Distinct()]), ct);
        var faults = series.Select(one => (IReadOnlyList<FaultyHours>)[.. known.Faults
            .Where(fault => fault.CampaignId == one.Campaign && fault.Channel == one.Channel && fault.From >= splitAt && fault.From < one.At(one.Length))
            .Select(fault => new FaultyHours((int)(fault.From - splitAt).TotalHours, (int)(fault.Until - splitAt).TotalHours))]).ToArray();
        if (faults.Sum(list => list.Count) < 10)
        {
            throw new TooLittleDataException($"Only {faults.Sum(list => list.Count)} faults after {splitAt:u} are known; 10 are needed to measure.");
        }

        var charts = series.Select(CampaignWatch.CostChart).ToArray();
        var days = (last - splitAt).TotalDays;
        AlarmFigures Figures(double[][] all, double threshold) => Alarms.Measure([.. series.Select((one, i) => ((IReadOnlyList<Episode>)Alarms.Episodes(all[i].AsSpan(Cut(one)), threshold), faults[i]))], days);
        double Threshold(double[][] all) => Alarms.Threshold([.. series.Select((one, i) => all[i][Math.Min(Cut(one), 24 * UsualHours.Days)..Cut(one)])], AlarmsAWeek);
        measured = new WatchSettings(Threshold(scores), AlarmsAWeek);
        var (ours, chart) = (Figures(scores, measured.Threshold), Figures(charts, Threshold(charts)));
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"by hour at {splitAt:yyyy-MM-dd HH:mm} UTC: {faults.Sum(list => list.Count)} faults in {days:0} days of {series.Count} channels of campaigns after it; threshold {measured.Threshold:0.0} from the hours before, at {AlarmsAWeek} alarms a week and channel"),
            [
                .. ours.Beside(chart, "three-sigma chart of the cost"),
                .. known.Faults.Select(fault => fault.Kind).Distinct().Order(StringComparer.Ordinal).Select(kind => new MetricRow($"recall of {kind}", Recall(kind, scores, measured.Threshold), Recall(kind, charts, Threshold(charts)), "three-sigma chart of the cost", 1)),
            ],
            serving is { } old && old.Until <= splitAt ? Figures(scores, WatchSettings.Load(old.Artefact).Threshold).F1 : null);

        double Recall(string kind, double[][] all, double threshold) => Alarms.Measure(
            [.. series.Select((one, i) => ((IReadOnlyList<Episode>)Alarms.Episodes(all[i].AsSpan(Cut(one)), threshold), (IReadOnlyList<FaultyHours>)[.. known.Faults
                .Where(fault => fault.Kind == kind && fault.CampaignId == one.Campaign && fault.Channel == one.Channel && fault.From >= splitAt && fault.From < one.At(one.Length))
                .Select(fault => new FaultyHours((int)(fault.From - splitAt).TotalHours, (int)(fault.Until - splitAt).TotalHours))]))], days).Recall;
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        var whole = new WatchSettings(Alarms.Threshold([.. scores.Select(one => one[Math.Min(one.Length, 24 * UsualHours.Days)..])], AlarmsAWeek), AlarmsAWeek);
        return Made(whole, now);
    }

    public override TrainedModel Measured() => Made(measured, splitAt);

    private TrainedModel Made(WatchSettings settings, DateTimeOffset until) =>
        new(settings.Save(), new { AlarmsAWeek }, new { channels = series.Count, splitAt, asOf = now }, until, series.Sum(one => one.Length));
}
