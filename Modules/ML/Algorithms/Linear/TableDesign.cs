using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>
/// A <see cref="Dataset"/> as a design: numbers in one standardised float copy, categories as the table's own codes, so that a one-hot block costs
/// one look-up a row whatever its width.
/// </summary>
internal sealed class TableDesign : Design
{
    private const int Block = 2048;
    private readonly LinearInputs _inputs;
    private readonly Dataset _table;
    private readonly float[]?[] _numbers;
    private readonly int[]?[] _missing;
    private readonly Lazy<int[][]> _rowsByFeature;
    private readonly int[] _partOfFeature;

    public TableDesign(LinearInputs inputs, Dataset table, int threads) : base(table.RowCount, inputs.Count, threads)
    {
        _inputs = inputs;
        if (table.ColumnCount != inputs.Parts.Length) throw new ArgumentException($"The table has {table.ColumnCount} columns, training had {inputs.Parts.Length}.", nameof(table));
        _table = table;
        _numbers = new float[]?[inputs.Parts.Length];
        _missing = new int[]?[inputs.Parts.Length];
        _partOfFeature = new int[inputs.Count];
        for (var c = 0; c < inputs.Parts.Length; c++)
        {
            var part = inputs.Parts[c];
            if (table.Columns[c].IsCategorical != part.Categorical) throw new ArgumentException($"Column {table.Columns[c].Name} changed between number and category.", nameof(table));
            _partOfFeature.AsSpan(part.From, part.Width).Fill(c);
            if (!part.Categorical) (_numbers[c], _missing[c]) = Standardise(table.Columns[c].Numbers, part);
        }
        _rowsByFeature = new Lazy<int[][]>(RowsByFeature);
    }

    protected override long Work => (long)Rows * _numbers.Length;

    public override void Multiply(double[] weights, int from, double[] scores, int at) =>
        Workers.Ranges(ThreadsFor((Rows + Block - 1) / Block), Rows, (_, first, end) =>
        {
            // Block by block, so that a block of scores stays in the first-level cache over all columns.
            for (var start = first; start < end; start += Block) MultiplyRows(weights.AsSpan(from, Columns), start, scores.AsSpan(at + start, Math.Min(Block, end - start)));
        });

    public override void MultiplyTransposed(double[] residuals, int from, double[] gradient, int at)
    {
        Workers.For(ThreadsFor(_numbers.Length), _numbers.Length, c =>
        {
            var part = _inputs.Parts[c];
            var r = residuals.AsSpan(from, Rows);
            var target = gradient.AsSpan(at + part.From, part.Width);
            if (!part.Categorical)
            {
                target[0] = DenseKernels.Dot(_numbers[c], r);
                if (!part.Flag) return;
                double sum = 0;
                foreach (var row in _missing[c]!) sum += r[row];
                target[1] = sum;
                return;
            }
            target.Clear();
            var codes = _table.Columns[c].Codes;
            for (var i = 0; i < codes.Length; i++)
            {
                var slot = Slot(codes[i], part);
                if (slot >= 0) target[slot] += r[i];
            }
        });
    }

    public override double ColumnDot(int column, ReadOnlySpan<double> v)
    {
        if (Dense(column) is { } x) return DenseKernels.Dot(x, v);
        double sum = 0;
        foreach (var row in _rowsByFeature.Value[column]) sum += v[row];
        return sum;
    }

    public override double ColumnDot(int column, ReadOnlySpan<double> w, ReadOnlySpan<double> v)
    {
        if (Dense(column) is { } x) return DenseKernels.Dot(x, w, v);
        double sum = 0;
        foreach (var row in _rowsByFeature.Value[column]) sum += w[row] * v[row];
        return sum;
    }

    public override double ColumnSquares(int column, ReadOnlySpan<double> w)
    {
        if (Dense(column) is { } x) return DenseKernels.Squares(x, w);
        double sum = 0;
        foreach (var row in _rowsByFeature.Value[column]) sum += w[row];
        return sum;
    }

    public override void AddColumn(int column, double amount, Span<double> scores)
    {
        if (Dense(column) is { } x)
        {
            DenseKernels.Add(x, amount, scores);
            return;
        }
        foreach (var row in _rowsByFeature.Value[column]) scores[row] += amount;
    }

