using OKLA.ML.Training;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Series;

/// <summary>Hours in a row (short gaps allowed) in which a series was not as usual.</summary>
/// <param name="First">First alarmed hour, by its place.</param>
/// <param name="Last">Last alarmed hour.</param>
internal readonly record struct Episode(int First, int Last);

/// <summary>A time of a series in which something was wrong: hours <paramref name="From"/> to before <paramref name="Until"/>.</summary>
internal readonly record struct FaultyHours(int From, int Until);

/// <summary>How alarms fared against what was wrong.</summary>
/// <param name="Precision">Share of alarms that met something.</param>
/// <param name="Recall">Share of faults that were met.</param>
/// <param name="MedianDelay">Hours from the beginning of a fault that was met to the end of the first alarmed hour.</param>
/// <param name="FalseADay">Alarms a day, over all series together, that met nothing.</param>
internal sealed record AlarmFigures(double Precision, double Recall, double MedianDelay, double FalseADay)
{
    /// <summary>Harmonic mean of precision and recall.</summary>
    public double F1 => Precision + Recall > 0 ? 2 * Precision * Recall / (Precision + Recall) : 0;

    /// <summary>By day, over all series together: alarms that met something, those that did not, faults that were met, those that were not.</summary>
    public IReadOnlyList<(double Right, double Wrong, double Met, double Missed)> Days { get; init; } = [];

    /// <summary>As rows of a report beside a baseline's; no delay where nothing was met. Intervals draw days, as what is unusual is so in several series.</summary>
    public IReadOnlyList<MetricRow> Beside(AlarmFigures baseline, string name) =>
    [
        new MetricRow("F1", F1, baseline.F1, name, 1).Within(Range((precision, recall) => precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0)),
        new MetricRow("precision", Precision, baseline.Precision, name, 1).Within(Range((precision, _) => precision)), new MetricRow("recall", Recall, baseline.Recall, name, 1).Within(Range((_, recall) => recall)),
        .. double.IsFinite(MedianDelay) ? (MetricRow[])[new MetricRow("median delay h", MedianDelay, double.IsFinite(baseline.MedianDelay) ? baseline.MedianDelay : null, name, 1)] : [],
        new MetricRow("false alarms a day", FalseADay, baseline.FalseADay, name, 0),
    ];

    /// <summary>A part of itself and the other one; 0 of nothing.</summary>
    public static double Share(double part, double other) => part + other == 0 ? 0 : part / (part + other);

    private MetricRange? Range(Func<double, double, double> figure) => HeldOutUnits.Rows(Days.Count).OfSums(
        sums => figure(Share(sums[0], sums[1]), Share(sums[2], sums[3])),
        [.. Days.Select(day => day.Right)], [.. Days.Select(day => day.Wrong)], [.. Days.Select(day => day.Met)], [.. Days.Select(day => day.Missed)]);
}

/// <summary>Turns scores into alarms.</summary>
internal static class Alarms
{
    /// <summary>Hours without an alarm that do not end an episode.</summary>
    public const int Gap = 6;

    /// <summary>Hours after a fault in which an alarm still belongs to it: sums of several hours look back.</summary>
    public const int After = 3;

    /// <summary>The episodes of scores at or above a threshold.</summary>
    public static List<Episode> Episodes(ReadOnlySpan<double> scores, double threshold)
    {
        var found = new List<Episode>();
        for (var hour = 0; hour < scores.Length; hour++)
        {
            if (scores[hour] < threshold)
            {
                continue;
            }

            if (found.Count > 0 && hour - found[^1].Last <= Gap)
            {
                found[^1] = found[^1] with { Last = hour };
            }
            else
            {
                found.Add(new Episode(hour, hour));
            }
        }

        return found;
    }

    /// <summary>
    /// The lowest threshold at which the past would have brought no more alarms than somebody is willing to read. It needs no labels, and faults of the past count
    /// as alarms too.
    /// </summary>
    /// <param name="scores">Scores of each series' past.</param>
    /// <param name="aWeek">Alarms a week and series.</param>
    public static double Threshold(IReadOnlyList<double[]> scores, double aWeek)
    {
        var most = aWeek * scores.Sum(series => series.Length) / (24.0 * 7);
        var (low, high) = (0.0, Math.Max(1, scores.Max(series => series.Length == 0 ? 0 : series.Max())));
        for (var step = 0; step < 40; step++)
        {
            var middle = (low + high) / 2;
            (low, high) = scores.Sum(series => Episodes(series, middle).Count) > most ? (middle, high) : (low, middle);
        }

        return high;
    }

