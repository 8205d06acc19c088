namespace OKLA.ML.Algorithms.Automatic;

/// <summary>What candidates are compared by: the squared error of numbers, the log loss of classes. Predictions are rows × outputs (one output for two classes).</summary>
internal static class Losses
{
    private const double Least = 1e-7;

    public static double Mean(ReadOnlySpan<float> predicted, ReadOnlySpan<float> truth, int classes)
    {
        if (truth.IsEmpty) return double.NaN;
        var outputs = predicted.Length / truth.Length;
        double sum = 0;
        for (var i = 0; i < truth.Length; i++)
        {
            if (classes == 0)
            {
                var off = predicted[i] - (double)truth[i];
                sum += off * off;
                continue;
            }
            double p = classes == 2 ? (truth[i] > 0 ? predicted[i] : 1 - predicted[i]) : predicted[i * outputs + (int)truth[i]];
            sum -= Math.Log(Math.Clamp(p, Least, 1));
        }
        return sum / truth.Length;
    }
}
