using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>
/// Naive Bayes for sparse counts or marks (McCallum and Nigam 1998): the multinomial and the Bernoulli event model, both linear in the features, so that the
/// trained model is a softmax one.
/// </summary>
public static class NaiveBayes
{
    /// <summary>Multinomial: log P(c) + Σ x_j·log θ_cj with θ_cj = (N_cj + α) / (N_c + α·p).</summary>
    /// <param name="x">Counts or TF-IDF, not negative.</param>
    /// <param name="labels">Classes from 0.</param>
    /// <param name="smoothing">α above 0.</param>
    /// <param name="weights">A weight a row; null counts each as 1.</param>
    /// <exception cref="ArgumentException">A value is negative, lengths differ or a class has no row.</exception>
    public static LinearClassifierModel FitMultinomial(SparseMatrix x, int[] labels, double smoothing = 1, float[]? weights = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        Require.Between(smoothing, 1e-10, 1e6);
        var (mass, prior, classes) = Count(x, labels, weights, binary: false);
        var p = x.Columns;
        for (var c = 0; c < classes; c++)
        {
            var own = mass.AsSpan(c * p, p);
            var total = Math.Log(System.Numerics.Tensors.TensorPrimitives.Sum<double>(own) + smoothing * p);
            for (var j = 0; j < p; j++) own[j] = Math.Log(own[j] + smoothing) - total;
        }
        return Model(p, mass, LogShares(prior), classes);
    }

    /// <summary>Bernoulli: a feature is there (value above 0) or not, P(there | c) = (n_cj + α) / (n_c + 2α); what is absent counts too.</summary>
    /// <param name="x">Marks.</param>
    /// <param name="labels">Classes from 0.</param>
    /// <param name="smoothing">α above 0.</param>
    /// <param name="weights">A weight a row; null counts each as 1.</param>
    /// <exception cref="ArgumentException">A value is negative or not 1, lengths differ or a class has no row.</exception>
    public static LinearClassifierModel FitBernoulli(SparseMatrix x, int[] labels, double smoothing = 1, float[]? weights = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        Require.Between(smoothing, 1e-10, 1e6);
        foreach (var value in x.Values)
        {
            if (value != 1) throw new ArgumentException("The Bernoulli model takes 0 and 1 only.", nameof(x));
        }
        var (mass, prior, classes) = Count(x, labels, weights, binary: true);
        var intercepts = LogShares(prior);
        var p = x.Columns;
        for (var c = 0; c < classes; c++)
        {
            // log P = Σ_j log(1 − θ_j) + Σ_there log(θ_j / (1 − θ_j)): the first sum goes into the intercept.
            for (var j = 0; j < p; j++)
            {
                var share = (mass[c * p + j] + smoothing) / (prior[c] + 2 * smoothing);
                intercepts[c] += Math.Log(1 - share);
                mass[c * p + j] = Math.Log(share) - Math.Log(1 - share);
            }
        }
        return Model(p, mass, intercepts, classes);
    }

    private static LinearClassifierModel Model(int columns, double[] weights, double[] intercepts, int classes)
    {
        if (classes > 2) return new LinearClassifierModel(new LinearWeights(null, columns, weights, intercepts), LinearLink.Softmax);
        var difference = new double[columns];
        for (var j = 0; j < columns; j++) difference[j] = weights[columns + j] - weights[j];
        return new LinearClassifierModel(new LinearWeights(null, columns, difference, [intercepts[1] - intercepts[0]]), LinearLink.Logistic);
    }

    private static (double[] Mass, double[] Prior, int Classes) Count(SparseMatrix x, int[] labels, float[]? weights, bool binary)
    {
        var classes = Checks.Classes(labels, x.Rows);
        var w = Checks.WeightsOrOnes(weights, x.Rows);
        var mass = new double[classes * x.Columns];
        var prior = new double[classes];
        for (var i = 0; i < x.Rows; i++)
        {
            prior[labels[i]] += w[i];
            var values = x.RowValues(i);
            var indices = x.RowIndices(i);
            for (var k = 0; k < values.Length; k++)
            {
                if (values[k] < 0) throw new ArgumentException($"Row {i} holds {values[k]}; naive Bayes takes no negative values.", nameof(x));
                mass[labels[i] * x.Columns + indices[k]] += w[i] * (binary ? 1 : values[k]);
            }
        }
        if (prior.Contains(0)) throw new ArgumentException("A class has no row.", nameof(labels));
        return (mass, prior, classes);
    }

    internal static double[] LogShares(double[] counts)
    {
        var total = counts.Sum();
        return [.. counts.Select(count => Math.Log(count / total))];
    }
}

/// <summary>
/// Naive Bayes on a table: a number is normal within a class, a category has its smoothed share, a missing value says nothing. Immutable, safe for many threads.
/// </summary>
public sealed class GaussianNaiveBayes
{
    private const string Kind = "OKGB";
    private readonly double[] _prior;
    private readonly double[][] _means;
    private readonly double[][] _variances;
    private readonly double[][] _shares;

    private GaussianNaiveBayes(double[] prior, double[][] means, double[][] variances, double[][] shares) =>
        (_prior, _means, _variances, _shares) = (prior, means, variances, shares);

    /// <summary>The number of classes.</summary>
    public int Classes => _prior.Length;

