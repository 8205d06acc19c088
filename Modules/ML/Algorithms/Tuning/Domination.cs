namespace OKLA.ML.Algorithms.Tuning;

/// <summary>Orders of trials by several losses (Deb et al. 2002, sections III-A and III-B).</summary>
internal static class Domination
{
    /// <summary>
    /// Best first: by front, then the less crowded, then the older; with one loss by that, trials stopped early behind those that went further, because
    /// losses of different steps do not compare.
    /// </summary>
    public static FinishedTrial[] Order(IReadOnlyList<FinishedTrial> trials)
    {
        if (trials.Count == 0 || trials[0].Losses.Length == 1) return [.. trials.OrderByDescending(t => t.StoppedAt).ThenBy(t => t.Losses[0]).ThenBy(t => t.Number)];
        return [.. Fronts(trials).SelectMany(front => front.Zip(Crowding(front)).OrderByDescending(t => t.Second).ThenBy(t => t.First.Number).Select(t => t.First))];
    }

    /// <summary>The front no other trial dominates, the front when that is taken away, and so on. Time O(n²·objectives).</summary>
    public static List<List<FinishedTrial>> Fronts(IReadOnlyList<FinishedTrial> trials)
    {
        var dominators = new int[trials.Count];
        var dominated = new List<int>[trials.Count];
        for (var i = 0; i < trials.Count; i++)
        {
            dominated[i] = [];
            for (var j = 0; j < trials.Count; j++)
            {
                if (Dominates(trials[i].Losses, trials[j].Losses)) dominated[i].Add(j);
                else if (Dominates(trials[j].Losses, trials[i].Losses)) dominators[i]++;
            }
        }
        var fronts = new List<List<FinishedTrial>>();
        var current = Enumerable.Range(0, trials.Count).Where(i => dominators[i] == 0).ToList();
        while (current.Count > 0)
        {
            fronts.Add([.. current.Select(i => trials[i])]);
            var next = new List<int>();
            foreach (var j in current.SelectMany(i => dominated[i]))
            {
                if (--dominators[j] == 0) next.Add(j);
            }
            current = [.. next.Order()];
        }
        return fronts;
    }

    /// <summary>The sum over losses of the distance between each trial's neighbours, over the range; infinity at the ends.</summary>
    public static double[] Crowding(IReadOnlyList<FinishedTrial> front)
    {
        var crowding = new double[front.Count];
        for (var k = 0; k < front[0].Losses.Length; k++)
        {
            var order = Enumerable.Range(0, front.Count).OrderBy(i => front[i].Losses[k]).ThenBy(i => front[i].Number).ToArray();
            var range = front[order[^1]].Losses[k] - front[order[0]].Losses[k];
            crowding[order[0]] = crowding[order[^1]] = double.PositiveInfinity;
            for (var i = 1; range > 0 && i + 1 < order.Length; i++)
                crowding[order[i]] += (front[order[i + 1]].Losses[k] - front[order[i - 1]].Losses[k]) / range;
        }
        return crowding;
    }

    private static bool Dominates(double[] a, double[] b)
    {
        var better = false;
        for (var k = 0; k < a.Length; k++)
        {
            if (a[k] > b[k]) return false;
            better |= a[k] < b[k];
        }
        return better;
    }
}
