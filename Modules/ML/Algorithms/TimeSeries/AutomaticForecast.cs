using System.Diagnostics;
using MathNet.Numerics.Distributions;

namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>A way to forecast.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Family">What kinds of it have in common: only the best one of a family stands in a combination.</param>
/// <param name="LeastPast">Observations it needs.</param>
/// <param name="Season">Length of the season that it takes for granted, 1 for none.</param>
/// <param name="Predict">Past observations and a horizon to point forecasts.</param>
public sealed record ForecastMethod(string Name, string Family, int LeastPast, int Season, PointForecaster Predict);

/// <summary>A method with its past forecasts: for each origin what it said about the values that came.</summary>
/// <param name="Method">The method.</param>
/// <param name="Error">Mean absolute error over the origins, in units of the seasonal naive's one within each past, a little more where few answers are known; infinite when it failed.</param>
/// <param name="Past">Forecast and truth by origin and step.</param>
/// <param name="Seconds">What these forecasts took.</param>
public sealed record BacktestedMethod(ForecastMethod Method, double Error, IReadOnlyList<(double[] Forecast, double[] Truth)> Past, double Seconds)
{
    /// <summary>
    /// Intervals around a forecast from the method's own past errors: their variance grows linearly with the steps ahead, relative to the forecast where that
    /// describes positive errors better, and Student's t makes up for few origins.
    /// </summary>
    public Forecast Around(double[] point, double level)
    {
        ArgumentNullException.ThrowIfNull(point);
        Series.CheckLevel(level);
        bool positive = point.Min() > 0 && Past.All(p => p.Forecast.Min() > 0 && p.Truth.Min() > 0);
        bool relative = positive && Likelihood(relative: true) > Likelihood(relative: false);
        var (start, growth) = Variance(relative);
        double t = StudentT.InvCDF(0, 1, Math.Max(4, 2 * Past.Count), 0.5 + level / 2);
        var (lower, upper) = (new double[point.Length], new double[point.Length]);
        for (int h = 0; h < point.Length; h++)
        {
            double width = t * Math.Sqrt(start + growth * h);
            (lower[h], upper[h]) = relative ? (point[h] * Math.Exp(-width), point[h] * Math.Exp(width)) : (point[h] - width, point[h] + width);
        }

        return new Forecast(point, lower, upper);
    }

    private static double ErrorOf(double truth, double forecast, bool relative) => relative ? Math.Log(truth / forecast) : truth - forecast;

    private double Likelihood(bool relative)
    {
        double squares = 0, logs = 0;
        int n = 0;
        foreach (var (forecast, truth) in Past)
            for (int h = 0; h < forecast.Length; h++, n++)
            {
                squares += Math.Pow(ErrorOf(truth[h], forecast[h], relative), 2);
                if (relative) logs += Math.Log(truth[h]);
            }

        return -n / 2.0 * Math.Log(Math.Max(squares / Math.Max(1, n), 1e-300)) - logs;
    }

    /// <summary>Least squares of the squared errors on the step, both coefficients kept at 0 or more.</summary>
    private (double Start, double Growth) Variance(bool relative)
    {
        double n = 0, sumH = 0, sumHh = 0, sumE = 0, sumHe = 0;
        foreach (var (forecast, truth) in Past)
            for (int h = 0; h < forecast.Length; h++)
            {
                double square = Math.Pow(ErrorOf(truth[h], forecast[h], relative), 2);
                (n, sumH, sumHh, sumE, sumHe) = (n + 1, sumH + h, sumHh + (double)h * h, sumE + square, sumHe + h * square);
            }

        if (n == 0) return (0, 0);
        double determinant = n * sumHh - sumH * sumH, growth = determinant > 0 ? (n * sumHe - sumH * sumE) / determinant : 0;
        if (growth <= 0) return (sumE / n, 0);
        double start = (sumE - growth * sumH) / n;
        return start >= 0 ? (start, growth) : (0, sumHe / sumHh);
    }
}

