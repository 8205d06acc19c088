namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>Counts of a binary decision against the truth.</summary>
/// <param name="TruePositives">Positive and called so.</param>
/// <param name="FalsePositives">Negative, called positive.</param>
/// <param name="TrueNegatives">Negative and called so.</param>
/// <param name="FalseNegatives">Positive, called negative.</param>
public readonly record struct BinaryConfusion(long TruePositives, long FalsePositives, long TrueNegatives, long FalseNegatives)
{
    /// <summary>All cases.</summary>
    public long Total => TruePositives + FalsePositives + TrueNegatives + FalseNegatives;

    /// <summary>Right decisions over all.</summary>
    public double Accuracy => Ratio(TruePositives + TrueNegatives, Total);

    /// <summary>TP / (TP + FP), 0 when nothing was called positive.</summary>
    public double Precision => Ratio(TruePositives, TruePositives + FalsePositives);

    /// <summary>TP / (TP + FN), 0 without positives.</summary>
    public double Recall => Ratio(TruePositives, TruePositives + FalseNegatives);

    /// <summary>Harmonic mean of precision and recall, 2·TP / (2·TP + FP + FN).</summary>
    public double F1 => Ratio(2 * TruePositives, 2 * TruePositives + FalsePositives + FalseNegatives);

    /// <summary>FP / (FP + TN).</summary>
    public double FalsePositiveRate => Ratio(FalsePositives, FalsePositives + TrueNegatives);

    /// <summary>Matthews' correlation coefficient in [−1, 1]; 0 when a margin is empty.</summary>
    public double Matthews
    {
        get
        {
            double product = Math.Sqrt((double)(TruePositives + FalsePositives) * (TruePositives + FalseNegatives))
                * Math.Sqrt((double)(TrueNegatives + FalsePositives) * (TrueNegatives + FalseNegatives));
            return product == 0 ? 0 : ((double)TruePositives * TrueNegatives - (double)FalsePositives * FalseNegatives) / product;
        }
    }

    private static double Ratio(long part, long whole) => whole == 0 ? 0 : (double)part / whole;
}

/// <summary>
/// Measures of binary scores or probabilities: score i belongs to label i (true = positive). All throw when the lists differ in length,
/// are empty or hold a NaN; those that compare classes throw when one class is missing.
/// </summary>
public static class BinaryMetrics
{
    /// <summary>Area under the ROC curve: the probability that a positive outscores a negative, ties counting half; exact by ranks (Mann, Whitney 1947).</summary>
    public static double RocAuc(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels)
    {
        var (sorted, truth, positives) = SortAscending(scores, labels);
        long negatives = sorted.Length - positives;
        double right = 0;
        long negativesBelow = 0;
        for (int i = 0; i < sorted.Length;)
        {
            long tiedPositives = 0, tiedNegatives = 0;
            double value = sorted[i];
            for (; i < sorted.Length && sorted[i] == value; i++)
            {
                if (truth[i]) tiedPositives++;
                else tiedNegatives++;
            }

            right += tiedPositives * (negativesBelow + 0.5 * tiedNegatives);
            negativesBelow += tiedNegatives;
        }

        return right / ((double)positives * negatives);
    }

    /// <summary>
    /// Area under the precision-recall curve as average precision: Σ (recall step) · precision, without interpolation, tied scores as one step
    /// (Boyd, Eng, Page 2013).
    /// </summary>
    public static double PrAuc(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels)
    {
        var (sorted, truth, positives) = SortAscending(scores, labels);
        double area = 0;
        long hits = 0, called = 0;
        for (int i = sorted.Length - 1; i >= 0;)
        {
            long before = hits;
            double value = sorted[i];
            for (; i >= 0 && sorted[i] == value; i--)
            {
                called++;
                if (truth[i]) hits++;
            }

            area += (double)(hits - before) / positives * hits / called;
        }

        return area;
    }

    /// <summary>Counts at a threshold: score ≥ threshold is called positive.</summary>
    public static BinaryConfusion Confusion(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, double threshold = 0.5)
    {
        Check(scores, labels);
        long tp = 0, fp = 0, tn = 0, fn = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            if (scores[i] >= threshold)
            {
                if (labels[i]) tp++;
                else fp++;
            }
            else if (labels[i]) fn++;
            else tn++;
        }

