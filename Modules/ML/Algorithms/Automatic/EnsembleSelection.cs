namespace OKLA.ML.Algorithms.Automatic;

/// <summary>
/// Weights of an ensemble by greedy selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes 2004): each round adds the candidate whose addition
/// to the mean gives the least loss on rows that no candidate learned from.
/// </summary>
internal static class EnsembleSelection
{
    private const int Rounds = 40;

    /// <summary>One weight a candidate, which sum to 1.</summary>
    /// <param name="predictions">Each candidate's predictions of the rows held out.</param>
    /// <param name="truth">Their targets.</param>
    /// <param name="classes">Number of classes, 0 for numbers.</param>
    public static double[] Weights(IReadOnlyList<float[]> predictions, float[] truth, int classes)
    {
        var counts = new int[predictions.Count];
        var sum = new float[predictions[0].Length];
        var mean = new float[sum.Length];
        var bestLoss = double.PositiveInfinity;
        var kept = new int[counts.Length];
        for (var round = 1; round <= Rounds; round++)
        {
            var (chosen, least) = (-1, double.PositiveInfinity);
            for (var c = 0; c < counts.Length; c++)
            {
                for (var i = 0; i < mean.Length; i++) mean[i] = (sum[i] + predictions[c][i]) / round;
                var loss = Losses.Mean(mean, truth, classes);
                if (loss < least) (chosen, least) = (c, loss);
            }
            if (chosen < 0) break;
            counts[chosen]++;
            for (var i = 0; i < sum.Length; i++) sum[i] += predictions[chosen][i];
            if (least >= bestLoss) continue;
            bestLoss = least;
            counts.CopyTo(kept, 0);
        }
        var total = Math.Max(1, kept.Sum());
        return [.. kept.Select(count => (double)count / total)];
    }
}
