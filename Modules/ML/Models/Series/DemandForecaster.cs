using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using OKLA.ML.Algorithms.TimeSeries;
using OKLA.ML.Registry;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Models.Series;

/// <summary>A part of the demand: all of it where all three are null.</summary>
/// <param name="Type">Body type.</param>
/// <param name="Band">Price band, of a body type.</param>
/// <param name="Place">Province.</param>
internal sealed record DemandScope(string? Type, string? Band, string? Place)
{
    public override string ToString() => (Type, Band, Place) switch
    {
        (null, null, null) => "todo",
        ({ } type, { } band, _) => $"{type}, {band}",
        _ => Type ?? Place ?? "",
    };
}

/// <summary>The demand foretold for a scope, by day.</summary>
/// <param name="Scope">Of what.</param>
/// <param name="Method">How.</param>
/// <param name="DailyMean">Mean of the last four weeks.</param>
/// <param name="Point">Views a day.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Upper end of the interval.</param>
internal sealed record ForetoldDemand(DemandScope Scope, string Method, double DailyMean, double[] Point, double[] Low, double[] High);

/// <summary>The artefact: what was foretold from a day on.</summary>
/// <param name="From">First day foretold, in Santo Domingo.</param>
/// <param name="Coverage">Share of days that lie inside the intervals.</param>
/// <param name="Scopes">By scope, the largest first.</param>
internal sealed record DemandForecasts(DateOnly From, double Coverage, IReadOnlyList<ForetoldDemand> Scopes)
{
    /// <exception cref="InvalidDataException">The artefact is damaged.</exception>
    public static DemandForecasts Load(byte[] artefact) => JsonSerializer.Deserialize<DemandForecasts>(artefact, EventJson.Options) ?? throw new InvalidDataException("The artefact holds nothing.");
}

/// <summary>
/// How often vehicles of each segment and province will be looked at, by day; read through <c>GET /api/ml/forecasts/demand</c>.
/// Entity: a scope and a day. Trainer: <see cref="AutomaticForecast"/> for each scope, asked about days that are known. Gate: a smaller scaled error over seven days than the
/// value of the same weekday a week before.
/// </summary>
internal sealed class DemandForecaster(SeriesStore series, IMessageBus bus, IOptions<MLOptions> options, TimeProvider clock)
    : SeriesModel(ModelNames.DemandForecaster, "How often vehicles of each segment and province will be looked at.", DemandForecasts.Load, new SeriesSources(series, bus, options.Value, clock),
        sources => new DemandTraining(sources));

/// <summary>Trains the forecasts. Split: the newest four weeks or more are the test, foretold anew from the beginning of each of their weeks.</summary>
internal sealed class DemandTraining(SeriesSources sources) : ModelTraining
{
    /// <summary>Days ahead that are served.</summary>
    public const int Horizon = 28;

    private const int Week = 7, LeastDays = 42, MostScopes = 30;
    private const double Coverage = 0.8, LeastDaily = 3;
    private const int Origins = 3;

    // Methods and origins bound the work; a time would make the choice another one on a busy machine.
    private static readonly TimeSpan Patience = TimeSpan.MaxValue;

    private readonly DateTimeOffset now = sources.Clock.GetUtcNow();
    private readonly Dictionary<DemandScope, AutomaticForecast> chosen = [];
    private List<(DemandScope Scope, double[] Days)> scopes = [];
    private DateOnly until;
    private int cut;

    public override string Model => ModelNames.DemandForecaster;

    public override bool LargerIsBetter => false;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        var midnight = new DateTimeOffset(now.ToOffset(SeriesStore.Local).Date, SeriesStore.Local);
        until = DateOnly.FromDateTime(midnight.DateTime);
        scopes = Scopes(await sources.Series.DemandAsync("vehicle", midnight.AddDays(-730), midnight, ct), midnight);
        var length = scopes.Count == 0 ? 0 : scopes[0].Days.Length;
        cut = length - Math.Max(Horizon, (int)(length * sources.Options.HoldOutShare));
        if (cut < LeastDays)
        {
            throw new TooLittleDataException($"The log holds {length} days of views; {LeastDays + Horizon} are needed to learn from and to measure on.");
        }

