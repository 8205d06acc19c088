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

/// <summary>What the benchmark's profiles weigh (Lavin, Ahmad 2015, table I); a window found counts 1 in all.</summary>
/// <param name="Name">The profile's name.</param>
/// <param name="FalseAlarm">Cost of a false alarm.</param>
/// <param name="Missed">Cost of a window missed.</param>
public sealed record NabProfile(string Name, double FalseAlarm, double Missed)
{
    /// <summary>The one that is quoted.</summary>
    public static NabProfile Standard { get; } = new("standard", 0.11, 1);

    /// <summary>False alarms cost twice as much.</summary>
    public static NabProfile LowFalsePositives { get; } = new("low-FP", 0.22, 1);

    /// <summary>Missed windows cost twice as much.</summary>
    public static NabProfile LowFalseNegatives { get; } = new("low-FN", 0.11, 2);
}

/// <summary>How many windows were found and how many alarms were false at a threshold.</summary>
/// <param name="Found">Windows with an alarm in them.</param>
/// <param name="Missed">Windows without.</param>
/// <param name="FalseAlarms">Alarms outside of windows.</param>
public readonly record struct NabCounts(int Found, int Missed, int FalseAlarms)
{
    /// <summary>Windows found over windows found and false alarms; 0 without either.</summary>
    public double Precision => Found == 0 ? 0 : (double)Found / (Found + FalseAlarms);

    /// <summary>Windows found over all.</summary>
    public double Recall => Found == 0 ? 0 : (double)Found / (Found + Missed);
}

/// <summary>
/// The score of the Numenta Anomaly Benchmark (Lavin, Ahmad 2015, section II), by default of the standard profile: weights 1 for a window found, −0.11 for a
/// false alarm, −1 for a window missed; early detections in a window count more. 0 is what silence gets, 100 perfection. Places of the probation, the first
/// 15 % of a series but at most 750, do not count.
/// </summary>
public static class NabScore
{

    /// <summary>The normalised score of all series together at one threshold: a place alarms where its score is at least that.</summary>
    public static double At(IReadOnlyList<ScoredSeries> series, double threshold, NabProfile? profile = null)
    {
        ArgumentNullException.ThrowIfNull(series);
        profile ??= NabProfile.Standard;
        int windows = series.Sum(s => s.Windows.Count);
        if (windows == 0) throw new ArgumentException("No series has a window.", nameof(series));
        double raw = series.Sum(s => Raw(s, threshold, profile, out _)), silent = -profile.Missed * windows;
        return 100 * (raw - silent) / (windows - silent);
    }

    /// <summary>The best score over one threshold common to all series, as the benchmark reports it for a profile, and that threshold.</summary>
    public static (double Score, double Threshold) Best(IReadOnlyList<ScoredSeries> series, NabProfile? profile = null)
    {
        ArgumentNullException.ThrowIfNull(series);
        double[] scores = [.. series.SelectMany(s => s.Scores).Distinct().OrderDescending()];
        // The extreme places decide; at most a thousand thresholds evenly among the distinct scores' ranks, the top ones all.
        var tried = scores.Where((_, i) => i < 500 || i % Math.Max(1, scores.Length / 500) == 0).Append(double.PositiveInfinity);
        return tried.Select(t => (Score: At(series, t, profile), Threshold: t)).MaxBy(p => p.Score);
    }

    /// <summary>Windows found and missed and false alarms of all series together at one threshold.</summary>
    public static NabCounts Count(IReadOnlyList<ScoredSeries> series, double threshold)
    {
        ArgumentNullException.ThrowIfNull(series);
        int found = 0, missed = 0, falseAlarms = 0;
        foreach (var one in series)
        {
            Raw(one, threshold, NabProfile.Standard, out var counts);
            (found, missed, falseAlarms) = (found + counts.Found, missed + counts.Missed, falseAlarms + counts.FalseAlarms);
        }

        return new NabCounts(found, missed, falseAlarms);
    }

    private static double Raw(ScoredSeries series, double threshold, NabProfile profile, out NabCounts counts)
    {
        int falseAlarms = 0;
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
            else if (++falseAlarms > 0 && next == 0)
            {
                total -= profile.FalseAlarm;
            }
            else
            {
                AnomalyWindow before = series.Windows[next - 1];
                total += profile.FalseAlarm * Sigmoid((i - before.Last) / Math.Max(1.0, before.Length - 1));
            }
        }

        counts = new NabCounts(found.Count(f => f), found.Count(f => !f), falseAlarms);
        return total - profile.Missed * counts.Missed;
    }

    /// <summary>2/(1 + e^(5y)) − 1, and −1 beyond 3 window lengths (equation 1, scaled).</summary>
    private static double Sigmoid(double y) => y > 3 ? -1 : 2 / (1 + Math.Exp(5 * y)) - 1;
}
