using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using OKLA.ML.Registry;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Models.Series;

/// <summary>
/// How each channel answers to money, and so what the next dollar brings and how a budget is best split; asked through <c>GET /api/campaigns/response-curves</c>.
/// Entity: a channel. Label: applications of an hour. Trainer: <see cref="ResponseCurve"/>. Gate: a lower Poisson deviance on later hours than an unchanging cost per application.
/// </summary>
internal sealed class ResponseCurves(SeriesStore series, IMessageBus bus, IOptions<MLOptions> options, TimeProvider clock)
    : SeriesModel(ModelNames.ResponseCurves, "What each channel brings for how much money.", Read, new SeriesSources(series, bus, options.Value, clock),
        sources => new ResponseTraining(sources))
{
    /// <summary>The curves of an artefact.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static IReadOnlyList<ResponseCurve> Read(byte[] artefact) =>
        JsonSerializer.Deserialize<List<ResponseCurve>>(artefact, EventJson.Options) ?? throw new InvalidDataException("The artefact holds no curves.");
}

/// <summary>Trains the curves. Split: the newest hours are the test.</summary>
internal sealed class ResponseTraining(SeriesSources sources) : ModelTraining
{
    private const int LeastHours = 24 * 21, Bootstraps = 200, Seed = 42;
    private readonly DateTimeOffset now = sources.Clock.GetUtcNow();
    private IReadOnlyList<CampaignSeries> series = [];
    private IReadOnlyList<ResponseCurve> measured = [];
    private DateTimeOffset splitAt;

    public override string Model => ModelNames.ResponseCurves;

    public override bool LargerIsBetter => false;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        series = [.. (await sources.Series.CampaignsAsync(now, null, null, ct)).Where(one => one.Length >= LeastHours && one.Applications.Sum() >= 100)];
        if (series.Count == 0)
        {
            throw new TooLittleDataException($"No campaign has a channel with {LeastHours / 24} days of history and 100 applications.");
        }

        var (first, last) = (series.Min(one => one.Start), series.Max(one => one.At(one.Length)));
        splitAt = first.AddHours(Math.Floor((last - first).TotalHours * (1 - sources.Options.HoldOutShare)));
        int Cut(CampaignSeries one) => Math.Clamp((int)(splitAt - one.Start).TotalHours, 0, one.Length);
        measured = Fit([.. series.Where(one => Cut(one) > LeastHours / 2).Select(one => one.Until(Cut(one)))], progress, ct);

        // The baselines know the channel's mean cost of an application, and the share of each hour of the day.
        progress?.Report(new WorkProgress(0.9, "measuring on later hours"));
        var byChannel = measured.ToDictionary(curve => curve.Channel);
        var linear = series.GroupBy(one => one.Channel).ToDictionary(group => group.Key, group => group.Sum(one => one.Applications.Take(Cut(one)).Sum()) / Math.Max(1e-9, group.Sum(one => one.Usd.Take(Cut(one)).Sum())));
        var rows = series.Where(one => byChannel.ContainsKey(one.Channel)).SelectMany(one => Enumerable.Range(Cut(one), one.Length - Cut(one)).Where(hour => one.Usd[hour] > 0).Select(hour => (Series: one, Hour: hour))).ToList();
        if (rows.Count < LeastHours)
        {
            throw new TooLittleDataException($"Only {rows.Count} hours with spending lie after {splitAt:u}; {LeastHours} are needed to measure.");
        }

        var counts = rows.Select(row => row.Series.Applications[row.Hour]).ToArray();
        var ours = rows.Select(row => byChannel[row.Series.Channel].Expected(row.Series, row.Hour)).ToArray();
        var even = rows.Select(row => linear[row.Series.Channel] * row.Series.Usd[row.Hour]).ToArray();
        var truth = await sources.Bus.InvokeAsync<TrueCampaignHours>(
            new GetTrueCampaignHours([.. rows.Select(row => (row.Series.Campaign, row.Series.Channel, row.Series.At(row.Hour), (double?)row.Series.Usd[row.Hour]))]), ct);
        var isKnown = truth.Applications.All(double.IsFinite);
        double? before = null;
        if (serving is { } old && old.Until <= splitAt)
        {
            var served = ResponseCurves.Read(old.Artefact).ToDictionary(curve => curve.Channel);
            before = rows.All(row => served.ContainsKey(row.Series.Channel)) ? Deviances(counts, [.. rows.Select(row => served[row.Series.Channel].Expected(row.Series, row.Hour))]).Average() : null;
        }

