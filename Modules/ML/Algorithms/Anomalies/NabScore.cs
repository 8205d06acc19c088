namespace OKLA.ML.Algorithms.Anomalies;

/// <summary>A labelled span of anomaly, both ends included, as places in the series.</summary>
/// <param name="First">First place.</param>
/// <param name="Last">Last place.</param>
public readonly record struct AnomalyWindow(int First, int Last)
{
    /// <summary>Number of places.</summary>
    public int Length => Last - First + 1;
}

/// <summary>One scored series: a score in [0, 1] for every place, and its labelled windows, ascending.</summary>
/// <param name="Scores">Scores.</param>
/// <param name="Windows">Windows.</param>
public sealed record ScoredSeries(double[] Scores, IReadOnlyList<AnomalyWindow> Windows);

/// <summary>
/// The score of the Numenta Anomaly Benchmark, standard profile (Lavin, Ahmad 2015, section II): weights 1 for a window found, −0.11 for a false alarm,
/// −1 for a window missed; early detections in a window count more. 0 is what silence gets, 100 perfection.
/// </summary>
public static class NabScore
{
    private const double FalseAlarm = 0.11, Missed = 1;

    /// <summary>The normalised score of all series together at one threshold: a place alarms where its score is at least that.</summary>
    public static double At(IReadOnlyList<ScoredSeries> series, double threshold)
    {
        ArgumentNullException.ThrowIfNull(series);
        int windows = series.Sum(s => s.Windows.Count);
        if (windows == 0) throw new ArgumentException("No series has a window.", nameof(series));
        double raw = series.Sum(s => Raw(s, threshold)), silent = -Missed * windows;
        return 100 * (raw - silent) / (windows - silent);
    }

    /// <summary>The best score over one threshold common to all series, as the benchmark reports it, and that threshold.</summary>
    public static (double Score, double Threshold) Best(IReadOnlyList<ScoredSeries> series)
    {
        ArgumentNullException.ThrowIfNull(series);
        double[] scores = [.. series.SelectMany(s => s.Scores).Distinct().OrderDescending()];
        // The extreme places decide; at most a thousand thresholds evenly among the distinct scores' ranks, the top ones all.
        var tried = scores.Where((_, i) => i < 500 || i % Math.Max(1, scores.Length / 500) == 0).Append(double.PositiveInfinity);
        return tried.Select(t => (Score: At(series, t), Threshold: t)).MaxBy(p => p.Score);
    }

    private static double Raw(ScoredSeries series, double threshold)
    {
        int n = series.Scores.Length, probation = (int)Math.Min(0.15 * n, 0.15 * 5000), next = 0;
        double total = 0;
        var found = new bool[series.Windows.Count];
        for (int i = probation; i < n; i++)
        {
            while (next < series.Windows.Count && series.Windows[next].Last < i) next++;
            if (series.Scores[i] < threshold) continue;
            if (next < series.Windows.Count && i >= series.Windows[next].First)
            {
                if (found[next]) continue;
                found[next] = true;
                AnomalyWindow window = series.Windows[next];
                total += Sigmoid(-(window.Last - i + 1.0) / window.Length) / Sigmoid(-1);
            }
            else if (next == 0)
            {
                total -= FalseAlarm;
            }
            else
            {
                AnomalyWindow before = series.Windows[next - 1];
                total += FalseAlarm * Sigmoid((i - before.Last) / Math.Max(1.0, before.Length - 1));
            }
        }

        return total - Missed * found.Count(f => !f);
    }

    /// <summary>2/(1 + e^(5y)) − 1, and −1 beyond 3 window lengths (equation 1, scaled).</summary>
    private static double Sigmoid(double y) => y > 3 ? -1 : 2 / (1 + Math.Exp(5 * y)) - 1;
}
