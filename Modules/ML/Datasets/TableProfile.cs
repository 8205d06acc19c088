namespace OKLA.ML.Datasets;

/// <summary>What a person should know of a table before it is trained on; kept with each version.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="SampledRows">Rows, drawn evenly, that quantiles, histograms, outliers, associations and leaks are told from; when it equals the rows, they are exact.</param>
/// <param name="DuplicateRows">Rows equal to an earlier one.</param>
/// <param name="DuplicatesWithoutIds">Rows equal to an earlier one in everything but ids.</param>
/// <param name="DuplicatesExact">Whether they were counted one by one; otherwise estimated within some per cent of the rows.</param>
/// <param name="Columns">By column.</param>
/// <param name="AssociatedColumns">Columns that were compared with each other: the first ones that are not ignored.</param>
/// <param name="Associations">The strongest, all those with the target among them.</param>
/// <param name="Alone">How well each column alone tells the target.</param>
/// <param name="Leaks">Columns that may give the target away.</param>
internal sealed record TableProfile(
    long Rows, int SampledRows, long DuplicateRows, long DuplicatesWithoutIds, bool DuplicatesExact, IReadOnlyList<ColumnReport> Columns,
    IReadOnlyList<string> AssociatedColumns, IReadOnlyList<Association> Associations, IReadOnlyList<AloneScore> Alone, IReadOnlyList<LeakSuspect> Leaks)
{
    private const int MaxAssociated = 80;
    private const int MaxPairRows = 5_000;
    private const int MaxAssociations = 500;

    /// <summary>Draws up the profile.</summary>
    public static TableProfile Of(IReadOnlyList<DatasetColumn> columns, Survey survey)
    {
        // Only so many of the rows are compared pair by pair; rows in a full sample are in no order.
        var sample = survey.Sample;
        var target = columns.ToList().FindIndex(column => column.Role == ColumnRoles.Target);
        int[] compared = [.. Enumerable.Range(0, columns.Count).Where(c => c != target && columns[c].Role != ColumnRoles.Ignored && columns[c].Type is not (ColumnTypes.Id or ColumnTypes.Text)).Take(MaxAssociated)];
        compared = target < 0 ? compared : [target, .. compared];
        var cut = compared.ToDictionary(c => c, c => sample[c] with { Cells = Thinned(sample[c].Cells) });
        var ranks = compared.ToDictionary(c => c, c => cut[c].IsNumeric ? OKLA.ML.Datasets.Associations.Ranks(cut[c].Cells) : []);
        var pairs = new List<Association>();
        for (var i = 0; i < compared.Length; i++)
        {
            for (var j = i + 1; j < compared.Length; j++)
            {
                pairs.AddRange(OKLA.ML.Datasets.Associations.Of(cut[compared[i]], cut[compared[j]], ranks[compared[i]], ranks[compared[j]]));
            }
        }

        var ofTarget = target < 0 ? null : columns[target].Name;
        var alone = Datasets.Leaks.Alone(columns, sample);
        return new TableProfile(
            survey.Rows, sample[0].Cells.Length, survey.DuplicateRows, survey.DuplicatesWithoutIds, survey.DuplicatesExact,
            [.. columns.Select((column, c) => ColumnReport.Of(column, survey.Columns[c], sample[c], survey.Rows))], [.. compared.Select(c => columns[c].Name)],
            [.. pairs.OrderByDescending(pair => pair.First == ofTarget).ThenByDescending(pair => Math.Abs(pair.Value)).Take(MaxAssociations)],
            alone, Datasets.Leaks.Suspects(columns, sample, alone));
    }

    private static double[] Thinned(double[] cells) =>
        cells.Length <= MaxPairRows ? cells : [.. Enumerable.Range(0, MaxPairRows).Select(i => cells[(int)((long)i * cells.Length / MaxPairRows)])];
}