    /// <summary>
    /// X̄ᵀ·diag(w)·X̄ with X̄ = (X, 1), (columns + 1)², row after row, the lower triangle. A row touches one feature a column, so that a one-hot block costs one
    /// addition whatever its width.
    /// </summary>
    public double[] Gram(double[] w)
    {
        int size = Columns + 1, most = 2 * _numbers.Length + 1;
        var gram = new double[size * size];
        var at = new int[most];
        var values = new double[most];
        for (var i = 0; i < Rows; i++)
        {
            // Features ascend from column to column, so each product lands in the lower triangle.
            var count = 0;
            for (var c = 0; c < _numbers.Length; c++)
            {
                var part = _inputs.Parts[c];
                if (part.Categorical)
                {
                    var slot = Slot(_table.Columns[c].Codes[i], part);
                    if (slot >= 0) (at[count], values[count++]) = (part.From + slot, 1);
                    continue;
                }
                (at[count], values[count++]) = (part.From, _numbers[c]![i]);
                if (part.Flag && float.IsNaN(_table.Columns[c].Numbers[i])) (at[count], values[count++]) = (part.FlagAt, 1);
            }
            (at[count], values[count++]) = (Columns, 1);
            for (var a = 0; a < count; a++)
            {
                var row = gram.AsSpan(at[a] * size, size);
                var scaled = w[i] * values[a];
                for (var b = 0; b <= a; b++) row[at[b]] += scaled * values[b];
            }
        }
        return gram;
    }

    private void MultiplyRows(ReadOnlySpan<double> weights, int start, Span<double> scores)
    {
        scores.Clear();
        for (var c = 0; c < _numbers.Length; c++)
        {
            var part = _inputs.Parts[c];
            if (!part.Categorical)
            {
                DenseKernels.Add(_numbers[c].AsSpan(start, scores.Length), weights[part.From], scores);
                if (!part.Flag) continue;
                var missing = _missing[c]!;
                var k = Array.BinarySearch(missing, start);
                for (k = k < 0 ? ~k : k; k < missing.Length && missing[k] < start + scores.Length; k++) scores[missing[k] - start] += weights[part.FlagAt];
                continue;
            }
            var codes = _table.Columns[c].Codes.Slice(start, scores.Length);
            var w = weights.Slice(part.From, part.Width);
            for (var i = 0; i < codes.Length; i++)
            {
                var slot = Slot(codes[i], part);
                if (slot >= 0) scores[i] += w[slot];
            }
        }
    }

    private float[]? Dense(int column)
    {
        var part = _partOfFeature[column];
        return _inputs.Parts[part].From == column ? _numbers[part] : null;
    }

    private static int Slot(int code, LinearInputs.Part part) => code >= 0 ? code < part.Codes ? code : -1 : part.Flag ? part.Codes : -1;

    private static (float[] Numbers, int[]? Missing) Standardise(ReadOnlySpan<float> numbers, LinearInputs.Part part)
    {
        var standard = new float[numbers.Length];
        var missing = new List<int>();
        for (var i = 0; i < numbers.Length; i++)
        {
            if (!float.IsNaN(numbers[i])) standard[i] = (float)((numbers[i] - part.Mean) / part.Scale);
            else if (part.Flag) missing.Add(i);
        }
        return (standard, part.Flag ? [.. missing] : null);
    }

    private int[][] RowsByFeature()
    {
        var lists = new int[Columns][];
        for (var c = 0; c < _numbers.Length; c++)
        {
            var part = _inputs.Parts[c];
            if (!part.Categorical)
            {
                if (part.Flag) lists[part.FlagAt] = _missing[c]!;
                continue;
            }
            var codes = _table.Columns[c].Codes;
            var counts = new int[part.Width];
            foreach (var code in codes)
            {
                var slot = Slot(code, part);
                if (slot >= 0) counts[slot]++;
            }
            for (var slot = 0; slot < part.Width; slot++) lists[part.From + slot] = new int[counts[slot]];
            Array.Clear(counts);
            for (var i = 0; i < codes.Length; i++)
            {
                var slot = Slot(codes[i], part);
                if (slot >= 0) lists[part.From + slot][counts[slot]++] = i;
            }
        }
        return lists;
    }
}