        var (our, evens) = (Deviances(counts, ours), Deviances(counts, even));

        // Hours of a day are alike, whichever the channel: intervals draw days.
        var days = HeldOutUnits.By([.. rows.Select(row => row.Series.At(row.Hour).ToOffset(SeriesStore.Local).Date)]);
        var (ourDays, evenDays) = (Days(rows, counts, ours), Days(rows, counts, even));
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"by hour at {splitAt:yyyy-MM-dd HH:mm} UTC: {series.Sum(Cut)} hours of {series.Count} channels of campaigns to learn from, {rows.Count} later ones"),
            [
                new MetricRow("Poisson deviance an hour", our.Average(), evens.Average(), "unchanging cost per application", isKnown ? Deviances(counts, truth.Applications).Average() : null).Within(days.Mean(our)),
                new MetricRow("WAPE of a day's applications", Wape(ourDays), Wape(evenDays), "unchanging cost per application")
                    .Within(HeldOutUnits.By([.. ourDays.Select(day => day.Day)]).Ratio([.. ourDays.Select(day => day.Off)], [.. ourDays.Select(day => day.Seen)])),
                .. await AgainstTruthAsync(linear, ct),
            ],
            before)
        {
            RowsLearned = series.Sum(Cut),
            RowsMeasured = rows.Count,
            Cases = new CaseLosses("Poisson deviance", [.. rows.Select((row, i) => row.Series.At(row.Hour).UtcTicks + i)], our, evens),
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) => Made(Fit(series, progress, ct), now);

    public override TrainedModel Measured() => Made(measured, splitAt);

    private TrainedModel Made(IReadOnlyList<ResponseCurve> curves, DateTimeOffset until) =>
        new(JsonSerializer.SerializeToUtf8Bytes(curves, EventJson.Options), new { Bootstraps, Seed }, new { channels = curves.Count, splitAt, asOf = now }, until, series.Sum(one => one.Length));

    private static List<ResponseCurve> Fit(IReadOnlyList<CampaignSeries> some, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        var curves = new List<ResponseCurve>();
        var channels = some.GroupBy(one => one.Channel).OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        foreach (var channel in channels)
        {
            ct.ThrowIfCancellationRequested();
            curves.Add(ResponseCurve.Fit(channel.Key, [.. channel], Bootstraps, Seed));
            progress?.Report(new WorkProgress(0.9 * curves.Count / channels.Count, channel.Key));
        }

        return curves;
    }

    /// <summary>
    /// The curves beside the simulator's, which are put to the height of the fitted ones (appeal and seasons stand elsewhere): how far apart at nine amounts of usual
    /// spending, how many of them the 80 % interval holds, and what the true curves would bring of the budget split by the fitted ones.
    /// </summary>
    private async Task<IReadOnlyList<MetricRow>> AgainstTruthAsync(Dictionary<string, double> linear, CancellationToken ct)
    {
        var known = (await sources.Bus.InvokeAsync<TrueCampaigns>(new GetTrueCampaigns([.. series.Select(one => one.Campaign).Distinct()]), ct)).Responses.ToDictionary(response => response.Channel);
        var curves = measured.Where(curve => known.ContainsKey(curve.Channel)).ToList();
        if (curves.Count == 0)
        {
            return [];
        }

        var (errors, straight, held, marginals, straightMarginals) = (new List<double>(), new List<double>(), new List<double>(), new List<double>(), new List<double>());
        var scaled = new List<Func<double, double>>();
        foreach (var curve in curves)
        {
            var of = known[curve.Channel];
            double True(double usd) => of.Most * ResponseCurve.Hill(usd, of.HalfUsd, of.Shape);
            var amounts = Enumerable.Range(0, 9).Select(i => curve.LeastHourlyUsd * Math.Pow(curve.MostHourlyUsd / curve.LeastHourlyUsd, i / 8.0)).ToArray();
            var scale = amounts.Sum(curve.Hourly) / amounts.Sum(True);
            var slope = amounts.Sum(curve.Hourly) / amounts.Sum();
            foreach (var usd in amounts)
            {
                var right = scale * True(usd);
                errors.Add(Math.Abs(curve.Hourly(usd) - right) / right);
                straight.Add(Math.Abs((slope * usd) - right) / right);
                var (low, high) = curve.HourlyInterval(usd);
                held.Add(right >= low && right <= high ? 1 : 0);
                var rise = (scale * (True(usd * 1.01) - True(usd))) / (0.01 * usd);
                marginals.Add(Math.Abs(((curve.Hourly(usd * 1.01) - curve.Hourly(usd)) / (0.01 * usd)) - rise) / rise);
                straightMarginals.Add(Math.Abs(slope - rise) / rise);
            }

            scaled.Add(usd => Enumerable.Range(0, 24).Sum(hour => curve.Hours[hour] * scale * True(usd * curve.Pacing[hour])));
        }

        var budget = curves.Sum(curve => curve.DailyUsd);
        double Brings(double[] split) => split.Select((usd, i) => scaled[i](usd)).Sum();
        var best = Brings(BudgetSplit.Best(scaled, budget));
        var advised = Brings(BudgetSplit.Best([.. curves.Select(curve => (Func<double, double>)curve.Daily)], budget));
        var cheapest = curves.Select((curve, i) => (i, Rate: linear.GetValueOrDefault(curve.Channel))).MaxBy(pair => pair.Rate).i;
        var all = Brings([.. curves.Select((_, i) => i == cheapest ? budget : 0)]);
        return
        [
            new MetricRow("error of the curve", errors.Average(), straight.Average(), "straight line", 0),
            new MetricRow("error of what the next dollar brings", marginals.Average(), straightMarginals.Average(), "straight line", 0),
            new MetricRow("interval holds the true curve", held.Average(), 0.8, "wanted"),
            new MetricRow("share of the best split's applications", advised / best, Brings([.. curves.Select(curve => curve.DailyUsd)]) / best, "present split", 1),
            new MetricRow("share of the best split's applications (other baseline)", advised / best, all / best, "all on the cheapest channel", 1),
        ];
    }

    private static double Wape(List<(DateTime Day, double Seen, double Off)> days) => days.Sum(day => day.Seen) is > 0 and var all ? days.Sum(day => day.Off) / all : double.NaN;

    /// <summary>By day and channel: applications, and by how many they were missed.</summary>
    private static List<(DateTime Day, double Seen, double Off)> Days(List<(CampaignSeries Series, int Hour)> rows, double[] counts, double[] expected) =>
    [
        .. rows.Select((row, i) => (Day: row.Series.At(row.Hour).ToOffset(SeriesStore.Local).Date, row.Series.Campaign, row.Series.Channel, i)).GroupBy(row => (row.Day, row.Campaign, row.Channel))
            .Select(day => (day.Key.Day, Seen: day.Sum(row => counts[row.i]), Wanted: day.Sum(row => expected[row.i]))).Select(day => (day.Day, day.Seen, Math.Abs(day.Seen - day.Wanted))),
    ];

    /// <summary>Twice the log-likelihood that a count lacks: 2 (y ln(y/μ) - y + μ).</summary>
    private static double[] Deviances(double[] counts, double[] expected) =>
        [.. counts.Zip(expected, (y, mean) => 2 * ((y > 0 ? y * Math.Log(y / Math.Max(mean, 1e-9)) : 0) - y + Math.Max(mean, 1e-9)))];
}
