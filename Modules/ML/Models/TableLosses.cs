namespace OKLA.ML.Models;

/// <summary>The loss of each answer: squared error of numbers, log loss of classes.</summary>
internal static class TableLosses
{
    private const double Least = 1e-7;

    /// <summary>The mean over rows that have an answer (rows × outputs; NaN where there is none).</summary>
    public static double Mean(float[] answers, float[] truth, int classes)
    {
        double sum = 0;
        var count = 0;
        var outputs = BoostedTable.Outputs(classes);
        for (var r = 0; r < truth.Length; r++)
        {
            if (float.IsNaN(answers[r * outputs]))
            {
                continue;
            }

            sum += classes == 0 ? Squared(answers[r], truth[r]) : Log(answers.AsSpan(r * outputs, outputs), (int)truth[r], classes);
            count++;
        }

        return count == 0 ? double.NaN : sum / count;
    }

    /// <summary>−ln of the probability given to what happened.</summary>
    public static double Log(ReadOnlySpan<float> probabilities, int happened, int classes)
    {
        double p = classes == 2 ? (happened == 1 ? probabilities[0] : 1 - probabilities[0]) : probabilities[happened];
        return -Math.Log(Math.Clamp(p, Least, 1));
    }

    private static double Squared(double answer, double truth) => (answer - truth) * (answer - truth);
}
