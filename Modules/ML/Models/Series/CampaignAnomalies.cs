using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using OKLA.ML.Registry;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Models.Series;

/// <summary>What a watch keeps: from which score on each of its streams speaks.</summary>
/// <param name="Thresholds">Score by stream.</param>
/// <param name="AlarmsAWeek">Alarms a week and series that the past would have brought of all streams together.</param>
internal sealed record WatchSettings(double[] Thresholds, double AlarmsAWeek)
{
    public byte[] Save() => JsonSerializer.SerializeToUtf8Bytes(this, EventJson.Options);

    /// <exception cref="InvalidDataException">The artefact is damaged.</exception>
    public static WatchSettings Load(byte[] artefact) =>
        JsonSerializer.Deserialize<WatchSettings>(artefact, EventJson.Options) is { Thresholds: [> 0, ..] } settings ? settings : throw new InvalidDataException("The artefact holds no thresholds.");

    /// <summary>The streams of one series together: an hour's score in units of the threshold that it is nearest to, so that 1 and more is an alarm.</summary>
    public double[] Together(double[][] streams) =>
        [.. Enumerable.Range(0, streams[0].Length).Select(hour => streams.Select((stream, i) => Math.Abs(stream[hour]) / Thresholds[i]).Max())];

    /// <summary>Thresholds by which each stream has an even share of the alarms, and all together as many as are asked for: streams often speak of the same hours.</summary>
    /// <param name="series">Streams of each series' past.</param>
    /// <param name="aWeek">Alarms a week and series.</param>
    public static WatchSettings Fit(IReadOnlyList<double[][]> series, double aWeek)
    {
        var even = new WatchSettings(
            [.. Enumerable.Range(0, series[0].Length).Select(i => Alarms.Threshold([.. series.Select(streams => Array.ConvertAll(streams[i], Math.Abs))], aWeek / series[0].Length))], aWeek);
        var scale = Alarms.Threshold([.. series.Select(even.Together)], aWeek);
        return even with { Thresholds = Array.ConvertAll(even.Thresholds, threshold => scale * threshold) };
    }
}

/// <summary>Watches a campaign's channel: money against the hours before, clicks and applications against the money.</summary>
internal static class CampaignWatch
{
    /// <summary>What each stream is about.</summary>
    public static readonly string[] Streams = ["cost", "clicks", "applications"];

