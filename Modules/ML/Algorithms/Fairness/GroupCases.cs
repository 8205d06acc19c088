using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Fairness;

/// <summary>What is compared between groups.</summary>
internal enum Quantity
{
    SelectionRate,
    TruePositiveRate,
    FalsePositiveRate,
    CalibrationError,
    CalibrationBias,
}

/// <summary>The cases of one group, and the quantities of resamples of them. A quantity without cases is NaN.</summary>
internal sealed class GroupCases
{
    private const int Quantities = 5;
    private readonly FairnessOptions _options;
    private readonly bool _probabilities;

    // By case: 2·label + decision, the score's bin and score − label.
    private readonly byte[] _cell;
    private readonly int[] _bin;
    private readonly double[] _residual;
    private readonly double[] _estimates = new double[Quantities];
    private readonly double[][] _draws;

    public GroupCases(string name, int number, bool[] labels, double[] scores, double threshold, bool probabilities, FairnessOptions options)
    {
        (Name, _options, _probabilities) = (name, options, probabilities);
        Positives = labels.Count(label => label);
        _cell = [.. labels.Select((label, i) => (byte)((label ? 2 : 0) + (scores[i] >= threshold ? 1 : 0)))];
        _bin = [.. scores.Select(score => probabilities ? Math.Min((int)(score * options.Bins), options.Bins - 1) : 0)];
        _residual = [.. labels.Select((label, i) => scores[i] - (label ? 1 : 0))];
        Fill(Enumerable.Range(0, Rows), _estimates);
        Precision = _cell.Any(cell => (cell & 1) == 1) ? (double)_cell.Count(cell => cell == 3) / _cell.Count(cell => (cell & 1) == 1) : double.NaN;
        Auc = Positives == 0 || Positives == Rows ? double.NaN : BinaryMetrics.RocAuc(scores, labels);
        _draws = Resample(RandomSource.For(options.Seed, number));
    }

    public string Name { get; }

    public int Rows => _cell.Length;

    public int Positives { get; }

    public double Precision { get; }

    public double Auc { get; }

    /// <summary>True when the group has cases enough for this to be compared.</summary>
    public bool IsLargeEnough(Quantity quantity) => Rows >= _options.MinRows && quantity switch
    {
        Quantity.TruePositiveRate => Positives >= _options.MinOutcomes,
        Quantity.FalsePositiveRate => Rows - Positives >= _options.MinOutcomes,
        Quantity.CalibrationError or Quantity.CalibrationBias => _probabilities,
        _ => true,
    };

    public double Estimate(Quantity quantity) => _estimates[(int)quantity];

    /// <summary>The quantity in each resample.</summary>
    public double[] Draws(Quantity quantity) => _draws[(int)quantity];

    public GroupMeasures Measures()
    {
        var error = Intervals.Percentile(Estimate(Quantity.CalibrationError), Draws(Quantity.CalibrationError), 1 - _options.Level);
        return new GroupMeasures(Name, Rows, Positives, Rows < _options.MinRows, (double)Positives / Rows, Estimate(Quantity.SelectionRate),
            Estimate(Quantity.TruePositiveRate), Estimate(Quantity.FalsePositiveRate), Precision, Auc, error, Estimate(Quantity.CalibrationBias));
    }

    private double[][] Resample(RandomSource random)
    {
        double[][] draws = [.. Enumerable.Range(0, Quantities).Select(_ => new double[_options.Resamples])];
        var rows = new int[Rows];
        var values = new double[Quantities];
        for (var r = 0; r < _options.Resamples; r++)
        {
            for (var i = 0; i < rows.Length; i++) rows[i] = random.NextInt(rows.Length);
            Fill(rows, values);
            for (var q = 0; q < Quantities; q++) draws[q][r] = values[q];
        }
        return draws;
    }

    private void Fill(IEnumerable<int> sample, double[] values)
    {
        Span<int> cells = stackalloc int[4];
        var gaps = new double[_options.Bins];
        foreach (var row in sample as int[] ?? [.. sample])
        {
            cells[_cell[row]]++;
            gaps[_bin[row]] += _residual[row];
        }
        var (trueNegatives, falsePositives, falseNegatives, truePositives) = (cells[0], cells[1], cells[2], cells[3]);
        values[(int)Quantity.SelectionRate] = (double)(truePositives + falsePositives) / Rows;
        values[(int)Quantity.TruePositiveRate] = (double)truePositives / (truePositives + falseNegatives);
        values[(int)Quantity.FalsePositiveRate] = (double)falsePositives / (falsePositives + trueNegatives);
        // cases(bin) · |mean score − positive share| is the absolute value of the bin's summed residuals.
        values[(int)Quantity.CalibrationError] = _probabilities ? gaps.Sum(Math.Abs) / Rows : double.NaN;
        values[(int)Quantity.CalibrationBias] = _probabilities ? gaps.Sum() / Rows : double.NaN;
    }
}