    /// <summary>Measures episodes against faults, series by series.</summary>
    public static AlarmFigures Measure(IReadOnlyList<(IReadOnlyList<Episode> Episodes, IReadOnlyList<FaultyHours> Faults)> series, double days)
    {
        var delays = new List<double>();
        var byDay = new (double Right, double Wrong, double Met, double Missed)[Math.Max(1, (int)Math.Ceiling(days))];
        ref (double Right, double Wrong, double Met, double Missed) Day(int hour) => ref byDay[Math.Clamp(hour / 24, 0, byDay.Length - 1)];
        foreach (var (episodes, faults) in series)
        {
            static bool Meets(Episode episode, FaultyHours fault) => episode.Last >= fault.From && episode.First < fault.Until + After;
            foreach (var episode in episodes)
            {
                _ = faults.Any(fault => Meets(episode, fault)) ? Day(episode.First).Right++ : Day(episode.First).Wrong++;
            }

            foreach (var fault in faults)
            {
                var first = episodes.Where(episode => Meets(episode, fault)).Select(episode => Math.Max(episode.First, fault.From)).DefaultIfEmpty(-1).Min();
                if (first < 0)
                {
                    Day(fault.From).Missed++;
                    continue;
                }

                Day(fault.From).Met++;
                delays.Add(first + 1 - fault.From);
            }
        }

        delays.Sort();
        var (right, wrong, met, missed) = (byDay.Sum(day => day.Right), byDay.Sum(day => day.Wrong), byDay.Sum(day => day.Met), byDay.Sum(day => day.Missed));
        return new AlarmFigures(AlarmFigures.Share(right, wrong), AlarmFigures.Share(met, missed), delays.Count == 0 ? double.NaN : delays[delays.Count / 2], days > 0 ? wrong / days : 0) { Days = byDay };
    }
}

/// <summary>
/// How unusual hours are: the distance of roots (Anscombe 1948) from what the same hours of the days before suggest, in robust deviations of that distance itself.
/// An hour's score reads nothing after that hour.
/// </summary>
internal static class UsualHours
{
    /// <summary>Days that are looked back.</summary>
    public const int Days = 14;

    private const int Least = 24 * 7;

    /// <summary>What an hour's value should be by the median of the same hour of the days before; NaN while a week is not there.</summary>
    public static double[] Median(double[] values) => Of(values.Length, hour =>
    {
        Span<double> same = stackalloc double[Days];
        var count = 0;
        for (var back = 24; back <= 24 * Days && hour - back >= 0; back += 24)
        {
            same[count++] = values[hour - back];
        }

        return Middle(same[..count]);
    });

    /// <summary>The same at the level of the last hours: what the hour usually has, times what the twelve hours before had of what they usually have.</summary>
    public static double[] Recent(double[] values)
    {
        const int Hours = 12;
        var usual = Median(values);
        return Of(values.Length, hour =>
        {
            var (seen, wanted) = (0.0, 0.0);
            for (var i = hour - Hours; i < hour; i++)
            {
                seen += double.IsFinite(usual[i]) ? values[i] : 0;
                wanted += double.IsFinite(usual[i]) ? usual[i] : 0;
            }

            return wanted > 0 ? usual[hour] * seen / wanted : usual[hour];
        });
    }

    /// <summary>What an hour's value should be for so much of something else: that times the rate of the same hours, and those beside them, of the days before.</summary>
    public static double[] Rate(double[] values, double[] per) => Of(values.Length, hour =>
    {
        var (sum, whole) = (0.0, 0.0);
        for (var back = 24; back <= 24 * Days && hour - back >= 1; back += 24)
        {
            for (var near = hour - back - 1; near <= hour - back + 1; near++)
            {
                sum += values[near];
                whole += per[near];
            }
        }

        return whole > 0 ? per[hour] * sum / whole : double.NaN;
    });

    /// <summary>Score of each hour, positive when more than expected; over sums of <paramref name="hours"/>. 0 where nothing is expected yet.</summary>
    public static double[] Score(double[] values, double[] expected, int hours, double leastScale)
    {
        var raw = new double[values.Length];
        for (var hour = 0; hour < raw.Length; hour++)
        {
            var (seen, wanted) = (0.0, 0.0);
            for (var i = Math.Max(0, hour - hours + 1); i <= hour; i++)
            {
                seen += values[i];
                wanted += expected[i];
            }

            raw[hour] = double.IsFinite(wanted) ? 2 * (Math.Sqrt(seen + 0.375) - Math.Sqrt(wanted + 0.375)) : 0;
        }

        var scores = new double[raw.Length];
        var (scale, buffer) = (1.0, new double[24 * Days]);
        for (var hour = 0; hour < raw.Length; hour++)
        {
            // The scale moves slowly: once every six hours is enough.
            if (hour % 6 == 0 && hour >= Least)
            {
                var count = Math.Min(hour, buffer.Length);
                for (var i = 0; i < count; i++)
                {
                    buffer[i] = Math.Abs(raw[hour - count + i]);
                }

                scale = Math.Max(leastScale, 1.4826 * Middle(buffer.AsSpan(0, count)));
            }

            scores[hour] = hour < Least ? 0 : raw[hour] / scale;
        }

        return scores;
    }

    private static double[] Of(int length, Func<int, double> expected) => [.. Enumerable.Range(0, length).Select(hour => hour < Least ? double.NaN : expected(hour))];

    private static double Middle(Span<double> values)
    {
        values.Sort();
        return values.Length == 0 ? double.NaN : (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }
}
