namespace OKLA.ML.Datasets;

/// <summary>How strongly two columns go together.</summary>
/// <param name="First">One column.</param>
/// <param name="Second">The other.</param>
/// <param name="Measure">pearson, spearman, cramers-v or correlation-ratio.</param>
/// <param name="Value">−1 to 1 for numbers, 0 to 1 otherwise.</param>
/// <param name="Rows">Sampled rows in which both are known.</param>
internal sealed record Association(string First, string Second, string Measure, double Value, int Rows);

/// <summary>Measures of association between two columns of sampled rows; rows that miss either are left out. NaN where nothing can be said.</summary>
internal static class Associations
{
    // Values of a column beyond the most frequent ones count as one.
    private const int MaxLevels = 50;

    /// <summary>All measures that fit the two columns.</summary>
    public static IEnumerable<Association> Of(SampledColumn a, SampledColumn b, double[] ranksA, double[] ranksB)
    {
        var known = Enumerable.Range(0, a.Cells.Length).Where(row => !double.IsNaN(a.Cells[row]) && !double.IsNaN(b.Cells[row])).ToArray();
        if (known.Length < 3)
        {
            yield break;
        }

        double[] Pick(double[] cells) => Array.ConvertAll(known, row => cells[row]);
        var measures = (a.IsNumeric, b.IsNumeric) switch
        {
            (true, true) => new[] { ("pearson", Pearson(Pick(a.Cells), Pick(b.Cells))), ("spearman", Pearson(Pick(ranksA), Pick(ranksB))) },
            (false, false) => [("cramers-v", CramersV(Levels(Pick(a.Cells)), Levels(Pick(b.Cells))))],
            (false, true) => [("correlation-ratio", CorrelationRatio(Levels(Pick(a.Cells)), Pick(b.Cells)))],
            (true, false) => [("correlation-ratio", CorrelationRatio(Levels(Pick(b.Cells)), Pick(a.Cells)))],
        };
        foreach (var (measure, value) in measures)
        {
            if (!double.IsNaN(value))
            {
                yield return new Association(a.Guess.Name, b.Guess.Name, measure, value, known.Length);
            }
        }
    }

    /// <summary>Places of numbers in their order, ties at their mean; NaN stays.</summary>
    public static double[] Ranks(double[] cells)
    {
        int[] order = [.. Enumerable.Range(0, cells.Length).Where(row => !double.IsNaN(cells[row])).OrderBy(row => cells[row])];
        var ranks = Enumerable.Repeat(double.NaN, cells.Length).ToArray();
        for (var from = 0; from < order.Length;)
        {
            var to = from;
            while (to < order.Length && cells[order[to]] == cells[order[from]])
            {
                to++;
            }

            for (var i = from; i < to; i++)
            {
                ranks[order[i]] = (from + to - 1) / 2.0;
            }

            from = to;
        }

        return ranks;
    }

    /// <summary>Pearson's correlation; of ranks, Spearman's.</summary>
    public static double Pearson(double[] x, double[] y)
    {
        double meanX = x.Average(), meanY = y.Average(), xy = 0, xx = 0, yy = 0;
        for (var i = 0; i < x.Length; i++)
        {
            double dx = x[i] - meanX, dy = y[i] - meanY;
            (xy, xx, yy) = (xy + (dx * dy), xx + (dx * dx), yy + (dy * dy));
        }

        return xx > 0 && yy > 0 ? Math.Clamp(xy / Math.Sqrt(xx) / Math.Sqrt(yy), -1, 1) : double.NaN;
    }

    /// <summary>Cramér's V with the correction of its bias in small tables (Bergsma 2013, equations 4 to 6).</summary>
    public static double CramersV(int[] a, int[] b)
    {
        int rows = a.Max() + 1, columns = b.Max() + 1, n = a.Length;
        var (table, ofA, ofB) = (new double[rows, columns], new double[rows], new double[columns]);
        for (var i = 0; i < n; i++)
        {
            table[a[i], b[i]]++;
            ofA[a[i]]++;
            ofB[b[i]]++;
        }

        var phi2 = -1.0;
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < columns; c++)
            {
                phi2 += table[r, c] == 0 ? 0 : table[r, c] * table[r, c] / (ofA[r] * ofB[c]);
            }
        }

        double k = rows, l = columns, corrected = Math.Max(0, phi2 - ((k - 1) * (l - 1) / (n - 1)));
        var (kk, ll) = (k - ((k - 1) * (k - 1) / (n - 1)), l - ((l - 1) * (l - 1) / (n - 1)));
        var most = Math.Min(kk - 1, ll - 1);
        return most > 0 ? Math.Min(1, Math.Sqrt(corrected / most)) : double.NaN;
    }

    /// <summary>The correlation ratio η: root of the share of a number's variance that lies between groups (Fisher 1925).</summary>
    public static double CorrelationRatio(int[] groups, double[] y)
    {
        var (sums, counts) = (new double[groups.Max() + 1], new int[groups.Max() + 1]);
        double mean = y.Average(), total = 0, between = 0;
        for (var i = 0; i < y.Length; i++)
        {
            sums[groups[i]] += y[i] - mean;
            counts[groups[i]]++;
            total += (y[i] - mean) * (y[i] - mean);
        }

        for (var g = 0; g < sums.Length; g++)
        {
            between += counts[g] == 0 ? 0 : sums[g] * sums[g] / counts[g];
        }

        return total > 0 && sums.Length > 1 ? Math.Sqrt(Math.Clamp(between / total, 0, 1)) : double.NaN;
    }

    /// <summary>Codes from 0 by falling frequency, the rare ones together.</summary>
    public static int[] Levels(double[] codes)
    {
        var places = codes.GroupBy(code => code).OrderByDescending(group => group.Count()).ThenBy(group => group.Key).Select((group, place) => (group.Key, place))
            .ToDictionary(entry => entry.Key, entry => Math.Min(entry.place, MaxLevels));
        return Array.ConvertAll(codes, code => places[code]);
    }
}
