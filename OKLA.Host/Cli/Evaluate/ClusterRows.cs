using OKLA.ML.Algorithms.Tabular;

namespace OKLA.Host.Cli.Evaluate;

/// <summary>
/// A table as points: numbers standardised (skewed ones by their logarithms), categories as indicators that weigh half a number, ids and constants left out.
/// </summary>
/// <param name="Points">One point a row.</param>
/// <param name="Used">Columns that the points are made of.</param>
/// <param name="Left">Columns left out.</param>
internal sealed record ClusterRows(IReadOnlyList<double[]> Points, IReadOnlyList<string> Used, IReadOnlyList<string> Left)
{
    private const int MostCategories = 20;
    private const int FewRows = 20;
    // Two random rows differ by 2 in a standardised number's square, and by at most 2w² in a category of weight w.
    private static readonly double CategoryWeight = Math.Sqrt(0.5);

    public static ClusterRows Of(TableFile file)
    {
        var table = TableEncoder.Fit(file.Columns).Transform(file.Columns);
        var (features, used) = (new List<double[]>(), new List<string>());
        foreach (var column in table.Columns)
        {
            var made = column.IsCategorical ? Indicators(column) : IsNumbering(column) ? [] : Standardised(column);
            if (made.Count > 0)
            {
                features.AddRange(made);
                used.Add(column.Name);
            }
        }

        var points = new double[file.Rows][];
        for (var r = 0; r < points.Length; r++)
        {
            points[r] = [.. features.Select(feature => feature[r])];
        }

        return new ClusterRows(points, used, [.. file.Columns.Select(c => c.Name).Where(name => !used.Any(u => u == name || u.StartsWith(name + " ", StringComparison.Ordinal)))]);
    }

    // A running number of the rows, which says nothing about them.
    private static bool IsNumbering(Column column)
    {
        var numbers = column.Numbers;
        for (var r = 0; r < numbers.Length; r++)
        {
            if (float.IsNaN(numbers[r]) || numbers[r] != MathF.Floor(numbers[r]) || (r > 0 && numbers[r] <= numbers[r - 1]))
            {
                return false;
            }
        }

        return numbers.Length >= FewRows;
    }

    private static List<double[]> Indicators(Column column)
    {
        var counts = new int[column.CategoryCount];
        foreach (var code in column.Codes)
        {
            if (code >= 0)
            {
                counts[code]++;
            }
        }

        var seen = Enumerable.Range(0, counts.Length).Where(code => counts[code] > 0).ToList();
        return seen.Count is < 2 or > MostCategories ? [] : [.. seen.Select(code =>
        {
            var feature = new double[column.Length];
            for (var r = 0; r < feature.Length; r++)
            {
                feature[r] = column.Codes[r] == code ? CategoryWeight : 0;
            }

            return feature;
        })];
    }

    private static List<double[]> Standardised(Column column)
    {
        var known = column.Numbers.ToArray().Where(v => !float.IsNaN(v)).Select(v => (double)v).ToArray();
        if (known.Length == 0)
        {
            return [];
        }

        var (mean, deviation) = Moments(known);
        var skew = deviation > 0 ? known.Average(v => Math.Pow((v - mean) / deviation, 3)) : 0;
        var logarithm = skew > 2 && known.Min() >= 0;
        if (logarithm)
        {
            (mean, deviation) = Moments(Array.ConvertAll(known, v => Math.Log(1 + v)));
        }

        if (!(deviation > 0))
        {
            return [];
        }

        var feature = new double[column.Length];
        for (var r = 0; r < feature.Length; r++)
        {
            var value = (double)column.Numbers[r];
            feature[r] = double.IsNaN(value) ? 0 : Math.Clamp(((logarithm ? Math.Log(1 + value) : value) - mean) / deviation, -5, 5);
        }

        return [feature];
    }

    private static (double Mean, double Deviation) Moments(double[] values)
    {
        var mean = values.Average();
        return (mean, Math.Sqrt(values.Average(v => (v - mean) * (v - mean))));
    }
}
