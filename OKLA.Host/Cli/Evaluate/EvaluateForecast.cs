using System.Diagnostics;
using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.TimeSeries;
using OKLA.Shared.Files;

namespace OKLA.Host.Cli.Evaluate;

/// <summary><c>evaluate forecast</c>: forecasts of the last rows of a series from the rows before them.</summary>
internal static class EvaluateForecast
{
    private const int LeastKnown = 3;

    public static Verb Verb { get; } = Verb.OnFiles(
        "evaluate forecast",
        [
            new("--data", "FILE", "the series, one value a row; a column of dates gives the order"), new("--value", "COL", "column of the values"),
            new("--horizon", "N", "the last N rows are forecast"), new("--season", "N", "rows a season (found by itself)"), AlgorithmResults.Json,
        ],
        "measures forecasts of the end of a series",
        Run) with { Check = invocation => Read(invocation) };

    private static (string Data, string Value, int Horizon, int Season) Read(Invocation invocation)
    {
        invocation.Required("--horizon");
        return (invocation.Required("--data"), invocation.Required("--value"), invocation.Number("--horizon", 1, 1, 100_000), invocation.Number("--season", 0, 1, 100_000));
    }

    private static int Run(Invocation invocation, Terminal terminal)
    {
        var (path, column, horizon, given) = Read(invocation);
        var file = SeriesFile.Read(path, column);
        var cut = file.Values.Length - horizon;
        if (cut < LeastKnown)
        {
            throw new UnreadableFileException(string.Create(CultureInfo.InvariantCulture, $"'{path}' has {file.Values.Length:N0} rows, too few to learn from before the last {horizon:N0}."));
        }

        double[] known = file.Values[..cut], truth = file.Values[cut..];
        if (known.Count(double.IsFinite) < LeastKnown || !truth.Any(double.IsFinite))
        {
            throw new UnreadableFileException($"'{path}', column '{column}': too few values are known.");
        }

        var seasons = given > 0 ? [given] : SeasonLength.Candidates(Gaps.Fill(known), file.UsualSeasons);
        var past = Gaps.Fill(known, seasons.FirstOrDefault(season => cut >= 2 * season, 1));
        var automatic = AutomaticForecast.Choose(past, seasons, horizon);
        var scale = Scale(past, given > 0 ? given : automatic.Season);
        var results = new List<AlgorithmResult>();
        foreach (var (name, family) in ((string, string)[])[
            ("naive", "naive"), ("seasonal naive", "seasonal naive"), ("drift", "drift"), ("trend+season", "regression"), ("Theta", "Theta"), ("SSA", "SSA"), ("STL+ETS", "STL+ETS"), ("ETS", "ETS")])
        {
            // The best of its kind in the past; a kind that this past is too short for has no line.
            var own = automatic.Methods.Where(method => method.Method.Family == family && double.IsFinite(method.Error)).ToList();
            if (own.Count > 0)
            {
                results.Add(Result(name, level => AutomaticForecast.Predict(own.Concat(automatic.Methods), past, horizon, level), truth, scale, own.Sum(method => method.Seconds)));
            }
        }

        if (results.All(result => result.Name != "seasonal naive") && cut > given && given > 0)
        {
            // Less than two seasons are known: nothing to choose by, but the line that was asked about.
            results.Add(Result("seasonal naive", level => SeasonalNaive.Predict(past, given, horizon, level), truth, scale, 0));
        }

        results.Add(Result("automatic", level => automatic.Predict(past, horizon, level), truth, scale, automatic.Methods.Sum(method => method.Seconds)));
        AlgorithmResults.Write(terminal, invocation, string.Create(
            CultureInfo.InvariantCulture,
            $"{cut:N0} rows known ({known.Count(double.IsNaN):N0} missing filled), {truth.Count(double.IsFinite):N0} of the last {horizon:N0} measured; season {(automatic.Season == 1 ? "none" : automatic.Season)}. automatic is {automatic.Best.Method.Name}, chosen on {automatic.Best.Past.Count} earlier origins."), results);
        return CommandLine.Success;
    }

    private static AlgorithmResult Result(string name, Func<double, Forecast> predict, double[] truth, double scale, double seconds)
    {
        var clock = Stopwatch.StartNew();
        var wide = predict(0.95);
        var predicting = clock.Elapsed;
        var narrow = predict(0.8);
        int[] at = [.. Enumerable.Range(0, truth.Length).Where(h => double.IsFinite(truth[h]))];
        double[] Of(double[] values) => [.. at.Select(h => values[h])];
        double[] y = Of(truth), point = Of(wide.Point);
        var mae = RegressionMetrics.Mae(y, point);
        int[] notZero = [.. Enumerable.Range(0, y.Length).Where(i => y[i] != 0)];
        return new AlgorithmResult(
            name,
            [
                new("MAPE", notZero.Length == 0 ? double.NaN : notZero.Average(i => Math.Abs((y[i] - point[i]) / y[i]))),
                new("sMAPE", Enumerable.Range(0, y.Length).Average(i => y[i] == point[i] ? 0 : 2 * Math.Abs(y[i] - point[i]) / (Math.Abs(y[i]) + Math.Abs(point[i])))),
                new("MASE", scale > 0 ? mae / scale : double.NaN), new("MAE", mae), new("RMSE", RegressionMetrics.Rmse(y, point)),
                new("coverage80", RegressionMetrics.IntervalCoverage(y, Of(narrow.Lower), Of(narrow.Upper))),
                new("coverage95", RegressionMetrics.IntervalCoverage(y, Of(wide.Lower), Of(wide.Upper))),
            ],
            seconds, predicting.TotalMicroseconds / truth.Length, y.Length);
    }

    /// <summary>Mean absolute error of the seasonal naive within the past (Hyndman, Koehler 2006).</summary>
    private static double Scale(double[] past, int season)
    {
        var lag = past.Length > season ? season : 1;
        return Enumerable.Range(lag, past.Length - lag).Average(t => Math.Abs(past[t] - past[t - lag]));
    }
}
