using MathNet.Numerics.Distributions;

namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>
/// Exponential smoothing (simple, Holt, Holt-Winters, damped or not) as an innovations state-space model, fitted by maximum likelihood
/// (Hyndman, Koehler, Ord, Snyder 2008, section 5.1: L* = n·log Σε² + 2·Σ log|μ|, the second term for multiplicative errors) with
/// Nelder-Mead, and chosen by corrected AIC. Deterministic.
/// </summary>
public sealed class EtsModel
{
    /// <summary>Seasons longer than this keep the initial indices of the classical decomposition: as free parameters they would outnumber what the data tell.</summary>
    private const int LongestFreeSeason = 24;

    private readonly EtsRecursion _end;

    private EtsModel(EtsForm form, int season, EtsFit fit, double aicC, double sigma, EtsRecursion end, double[] fitted)
    {
        (Form, Season, AicC, Sigma, _end, Fitted) = (form, season, aicC, sigma, end, fitted);
        (Alpha, Beta, Gamma, Phi) = (fit.Alpha, fit.Beta, fit.Gamma, fit.Phi);
    }

    /// <summary>The form.</summary>
    public EtsForm Form { get; }

    /// <summary>Observations a season, 1 without.</summary>
    public int Season { get; }

    /// <summary>Smoothing of the level, in (0, 1).</summary>
    public double Alpha { get; }

    /// <summary>Smoothing of the trend, in (0, α); 0 without a trend.</summary>
    public double Beta { get; }

    /// <summary>Smoothing of the season, in (0, 1 − α); 0 without a season.</summary>
    public double Gamma { get; }

    /// <summary>Damping, 1 where not damped.</summary>
    public double Phi { get; }

    /// <summary>Corrected Akaike criterion on the scale of the series (a log model's includes the Jacobian 2·Σ log y), comparable among forms.</summary>
    public double AicC { get; }

    /// <summary>Deviation of the innovations: in the unit of the (log) series, or a share of the forecast for multiplicative errors.</summary>
    public double Sigma { get; }

    /// <summary>One-step forecasts of the training observations, in the unit of the series.</summary>
    public IReadOnlyList<double> Fitted { get; }

    /// <summary>
    /// Fits one form. Multiplicative parts and the log scale need a positive series; a season needs two whole ones. Throws
    /// <see cref="ArgumentException"/> otherwise, or where the series is too short for the parameters.
    /// </summary>
    public static EtsModel Fit(ReadOnlySpan<double> series, int season, EtsForm form)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(season, 1);
        if (form.Season == EtsSeason.None) season = 1;
        else if (season == 1) throw new ArgumentException("A seasonal form needs a season of at least 2.", nameof(season));
        double[] original = Series.Checked(series, Math.Max(4, 2 * season));
        bool positive = form.Log || form.Error == EtsError.Multiplicative || form.Season == EtsSeason.Multiplicative;
        if (positive && original.Min() <= 0) throw new ArgumentException($"{form} needs a positive series.", nameof(series));
        double[] y = form.Log ? Array.ConvertAll(original, Math.Log) : original;
        var fit = new EtsFit(form, season, y, season <= LongestFreeSeason);
        double criterion = fit.Run();
        int n = y.Length, parameters = fit.Parameters + 1;
        if (n - parameters - 1 <= 0) throw new ArgumentException($"{form} has {parameters} parameters, too many for {n} observations.", nameof(series));
        double aicC = criterion + 2.0 * parameters + 2.0 * parameters * (parameters + 1) / (n - parameters - 1);
        if (form.Log) aicC += 2 * y.Sum();
        var state = fit.Start();
        var fitted = new double[n];
        double square = 0;
        for (int t = 0; t < n; t++)
        {
            double expected = state.Expected, error = y[t] - expected;
            if (form.Error == EtsError.Multiplicative) error /= expected;
            square += error * error;
            fitted[t] = form.Log ? Math.Exp(expected) : expected;
            state.Update(y[t]);
        }

