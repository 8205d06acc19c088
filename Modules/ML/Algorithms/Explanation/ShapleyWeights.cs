namespace OKLA.ML.Algorithms.Explanation;

/// <summary>|S|! (M − |S| − 1)! / M!, the share of orders in which exactly the players of S come before another one (Shapley 1953).</summary>
internal static class ShapleyWeights
{
    /// <summary>The weights by |S| from 0 to <paramref name="players"/> − 1.</summary>
    public static double[] Of(int players)
    {
        var weights = new double[players];
        // 1 / (M · C(M − 1, s)), each from the one before.
        var weight = 1.0 / players;
        for (var s = 0; s < players; s++)
        {
            weights[s] = weight;
            weight *= (s + 1.0) / (players - 1 - s);
        }
        return weights;
    }
}
