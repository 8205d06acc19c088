namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>Counts and measures of predicted classes 0 … C − 1 against true ones.</summary>
public sealed class MulticlassMetrics
{
    private readonly long[,] counts;

    /// <summary>Counts truth × prediction. Throws when the lists differ in length, are empty, or a class is outside.</summary>
    public MulticlassMetrics(ReadOnlySpan<int> truth, ReadOnlySpan<int> predicted, int classes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        if (truth.Length != predicted.Length || truth.IsEmpty) throw new ArgumentException("Truth and predictions must be equally many and not empty.", nameof(predicted));
        Classes = classes;
        counts = new long[classes, classes];
        for (int i = 0; i < truth.Length; i++)
        {
            if ((uint)truth[i] >= (uint)classes || (uint)predicted[i] >= (uint)classes) throw new ArgumentOutOfRangeException(nameof(truth), $"Case {i} has a class outside 0 … {classes - 1}.");
            counts[truth[i], predicted[i]]++;
        }

        Total = truth.Length;
    }

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <summary>Number of cases.</summary>
    public int Total { get; }

    /// <summary>How many cases of class <paramref name="truth"/> were called <paramref name="predicted"/>.</summary>
    public long this[int truth, int predicted] => counts[truth, predicted];

    /// <summary>Right decisions over all.</summary>
    public double Accuracy => Enumerable.Range(0, Classes).Sum(c => counts[c, c]) / (double)Total;

    /// <summary>Mean F1 over the classes that occur in truth or prediction.</summary>
    public double MacroF1 => Enumerable.Range(0, Classes).Where(c => Row(c) + Column(c) > 0).Average(F1);

    /// <summary>F1 of the classes weighted by how often they truly occur.</summary>
    public double WeightedF1 => Enumerable.Range(0, Classes).Sum(c => F1(c) * Row(c)) / Total;

    /// <summary>F1 of one class against the rest, 0 when it never occurs.</summary>
    public double F1(int c) => Row(c) + Column(c) == 0 ? 0 : 2.0 * counts[c, c] / (Row(c) + Column(c));

    /// <summary>Precision of one class, 0 when it was never called.</summary>
    public double Precision(int c) => Column(c) == 0 ? 0 : (double)counts[c, c] / Column(c);

    /// <summary>Recall of one class, 0 when it never occurs.</summary>
    public double Recall(int c) => Row(c) == 0 ? 0 : (double)counts[c, c] / Row(c);

    private long Row(int c) => Enumerable.Range(0, Classes).Sum(other => counts[c, other]);

    private long Column(int c) => Enumerable.Range(0, Classes).Sum(other => counts[other, c]);
}
