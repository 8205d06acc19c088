using System.Numerics.Tensors;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>
/// Losses of a batch: each answers Σ wᵢ·lossᵢ / Σ wᵢ (an empty weight list counts each row as 1) and turns the scores in place into the gradient of that mean.
/// </summary>
internal static class Losses
{
    /// <summary>ln(1 + eˢ) − y·s for targets y of 0 or 1.</summary>
    public static double BinaryCrossEntropy(Span<float> scores, ReadOnlySpan<float> targets, ReadOnlySpan<float> weights)
    {
        var share = Share(scores.Length, weights);
        double loss = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            double s = scores[i], w = share * (weights.IsEmpty ? 1 : weights[i]), e = Math.Exp(-Math.Abs(s));
            loss += w * (Math.Max(s, 0) - targets[i] * s + Math.Log(1 + e));
            scores[i] = (float)(w * ((s >= 0 ? 1 : e) / (1 + e) - targets[i]));
        }
        return loss;
    }

    /// <summary>½(s − y)².</summary>
    public static double SquaredError(Span<float> scores, ReadOnlySpan<float> targets, ReadOnlySpan<float> weights)
    {
        var share = Share(scores.Length, weights);
        double loss = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            double error = scores[i] - targets[i], w = share * (weights.IsEmpty ? 1 : weights[i]);
            loss += 0.5 * w * error * error;
            scores[i] = (float)(w * error);
        }
        return loss;
    }

    /// <summary>−ln of the softmax of the true column, for scores of rows × columns. A score of −∞ takes its column out of the row.</summary>
    public static double SoftmaxCrossEntropy(Span<float> scores, int columns, ReadOnlySpan<int> labels, ReadOnlySpan<float> weights)
    {
        var share = Share(labels.Length, weights);
        double loss = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            var row = scores.Slice(i * columns, columns);
            var w = share * (weights.IsEmpty ? 1 : weights[i]);
            var largest = TensorPrimitives.Max<float>(row);
            var own = row[labels[i]] - largest;
            TensorPrimitives.Subtract(row, largest, row);
            TensorPrimitives.Exp<float>(row, row);
            var sum = TensorPrimitives.Sum<float>(row);
            loss += w * (Math.Log(sum) - own);
            TensorPrimitives.Multiply(row, (float)(w / sum), row);
            row[labels[i]] -= (float)w;
        }
        return loss;
    }

    /// <summary>
    /// Softmax over sampled candidates with the sampling bias taken off (Yi et al. 2019, eq. 4-6): s − ln q instead of s, where q is the probability that the
    /// candidate is among those of a batch. Scores are rows × candidates; <paramref name="positives"/> are each row's own column; an empty
    /// <paramref name="logQ"/> corrects nothing.
    /// </summary>
    public static double SampledSoftmax(Span<float> scores, int candidates, ReadOnlySpan<int> positives, ReadOnlySpan<float> logQ, ReadOnlySpan<float> weights)
    {
        if (!logQ.IsEmpty)
            for (var i = 0; i < positives.Length; i++)
            {
                var row = scores.Slice(i * candidates, candidates);
                TensorPrimitives.Subtract(row, logQ, row);
            }
        return SoftmaxCrossEntropy(scores, candidates, positives, weights);
    }

    private static double Share(int rows, ReadOnlySpan<float> weights)
    {
        if (weights.IsEmpty) return 1.0 / rows;
        double total = 0;
        foreach (var weight in weights) total += weight;
        return total > 0 ? 1 / total : 0;
    }
}
