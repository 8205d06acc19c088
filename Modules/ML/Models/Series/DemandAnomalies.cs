using System.Globalization;
using Microsoft.Extensions.Options;
using OKLA.ML.Algorithms.Anomalies;
using OKLA.ML.Registry;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Models.Series;

/// <summary>Views of a scope by hour.</summary>
/// <param name="Scope">Of what.</param>
/// <param name="Start">First hour (UTC).</param>
/// <param name="Views">Views.</param>
internal sealed record HourlyDemand(DemandScope Scope, DateTimeOffset Start, double[] Views)
{
    private const double LeastHourly = 2;

    /// <summary>All views, and those of each body type and province that is looked at often enough to notice a silence, up to a time.</summary>
    /// <remarks>Below two views an hour a silence of some hours is nothing unusual.</remarks>
    public static async Task<IReadOnlyList<HourlyDemand>> ReadAsync(SeriesStore store, DateTimeOffset from, DateTimeOffset now, CancellationToken ct)
    {
        var until = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        var rows = await store.DemandAsync("vehicle", from, until, ct);
        if (rows.Count == 0)
        {
            return [];
        }

        var start = rows.Min(row => row.Hours.Keys.Min());
        var length = (int)(until - start).TotalHours;
        var sums = new Dictionary<DemandScope, double[]>();
        foreach (var row in rows)
        {
            foreach (var scope in (DemandScope[])[new(null, null, null), new(row.Type, null, null), new(null, null, row.Place)])
            {
                if (!sums.TryGetValue(scope, out var values))
                {
                    sums[scope] = values = new double[length];
                }

                foreach (var (hour, views) in row.Hours)
                {
                    values[(int)(hour - start).TotalHours] += views;
                }
            }
        }

        return [.. sums.Where(pair => pair.Value.Sum() >= LeastHourly * length).OrderByDescending(pair => pair.Value.Sum()).Select(pair => new HourlyDemand(pair.Key, start, pair.Value))];
    }

    /// <summary>Every hour's score: three and eight hours together against the same hours of the days before, whichever is less usual; positive when more.</summary>
    public static double[] Score(double[] views)
    {
        var expected = UsualHours.Rate(views, [.. Enumerable.Repeat(1.0, views.Length)]);
        var (few, many) = (UsualHours.Score(views, expected, 3, 1), UsualHours.Score(views, expected, 8, 1));
        return [.. few.Zip(many, (a, b) => Math.Abs(a) >= Math.Abs(b) ? a : b)];
    }
}

/// <summary>
/// Says when demand or traffic is not as usual; read through <c>GET /api/ml/anomalies</c>.
/// Entity: a scope in an hour. Trainer: <see cref="UsualHours"/> with a threshold that brings as many alarms as somebody will read. Gate: a higher F1 than the windowed
/// Gaussian with as many alarms, on silences and rushes that the measurement plants into the later hours.
/// </summary>
internal sealed class AnomalyDetector(SeriesStore series, IMessageBus bus, IOptions<MLOptions> options, TimeProvider clock)
    : SeriesModel(ModelNames.AnomalyDetector, "When demand or traffic is not as usual.", WatchSettings.Load, new SeriesSources(series, bus, options.Value, clock),
        sources => new DemandWatchTraining(sources));

/// <summary>Sets the threshold on the older hours and measures on the newer ones, into which faults are planted by a seed: nobody has labelled real ones.</summary>
internal sealed class DemandWatchTraining(SeriesSources sources) : ModelTraining
{
    private const double AlarmsAWeek = 0.5;
    private const int LeastHours = 24 * 28, Seed = 42;
    private readonly DateTimeOffset now = sources.Clock.GetUtcNow();
    private IReadOnlyList<HourlyDemand> series = [];
    private WatchSettings measured = null!;
    private int cut;

    public override string Model => ModelNames.AnomalyDetector;

    public override bool LargerIsBetter => true;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        series = await HourlyDemand.ReadAsync(sources.Series, now.AddDays(-180), now, ct);
        if (series.Count == 0 || series[0].Views.Length < LeastHours)
        {
            throw new TooLittleDataException($"No part of the demand has {LeastHours / 24} days of history with a view in most hours.");
        }