        return new BinaryConfusion(tp, fp, tn, fn);
    }

    /// <summary>F1 at a threshold.</summary>
    public static double F1(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, double threshold = 0.5) => Confusion(scores, labels, threshold).F1;

    /// <summary>The threshold (one of the scores) with the highest F1, and that F1. Choose it on data that the report is not made on.</summary>
    public static (double Threshold, double F1) BestF1(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels)
    {
        var (sorted, truth, positives) = SortAscending(scores, labels);
        double best = -1, threshold = 0;
        long hits = 0, called = 0;
        for (int i = sorted.Length - 1; i >= 0;)
        {
            double value = sorted[i];
            for (; i >= 0 && sorted[i] == value; i--)
            {
                called++;
                if (truth[i]) hits++;
            }

            double f1 = 2.0 * hits / (called + positives);
            if (f1 > best) (best, threshold) = (f1, value);
        }

        return (threshold, best);
    }

    /// <summary>Mean negative log likelihood in nats; probabilities are clipped to [1e-15, 1 − 1e-15].</summary>
    public static double LogLoss(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> labels)
    {
        CheckProbabilities(probabilities, labels);
        double sum = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            double p = Math.Clamp(probabilities[i], 1e-15, 1 - 1e-15);
            sum -= labels[i] ? Math.Log(p) : Math.Log(1 - p);
        }

        return sum / probabilities.Length;
    }

    /// <summary>Mean squared difference of probability and outcome (Brier 1950).</summary>
    public static double Brier(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> labels)
    {
        CheckProbabilities(probabilities, labels);
        double sum = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            double error = probabilities[i] - (labels[i] ? 1 : 0);
            sum += error * error;
        }

        return sum / probabilities.Length;
    }

    /// <summary>
    /// Expected calibration error: Σ (bin share) · |mean probability − share of positives| over bins of equal width (Naeini et al. 2015), or,
    /// with <paramref name="equalMass"/>, over bins of equally many cases.
    /// </summary>
    public static double ExpectedCalibrationError(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> labels, int bins = 10, bool equalMass = false)
    {
        double error = 0;
        foreach (var bin in Calibration(probabilities, labels, bins, equalMass))
            error += (double)bin.Count / probabilities.Length * Math.Abs(bin.MeanProbability - bin.PositiveShare);
        return error;
    }

    /// <summary>The reliability table: non-empty bins by rising probability.</summary>
    public static IReadOnlyList<CalibrationBin> Calibration(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> labels, int bins = 10, bool equalMass = false)
    {
        CheckProbabilities(probabilities, labels);
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        var p = probabilities.ToArray();
        var y = labels.ToArray();
        Array.Sort(p, y);
        var sums = new double[bins];
        var positives = new int[bins];
        var counts = new int[bins];
        for (int i = 0; i < p.Length; i++)
        {
            int bin = equalMass ? (int)((long)i * bins / p.Length) : Math.Min((int)(p[i] * bins), bins - 1);
            sums[bin] += p[i];
            counts[bin]++;
            if (y[i]) positives[bin]++;
        }

        return Enumerable.Range(0, bins).Where(b => counts[b] > 0)
            .Select(b => new CalibrationBin(counts[b], sums[b] / counts[b], (double)positives[b] / counts[b])).ToArray();
    }

    private static (double[] Scores, bool[] Labels, long Positives) SortAscending(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels)
    {
        Check(scores, labels);
        var s = scores.ToArray();
        var l = labels.ToArray();
        Array.Sort(s, l);
        long positives = l.LongCount(x => x);
        if (positives == 0 || positives == l.Length) throw new ArgumentException("Both classes must be present.", nameof(labels));
        return (s, l, positives);
    }

    private static void CheckProbabilities(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> labels)
    {
        Check(probabilities, labels);
        foreach (double p in probabilities)
            if (p is < 0 or > 1) throw new ArgumentException($"{p} is not a probability.", nameof(probabilities));
    }

    private static void Check(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels)
    {
        if (scores.Length != labels.Length) throw new ArgumentException("Scores and labels must be equally many.", nameof(labels));
        if (scores.IsEmpty) throw new ArgumentException("There is nothing to measure.", nameof(scores));
        foreach (double s in scores)
            if (double.IsNaN(s)) throw new ArgumentException("A score is not a number.", nameof(scores));
    }
}

/// <summary>One bin of a reliability table.</summary>
/// <param name="Count">Cases in the bin.</param>
/// <param name="MeanProbability">Their mean predicted probability.</param>
/// <param name="PositiveShare">Their observed share of positives.</param>
public readonly record struct CalibrationBin(int Count, double MeanProbability, double PositiveShare);
