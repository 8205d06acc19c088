using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.Host.Cli.Evaluate;

/// <summary>The figures of predictions of numbers, of two classes and of more.</summary>
internal static class TabularMetrics
{
    /// <summary>Of numbers.</summary>
    public static IReadOnlyList<KeyValuePair<string, double>> OfNumbers(float[] predicted, float[] truth)
    {
        var (y, p) = (Array.ConvertAll(truth, v => (double)v), Array.ConvertAll(predicted, v => (double)v));
        return
        [
            new("R2", RegressionMetrics.R2(y, p)), new("MAE", RegressionMetrics.Mae(y, p)), new("RMSE", RegressionMetrics.Rmse(y, p)),
            new("MdAPE", RegressionMetrics.MedianApe(y, p)), new("MAPE", RegressionMetrics.Mape(y, p)),
        ];
    }

    /// <summary>Of probabilities of class 1; <paramref name="threshold"/> was chosen on training folds. What needs both classes is NaN where one is missing.</summary>
    public static IReadOnlyList<KeyValuePair<string, double>> OfTwoClasses(float[] predicted, float[] truth, double threshold)
    {
        var (p, happened) = (Array.ConvertAll(predicted, v => (double)v), Array.ConvertAll(truth, v => v > 0));
        var both = happened.Contains(true) && happened.Contains(false);
        return
        [
            new("AUC", both ? BinaryMetrics.RocAuc(p, happened) : double.NaN), new("PR-AUC", both ? BinaryMetrics.PrAuc(p, happened) : double.NaN),
            new("F1", BinaryMetrics.F1(p, happened)), new("accuracy", BinaryMetrics.Confusion(p, happened).Accuracy), new("logLoss", BinaryMetrics.LogLoss(p, happened)),
            new("Brier", BinaryMetrics.Brier(p, happened)), new("ECE", BinaryMetrics.ExpectedCalibrationError(p, happened)),
            new("F1chosen", BinaryMetrics.F1(p, happened, threshold)), new("threshold", threshold),
        ];
    }

    /// <summary>The threshold with the best F1 on training rows that were predicted unseen.</summary>
    public static double Threshold(float[] heldOut, IEnumerable<float> truth) =>
        BinaryMetrics.BestF1(Array.ConvertAll(heldOut, v => (double)v), [.. truth.Select(v => v > 0)]).Threshold;

    /// <summary>Of probabilities, rows × classes.</summary>
    public static IReadOnlyList<KeyValuePair<string, double>> OfClasses(float[] predicted, float[] truth, int classes)
    {
        var likeliest = new int[truth.Length];
        double logLoss = 0;
        for (var r = 0; r < truth.Length; r++)
        {
            var row = predicted.AsSpan(r * classes, classes);
            likeliest[r] = System.Numerics.Tensors.TensorPrimitives.IndexOfMax<float>(row);
            logLoss -= Math.Log(Math.Clamp(row[(int)truth[r]], 1e-15, 1)) / truth.Length;
        }

        var metrics = new MulticlassMetrics(Array.ConvertAll(truth, v => (int)v), likeliest, classes);
        return [new("accuracy", metrics.Accuracy), new("macroF1", metrics.MacroF1), new("logLoss", logLoss)];
    }
}
