using System.Numerics.Tensors;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models.Recommenders;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training.Recommenders;

/// <summary>Weights of a recommender's parts for scores of the same spread, and of its context features.</summary>
/// <param name="Parts">By name; 0 for a part that does not pay.</param>
/// <param name="Context">In the order of <see cref="ItemKind.Context"/>.</param>
/// <param name="Said">How they came about, in one sentence.</param>
internal sealed record BlendWeights(IReadOnlyDictionary<string, double> Parts, IReadOnlyList<double> Context, string Said)
{
    /// <summary>One part alone.</summary>
    public static BlendWeights Alone(string part, ItemKind kind, string said) => new(new Dictionary<string, double> { [part] = 1 }, new double[kind.Context.Count], said);
}

/// <summary>
/// Learns the weights of parts that were fitted on an earlier time from what people met in the slice of time behind it (stacking, Wolpert 1992): a
/// logistic regression over the parts' scores gives a start beside the settings' own weights and ALS alone; the best is refined one weight at a time for the mean of
/// NDCG@10 and NDCG@50, and parts without which it is as good are dropped. Whether the blend is better than ALS alone is asked of people whom its
/// weights were not learned from (two halves, each foretold by the other); if it is not, ALS serves alone.
/// </summary>
internal static class Stacking
{
    private const int TopOfEach = 200, Drawn = 200, NegativesOfEach = 40, MostPeople = 500;
    private const double Worth = 0.002;
    private static readonly double[] Steps = [0, 0.5, 0.8, 1.25, 2];

    /// <summary>Learns them.</summary>
    public static BlendWeights Learn(
        ItemRecommender early, IReadOnlyDictionary<string, double> spread, IReadOnlyList<TestPerson> people, IReadOnlyList<ItemSnapshot> items, DateTimeOffset at, RecommenderKnobs knobs, CancellationToken ct)
    {
        var kind = early.Kind;
        string[] names = [.. early.Parts.Select(part => part.Name), .. kind.Context];
        var als = Array.ConvertAll(names, name => name == AlsPart.Key ? 1.0 : 0);
        if (people.Count < knobs.MinTestPeople || names.Length == 1)
        {
            return BlendWeights.Alone(AlsPart.Key, kind, $"{people.Count} people in the slice before the test are too few to learn weights from: ALS alone");
        }

        var cases = people.Take(MostPeople).Select((person, n) => Read(early, spread, person, items, at, knobs.Seed + n)).Where(one => one is not null).Select(one => one!).ToArray();
        ct.ThrowIfCancellationRequested();
        var own = Array.ConvertAll(names, name => knobs.StartWeights.TryGetValue(name, out var weight) ? weight : 0);
        var (even, odd) = (cases.Where((_, n) => n % 2 == 0).ToArray(), cases.Where((_, n) => n % 2 == 1).ToArray());
        var (ofEven, ofOdd) = (Refine(Starts(odd), odd), Refine(Starts(even), even));
        double[] blended = [.. even.Select(one => one.Ndcg(ofEven, Ranking.K)), .. odd.Select(one => one.Ndcg(ofOdd, Ranking.K))];
        double[] alone = [.. even.Concat(odd).Select(one => one.Ndcg(als, Ranking.K))];
        var gain = Bootstrap.Mean([.. blended.Select((value, n) => value - alone[n])], resamples: 500, seed: knobs.Seed);
        var text = FormattableString.Invariant($"NDCG@10 {blended.Average():0.0000} blended, {alone.Average():0.0000} by ALS alone (difference {gain.Estimate:0.0000}, 95 % interval {gain.Lower:0.0000} to {gain.Upper:0.0000}) on {cases.Length} people of the slice");
        if (gain.Estimate <= 0)
        {
            return BlendWeights.Alone(AlsPart.Key, kind, $"{text}: ALS alone");
        }

        var best = Refine(Starts(cases), cases);
        var total = best.Take(early.Parts.Count).Sum();
        return new BlendWeights(
            Enumerable.Range(0, early.Parts.Count).ToDictionary(p => names[p], p => best[p] / total), [.. best.Skip(early.Parts.Count).Select(weight => weight / total)], text);

        IReadOnlyList<double[]> Starts(Case[] some) => [als, own, Logistic(some, names.Length, knobs.Seed)];
    }

    /// <summary>The best of some starts, refined a weight at a time; a weight that may as well be 0 becomes 0.</summary>
    internal static double[] Refine(IReadOnlyList<double[]> starts, IReadOnlyList<Case> cases)
    {
        double Worthy(double[] weights) => weights.All(weight => weight == 0) ? -1 : cases.Average(one => (one.Ndcg(weights, Ranking.K) + one.Ndcg(weights, 50)) / 2);
        var best = starts.MaxBy(Worthy)!.ToArray();
        var value = Worthy(best);
        for (var round = 0; round < 6; round++)
        {
            var before = value;
            for (var p = 0; p < best.Length; p++)
            {
                var kept = best[p];
                double[] tried = kept == 0 ? [0.1 * best.Sum(), 0.4 * best.Sum()] : Array.ConvertAll(Steps, step => step * kept);
                foreach (var weight in tried)
                {
                    var others = best.ToArray();
                    others[p] = weight;
                    // A weight of 0 is taken at a small loss, another one only for a gain.
                    if (Worthy(others) is var found && found > value * (weight == 0 ? 1 - Worth : 1 + Worth))
                    {
                        (best, value) = (others, found);
                    }
                }
            }

            if (value <= before * (1 + 1e-6))
            {
                break;
            }
        }

        return best;
    }