        var (near, far) = (new Errors(), new Errors());
        for (var i = 0; i < scopes.Count; i++)
        {
            ct.ThrowIfCancellationRequested();
            progress?.Report(new WorkProgress(0.9 * i / scopes.Count, scopes[i].Scope.ToString()));
            var days = scopes[i].Days;
            var how = chosen[scopes[i].Scope] = AutomaticForecast.Choose(days.AsSpan(0, cut), [Week], Week, Origins, Patience);
            var scale = SeasonalScale(days.AsSpan(0, cut));
            for (var origin = cut; origin + Week <= days.Length; origin += Week)
            {
                var past = days[..origin];
                var ahead = Math.Min(Horizon, days.Length - origin);
                var (ours, naive) = (how.Predict(past, ahead, Coverage), SeasonalNaive.Predict(past, Week, ahead, Coverage));
                near.Add(scopes[i].Scope, origin, days.AsSpan(origin, Week), ours, naive, scale);
                if (ahead == Horizon)
                {
                    far.Add(scopes[i].Scope, origin, days.AsSpan(origin, Horizon), ours, naive, scale);
                }
            }
        }

        const string Naive = "same weekday last week";
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"by day at {until.AddDays(cut - length):yyyy-MM-dd}: {cut} days to learn from, {length - cut} later ones; {scopes.Count} scopes with {LeastDaily} views a day or more, {near.Cases} forecasts of 7 days and {far.Cases} of {Horizon}"),
            [
                new MetricRow("MASE 7 days", near.Mase.Model, near.Mase.Naive, Naive).Within(near.MaseRange()), new MetricRow("MASE 28 days", far.Mase.Model, far.Mase.Naive, Naive),
                new MetricRow("WAPE 7 days", near.Wape.Model, near.Wape.Naive, Naive), new MetricRow("WAPE 28 days", far.Wape.Model, far.Wape.Naive, Naive),
                new MetricRow("coverage 7 days (80 % wanted)", near.Held.Model, near.Held.Naive, Naive), new MetricRow("coverage 28 days (80 % wanted)", far.Held.Model, far.Held.Naive, Naive),
            ],
            null)
        {
            RowsLearned = scopes.Count * cut,
            RowsMeasured = scopes.Count * (length - cut),
            Cases = new CaseLosses("scaled absolute error", [.. near.Keys], [.. near.Ours], [.. near.Theirs]),
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) => Made(scopes.Select(scope => scope.Days.Length).Max(), now, progress, ct);

    public override TrainedModel Measured() => Made(cut, new DateTimeOffset(until.AddDays(cut - scopes[0].Days.Length).ToDateTime(TimeOnly.MinValue), SeriesStore.Local).ToUniversalTime(), null, CancellationToken.None);

    private TrainedModel Made(int days, DateTimeOffset asOf, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        var made = new List<ForetoldDemand>();
        foreach (var (scope, values) in scopes)
        {
            ct.ThrowIfCancellationRequested();
            var past = values[..days];
            // The way that was chosen and measured, from the latest day on.
            var how = chosen[scope];
            var forecast = how.Predict(past, Horizon, Coverage);
            made.Add(new ForetoldDemand(scope, how.Best.Method.Name, Math.Round(past.TakeLast(Horizon).Average(), 2), Rounded(forecast.Point), Rounded(forecast.Lower), Rounded(forecast.Upper)));
            progress?.Report(new WorkProgress((double)made.Count / scopes.Count, scope.ToString()));
        }

        var artefact = JsonSerializer.SerializeToUtf8Bytes(new DemandForecasts(until.AddDays(days - scopes[0].Days.Length), Coverage, made), EventJson.Options);
        return new TrainedModel(artefact, new { Horizon, Coverage, LeastDaily }, new { scopes = scopes.Count, days, asOf = now }, asOf, scopes.Count * days);
    }

    /// <summary>Everything, each body type, each price band of it, each province: those with enough views, the largest first.</summary>
    private static List<(DemandScope Scope, double[] Days)> Scopes(IReadOnlyList<DemandRow> rows, DateTimeOffset midnight)
    {
        if (rows.Count == 0)
        {
            return [];
        }

        var first = rows.Min(row => row.Hours.Keys.Min()).ToOffset(SeriesStore.Local).Date;
        // The first day began before the log did.
        var from = DateOnly.FromDateTime(first).AddDays(1);
        var days = DateOnly.FromDateTime(midnight.DateTime).DayNumber - from.DayNumber;
        var sums = new Dictionary<DemandScope, double[]>();
        foreach (var row in rows)
        {
            foreach (var scope in (DemandScope[])[new(null, null, null), new(row.Type, null, null), new(row.Type, row.Band, null), new(null, null, row.Place)])
            {
                if (!sums.TryGetValue(scope, out var values))
                {
                    sums[scope] = values = new double[Math.Max(0, days)];
                }

                foreach (var (hour, views) in row.Hours)
                {
                    var day = DateOnly.FromDateTime(hour.ToOffset(SeriesStore.Local).Date).DayNumber - from.DayNumber;
                    if (day >= 0 && day < days)
                    {
                        values[day] += views;
                    }
                }
            }
        }

        return [.. sums.Where(pair => pair.Value.Length > 0 && pair.Value.Average() >= LeastDaily).OrderByDescending(pair => pair.Value.Sum()).ThenBy(pair => pair.Key.ToString(), StringComparer.Ordinal)
            .Take(MostScopes).Select(pair => (pair.Key, pair.Value))];
    }

    /// <summary>Mean absolute change from one week to the next: the unit of the scaled error (Hyndman, Koehler 2006).</summary>
    private static double SeasonalScale(ReadOnlySpan<double> days)
    {
        var sum = 0.0;
        for (var day = Week; day < days.Length; day++)
        {
            sum += Math.Abs(days[day] - days[day - Week]);
        }

        return Math.Max(sum / (days.Length - Week), 1e-9);
    }

    private static double[] Rounded(double[] values) => Array.ConvertAll(values, value => Math.Round(Math.Max(0, value), 2));

    /// <summary>Errors of forecasts beside those of the seasonal naive.</summary>
    private sealed class Errors
    {
        private (double Model, double Naive) scaled, absolute, held;
        private double truth;
        private int days;

        private readonly List<int> origins = [];

        public List<long> Keys { get; } = [];

        public List<double> Ours { get; } = [];

        public List<double> Theirs { get; } = [];

        public int Cases => Keys.Count;

        public (double Model, double Naive) Mase => (scaled.Model / days, scaled.Naive / days);

        /// <summary>Scopes move together, so that weeks are drawn: an interval needs some months to measure on.</summary>
        public MetricRange? MaseRange() => HeldOutUnits.By(origins).Mean(Ours);

        public (double Model, double Naive) Wape => (absolute.Model / truth, absolute.Naive / truth);

        public (double Model, double Naive) Held => (held.Model / days, held.Naive / days);

        public void Add(DemandScope scope, int origin, ReadOnlySpan<double> came, Forecast ours, Forecast naive, double scale)
        {
            var (model, other) = (0.0, 0.0);
            for (var day = 0; day < came.Length; day++)
            {
                model += Math.Abs(came[day] - ours.Point[day]);
                other += Math.Abs(came[day] - naive.Point[day]);
                held.Model += came[day] >= ours.Lower[day] && came[day] <= ours.Upper[day] ? 1 : 0;
                held.Naive += came[day] >= naive.Lower[day] && came[day] <= naive.Upper[day] ? 1 : 0;
                truth += came[day];
            }

            days += came.Length;
            scaled = (scaled.Model + (model / scale), scaled.Naive + (other / scale));
            absolute = (absolute.Model + model, absolute.Naive + other);
            Keys.Add(scope.ToString().Aggregate((long)origin, (hash, c) => unchecked((hash * 31) + c)));
            origins.Add(origin);
            Ours.Add(model / scale / came.Length);
            Theirs.Add(other / scale / came.Length);
        }
    }
}