        return new EtsModel(form, season, fit, aicC, Math.Sqrt(square / Math.Max(1, n - fit.Parameters)), state, fitted);
    }

    /// <summary>
    /// Fits every sensible form (additive or multiplicative errors, no, linear or damped trend, no, additive or multiplicative season, and for a
    /// positive series the additive forms of its logarithm) and keeps the one of the least AICc. Additive errors with a multiplicative season
    /// are left out for their unstable variance.
    /// </summary>
    public static EtsModel FitBest(ReadOnlySpan<double> series, int season)
    {
        double[] y = Series.Checked(series, 4);
        EtsModel? best = null;
        foreach (EtsForm form in Candidates(y, season))
        {
            EtsModel? model = TryFit(y, season, form);
            if (model is not null && (best is null || model.AicC < best.AicC)) best = model;
        }

        return best ?? throw new ArgumentException("The series is too short for any form.", nameof(series));
    }

    /// <summary>
    /// Chooses the form by the mean absolute error over <paramref name="origins"/> past forecasts of <paramref name="horizon"/> steps,
    /// origins being spread over the last third of the series, then fits it to all of it. Slower than the criterion, but asks the question that will be asked.
    /// </summary>
    public static EtsModel FitByRollingOrigin(ReadOnlySpan<double> series, int season, int horizon, int origins = 4)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(horizon, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(origins, 1);
        double[] y = Series.Checked(series, 8);
        int last = y.Length - horizon, first = Math.Min(last, Math.Max(2 * season + 8, y.Length * 2 / 3 - horizon));
        if (last < Math.Max(8, 2 * season)) return FitBest(series, season);
        EtsForm? best = null;
        double least = double.PositiveInfinity;
        foreach (EtsForm form in Candidates(y, season))
        {
            double error = 0;
            for (int o = 0; o < origins && double.IsFinite(error); o++)
            {
                int cut = origins == 1 ? last : first + (last - first) * o / (origins - 1);
                EtsModel? model = TryFit(y.AsSpan(0, cut), season, form);
                if (model is null)
                {
                    error = double.PositiveInfinity;
                    break;
                }

                double[] point = model.Predict(horizon);
                for (int h = 0; h < horizon; h++) error += Math.Abs(y[cut + h] - point[h]);
            }

            if (error < least) (least, best) = (error, form);
        }

        return best is { } chosen ? Fit(y, season, chosen) : FitBest(series, season);
    }

    /// <summary>Point forecasts: the mean path of additive forms, the path without innovations of the others.</summary>
    public double[] Predict(int horizon)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(horizon, 1);
        var state = _end.Fork();
        var point = new double[horizon];
        for (int h = 0; h < horizon; h++)
        {
            point[h] = Form.Log ? Math.Exp(state.Expected) : state.Expected;
            state.Advance();
        }

        return point;
    }

    /// <summary>Point forecasts with intervals: quantiles of simulated futures with Gaussian innovations (Hyndman et al. 2008, section 6.1). Seeded.</summary>
    public Forecast Predict(int horizon, double level, int paths = 2000, int seed = 42)
    {
        Series.CheckLevel(level);
        ArgumentOutOfRangeException.ThrowIfLessThan(paths, 100);
        double[] point = Predict(horizon);
        var futures = new double[horizon][];
        for (int h = 0; h < horizon; h++) futures[h] = new double[paths];
        var normal = new Normal(0, Sigma, new Random(seed));
        for (int p = 0; p < paths; p++)
        {
            var state = _end.Fork();
            for (int h = 0; h < horizon; h++)
            {
                double expected = state.Expected, noise = normal.Sample();
                double y = Form.Error == EtsError.Additive ? expected + noise : expected * (1 + noise);
                futures[h][p] = Form.Log ? Math.Exp(y) : y;
                state.Update(y);
            }
        }

        var lower = new double[horizon];
        var upper = new double[horizon];
        for (int h = 0; h < horizon; h++)
        {
            Array.Sort(futures[h]);
            lower[h] = Series.Quantile(futures[h], (1 - level) / 2);
            upper[h] = Series.Quantile(futures[h], (1 + level) / 2);
        }

        return new Forecast(point, lower, upper);
    }

    /// <summary>Every sensible form for a series, as <see cref="FitBest"/> tries them.</summary>
    internal static IEnumerable<EtsForm> Candidates(double[] y, int season)
    {
        bool positive = y.Min() > 0, seasonal = season > 1 && y.Length >= 2 * season;
        foreach (EtsTrend trend in Enum.GetValues<EtsTrend>())
        {
            foreach (EtsSeason kind in Enum.GetValues<EtsSeason>())
            {
                if (kind != EtsSeason.None && !seasonal) continue;
                if (kind != EtsSeason.Multiplicative) yield return new EtsForm(EtsError.Additive, trend, kind);
                if (!positive) continue;
                yield return new EtsForm(EtsError.Multiplicative, trend, kind);
                if (kind != EtsSeason.Multiplicative) yield return new EtsForm(EtsError.Additive, trend, kind, Log: true);
            }
        }
    }

    /// <summary>Fits one form; null where the series is too short for it.</summary>
    internal static EtsModel? TryFit(ReadOnlySpan<double> y, int season, EtsForm form)
    {
        int parameters = 3 + (form.Trend == EtsTrend.None ? 0 : 2) + (form.Trend == EtsTrend.Damped ? 1 : 0)
            + (form.Season == EtsSeason.None ? 0 : 1 + (season <= LongestFreeSeason ? season - 1 : 0));
        bool longEnough = y.Length > parameters + 1 && y.Length >= (form.Season == EtsSeason.None ? 4 : 2 * season);
        return longEnough ? Fit(y, season, form) : null;
    }
}
