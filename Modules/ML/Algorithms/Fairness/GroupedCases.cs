using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Algorithms.Fairness;

/// <summary>A share of decisions.</summary>
internal enum Rate
{
    Selection,
    TruePositive,
    FalsePositive,
}

/// <summary>Cases sorted into groups, most rows first, and into cells by group, label and decision.</summary>
internal sealed class GroupedCases
{
    private static readonly Interval Unknown = new(double.NaN, double.NaN, double.NaN);
    private readonly FairnessOptions _options;
    private readonly bool[] _labels;
    private readonly double[] _scores;
    private readonly bool _probabilities;
    private readonly int[] _group;

    // Cell of a case: 4·group + 2·label + decision.
    private readonly int[] _cell;

    public GroupedCases(bool[] labels, double[] scores, double threshold, IReadOnlyList<string> groups, FairnessOptions options)
    {
        if (labels.Length == 0 || scores.Length != labels.Length || groups.Count != labels.Length)
            throw new ArgumentException($"{labels.Length} labels, {scores.Length} scores and {groups.Count} groups.", nameof(labels));
        if (scores.Any(double.IsNaN) || double.IsNaN(threshold)) throw new ArgumentException("A score is not a number.", nameof(scores));
        (_labels, _scores, _options) = (labels, scores, options);
        _probabilities = scores.All(s => s is >= 0 and <= 1);
        var members = Enumerable.Range(0, labels.Length).GroupBy(i => groups[i], StringComparer.Ordinal)
            .OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).ToArray();
        Names = [.. members.Select(g => g.Key)];
        Rows = [.. members.Select(g => g.ToArray())];
        _group = new int[labels.Length];
        _cell = new int[labels.Length];
        for (var g = 0; g < Rows.Length; g++)
        {
            foreach (var row in Rows[g])
            {
                _group[row] = g;
                _cell[row] = 4 * g + (labels[row] ? 2 : 0) + (scores[row] >= threshold ? 1 : 0);
            }
        }
    }

    public List<string> Names { get; }

    public int[][] Rows { get; }

    /// <summary>Groups large enough to compare this rate.</summary>
    public int[] With(Rate rate) => [.. Enumerable.Range(0, Rows.Length).Where(g => Rows[g].Length >= _options.MinRows && rate switch
    {
        Rate.TruePositive => Rows[g].Count(row => _labels[row]) >= _options.MinOutcomes,
        Rate.FalsePositive => Rows[g].Count(row => !_labels[row]) >= _options.MinOutcomes,
        _ => true,
    })];

    public GroupMeasures Measures(int group)
    {
        var rows = Rows[group];
        var cells = Cells(rows);
        bool[] labels = [.. rows.Select(row => _labels[row])];
        double[] scores = [.. rows.Select(row => _scores[row])];
        var positives = labels.Count(label => label);
        var called = cells[4 * group + 1] + cells[4 * group + 3];
        return new GroupMeasures(Names[group], rows.Length, positives, rows.Length < _options.MinRows, (double)positives / rows.Length,
            Share(cells, group, Rate.Selection), Share(cells, group, Rate.TruePositive), Share(cells, group, Rate.FalsePositive),
            called == 0 ? double.NaN : (double)cells[4 * group + 3] / called,
            positives == 0 || positives == rows.Length ? double.NaN : BinaryMetrics.RocAuc(scores, labels),
            _probabilities ? Estimate(rows, sample => CalibrationError(sample, [group])[0], _options.Level) : Unknown,
            _probabilities ? scores.Average() - (double)positives / rows.Length : double.NaN);
    }

    /// <summary>The largest gap of <paramref name="rates"/> among <paramref name="groups"/>.</summary>
    public FairnessGap Gap(int[] groups, Rate[] rates)
    {
        if (groups.Length < 2) return Nothing(groups);
        var rows = RowsOf(groups);
        var cells = Cells(rows);
        var widest = rates.MaxBy(rate => Spread(groups, g => Share(cells, g, rate)));
        var size = Estimate(rows, sample =>
        {
            var drawn = Cells(sample);
            double most = 0;
            foreach (var rate in rates) most = Math.Max(most, Spread(groups, g => Share(drawn, g, rate)));
            return most;
        }, _options.Level);
        return Named(size, groups, g => Share(cells, g, widest));
    }

    public Interval Ratio(int[] groups, double level) => groups.Length < 2 ? Unknown : Estimate(RowsOf(groups), sample =>
    {
        var cells = Cells(sample);
        double least = double.PositiveInfinity, most = 0;
        foreach (var g in groups)
        {
            var share = Share(cells, g, Rate.Selection);
            if (double.IsNaN(share)) return double.NaN;
            least = Math.Min(least, share);
            most = Math.Max(most, share);
        }
        return most == 0 ? double.NaN : least / most;
    }, level);

    public FairnessGap CalibrationGap(int[] groups)
    {
        if (groups.Length < 2 || !_probabilities) return Nothing(groups);
        var rows = RowsOf(groups);
        var errors = CalibrationError(rows, groups);
        var size = Estimate(rows, sample =>
        {
            var drawn = CalibrationError(sample, groups);
            return drawn.Max() - drawn.Min();
        }, _options.Level);
        return Named(size, groups, g => errors[Array.IndexOf(groups, g)]);
    }

    /// <summary>Differences of <paramref name="group"/> and <paramref name="reference"/>, one of <paramref name="comparisons"/> such.</summary>
    public GroupComparison Compare(int group, int reference, int comparisons)
    {
        var rows = RowsOf([group, reference]);
        var level = 1 - (1 - _options.Level) / comparisons;
        Interval Difference(Rate rate) => With(rate) is var large && large.Contains(group) && large.Contains(reference)
            ? Estimate(rows, sample => Cells(sample) is var cells ? Share(cells, group, rate) - Share(cells, reference, rate) : double.NaN, level)
            : Unknown;
        var ratio = Estimate(rows, sample =>
        {
            var cells = Cells(sample);
            var below = Share(cells, reference, Rate.Selection);
            return below == 0 ? double.NaN : Share(cells, group, Rate.Selection) / below;
        }, level);
        var bias = _probabilities ? Estimate(rows, sample => Bias(sample, group) - Bias(sample, reference), level) : Unknown;
        return new GroupComparison(Names[group], Difference(Rate.Selection), ratio, Difference(Rate.TruePositive), Difference(Rate.FalsePositive), bias);
    }

    private Interval Estimate(int[] rows, BootstrapStatistic statistic, double level)
    {
        // The bootstrap draws places among these rows.
        var sample = new int[rows.Length];
        return Bootstrap.Estimate(rows.Length, places =>
        {
            for (var i = 0; i < places.Length; i++) sample[i] = rows[places[i]];
            return statistic(sample.AsSpan(0, places.Length));
        }, level, _options.Resamples, _options.Seed);
    }

    private int[] RowsOf(int[] groups) => [.. groups.SelectMany(g => Rows[g])];

    private int[] Cells(ReadOnlySpan<int> rows)
    {
        var counts = new int[4 * Rows.Length];
        foreach (var row in rows) counts[_cell[row]]++;
        return counts;
    }

    private static double Share(int[] cells, int group, Rate rate)
    {
        var (trueNegatives, falsePositives, falseNegatives, truePositives) = (cells[4 * group], cells[4 * group + 1], cells[4 * group + 2], cells[4 * group + 3]);
        return rate switch
        {
            Rate.TruePositive => (double)truePositives / (truePositives + falseNegatives),
            Rate.FalsePositive => (double)falsePositives / (falsePositives + trueNegatives),
            _ => (double)(truePositives + falsePositives) / (trueNegatives + falsePositives + falseNegatives + truePositives),
        };
    }

    private static double Spread(int[] groups, Func<int, double> value)
    {
        double least = double.PositiveInfinity, most = double.NegativeInfinity;
        foreach (var g in groups)
        {
            var at = value(g);
            if (double.IsNaN(at)) return double.NaN;
            least = Math.Min(least, at);
            most = Math.Max(most, at);
        }
        return most - least;
    }

    private double[] CalibrationError(ReadOnlySpan<int> rows, int[] groups)
    {
        var bins = _options.Bins;
        var gaps = new double[Rows.Length * bins];
        var counts = new int[Rows.Length];
        foreach (var row in rows)
        {
            var group = _group[row];
            gaps[group * bins + Math.Min((int)(_scores[row] * bins), bins - 1)] += _scores[row] - (_labels[row] ? 1 : 0);
            counts[group]++;
        }
        // count(bin) · |mean score − positive share| is the absolute value of the bin's summed differences.
        return [.. groups.Select(g => gaps.Skip(g * bins).Take(bins).Sum(Math.Abs) / counts[g])];
    }

    private double Bias(ReadOnlySpan<int> rows, int group)
    {
        double sum = 0;
        var count = 0;
        foreach (var row in rows)
        {
            if (_group[row] != group) continue;
            sum += _scores[row] - (_labels[row] ? 1 : 0);
            count++;
        }
        return sum / count;
    }

    private FairnessGap Nothing(int[] groups) => new(Unknown, "", "", Missing(groups));

    private FairnessGap Named(Interval size, int[] groups, Func<int, double> value) => new(size, Names[groups.MaxBy(value)], Names[groups.MinBy(value)], Missing(groups));

    private string[] Missing(int[] groups) => [.. Enumerable.Range(0, Names.Count).Except(groups).Select(g => Names[g])];
}