    /// <summary>Learns each class's means, variances and shares.</summary>
    /// <param name="x">The table.</param>
    /// <param name="labels">Classes from 0.</param>
    /// <param name="varianceShare">Part of the column's whole variance added to each class's, so that none is 0.</param>
    /// <param name="smoothing">α of a category's share (n + α) / (N + α·codes).</param>
    /// <param name="weights">A weight a row; null counts each as 1.</param>
    /// <exception cref="ArgumentException">Lengths differ or a class has no row.</exception>
    public static GaussianNaiveBayes Fit(Dataset x, int[] labels, double varianceShare = 1e-9, double smoothing = 1, float[]? weights = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        var classes = Checks.Classes(labels, x.RowCount);
        var w = Checks.WeightsOrOnes(weights, x.RowCount);
        var counts = new double[classes];
        for (var i = 0; i < labels.Length; i++) counts[labels[i]] += w[i];
        if (counts.Contains(0)) throw new ArgumentException("A class has no row.", nameof(labels));
        var (means, variances, shares) = (new double[x.ColumnCount][], new double[x.ColumnCount][], new double[x.ColumnCount][]);
        for (var c = 0; c < x.ColumnCount; c++)
        {
            (means[c], variances[c], shares[c]) = ([], [], []);
            if (x.Columns[c].IsCategorical) shares[c] = Shares(x.Columns[c], labels, w, classes, smoothing);
            else (means[c], variances[c]) = Moments(x.Columns[c].Numbers, labels, w, classes, varianceShare);
        }
        return new GaussianNaiveBayes(NaiveBayes.LogShares(counts), means, variances, shares);
    }

    /// <summary>P(class), rows × classes, row after row.</summary>
    public double[] Probabilities(Dataset x)
    {
        ArgumentNullException.ThrowIfNull(x);
        var result = new double[x.RowCount * Classes];
        var row = new float[x.ColumnCount];
        for (var i = 0; i < x.RowCount; i++)
        {
            x.CopyRow(i, row);
            Probabilities(row, result.AsSpan(i * Classes, Classes));
        }
        return result;
    }

    /// <summary>P(class) of one row as <see cref="Dataset.CopyRow"/> gives it, into <paramref name="result"/>.</summary>
    public void Probabilities(ReadOnlySpan<float> row, Span<double> result)
    {
        if (row.Length != _means.Length) throw new ArgumentException($"The row has {row.Length} columns, training had {_means.Length}.", nameof(row));
        _prior.CopyTo(result);
        for (var c = 0; c < row.Length; c++)
        {
            if (float.IsNaN(row[c])) continue;
            for (var k = 0; k < Classes; k++)
            {
                if (_means[c].Length > 0)
                {
                    var away = row[c] - _means[c][k];
                    result[k] -= 0.5 * (Math.Log(2 * Math.PI * _variances[c][k]) + away * away / _variances[c][k]);
                    continue;
                }
                var codes = _shares[c].Length / Classes;
                if (row[c] >= 0 && row[c] < codes) result[k] += _shares[c][k * codes + (int)row[c]];
            }
        }
        System.Numerics.Tensors.TensorPrimitives.SoftMax<double>(result, result);
    }

    /// <summary>Writes the model (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        writer.Write(_means.Length);
        foreach (var array in new[] { _prior }.Concat(_means).Concat(_variances).Concat(_shares))
        {
            writer.Write(array.Length);
            foreach (var value in array) writer.Write(value);
        }
    });

    /// <summary>Reads a model that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static GaussianNaiveBayes Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) =>
    {
        var columns = reader.ReadInt32();
        double[] One()
        {
            var values = new double[reader.ReadInt32()];
            for (var i = 0; i < values.Length; i++) values[i] = reader.ReadDouble();
            return values;
        }
        double[][] Many() => [.. Enumerable.Range(0, columns).Select(_ => One())];
        return new GaussianNaiveBayes(One(), Many(), Many(), Many());
    });

    private static double[] Shares(Column column, int[] labels, double[] w, int classes, double smoothing)
    {
        var codes = column.CategoryCount;
        var shares = new double[classes * codes];
        var totals = new double[classes];
        for (var i = 0; i < labels.Length; i++)
        {
            if (column.Codes[i] < 0) continue;
            shares[labels[i] * codes + column.Codes[i]] += w[i];
            totals[labels[i]] += w[i];
        }
        for (var k = 0; k < shares.Length; k++) shares[k] = Math.Log((shares[k] + smoothing) / (totals[k / codes] + smoothing * codes));
        return shares;
    }

    private static (double[] Means, double[] Variances) Moments(ReadOnlySpan<float> numbers, int[] labels, double[] w, int classes, double varianceShare)
    {
        double[] totals = new double[classes], means = new double[classes], variances = new double[classes];
        for (var i = 0; i < labels.Length; i++)
        {
            if (float.IsNaN(numbers[i])) continue;
            totals[labels[i]] += w[i];
            means[labels[i]] += w[i] * numbers[i];
        }
        double total = totals.Sum(), mean = total > 0 ? means.Sum() / total : 0, whole = 0;
        for (var k = 0; k < classes; k++) means[k] = totals[k] > 0 ? means[k] / totals[k] : mean;
        for (var i = 0; i < labels.Length; i++)
        {
            if (float.IsNaN(numbers[i])) continue;
            variances[labels[i]] += w[i] * (numbers[i] - means[labels[i]]) * (numbers[i] - means[labels[i]]);
            whole += w[i] * (numbers[i] - mean) * (numbers[i] - mean);
        }
        whole = total > 0 && whole > 0 ? whole / total : 1;
        for (var k = 0; k < classes; k++) variances[k] = (totals[k] > 0 ? variances[k] / totals[k] : whole) + varianceShare * whole;
        return (means, variances);
    }
}
