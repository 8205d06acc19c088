namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>Concordance of predicted risk with observed, possibly censored, durations.</summary>
public static class Concordance
{
    /// <summary>
    /// Harrell's C (1982): of the pairs where it is known who came first (the earlier one had the event; at equal times the other was censored), the share where
    /// the earlier one had the higher <paramref name="risk"/>; equal risks count half. O(n log n). NaN when no pair can be compared.
    /// </summary>
    public static double Index(ReadOnlySpan<double> durations, ReadOnlySpan<bool> happened, ReadOnlySpan<double> risk)
    {
        if (durations.Length != happened.Length || durations.Length != risk.Length) throw new ArgumentException("The three lists must be equally long.", nameof(risk));
        int n = durations.Length;
        var order = new int[n];
        for (int i = 0; i < n; i++)
        {
            if (double.IsNaN(durations[i]) || double.IsNaN(risk[i])) throw new ArgumentException($"Case {i} is not a number.", nameof(risk));
            order[i] = i;
        }

        var time = durations.ToArray();
        Array.Sort(order, (a, b) => time[b].CompareTo(time[a]));
        var levels = risk.ToArray();
        Array.Sort(levels);
        var counts = new long[n + 1];
        double right = 0, pairs = 0;
        long inside = 0;
        for (int at = 0; at < n;)
        {
            // Times descend: the tree holds the risks of those who certainly lasted longer.
            int end = at;
            while (end < n && time[order[end]] == time[order[at]]) end++;
            for (int k = at; k < end; k++)
                if (!happened[order[k]]) Add(order[k], risk);
            for (int k = at; k < end; k++)
            {
                if (!happened[order[k]]) continue;
                double mine = risk[order[k]];
                long below = CountBelow(Rank(levels, mine)), upTo = CountBelow(RankAfter(levels, mine));
                right += below + 0.5 * (upTo - below);
                pairs += inside;
            }

            for (int k = at; k < end; k++)
                if (happened[order[k]]) Add(order[k], risk);
            at = end;
        }

        return pairs == 0 ? double.NaN : right / pairs;

        void Add(int i, ReadOnlySpan<double> risks)
        {
            inside++;
            for (int k = Rank(levels, risks[i]) + 1; k <= n; k += k & -k) counts[k]++;
        }

        long CountBelow(int rank)
        {
            long sum = 0;
            for (int k = rank; k > 0; k -= k & -k) sum += counts[k];
            return sum;
        }
    }

    private static int Rank(double[] levels, double value)
    {
        int low = 0, high = levels.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (levels[middle] < value) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private static int RankAfter(double[] levels, double value)
    {
        int low = 0, high = levels.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (levels[middle] <= value) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
