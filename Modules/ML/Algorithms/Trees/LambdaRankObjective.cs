namespace OKLA.ML.Algorithms.Trees;

/// <summary>
/// LambdaMART (Burges 2010): for each pair of different relevance in a query, λ = −1/(1+e^(s_i−s_j))·|ΔNDCG|, with gain 2^label − 1
/// and discount 1/log2(position + 1); pairs with both items beyond the truncation position are left out.
/// </summary>
internal sealed class LambdaRankObjective : Objective
{
    private readonly int[] _starts;
    private readonly double[] _inverseIdeal;
    private readonly int _truncation;
    private readonly int _at;

    public LambdaRankObjective(float[] targets, float[]? weights, int[] groups, GradientBoostingOptions options)
        : base(targets, weights)
    {
        if (groups.Any(g => g <= 0) || groups.Sum(g => (long)g) != targets.Length)
            throw new ArgumentException($"Query group sizes must be positive and add up to {targets.Length} rows.", nameof(groups));
        if (targets.Any(t => t < 0 || t > 31 || t != MathF.Floor(t))) throw new ArgumentException("Relevance is a whole number from 0 to 31.", nameof(targets));
        _truncation = options.RankTruncation;
        _at = options.RankAt;
        _starts = new int[groups.Length + 1];
        for (var q = 0; q < groups.Length; q++) _starts[q + 1] = _starts[q] + groups[q];
        _inverseIdeal = new double[groups.Length];
        for (var q = 0; q < groups.Length; q++)
        {
            var ideal = Ideal(q, _truncation);
            _inverseIdeal[q] = ideal > 0 ? 1 / ideal : 0;
        }
    }

    public override double[] StartMargins() => [0];

    /// <summary>1 − mean NDCG at the options' cut-off; a query without any relevant item counts as perfectly ranked.</summary>
    public override double Loss(float[][] margins)
    {
        double sum = 0;
        for (var q = 0; q + 1 < _starts.Length; q++)
        {
            var order = Order(margins[0], q);
            double found = 0;
            for (var position = 0; position < Math.Min(_at, order.Length); position++) found += Gain(order[position]) * Discount(position);
            var ideal = Ideal(q, _at);
            sum += ideal > 0 ? found / ideal : 1;
        }
        return 1 - sum / (_starts.Length - 1);
    }

    protected override void Fill(float[][] margins, float[][] gradients, float[][] hessians, int threads)
    {
        Array.Clear(gradients[0]);
        Array.Clear(hessians[0]);
        Workers.For(threads, _starts.Length - 1, q => Query(q, margins[0], gradients[0], hessians[0]));
    }

    private void Query(int query, float[] margins, float[] gradients, float[] hessians)
    {
        if (_inverseIdeal[query] == 0) return;
        var order = Order(margins, query);
        double all = 0;
        for (var i = 0; i < Math.Min(order.Length, _truncation); i++)
        {
            for (var j = i + 1; j < order.Length; j++)
            {
                if (Targets[order[i]] == Targets[order[j]]) continue;
                var (high, low) = Targets[order[i]] > Targets[order[j]] ? (order[i], order[j]) : (order[j], order[i]);
                var change = (Gain(high) - Gain(low)) * Math.Abs(Discount(i) - Discount(j)) * _inverseIdeal[query];
                var probability = 1 / (1 + Math.Exp(margins[high] - (double)margins[low]));
                var lambda = (float)(probability * change);
                var curvature = (float)(probability * (1 - probability) * change);
                gradients[high] -= lambda;
                gradients[low] += lambda;
                hessians[high] += curvature;
                hessians[low] += curvature;
                all += 2 * lambda;
            }
        }
        if (all <= 0) return;
        // Queries with many pairs would outweigh the others without this.
        var norm = (float)(Math.Log2(1 + all) / all);
        foreach (var row in order)
        {
            gradients[row] *= norm;
            hessians[row] *= norm;
        }
    }

    private int[] Order(float[] margins, int query)
    {
        var order = Enumerable.Range(_starts[query], _starts[query + 1] - _starts[query]).ToArray();
        Array.Sort(order, (a, b) => margins[b] != margins[a] ? margins[b].CompareTo(margins[a]) : a.CompareTo(b));
        return order;
    }

    private double Ideal(int query, int positions)
    {
        var labels = Targets[_starts[query].._starts[query + 1]];
        Array.Sort(labels);
        double sum = 0;
        for (var i = 0; i < Math.Min(positions, labels.Length); i++) sum += (Math.Pow(2, labels[^(i + 1)]) - 1) * Discount(i);
        return sum;
    }

    private double Gain(int row) => Math.Pow(2, Targets[row]) - 1;

    private static double Discount(int position) => 1 / Math.Log2(position + 2);
}