    /// <summary>Weights of a logistic regression of met or not on the scores; those below 0 are left out and the rest learned again.</summary>
    private static double[] Logistic(IReadOnlyList<Case> cases, int columns, int seed)
    {
        var random = new Random(seed);
        var (rows, labels) = (new List<float[]>(), new List<int>());
        foreach (var one in cases)
        {
            for (var i = 0; i < one.Candidates; i++)
            {
                if (one.Relevant[i] || random.NextDouble() * one.Candidates < NegativesOfEach)
                {
                    rows.Add(Enumerable.Range(0, columns).Select(c => one.Scores[c][i]).ToArray());
                    labels.Add(one.Relevant[i] ? 1 : 0);
                }
            }
        }

        var kept = Enumerable.Range(0, columns).ToList();
        while (kept.Count > 0 && labels.Contains(0) && labels.Contains(1))
        {
            var x = Dataset.FromRowMajor([.. rows.SelectMany(row => kept.Select(c => row[c]))], kept.Count);
            var learned = LogisticRegression.Fit(x, [.. labels]).Weights.ToArray();
            if (learned.All(weight => weight >= 0))
            {
                var weights = new double[columns];
                for (var k = 0; k < kept.Count; k++)
                {
                    weights[kept[k]] = learned[k];
                }

                return weights;
            }

            kept = [.. kept.Where((_, k) => learned[k] > 0)];
        }

        return new double[columns];
    }

    /// <summary>A person's candidates: what they met in the slice, the first of each part, and some drawn.</summary>
    private static Case? Read(ItemRecommender model, IReadOnlyDictionary<string, double> spread, TestPerson person, IReadOnlyList<ItemSnapshot> items, DateTimeOffset at, int seed)
    {
        var taste = model.TasteOf(person.History);
        if (taste.Items.Length == 0)
        {
            return null;
        }

        var met = person.Met.ToHashSet();
        int[] live = [.. Enumerable.Range(0, items.Count).Where(i => items[i].Status == "live" && !met.Contains(i))];
        var candidates = person.Relevant.ToHashSet();
        var parts = new List<float[]?>();
        foreach (var part in model.Parts)
        {
            var vector = part.Person(taste);
            var all = vector is null ? null : Array.ConvertAll(live, i => TensorPrimitives.Dot(part.Item(i), vector));
            parts.Add(vector);
            if (all is not null)
            {
                candidates.UnionWith(TopK.Of(all, Math.Min(TopOfEach, Math.Max(1, all.Length))).Select(best => live[best.Index]));
            }
        }

        var random = new Random(seed);
        for (var n = 0; n < Drawn && live.Length > 0; n++)
        {
            candidates.Add(live[random.Next(live.Length)]);
        }

        int[] chosen = [.. candidates.Order()];
        var scores = new List<float[]>();
        for (var p = 0; p < parts.Count; p++)
        {
            var (part, vector) = (model.Parts[p], parts[p]);
            var scale = (float)(1 / Math.Max(1e-9, spread[part.Name]));
            scores.Add(vector is null ? new float[chosen.Length] : Array.ConvertAll(chosen, i => scale * TensorPrimitives.Dot(part.Item(i), vector)));
        }

        var place = model.PlaceOf(taste, new ItemRecommender.Moment(at));
        var context = Array.ConvertAll(chosen, i => model.ContextFeatures(i, at, place));
        for (var c = 0; c < model.Kind.Context.Count; c++)
        {
            scores.Add(Array.ConvertAll(context, features => double.IsNaN(features[c]) ? 0 : (float)features[c]));
        }

        return new Case([.. scores], Array.ConvertAll(chosen, person.Relevant.Contains), person.Relevant.Count);
    }

    /// <summary>A person's candidates: scores by part and candidate, and which were met.</summary>
    internal sealed record Case(float[][] Scores, bool[] Relevant, int Total)
    {
        public int Candidates => Relevant.Length;

        /// <summary>NDCG at k of the ranking by weighted scores.</summary>
        public double Ndcg(double[] weights, int k)
        {
            var sum = new float[Candidates];
            for (var p = 0; p < weights.Length; p++)
            {
                if (weights[p] != 0)
                {
                    TensorPrimitives.MultiplyAdd(Scores[p], (float)weights[p], sum, sum);
                }
            }

            var best = TopK.Of(sum, Math.Min(k, Math.Max(1, sum.Length)));
            double found = 0, ideal = 0;
            for (var rank = 0; rank < best.Length; rank++)
            {
                found += Relevant[best[rank].Index] ? 1 / Math.Log2(rank + 2) : 0;
            }

            for (var rank = 0; rank < Math.Min(k, Total); rank++)
            {
                ideal += 1 / Math.Log2(rank + 2);
            }

            return ideal == 0 ? 0 : found / ideal;
        }
    }
}
