using System.Text.Json;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Models.Series;

/// <summary>
/// What an application will cost in the next hour of a campaign's channel: boosted trees on the logarithm of the cost, fitted to the absolute error, with an interval
/// from hours that they had not seen (split conformal prediction, Lei et al. 2018).
/// Entity: a channel of a campaign in an hour. Label: dollars spent for each application of that hour, where there was one. Features: what is known at its beginning.
/// </summary>
internal sealed class CpaPredictor
{
    /// <summary>Share of hours whose cost lies inside the interval.</summary>
    public const double Coverage = 0.8;

    /// <summary>Hours of history before which nothing is foretold.</summary>
    public const int LeastHours = 24 * 7;

    private static readonly string[] Names =
    [
        "log_usd_last", "log_usd_24h_ago", "log_usd_week_ago", "log_usd_same_hour_7d", "applications_last", "applications_3h", "applications_24h", "cpa_3h", "cpa_24h", "cpa_168h",
        "cpa_same_hour_7d", "cpa_campaign_168h", "clicks_3h_per_usd", "competition", "hour", "weekday", "pace_24h",
    ];

    private readonly GradientBoostingModel model;
    private readonly string[] channels;
    private readonly double below;
    private readonly double above;

    private CpaPredictor(GradientBoostingModel model, string[] channels, double below, double above) => (this.model, this.channels, this.below, this.above) = (model, channels, below, above);

    /// <summary>A forecast in dollars an application.</summary>
    internal readonly record struct Answer(double Usd, double Low, double High);

    /// <summary>An hour of a channel, by its place in a series.</summary>
    internal readonly record struct Case(CampaignSeries Series, int Hour)
    {
        /// <summary>Dollars an application; NaN when there was none.</summary>
        public double Cpa => Series.Applications[Hour] > 0 && Series.Usd[Hour] > 0 ? Series.Usd[Hour] / Series.Applications[Hour] : double.NaN;
    }

    /// <summary>The cases of series from an hour on, in the order of time: hours with an application and enough history.</summary>
    public static List<Case> Cases(IReadOnlyList<CampaignSeries> series, DateTimeOffset from, DateTimeOffset until) =>
        [.. series.SelectMany(one => Enumerable.Range(0, one.Length).Where(hour => hour >= LeastHours && one.At(hour) >= from && one.At(hour) < until).Select(hour => new Case(one, hour)))
            .Where(one => double.IsFinite(one.Cpa)).OrderBy(one => one.Series.At(one.Hour)).ThenBy(one => one.Series.Campaign, StringComparer.Ordinal).ThenBy(one => one.Series.Channel, StringComparer.Ordinal)];

    /// <summary>Fits; <paramref name="cases"/> in the order of time. The newest fifth makes the interval.</summary>
    public static CpaPredictor Fit(IReadOnlyList<CampaignSeries> series, IReadOnlyList<Case> cases, int threads, CancellationToken ct)
    {
        string[] channels = [.. series.Select(one => one.Channel).Distinct().Order(StringComparer.Ordinal)];
        var sums = new Sums(series);
        var fitted = cases.Count * 4 / 5;
        Dataset Table(IEnumerable<Case> some) => ToTable([.. some.Select(one => Row(one.Series, one.Hour, sums))], [.. some.Select(one => Array.IndexOf(channels, one.Series.Channel))], channels);
        var options = new GradientBoostingOptions
        {
            Objective = BoostingObjective.AbsoluteError, Iterations = 300, LearningRate = 0.05, MaxLeaves = 15, MinRowsPerLeaf = 40, EarlyStoppingRounds = 30, Threads = threads,
            RowSample = 0.8, ColumnSampleByTree = 0.8,
        };
        float[] Labels(IEnumerable<Case> some) => [.. some.Select(one => (float)Math.Log(one.Cpa))];
        var (early, late) = (cases.Take(fitted).ToArray(), cases.Skip(fitted).ToArray());
        var lateTable = Table(late);
        var model = GradientBoosting.Train(Table(early), Labels(early), options, lateTable, Labels(late), cancellation: ct);
        var margins = model.PredictMargins(lateTable, threads);
        var residuals = late.Select((one, i) => Math.Log(one.Cpa) - margins[i]).Order().ToArray();
        double Quantile(double p) => residuals[(int)Math.Clamp(Math.Ceiling(p * (residuals.Length + 1)) - 1, 0, residuals.Length - 1)];
        return new CpaPredictor(model, channels, Quantile((1 - Coverage) / 2), Quantile((1 + Coverage) / 2));
    }

    /// <summary>Foretells hours; one past the end of a series is its next hour.</summary>
    public Answer[] Predict(IReadOnlyList<CampaignSeries> all, IReadOnlyList<(CampaignSeries Series, int Hour)> hours)
    {
        if (hours.Count == 0)
        {
            return [];
        }

        var sums = new Sums(all);
        var margins = model.PredictMargins(
            ToTable([.. hours.Select(one => Row(one.Series, one.Hour, sums))], [.. hours.Select(one => Array.IndexOf(channels, one.Series.Channel))], channels), 1);
        return Array.ConvertAll(margins, margin => new Answer(Math.Exp(margin), Math.Exp(margin + below), Math.Exp(margin + above)));
    }

