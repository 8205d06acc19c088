using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Explanation;

/// <summary>
/// Shapley values of a linear score w·x + b, one a column, so that base value + contributions = score (log-odds for classifiers). With independent features
/// φ_j = w_j (x_j − E[x_j]) (Lundberg and Lee 2017, corollary 1). Correlated, an absent column is expected from the present ones as a Gaussian would be,
/// E[x | x_S] = μ + Σ_·S Σ_SS⁻¹ (x_S − μ_S), which shares credit between columns that tell the same: exact up to 12 columns, otherwise over seeded orders
/// of the columns and their reverses. A categorical column's features enter and leave together.
/// </summary>
public sealed class LinearShap
{
    private const int ExactColumns = 12;
    private readonly LinearInputs _inputs;
    private readonly double[] _weights;
    private readonly double _intercept;
    private readonly double[] _means;

    // Columns × features: contributions = transform · (x − μ).
    private readonly double[][] _transform;

    /// <summary>Explains <paramref name="model"/> against the rows of <paramref name="background"/>.</summary>
    /// <exception cref="ArgumentException">The model was trained on a sparse matrix, or there are no background rows.</exception>
    public LinearShap(LinearRegressionModel model, Dataset background, bool correlated = false, int orders = 200, int seed = 42)
        : this(model?.Inputs, model is null ? [] : model.Weights.ToArray(), model?.Intercept ?? 0, background, correlated, orders, seed)
    {
    }

    /// <summary>
    /// Explains score <paramref name="output"/> (0 for two classes) of <paramref name="model"/> against the rows of <paramref name="background"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The model was trained on a sparse matrix, or there are no background rows.</exception>
    public LinearShap(LinearClassifierModel model, Dataset background, int output = 0, bool correlated = false, int orders = 200, int seed = 42)
        : this(model?.Inputs, model is null ? [] : Output(model, output), model is null ? 0 : model.Intercepts[output], background, correlated, orders, seed)
    {
    }

    private LinearShap(LinearInputs? inputs, double[] weights, double intercept, Dataset background, bool correlated, int orders, int seed)
    {
        ArgumentNullException.ThrowIfNull(background);
        _inputs = inputs ?? throw new ArgumentException("The model must have learned from a table.", nameof(inputs));
        if (background.RowCount == 0) throw new ArgumentException("No background rows.", nameof(background));
        ArgumentOutOfRangeException.ThrowIfLessThan(orders, 1);
        (_weights, _intercept) = (weights, intercept);
        var rows = Encode(background);
        _means = new double[_inputs.Count];
        foreach (var row in rows)
        {
            for (var j = 0; j < row.Length; j++) _means[j] += row[j] / rows.Length;
        }
        BaseValue = _intercept;
        for (var j = 0; j < _means.Length; j++) BaseValue += _weights[j] * _means[j];
        _transform = correlated ? Correlated(rows, orders, seed) : Independent();
    }

    /// <summary>The mean score over the background, which contributions start from.</summary>
    public double BaseValue { get; }

    /// <summary>Contributions of one row's values, one a column of the table.</summary>
    public double[] Explain(ReadOnlySpan<float> row)
    {
        var features = new double[_inputs.Count];
        _inputs.Encode(row, features);
        var contributions = new double[_transform.Length];
        for (var c = 0; c < contributions.Length; c++)
        {
            for (var j = 0; j < features.Length; j++) contributions[c] += _transform[c][j] * (features[j] - _means[j]);
        }
        return contributions;
    }

    /// <summary>Contributions row by row (rows × columns).</summary>
    public double[] Explain(Dataset table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var contributions = new double[table.RowCount * _transform.Length];
        var values = new float[table.ColumnCount];
        for (var r = 0; r < table.RowCount; r++)
        {
            table.CopyRow(r, values);
            Explain(values).CopyTo(contributions, r * _transform.Length);
        }
        return contributions;
    }