/// <summary>A column in a profile.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What it holds.</param>
/// <param name="Role">What it is for.</param>
/// <param name="Missing">Cells without a value.</param>
/// <param name="MissingShare">Their share.</param>
/// <param name="Unreadable">Cells that are no number, or no date, in a column of them.</param>
/// <param name="Distinct">Different values.</param>
/// <param name="DistinctExact">Whether they were counted one by one.</param>
/// <param name="NearConstant">Whether 99 of 100 rows hold the same.</param>
/// <param name="Mean">Mean of the numbers.</param>
/// <param name="Deviation">Standard deviation of the numbers.</param>
/// <param name="Quantiles">Quantiles by their share in per cent; of dates as dates.</param>
/// <param name="Histogram">Counts of sampled rows in bins of equal width; the outer bins hold what lies beyond the first and last per cent.</param>
/// <param name="Top">Most frequent values.</param>
/// <param name="Outliers">Numbers far from the others; null for other columns.</param>
internal sealed record ColumnReport(
    string Name, string Type, string Role, long Missing, double MissingShare, long Unreadable, long Distinct, bool DistinctExact, bool NearConstant, double? Mean, double? Deviation,
    IReadOnlyDictionary<string, string>? Quantiles, IReadOnlyList<HistogramBin>? Histogram, IReadOnlyList<ValueCount> Top, OutlierReport? Outliers)
{
    private const int Bins = 20;
    private const int ShownValues = 20;
    private static readonly double[] Shares = [0, 1, 5, 25, 50, 75, 95, 99, 100];

    /// <summary>Draws up a column's part.</summary>
    public static ColumnReport Of(DatasetColumn column, ColumnStatistics seen, SampledColumn sample, long rows)
    {
        double[] sorted = sample.IsNumeric ? [.. sample.Cells.Where(cell => !double.IsNaN(cell)).Order()] : [];
        var most = Math.Max(seen.Missing, seen.Top.Count > 0 ? seen.Top[0].Count : sorted.Length == 0 ? 0 : MostFrequent(sorted) * rows / sample.Cells.Length);
        return new ColumnReport(
            column.Name, column.Type, column.Role, seen.Missing, (double)seen.Missing / rows, seen.Unreadable, seen.Distinct, seen.DistinctExact, most >= 0.99 * rows, seen.Mean, seen.Deviation,
            sorted.Length == 0 ? null : Quantile(sorted, seen, column.Type), sorted.Length == 0 ? null : Histogrammed(sorted, column.Type), [.. seen.Top.Take(ShownValues)],
            column.Type == ColumnTypes.Number && sorted.Length > 0 ? OutlierReport.Of(sorted) : null);
    }

    private static Dictionary<string, string> Quantile(double[] sorted, ColumnStatistics seen, string type) => Shares.ToDictionary(
        share => FormattableString.Invariant($"p{share}"),
        share => Written(share switch { 0 => seen.Min!.Value, 100 => seen.Max!.Value, _ => sorted[(int)Math.Min(sorted.Length - 1, share / 100 * sorted.Length)] }, type));

    private static List<HistogramBin> Histogrammed(double[] sorted, string type)
    {
        double low = sorted[(int)(0.01 * sorted.Length)], high = sorted[Math.Min(sorted.Length - 1, (int)(0.99 * sorted.Length))];
        if (high <= low)
        {
            return [new HistogramBin(Written(sorted[0], type), Written(sorted[^1], type), sorted.Length)];
        }

        var counts = new long[Bins];
        foreach (var value in sorted)
        {
            counts[(int)Math.Clamp((value - low) / (high - low) * Bins, 0, Bins - 1)]++;
        }

        return [.. counts.Select((count, i) => new HistogramBin(Written(low + ((high - low) * i / Bins), type), Written(low + ((high - low) * (i + 1) / Bins), type), count))];
    }

    private static long MostFrequent(double[] sorted)
    {
        var (most, run) = (1L, 1L);
        for (var i = 1; i < sorted.Length; i++)
        {
            run = sorted[i] == sorted[i - 1] ? run + 1 : 1;
            most = Math.Max(most, run);
        }

        return most;
    }

    private static string Written(double value, string type) => type == ColumnTypes.Date
        ? FormattableString.Invariant($"{DateTime.UnixEpoch.AddDays(Math.Clamp(value, -700_000, 2_900_000)):yyyy-MM-ddTHH:mm:ss}")
        : FormattableString.Invariant($"{value:G6}");
}

/// <summary>A bin of a histogram.</summary>
internal sealed record HistogramBin(string From, string To, long Count);

/// <summary>Numbers whose robust z-score 0.6745·|x − median| / MAD is above 3.5 (Iglewicz and Hoaglin 1993); without spread around the median nothing is called so.</summary>
/// <param name="Count">How many of the sampled rows.</param>
/// <param name="Below">Numbers below this are.</param>
/// <param name="Above">Numbers above this are.</param>
/// <param name="Examples">The farthest ones.</param>
internal sealed record OutlierReport(long Count, double Below, double Above, IReadOnlyList<double> Examples)
{
    /// <summary>Finds them among numbers in order; null when half of them are the same.</summary>
    public static OutlierReport? Of(double[] sorted)
    {
        var median = sorted[sorted.Length / 2];
        double[] distances = [.. sorted.Select(value => Math.Abs(value - median)).Order()];
        var spread = distances[distances.Length / 2];
        if (spread == 0)
        {
            return null;
        }

        var reach = 3.5 * spread / 0.6745;
        double[] found = [.. sorted.Where(value => Math.Abs(value - median) > reach)];
        return new OutlierReport(found.Length, median - reach, median + reach, [.. found.OrderByDescending(value => Math.Abs(value - median)).Take(5)]);
    }
}