    /// <summary>Every hour's score by stream, positive when more than usual.</summary>
    public static double[][] Score(CampaignSeries series)
    {
        var cost = UsualHours.Score(series.Usd, UsualHours.Recent(series.Usd), 1, 0.1);
        var clicks = UsualHours.Score(series.Clicks, UsualHours.Rate(series.Clicks, series.Usd), 2, 1);
        var expected = UsualHours.Rate(series.Applications, series.Usd);
        var (few, many) = (UsualHours.Score(series.Applications, expected, 4, 1), UsualHours.Score(series.Applications, expected, 8, 1));
        return [cost, clicks, [.. few.Zip(many, (a, b) => Math.Abs(a) >= Math.Abs(b) ? a : b)]];
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
internal sealed class CampaignAnomalyDetector(SeriesStore series, IMessageBus bus, IOptions<MLOptions> options, TimeProvider clock)
    : SeriesModel(ModelNames.CampaignAnomalyDetector, "When a campaign's channel is not as usual.", WatchSettings.Load, new SeriesSources(series, bus, options.Value, clock),
        sources => new CampaignWatchTraining(sources));

/// <summary>Sets the threshold on the older hours and measures on the newer ones, where the simulator knows what was broken.</summary>
internal sealed class CampaignWatchTraining(SeriesSources sources) : ModelTraining
{
    private const int LeastHours = 24 * 28;
    private const double AlarmsAWeek = 0.75;
    private readonly DateTimeOffset now = sources.Clock.GetUtcNow();
    private IReadOnlyList<CampaignSeries> series = [];
    private double[][][] streams = [];
    private WatchSettings measured = null!;
    private DateTimeOffset splitAt;

    public override string Model => ModelNames.CampaignAnomalyDetector;

    public override bool LargerIsBetter => true;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        series = [.. (await sources.Series.CampaignsAsync(now, null, null, ct)).Where(one => one.Length >= LeastHours)];
        if (series.Count == 0)
        {
            throw new TooLittleDataException($"No campaign has {LeastHours / 24} days of history.");
        }

        var (first, last) = (series.Min(one => one.Start), series.Max(one => one.At(one.Length)));
        // Alarms are rare, so that more is kept to measure on than elsewhere.
        splitAt = first.AddHours(Math.Floor((last - first).TotalHours * (1 - Math.Max(0.4, sources.Options.HoldOutShare))));
        int Cut(CampaignSeries one) => Math.Clamp((int)(splitAt - one.Start).TotalHours, 0, one.Length);
        streams = [.. series.Select(CampaignWatch.Score)];
        progress?.Report(new WorkProgress(0.6, "measuring on later hours"));
        var known = await sources.Bus.InvokeAsync<TrueCampaigns>(new GetTrueCampaigns([.. series.Select(one => one.Campaign).Distinct()]), ct);
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
        measured = WatchSettings.Fit([.. streams.Select((one, i) => Past(one, Cut(series[i])))], AlarmsAWeek);
        double[][] scores = [.. streams.Select(measured.Together)];
        var (ours, chart) = (Figures(scores, 1), Figures(charts, Threshold(charts)));
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"by hour at {splitAt:yyyy-MM-dd HH:mm} UTC: {faults.Sum(list => list.Count)} faults in {days:0} days of {series.Count} channels of campaigns after it; thresholds {string.Join(" / ", measured.Thresholds.Select(value => value.ToString("0.0", CultureInfo.InvariantCulture)))} from the hours before, at {AlarmsAWeek} alarms a week and channel"),
            [
                .. ours.Beside(chart, "three-sigma chart of the cost"),
                .. known.Faults.Select(fault => fault.Kind).Distinct().Order(StringComparer.Ordinal).Select(kind => new MetricRow($"recall of {kind}", Recall(kind, scores, 1), Recall(kind, charts, Threshold(charts)), "three-sigma chart of the cost", 1)),
            ],
            serving is { } old && old.Until <= splitAt ? Figures([.. streams.Select(WatchSettings.Load(old.Artefact).Together)], 1).F1 : null)
        {
            RowsLearned = series.Sum(Cut),
            RowsMeasured = series.Sum(one => one.Length - Cut(one)),
        };

        double Recall(string kind, double[][] all, double threshold) => Alarms.Measure(
            [.. series.Select((one, i) => ((IReadOnlyList<Episode>)Alarms.Episodes(all[i].AsSpan(Cut(one)), threshold), (IReadOnlyList<FaultyHours>)[.. known.Faults
                .Where(fault => fault.Kind == kind && fault.CampaignId == one.Campaign && fault.Channel == one.Channel && fault.From >= splitAt && fault.From < one.At(one.Length))
                .Select(fault => new FaultyHours((int)(fault.From - splitAt).TotalHours, (int)(fault.Until - splitAt).TotalHours))]))], days).Recall;
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) =>
        Made(WatchSettings.Fit([.. streams.Select((one, i) => Past(one, series[i].Length))], AlarmsAWeek), now);

    public override TrainedModel Measured() => Made(measured, splitAt);

    /// <summary>Hours before one that have a whole past of their own.</summary>
    private static double[][] Past(double[][] streams, int until) => Array.ConvertAll(streams, stream => stream[Math.Min(until, 24 * UsualHours.Days)..until]);

    private TrainedModel Made(WatchSettings settings, DateTimeOffset until) =>
        new(settings.Save(), new { AlarmsAWeek }, new { channels = series.Count, splitAt, asOf = now }, until, series.Sum(one => one.Length));
}