/// <summary>
/// Chooses how to forecast by asking every method about values that are already known, as far ahead as it will be asked (Tashman 2000, rolling origin), then takes
/// the best one or a combination of the best of each family, weighted by their inverse squared errors (Bates, Granger 1969), whichever did better on the same
/// origins. Deterministic unless time runs out.
/// </summary>
public sealed class AutomaticForecast
{
    private const int ShortestCut = 1_500, LongestPast = 6_000, SeasonsKept = 12, LongestSmoothed = 500;

    private AutomaticForecast(IReadOnlyList<BacktestedMethod> methods, BacktestedMethod best) => (Methods, Best) = (methods, best);

    /// <summary>Every method, the best first.</summary>
    public IReadOnlyList<BacktestedMethod> Methods { get; }

    /// <summary>What is taken.</summary>
    public BacktestedMethod Best { get; }

    /// <summary>The season of the best method; 1 for none.</summary>
    public int Season => Methods[0].Method.Season;

    /// <summary>Asks the methods for each of <paramref name="seasons"/> (those that fit twice into the series) and those without a season.</summary>
    /// <param name="series">The past, every value finite.</param>
    /// <param name="seasons">Lengths to try, most likely first.</param>
    /// <param name="horizon">Steps that will be asked for.</param>
    /// <param name="origins">Most places to forecast from.</param>
    /// <param name="budget">After it no new origin is begun.</param>
    public static AutomaticForecast Choose(ReadOnlySpan<double> series, IReadOnlyList<int> seasons, int horizon, int origins = 6, TimeSpan? budget = null)
    {
        ArgumentNullException.ThrowIfNull(seasons);
        ArgumentOutOfRangeException.ThrowIfLessThan(horizon, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(origins, 1);
        double[] y = Series.Checked(series, 2);
        y = Recent(y, seasons.DefaultIfEmpty(1).Max());
        int[] kept = [.. seasons.Where(season => season > 1 && y.Length >= 2 * season).Distinct()];
        var methods = kept.SelectMany(season => Seasonal(y, season)).Concat(Plain(y)).ToList();
        var done = Backtest(y, methods, kept.FirstOrDefault(1), horizon, origins, budget ?? TimeSpan.FromSeconds(30));
        var combined = Combinations(done).ToList();
        var best = combined.Append(done[0]).MinBy(method => method.Error)!;
        return new AutomaticForecast(done, best);
    }

    /// <summary>
    /// The forecast of <see cref="Best"/> with its intervals, or of the best method that can go on from this past. A past that was never negative gives none below 0.
    /// </summary>
    public Forecast Predict(ReadOnlySpan<double> past, int horizon, double level) => Predict(Methods.Prepend(Best), past, horizon, level);

    /// <summary>The forecast of the first of <paramref name="methods"/> that can go on from this past, with its intervals.</summary>
    public static Forecast Predict(IEnumerable<BacktestedMethod> methods, ReadOnlySpan<double> past, int horizon, double level)
    {
        ArgumentNullException.ThrowIfNull(methods);
        double[] y = Series.Checked(past, 1);
        foreach (var method in methods)
        {
            if (Try(method.Method, Recent(y, method.Method.Season), horizon) is not { } point) continue;
            var forecast = method.Around(point, level);
            if (y.Min() < 0) return forecast;
            double[] Floored(double[] values) => Array.ConvertAll(values, value => Math.Max(0, value));
            return new Forecast(Floored(point), Floored(forecast.Lower), Floored(forecast.Upper));
        }

        throw new ArgumentException("No method can go on from this past.", nameof(past));
    }

    /// <summary>The end of a long series: what was a dozen seasons ago tells little and costs much.</summary>
    private static double[] Recent(double[] y, int season) => y[^Math.Min(y.Length, Math.Clamp(SeasonsKept * season, ShortestCut, LongestPast))..];

    private static IEnumerable<ForecastMethod> Plain(double[] y)
    {
        bool positive = y.Min() > 0;
        yield return new("naive", "naive", 1, 1, SimpleForecasts.Naive);
        yield return new("drift", "drift", 2, 1, SimpleForecasts.Drift);
        yield return new("mean", "mean", 1, 1, (past, horizon) => [.. Enumerable.Repeat(past.Average(), horizon)]);
        yield return new("Theta", "Theta", 6, 1, (past, horizon) => SimpleForecasts.Theta(past, 1, horizon));
        yield return new("SSA", "SSA", 24, 1, (past, horizon) => SimpleForecasts.Spectrum(past, 1, horizon, positive));
        yield return new("trend", "regression", 4, 1, (past, horizon) => SimpleForecasts.TrendAndSeason(past, 1, horizon, positive, follow: true));
        foreach (var form in EtsModel.Candidates(y, 1)) yield return Smoothing(form, 1);
    }

    private static IEnumerable<ForecastMethod> Seasonal(double[] y, int season)
    {
        bool positive = y.Min() > 0;
        ForecastMethod Of(string name, string family, int seasons, PointForecaster predict) => new($"{name} (season {season})", family, seasons * season + 4, season, predict);
        yield return Of("seasonal naive", "seasonal naive", 1, (past, horizon) => SimpleForecasts.SeasonalNaive(past, season, horizon));
        yield return Of("Theta", "Theta", 2, (past, horizon) => SimpleForecasts.Theta(past, season, horizon));
        yield return Of("SSA", "SSA", 2, (past, horizon) => SimpleForecasts.Spectrum(past, season, horizon, positive));
        foreach (bool log in positive ? (bool[])[true, false] : [false])
        {
            string scale = log ? "log " : "";
            yield return Of($"{scale}STL+ETS", "STL+ETS", 2, (past, horizon) => SimpleForecasts.StlAndSmoothing(past, season, horizon, log));
            yield return Of($"{scale}trend+season", "regression", 2, (past, horizon) => SimpleForecasts.TrendAndSeason(past, season, horizon, log));
            yield return Of($"{scale}trend+season, residual followed", "regression", 2, (past, horizon) => SimpleForecasts.TrendAndSeason(past, season, horizon, log, follow: true));
        }

        foreach (var form in EtsModel.Candidates(y, season).Where(form => form.Season != EtsSeason.None)) yield return Smoothing(form, season);
    }

    private static ForecastMethod Smoothing(EtsForm form, int season) => new(
        season == 1 ? form.ToString() : $"{form} (season {season})", "ETS", Math.Max(6, 2 * season), season,
        (past, horizon) => EtsModel.TryFit(past.AsSpan(Math.Max(0, past.Length - Math.Max(LongestSmoothed, 6 * season))), season, form)?.Predict(horizon) ?? []);

    private static List<BacktestedMethod> Backtest(double[] y, List<ForecastMethod> methods, int season, int horizon, int origins, TimeSpan budget)
    {
        // Asked as far ahead as will be, unless the past is too short to leave two thirds for learning.
        int steps = Math.Clamp(Math.Min(horizon, y.Length / 3), 1, y.Length - 1);
        int last = y.Length - steps, first = Math.Min(last, Math.Max(season == 1 ? 3 : 2 * season + 4, y.Length / 2 - steps / 2));
        int[] cuts = [.. Enumerable.Range(0, origins).Select(o => last - (last - first) * o / Math.Max(1, origins - 1)).Distinct()];
        var past = methods.ToDictionary(method => method, _ => new List<(double[], double[])>());
        var (errors, seconds, failed, behind) = (new double[methods.Count], new double[methods.Count], new bool[methods.Count], new bool[methods.Count]);
        var clock = Stopwatch.StartNew();
        int done = 0;
        foreach (int cut in cuts)
        {
            if (done > 0 && clock.Elapsed > budget) break;
            double[] known = y[..cut], truth = y[cut..(cut + steps)];
            double scale = Scale(known, season);
            Parallel.For(0, methods.Count, m =>
            {
                if (behind[m]) return;
                var started = Stopwatch.GetTimestamp();
                double[]? point = failed[m] ? null : Try(methods[m], known, steps);
                seconds[m] += Stopwatch.GetElapsedTime(started).TotalSeconds;
                if (point is null)
                {
                    failed[m] = true;
                    return;
                }

                past[methods[m]].Add((point, truth));
                for (int h = 0; h < steps; h++) errors[m] += Math.Abs(truth[h] - point[h]) / (steps * scale);
            });
            done++;
            // What is far behind after two origins will not catch up.
            double best = Enumerable.Range(0, methods.Count).Where(m => !failed[m] && !behind[m]).Min(m => errors[m]);
            if (done >= 2)
                for (int m = 0; m < methods.Count; m++) behind[m] |= errors[m] > 2.5 * best && methods[m].Family is "ETS" or "SSA" or "STL+ETS";
        }

        return [.. methods.Select((method, m) => new BacktestedMethod(method, failed[m] ? double.PositiveInfinity : errors[m] / past[method].Count * Caution(method, past[method].Count * steps), past[method], seconds[m]))
            .OrderBy(method => method.Error)];
    }

    /// <summary>Few known answers prove little for a method with much to fit: 1 + its pieces over the answers.</summary>
    private static double Caution(ForecastMethod method, int answers) => 1 + (method.Family switch
    {
        "naive" or "seasonal naive" => 0, "mean" or "drift" or "Theta" => 1, "regression" or "ETS" => 2, _ => 3,
    } / (double)answers);

    /// <summary>The forecast, or null where the past is too short for the method or its answer is no number.</summary>
    internal static double[]? Try(ForecastMethod method, double[] past, int horizon)
    {
        if (past.Length < method.LeastPast) return null;
        try
        {
            double[] point = method.Predict(past, horizon);
            return point.Length == horizon && point.All(double.IsFinite) ? point : null;
        }
        catch (Exception unfit) when (unfit is ArgumentException or MathNet.Numerics.NonConvergenceException)
        {
            // A form that this past cannot carry (not positive any more, too short); the others stand in for it.
            return null;
        }
    }

    private static double Scale(double[] known, int season)
    {
        int lag = known.Length > season ? season : 1;
        double sum = 0;
        for (int t = lag; t < known.Length; t++) sum += Math.Abs(known[t] - known[t - lag]);
        return known.Length > lag && sum > 0 ? sum / (known.Length - lag) : 1;
    }

    private static IEnumerable<BacktestedMethod> Combinations(List<BacktestedMethod> done)
    {
        var best = done.Where(method => double.IsFinite(method.Error) && method.Past.Count == done[0].Past.Count).GroupBy(method => method.Method.Family).Select(family => family.First()).ToList();
        foreach (int count in (int[])[2, 3, 4])
        {
            if (best.Count < count || best[count - 1].Error > 2 * best[0].Error || best[0].Error <= 0) yield break;
            var parts = best.Take(count).ToArray();
            double[] weights = [.. parts.Select(part => 1 / (part.Error * part.Error))];
            double total = weights.Sum();
            double[] Mean(IReadOnlyList<double[]> points) => [.. Enumerable.Range(0, points[0].Length).Select(h => points.Select((point, p) => weights[p] / total * point[h]).Sum())];
            var past = parts[0].Past.Select((one, o) => (Mean([.. parts.Select(part => part.Past[o].Forecast)]), one.Truth)).ToList();
            double own = past.Sum(p => p.Item1.Zip(p.Truth, (a, b) => Math.Abs(a - b)).Sum()), first = parts[0].Past.Sum(p => p.Forecast.Zip(p.Truth, (a, b) => Math.Abs(a - b)).Sum());
            yield return new BacktestedMethod(
                new ForecastMethod(string.Join(" + ", parts.Select((part, p) => FormattableString.Invariant($"{weights[p] / total:0.00} {part.Method.Name}"))), "combination",
                    parts.Max(part => part.Method.LeastPast), parts[0].Method.Season,
                    (values, horizon) => Mean([.. parts.Select(part => part.Method.Predict(values, horizon))])),
                first > 0 ? parts[0].Error * own / first : 0, past, parts.Sum(part => part.Seconds));
        }
    }
}
