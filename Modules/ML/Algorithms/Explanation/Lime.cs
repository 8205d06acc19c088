using System.Globalization;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Explanation;

/// <summary>The knobs of <see cref="Lime"/>.</summary>
public sealed record LimeOptions
{
    /// <summary>Rows drawn around the explained one.</summary>
    public int Samples { get; init; } = 5000;

    /// <summary>Most conditions of an explanation.</summary>
    public int Conditions { get; init; } = 10;

    /// <summary>Width of the kernel exp(−d²/width²) over √(conditions that differ); 0 takes 0.75·√columns.</summary>
    public double KernelWidth { get; init; }

    /// <summary>Ridge penalty of the local model.</summary>
    public double Ridge { get; init; } = 1;

    /// <summary>Seed of the draws.</summary>
    public int Seed { get; init; } = 42;
}

/// <summary>A condition that holds for the explained row and what it adds to the prediction.</summary>
/// <param name="Column">The column.</param>
/// <param name="Text">The condition in words, such as <c>10 &lt; price ≤ 20</c>.</param>
/// <param name="Weight">Change of the prediction when it holds.</param>
public sealed record LimeCondition(string Column, string Text, double Weight);

/// <summary>A local linear model of a prediction.</summary>
/// <param name="Intercept">The local model's answer when no condition holds.</param>
/// <param name="Conditions">Conditions with the largest weights, largest first.</param>
/// <param name="LocalPrediction">The local model's answer for the row.</param>
/// <param name="Prediction">The model's answer for the row.</param>
/// <param name="Fidelity">Weighted R² of the local model on the rows drawn; believe little below a half.</param>
public sealed record LimeExplanation(double Intercept, IReadOnlyList<LimeCondition> Conditions, double LocalPrediction, double Prediction, double Fidelity);

/// <summary>
/// LIME for tables (Ribeiro, Singh and Guestrin 2016): rows are drawn column by column from the background, described by whether each value lies in the
/// explained row's quartile (or is its category), weighted by likeness, and the model's answers fitted by weighted ridge regression, first on all
/// conditions and then on those with the largest weights. Seeded.
/// </summary>
public sealed class Lime
{
    private readonly TableModel _model;
    private readonly Dataset _background;
    private readonly LimeOptions _options;
    private readonly double[][] _quartiles;

    /// <summary>Explains <paramref name="model"/> by rows like those of <paramref name="background"/>.</summary>
    /// <exception cref="ArgumentException">No background rows, or an option is out of range.</exception>
    public Lime(TableModel model, Dataset background, LimeOptions? options = null)
    {
        _model = model ?? throw new ArgumentNullException(nameof(model));
        _background = background ?? throw new ArgumentNullException(nameof(background));
        _options = options ?? new LimeOptions();
        if (background.RowCount == 0) throw new ArgumentException("No background rows.", nameof(background));
        if (_options.Samples < 10 || _options.Conditions < 1 || _options.KernelWidth < 0 || !(_options.Ridge > 0))
            throw new ArgumentException("LIME options: a value is out of range.", nameof(options));
        _quartiles = [.. background.Columns.Select(Quartiles)];
    }