    private static double[] Output(LinearClassifierModel model, int output)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(output);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(output, model.Intercepts.Length);
        var features = model.Weights.Length / model.Intercepts.Length;
        return model.Weights.Slice(output * features, features).ToArray();
    }

    private double[][] Encode(Dataset table)
    {
        var rows = new double[table.RowCount][];
        var values = new float[table.ColumnCount];
        for (var r = 0; r < rows.Length; r++)
        {
            table.CopyRow(r, values);
            _inputs.Encode(values, rows[r] = new double[_inputs.Count]);
        }
        return rows;
    }

    private double[][] Independent()
    {
        var transform = new double[_inputs.Parts.Length][];
        for (var c = 0; c < transform.Length; c++)
        {
            transform[c] = new double[_inputs.Count];
            var part = _inputs.Parts[c];
            _weights.AsSpan(part.From, part.Width).CopyTo(transform[c].AsSpan(part.From));
        }
        return transform;
    }

    /// <summary>Σ over sets or orders of the weighted differences of w·E[x | x_S], as a linear map of x − μ.</summary>
    private double[][] Correlated(double[][] rows, int orders, int seed)
    {
        var covariance = Covariance(rows);
        var columns = _inputs.Parts.Length;
        double[][] transform = [.. Enumerable.Range(0, columns).Select(_ => new double[_inputs.Count])];
        if (columns <= ExactColumns)
        {
            var values = new double[1 << columns][];
            for (var set = 0; set < values.Length; set++) values[set] = Expected(c => (set >> c & 1) != 0, covariance);
            var weights = ShapleyWeights.Of(columns);
            for (var set = 0; set < values.Length; set++)
            {
                for (var c = 0; c < columns; c++)
                {
                    if ((set >> c & 1) == 0) Accumulate(transform[c], weights[int.PopCount(set)], values[set | 1 << c], values[set]);
                }
            }
            return transform;
        }
        for (var o = 0; o < orders; o++)
        {
            var random = RandomSource.For(seed, o);
            var order = Enumerable.Range(0, columns).ToArray();
            for (var i = columns - 1; i > 0; i--)
            {
                var other = random.NextInt(i + 1);
                (order[i], order[other]) = (order[other], order[i]);
            }
            foreach (var direction in (int[][])[order, [.. order.Reverse()]])
            {
                var present = new bool[columns];
                var before = Expected(c => present[c], covariance);
                foreach (var c in direction)
                {
                    present[c] = true;
                    var after = Expected(k => present[k], covariance);
                    Accumulate(transform[c], 0.5 / orders, after, before);
                    before = after;
                }
            }
        }
        return transform;
    }

    private static void Accumulate(double[] to, double weight, double[] with, double[] without)
    {
        for (var j = 0; j < to.Length; j++) to[j] += weight * (with[j] - without[j]);
    }

    /// <summary>wᵀ Σ_·S Σ_SS⁻¹ spread over all features (0 outside S), so that w·E[x | x_S] = w·μ + this·(x − μ).</summary>
    private double[] Expected(Func<int, bool> present, double[,] covariance)
    {
        var result = new double[_inputs.Count];
        var parts = _inputs.Parts;
        int[] features = [.. Enumerable.Range(0, parts.Length).Where(present).SelectMany(c => Enumerable.Range(parts[c].From, parts[c].Width))];
        if (features.Length == _inputs.Count)
        {
            _weights.CopyTo(result, 0);
            return result;
        }
        if (features.Length == 0) return result;
        var size = features.Length;
        var matrix = new double[size * size];
        var right = new double[size];
        for (var i = 0; i < size; i++)
        {
            for (var j = 0; j < size; j++) matrix[i * size + j] = covariance[features[i], features[j]];
            // One-hot features add up to one and flags may never rise: a trace of ridge keeps Σ_SS invertible.
            matrix[i * size + i] += 1e-9;
            for (var k = 0; k < _weights.Length; k++) right[i] += _weights[k] * covariance[k, features[i]];
        }
        new Cholesky(matrix, size).Solve(right);
        for (var i = 0; i < size; i++) result[features[i]] = right[i];
        return result;
    }

    private double[,] Covariance(double[][] rows)
    {
        var covariance = new double[_means.Length, _means.Length];
        foreach (var row in rows)
        {
            for (var i = 0; i < row.Length; i++)
            {
                for (var j = 0; j < row.Length; j++) covariance[i, j] += (row[i] - _means[i]) * (row[j] - _means[j]) / rows.Length;
            }
        }
        return covariance;
    }
}
