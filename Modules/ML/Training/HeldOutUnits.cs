using OKLA.ML.Algorithms.Evaluation;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training;

/// <summary>
/// The independent units of what a model is measured on: people, sellers, days, or single rows where nothing binds them. Drawn with replacement they tell how far
/// a figure would swing on other data of the same size: 95 % intervals by percentile bootstrap (Efron 1979), whole units at a time, as rows of one unit are alike
/// (Field, Welsh 2007). Of very many rows fewer are drawn, and the spread is scaled by the root of the share drawn (m out of n, Bickel, Götze, van Zwet 1997). Seeded.
/// </summary>
internal sealed class HeldOutUnits
{
    private const int Resamples = 500, UsualSeed = 42;

    /// <summary>Units below which their spread says nothing.</summary>
    private const int LeastUnits = 10;

    private const int MostRows = 4_000, MostUnits = 20_000;
    private readonly int[][] units;
    private readonly int rows;
    private readonly int seed;

    private HeldOutUnits(int[][] units, int rows, int seed) => (this.units, this.rows, this.seed) = (units, rows, seed);

    /// <summary>How many there are.</summary>
    public int Count => units.Length;

    /// <summary>Rows that have nothing to do with each other.</summary>
    public static HeldOutUnits Rows(int count, int seed = UsualSeed) => new([.. Enumerable.Range(0, count).Select(row => new[] { row })], count, seed);

    /// <summary>Rows bound by what they have in common, such as a person; in the order of the rows. A null binds nothing.</summary>
    public static HeldOutUnits By<T>(IReadOnlyList<T> unitOfRow, int seed = UsualSeed)
    {
        var groups = Enumerable.Range(0, unitOfRow.Count).GroupBy(row => unitOfRow[row] is { } unit ? (object)unit : new object());
        return new HeldOutUnits([.. groups.Select(group => group.ToArray())], unitOfRow.Count, seed);
    }

    /// <summary>The interval of the mean of one value a row; null where there are too few units.</summary>
    public MetricRange? Mean(IReadOnlyList<double> values) => Ratio(values, null);

    /// <summary>
    /// The interval of a sum divided by another one, such as errors by truths; the second is the number of rows where it is null. A share of all or of none,
    /// which every draw repeats, has that of Wilson (1927) over the units that count.
    /// </summary>
    public MetricRange? Ratio(IReadOnlyList<double> top, IReadOnlyList<double>? bottom)
    {
        var counts = bottom ?? [.. Enumerable.Repeat(1.0, rows)];
        if (OfSums(sums => sums[1] == 0 ? double.NaN : sums[0] / sums[1], top, counts) is { } drawn)
        {
            return drawn;
        }

        var trials = units.Count(unit => unit.Sum(row => counts[row]) > 0);
        var share = top.Sum() / counts.Sum();
        return trials > 0 && share is 0 or 1 && Hypothesis.Wilson((int)share * trials, trials) is var (lower, upper) ? new MetricRange(lower, upper) : null;
    }

    /// <summary>The interval of a figure that sums over rows suffice for; quick, as a unit's sums are taken once.</summary>
    /// <param name="figure">The figure of the sums, in the order of the columns; NaN where it cannot be told.</param>
    /// <param name="columns">One value a row each.</param>
    public MetricRange? OfSums(Func<double[], double> figure, params IReadOnlyList<double>[] columns)
    {
        var own = units.Select(unit => Array.ConvertAll(columns, column => unit.Sum(row => column[row]))).ToArray();
        double[] Sums(int[] drawn)
        {
            var sums = new double[columns.Length];
            foreach (var unit in drawn)
            {
                for (var c = 0; c < sums.Length; c++)
                {
                    sums[c] += own[unit][c];
                }
            }

            return sums;
        }

        return Intervals(MostUnits, drawn => [figure(Sums(drawn))])[0];
    }

    /// <summary>The intervals of figures that need the rows themselves, such as a median or an area under a curve.</summary>
    /// <param name="figures">The figures of some rows, which may repeat; always as many, NaN where one cannot be told.</param>
    public MetricRange?[] OfRows(Func<int[], double[]> figures) =>
        Intervals(rows <= MostRows ? units.Length : (int)Math.Ceiling((double)units.Length * MostRows / rows), drawn => figures([.. drawn.SelectMany(unit => units[unit])]));

    private MetricRange?[] Intervals(int most, Func<int[], double[]> figures)
    {
        var estimates = figures([.. Enumerable.Range(0, units.Length)]);
        if (units.Length < LeastUnits)
        {
            return new MetricRange?[estimates.Length];
        }

        var (random, drawn) = (new Random(seed), new int[Math.Clamp(most, LeastUnits, units.Length)]);
        var found = Array.ConvertAll(estimates, _ => new List<double>(Resamples));
        for (var b = 0; b < Resamples; b++)
        {
            for (var i = 0; i < drawn.Length; i++)
            {
                drawn[i] = random.Next(units.Length);
            }

            var values = figures(drawn);
            for (var f = 0; f < values.Length; f++)
            {
                if (double.IsFinite(values[f]))
                {
                    found[f].Add(values[f]);
                }
            }
        }

        return [.. found.Select((values, f) => Range(values, estimates[f], Math.Sqrt((double)drawn.Length / units.Length)))];
    }

    private static MetricRange? Range(List<double> values, double estimate, double scale)
    {
        values.Sort();

        // A figure that most draws cannot tell has no interval that would mean anything, nor has one that they all repeat.
        if (values.Count < Resamples / 2 || !double.IsFinite(estimate) || values[0].Equals(values[^1]))
        {
            return null;
        }

        double At(int place) => estimate + (scale * (values[place] - estimate));
        return new MetricRange(At((int)(0.025 * (values.Count - 1))), At((int)Math.Ceiling(0.975 * (values.Count - 1))));
    }
}

/// <summary>A 95 % interval.</summary>
internal readonly record struct MetricRange(double Low, double High)
{
    /// <summary>The same of an estimate's interval.</summary>
    public static MetricRange Of(Interval interval) => new(interval.Lower, interval.Upper);
}

/// <summary>Metrics with their intervals.</summary>
internal static class MetricRanges
{
    /// <summary>A metric with its 95 % interval, where there is one.</summary>
    public static MetricRow Within(this MetricRow row, MetricRange? range) => range is { } known && double.IsFinite(known.Low) && double.IsFinite(known.High) ? row with { Low = known.Low, High = known.High } : row;
}