    /// <summary>Explains row <paramref name="row"/> of <paramref name="table"/>.</summary>
    /// <exception cref="ArgumentException">The columns differ from the background's.</exception>
    public LimeExplanation Explain(Dataset table, int row)
    {
        MixedRows.CheckSameColumns(_background, table);
        var joined = MixedRows.Append(_background, table, row);
        int columns = joined.ColumnCount, own = _background.RowCount;
        var random = RandomSource.For(_options.Seed, row);
        var places = new int[columns][];
        for (var c = 0; c < columns; c++) places[c] = new int[_options.Samples];
        for (var s = 0; s < _options.Samples; s++)
        {
            // The first row drawn is the explained one.
            for (var c = 0; c < columns; c++) places[c][s] = s == 0 ? own : random.NextInt(own);
        }
        var predictions = MixedRows.Predict(_model, new Dataset([.. joined.Columns.Select((column, c) => column.Select(places[c]))]));

        var same = new double[_options.Samples][];
        var weights = new double[_options.Samples];
        var width = _options.KernelWidth > 0 ? _options.KernelWidth : 0.75 * Math.Sqrt(columns);
        var bins = Enumerable.Range(0, columns).Select(c => Enumerable.Range(0, own + 1).Select(r => Bin(c, joined.Columns[c][r])).ToArray()).ToArray();
        for (var s = 0; s < same.Length; s++)
        {
            same[s] = new double[columns];
            for (var c = 0; c < columns; c++) same[s][c] = bins[c][places[c][s]] == bins[c][own] ? 1 : 0;
            var differ = columns - same[s].Sum();
            weights[s] = Math.Exp(-differ / (width * width));
        }
        var all = Enumerable.Range(0, columns).ToArray();
        var (_, first) = Fit(same, predictions, weights, all);
        int[] chosen = [.. all.OrderByDescending(c => Math.Abs(first[c])).Take(_options.Conditions)];
        var (intercept, slopes) = Fit(same, predictions, weights, chosen);
        double mean = 0, total = weights.Sum(), error = 0, spread = 0;
        for (var s = 0; s < same.Length; s++) mean += weights[s] * predictions[s] / total;
        for (var s = 0; s < same.Length; s++)
        {
            var fitted = intercept + chosen.Select((c, i) => slopes[i] * same[s][c]).Sum();
            error += weights[s] * (predictions[s] - fitted) * (predictions[s] - fitted);
            spread += weights[s] * (predictions[s] - mean) * (predictions[s] - mean);
        }
        return new LimeExplanation(intercept,
            [.. chosen.Select((c, i) => new LimeCondition(joined.Columns[c].Name, Text(c, joined.Columns[c], own), slopes[i])).OrderByDescending(c => Math.Abs(c.Weight))],
            intercept + slopes.Sum(), predictions[0], spread == 0 ? 1 : 1 - error / spread);
    }

    /// <summary>Weighted ridge regression with a free intercept.</summary>
    private (double Intercept, double[] Slopes) Fit(double[][] rows, double[] y, double[] weights, int[] chosen)
    {
        var size = chosen.Length;
        double total = weights.Sum(), yMean = 0;
        var means = new double[size];
        for (var s = 0; s < rows.Length; s++)
        {
            yMean += weights[s] * y[s] / total;
            for (var i = 0; i < size; i++) means[i] += weights[s] * rows[s][chosen[i]] / total;
        }
        var matrix = new double[size * size];
        var slopes = new double[size];
        for (var s = 0; s < rows.Length; s++)
        {
            for (var i = 0; i < size; i++)
            {
                var centred = weights[s] * (rows[s][chosen[i]] - means[i]);
                slopes[i] += centred * (y[s] - yMean);
                for (var j = 0; j < size; j++) matrix[i * size + j] += centred * (rows[s][chosen[j]] - means[j]);
            }
        }
        for (var i = 0; i < size; i++) matrix[i * size + i] += _options.Ridge;
        new Cholesky(matrix, size).Solve(slopes);
        return (yMean - slopes.Select((slope, i) => slope * means[i]).Sum(), slopes);
    }

    private static double[] Quartiles(Column column)
    {
        if (column.IsCategorical) return [];
        var known = column.Numbers.ToArray().Where(v => !float.IsNaN(v)).Order().ToArray();
        // Nothing lies above the largest value.
        return known.Length == 0 ? [] : [.. ((int[])[1, 2, 3]).Select(p => (double)known[(int)((long)p * (known.Length - 1) / 4)]).Distinct().Where(q => q < known[^1])];
    }

    // A number's bin is how many quartiles lie below it; a category's its code; missing values are a bin of their own.
    private int Bin(int column, float value) => float.IsNaN(value) ? -1
        : _background.Columns[column].IsCategorical ? (int)value
        : _quartiles[column].Count(quartile => quartile < value);

    private string Text(int c, Column column, int row)
    {
        var name = column.Name;
        var bin = Bin(c, column[row]);
        if (bin < 0) return $"{name} is missing";
        if (column.IsCategorical) return $"{name} = {(bin < column.Categories.Count ? column.Categories[bin] : bin.ToString(CultureInfo.InvariantCulture))}";
        var quartiles = _quartiles[c];
        if (quartiles.Length == 0) return $"{name} is known";
        string Number(int at) => quartiles[at].ToString("G5", CultureInfo.InvariantCulture);
        if (bin == 0) return $"{name} ≤ {Number(0)}";
        return bin == quartiles.Length ? $"{name} > {Number(bin - 1)}" : $"{Number(bin - 1)} < {name} ≤ {Number(bin)}";
    }
}
