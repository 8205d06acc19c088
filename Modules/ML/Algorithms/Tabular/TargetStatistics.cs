namespace OKLA.ML.Algorithms.Tabular;

/// <summary>
/// Columns that say how the target ran for each row's category: means drawn towards the mean of a coarser column (a model's towards its make's), by as much as
/// the spread within and between categories calls for (Micci-Barreca 2001; James and Stein 1961). A training row's own target, and its fold's, is kept out of
/// its own figures, so that they mean the same on rows never seen.
/// </summary>
public sealed class TargetStatistics
{
    private const string Kind = "OKTS";
    private const int LeastCategories = 8;
    private readonly Table[] _tables;

    private TargetStatistics(Table[] tables) => _tables = tables;

    /// <summary>One source column: its smoothed means by code (the last slot is missing) for each output, and its rows by code.</summary>
    private sealed record Table(string Source, float[][] Means, float[] Rows);

    /// <summary>True when no column has categories enough.</summary>
    public bool IsEmpty => _tables.Length == 0;

    /// <summary>Learns from training rows; answers the statistics and their columns for these very rows, each made from the other folds.</summary>
    /// <param name="x">The training rows.</param>
    /// <param name="targets">One target a row for each output: numbers, or indicators of a class.</param>
    /// <param name="folds">Folds, 2 or more.</param>
    /// <param name="seed">Seed of the folds.</param>
    public static (TargetStatistics Statistics, IReadOnlyList<Column> Training) Fit(Dataset x, IReadOnlyList<float[]> targets, int folds = 5, int seed = 42)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentOutOfRangeException.ThrowIfLessThan(folds, 2);
        if (targets.Count == 0) return (new TargetStatistics([]), []);
        var chosen = Enumerable.Range(0, x.ColumnCount).Where(c => x.Columns[c].IsCategorical && x.Columns[c].CategoryCount > LeastCategories)
            .OrderBy(c => x.Columns[c].CategoryCount).ThenBy(c => c).ToArray();
        var parents = chosen.Select((c, at) => Parent(x, chosen, at)).ToArray();
        var fold = new int[x.RowCount];
        for (var r = 0; r < fold.Length; r++) fold[r] = r % folds;
        new Random(seed).Shuffle(fold);
        // A round for each fold left out, and a last one, the fold -1, for rows never seen.
        var training = chosen.Select(_ => targets.Select(_ => new float[x.RowCount]).ToArray()).ToArray();
        var tables = new Table[chosen.Length];
        for (var left = folds - 1; left >= -1; left--)
        {
            var means = new double[chosen.Length][];
            for (var output = 0; output < targets.Count; output++)
            {
                for (var at = 0; at < chosen.Length; at++)
                {
                    var column = x.Columns[chosen[at]];
                    var parent = parents[at] < 0 ? null : x.Columns[chosen[parents[at]]];
                    means[at] = Smoothed(column, parent, parents[at] < 0 ? null : means[parents[at]], targets[output], fold, left, out var rows);
                    if (left < 0)
                    {
                        tables[at] ??= new Table(column.Name, new float[targets.Count][], rows);
                        tables[at].Means[output] = [.. means[at].Select(m => (float)m)];
                        continue;
                    }
                    for (var r = 0; r < fold.Length; r++)
                    {
                        if (fold[r] == left) training[at][output][r] = (float)means[at][Slot(column, r)];
                    }
                }
            }
        }
        var statistics = new TargetStatistics(tables);
        return (statistics, statistics.Columns(x, (at, output) => training[at][output]));
    }

    /// <summary>The columns for rows that were not learned from.</summary>
    public IReadOnlyList<Column> Transform(Dataset x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Columns(x, (at, output) =>
        {
            var source = x[_tables[at].Source];
            var values = new float[x.RowCount];
            for (var r = 0; r < values.Length; r++) values[r] = _tables[at].Means[output][Slot(source, r)];
            return values;
        });
    }

    internal void Write(BinaryWriter writer)
    {
        writer.Write(_tables.Length);
        foreach (var table in _tables)
        {
            writer.Write(table.Source);
            writer.WriteArray(table.Rows);
            writer.Write(table.Means.Length);
            foreach (var means in table.Means) writer.WriteArray(means);
        }
    }

    internal static TargetStatistics Read(BinaryReader reader)
    {
        var tables = new Table[reader.ReadInt32()];
        for (var i = 0; i < tables.Length; i++)
        {
            var source = reader.ReadString();
            var rows = reader.ReadSingles();
            var means = new float[reader.ReadInt32()][];
            for (var k = 0; k < means.Length; k++) means[k] = reader.ReadSingles();
            tables[i] = new Table(source, means, rows);
        }
        return new TargetStatistics(tables);
    }

    /// <summary>Writes the statistics (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, Write);

    /// <summary>Reads statistics that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not such, cut off or damaged.</exception>
    public static TargetStatistics Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) => Read(reader));

    private List<Column> Columns(Dataset x, Func<int, int, float[]> means)
    {
        var columns = new List<Column>();
        for (var at = 0; at < _tables.Length; at++)
        {
            var table = _tables[at];
            for (var output = 0; output < table.Means.Length; output++) columns.Add(Column.Numeric($"{table.Source} → target {output}", means(at, output)));
            var source = x[table.Source];
            var counts = new float[x.RowCount];
            for (var r = 0; r < counts.Length; r++) counts[r] = table.Rows[Slot(source, r)];
            columns.Add(Column.Numeric($"{table.Source} → rows", counts));
        }
        return columns;
    }

    private static int Slot(Column column, int row) => column.Codes[row] < 0 ? column.CategoryCount : column.Codes[row];

    // The finest coarser column in which nearly each category of this one falls into one category; -1 without one.
    private static int Parent(Dataset x, int[] chosen, int at)
    {
        var column = x.Columns[chosen[at]];
        for (var p = at - 1; p >= 0; p--)
        {
            var coarser = x.Columns[chosen[p]];
            if (coarser.CategoryCount >= column.CategoryCount) continue;
            var first = new int[column.CategoryCount + 1];
            Array.Fill(first, -1);
            var astray = 0;
            for (var r = 0; r < x.RowCount; r++)
            {
                int slot = Slot(column, r), to = Slot(coarser, r);
                // The shared code of rare categories mixes many.
                if (slot >= column.CategoryCount - 1) continue;
                if (first[slot] < 0) first[slot] = to;
                else if (first[slot] != to) astray++;
            }
            if (astray <= 0.02 * x.RowCount) return p;
        }
        return -1;
    }

    private static double[] Smoothed(Column column, Column? parent, double[]? parentMeans, float[] target, int[] fold, int left, out float[] rows)
    {
        var slots = column.CategoryCount + 1;
        var sum = new double[slots];
        var prior = new double[slots];
        rows = new float[slots];
        double total = 0, squares = 0, count = 0;
        for (var r = 0; r < target.Length; r++)
        {
            if (fold[r] == left) continue;
            var slot = Slot(column, r);
            sum[slot] += target[r];
            rows[slot]++;
            if (parent is not null) prior[slot] += parentMeans![Slot(parent, r)];
            total += target[r];
            count++;
        }
        var mean = total / Math.Max(1, count);
        for (var s = 0; s < slots; s++) prior[s] = parent is not null && rows[s] > 0 ? prior[s] / rows[s] : mean;
        for (var r = 0; r < target.Length; r++)
        {
            if (fold[r] == left) continue;
            var own = Slot(column, r);
            var off = target[r] - sum[own] / rows[own];
            squares += off * off;
        }
        // Variance within categories, and between their means and what is expected of them, by moments.
        double between = 0, used = 0, sizes = 0;
        for (var s = 0; s < slots; s++)
        {
            if (rows[s] == 0) continue;
            used++;
            sizes += (double)rows[s] * rows[s];
            between += rows[s] * Math.Pow(sum[s] / rows[s] - prior[s], 2);
        }
        var within = squares / Math.Max(1, count - used);
        var spread = Math.Max(0, (between - (used - 1) * within) / Math.Max(1, count - sizes / Math.Max(1, count)));
        var weight = spread > 0 ? Math.Clamp(within / spread, 0.5, 1000) : 1000;
        var means = new double[slots];
        for (var s = 0; s < slots; s++) means[s] = (sum[s] + weight * prior[s]) / (rows[s] + weight);
        return means;
    }
}