        var length = series[0].Views.Length;
        cut = (int)(length * (1 - Math.Max(0.4, sources.Options.HoldOutShare)));
        var planted = series.Select((one, i) => Plant(one.Views, cut, Seed + i)).ToArray();
        progress?.Report(new WorkProgress(0.3, "measuring on later hours"));
        double[][] Ours(Func<int, double[]> views) => [.. Enumerable.Range(0, series.Count).Select(i => Array.ConvertAll(HourlyDemand.Score(views(i)), Math.Abs))];
        double[][] Gaussian(Func<int, double[]> views) => [.. Enumerable.Range(0, series.Count).Select(i => Stream(views(i)))];
        double Threshold(double[][] scores) => Alarms.Threshold([.. scores.Select(one => one[Math.Min(cut, 24 * UsualHours.Days)..cut])], AlarmsAWeek);
        AlarmFigures Figures(double[][] scores, double threshold) =>
            Alarms.Measure([.. scores.Select((one, i) => ((IReadOnlyList<Episode>)Alarms.Episodes(one.AsSpan(cut), threshold), (IReadOnlyList<FaultyHours>)planted[i].Faults))], (length - cut) / 24.0);
        measured = new WatchSettings([Threshold(Ours(i => series[i].Views))], AlarmsAWeek);
        var (ours, theirs) = (Ours(i => planted[i].Views), Gaussian(i => planted[i].Views));
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"by hour at {series[0].Start.AddHours(cut):yyyy-MM-dd HH:mm} UTC: {planted.Sum(one => one.Faults.Count)} planted silences and rushes in {(length - cut) / 24} days of {series.Count} series; threshold {measured.Thresholds[0]:0.0} at {AlarmsAWeek} alarms a week and series"),
            Figures(ours, measured.Thresholds[0]).Beside(Figures(theirs, Threshold(Gaussian(i => series[i].Views))), "windowed Gaussian"),
            serving is { } old && old.Until <= series[0].Start.AddHours(cut) ? Figures(ours, WatchSettings.Load(old.Artefact).Thresholds[0]).F1 : null)
        {
            RowsLearned = series.Count * cut,
            RowsMeasured = series.Count * (length - cut),
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) => Made(
        WatchSettings.Fit([.. series.Select(one => new[] { HourlyDemand.Score(one.Views)[Math.Min(one.Views.Length, 24 * UsualHours.Days)..] })], AlarmsAWeek), now);

    public override TrainedModel Measured() => Made(measured, series[0].Start.AddHours(cut));

    private TrainedModel Made(WatchSettings settings, DateTimeOffset until) =>
        new(settings.Save(), new { AlarmsAWeek, Seed }, new { series = series.Count, hours = series[0].Views.Length, asOf = now }, until, series.Sum(one => one.Views.Length));

    private double[] Stream(double[] views)
    {
        var detector = StreamDetectors.All[0].Make();
        return [.. views.Select((value, hour) => detector.Next(value, hour * 3_600.0))];
    }

    /// <summary>Once a week of later hours, by day, for three to eight hours: a silence (one view in ten is left) or a rush (three times as many).</summary>
    private static (double[] Views, List<FaultyHours> Faults) Plant(double[] views, int from, int seed)
    {
        var (random, planted, faults) = (new Random(seed), views.ToArray(), new List<FaultyHours>());
        for (var week = from; week + (24 * 7) <= views.Length; week += 24 * 7)
        {
            var first = week + (24 * random.Next(6)) + 13 + random.Next(8);
            var (hours, isRush) = (3 + random.Next(6), random.Next(2) == 0);
            for (var hour = first; hour < first + hours; hour++)
            {
                planted[hour] = isRush ? 3 * planted[hour] : Math.Floor(planted[hour] / 10);
            }

            faults.Add(new FaultyHours(first - from, first + hours - from));
        }

        return (planted, faults);
    }
}