    public byte[] Save()
    {
        using var stream = new MemoryStream();
        var head = JsonSerializer.SerializeToUtf8Bytes(new Head(channels, below, above), EventJson.Options);
        stream.Write(BitConverter.GetBytes(head.Length));
        stream.Write(head);
        model.Save(stream);
        return stream.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static CpaPredictor Load(byte[] bytes)
    {
        var length = bytes.Length >= 4 ? BitConverter.ToInt32(bytes) : -1;
        if (length < 0 || length > bytes.Length - 4)
        {
            throw new InvalidDataException("The artefact is cut off.");
        }

        var head = JsonSerializer.Deserialize<Head>(bytes.AsSpan(4, length), EventJson.Options) ?? throw new InvalidDataException("The artefact has no head.");
        using var rest = new MemoryStream(bytes, 4 + length, bytes.Length - 4 - length);
        return new CpaPredictor(GradientBoostingModel.Load(rest), head.Channels, head.Below, head.Above);
    }

    private static Dataset ToTable(float[][] rows, int[] channel, string[] channels) =>
        new([.. Names.Select((name, c) => Column.Numeric(name, Array.ConvertAll(rows, row => row[c]))), Column.Categorical("channel", channel, channels)]);

    /// <summary>What is known at the beginning of an hour; it reads no place of the series from that hour on.</summary>
    private static float[] Row(CampaignSeries s, int hour, Sums sums)
    {
        var own = sums.Of(s);
        double Usd(int back) => Math.Log(0.01 + (hour - back >= 0 ? s.Usd[hour - back] : 0));
        double Cpa(double usd, double applications) => Math.Log((usd + 0.01) / (applications + 0.5));
        double Over(double[] sum, int hours) => sum[hour] - sum[Math.Max(0, hour - hours)];
        var (sameUsd, sameApplications) = (0.0, 0.0);
        for (var back = 24; back <= 24 * 7 && hour - back >= 0; back += 24)
        {
            sameUsd += s.Usd[hour - back];
            sameApplications += s.Applications[hour - back];
        }

        var (campaignUsd, campaignApplications) = sums.Campaign(s, hour, 168);
        return
        [
            (float)Usd(1), (float)Usd(24), (float)Usd(168), (float)Math.Log(0.01 + (sameUsd / 7)), (float)s.Applications[hour - 1], (float)Over(own.Applications, 3), (float)Over(own.Applications, 24),
            (float)Cpa(Over(own.Usd, 3), Over(own.Applications, 3)), (float)Cpa(Over(own.Usd, 24), Over(own.Applications, 24)), (float)Cpa(Over(own.Usd, 168), Over(own.Applications, 168)),
            (float)Cpa(sameUsd, sameApplications), (float)Cpa(campaignUsd, campaignApplications), (float)(Over(own.Clicks, 3) / (0.01 + Over(own.Usd, 3))), (float)s.Competition[hour - 1],
            s.At(hour).ToOffset(SeriesStore.Local).Hour, (float)s.At(hour).ToOffset(SeriesStore.Local).DayOfWeek, (float)(Over(own.Usd, 24) / (0.01 + (Over(own.Usd, 168) / 7))),
        ];
    }

    private sealed record Head(string[] Channels, double Below, double Above);

    /// <summary>Running sums of series: place h holds the sum of the hours before h.</summary>
    private sealed class Sums
    {
        private readonly Dictionary<CampaignSeries, (double[] Usd, double[] Applications, double[] Clicks)> sums = new(ReferenceEqualityComparer.Instance);
        private readonly ILookup<string, CampaignSeries> byCampaign;

        public Sums(IReadOnlyList<CampaignSeries> series)
        {
            byCampaign = series.ToLookup(one => one.Campaign, StringComparer.Ordinal);
            foreach (var one in series)
            {
                sums[one] = (Running(one.Usd), Running(one.Applications), Running(one.Clicks));
            }
        }

        public (double[] Usd, double[] Applications, double[] Clicks) Of(CampaignSeries series) => sums[series];

        /// <summary>Dollars and applications of all channels of the campaign in the hours before one.</summary>
        public (double Usd, double Applications) Campaign(CampaignSeries series, int hour, int hours)
        {
            var (usd, applications) = (0.0, 0.0);
            foreach (var other in byCampaign[series.Campaign])
            {
                var to = Math.Clamp(hour + (int)(series.Start - other.Start).TotalHours, 0, other.Length);
                var from = Math.Max(0, to - hours);
                var sum = sums[other];
                usd += sum.Usd[to] - sum.Usd[from];
                applications += sum.Applications[to] - sum.Applications[from];
            }

            return (usd, applications);
        }

        private static double[] Running(double[] values)
        {
            var sum = new double[values.Length + 1];
            for (var i = 0; i < values.Length; i++)
            {
                sum[i + 1] = sum[i] + values[i];
            }

            return sum;
        }
    }
}
