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
/// logistic regression over the parts' scores, the settings' own weights, what lies between the two and ALS alone are compared by the mean of NDCG@10 and NDCG@100
/// (deep, as the first ten alone say little on some hundred people), and parts without which the best is as good are dropped. Whether the blend is better than ALS alone is asked of people whom its
/// weights were not learned from (two halves, each foretold by the other); if it is not, ALS serves alone.
/// </summary>
internal static class Stacking
{
    private const int TopOfEach = 200, Drawn = 200, NegativesOfEach = 40, MostPeople = 500;
    private const int Deep = 100;
    private const double Indifference = 0.002;

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
        var (ofEven, ofOdd) = (Choose(Starts(odd), odd), Choose(Starts(even), even));
        double[] blended = [.. even.Select(one => one.Worth(ofEven)), .. odd.Select(one => one.Worth(ofOdd))];
        double[] alone = [.. even.Concat(odd).Select(one => one.Worth(als))];
        var gain = Bootstrap.Mean([.. blended.Select((value, n) => value - alone[n])], resamples: 500, seed: knobs.Seed);
        var text = FormattableString.Invariant($"{blended.Average():0.0000} blended, {alone.Average():0.0000} by ALS alone (mean of NDCG@10 and NDCG@100; difference {gain.Estimate:0.0000}, 95 % interval {gain.Lower:0.0000} to {gain.Upper:0.0000}) on {cases.Length} people of the slice, each by weights learned from others");
        if (gain.Estimate <= 0)
        {
            return BlendWeights.Alone(AlsPart.Key, kind, text);
        }

        var best = Choose(Starts(cases), cases);
        var total = best.Take(early.Parts.Count).Sum();
        return new BlendWeights(
            Enumerable.Range(0, early.Parts.Count).ToDictionary(p => names[p], p => best[p] / total), [.. best.Skip(early.Parts.Count).Select(weight => weight / total)], text);

        IReadOnlyList<double[]> Starts(Case[] some)
        {
            var learned = Logistic(some, names.Length, knobs.Seed);
            return [als, own, learned, Middle(own, learned)];
        }
    }

    /// <summary>The best of a few weights, less the parts without which it is as good. Few are tried: on some hundred people a long search finds chance.</summary>
    internal static double[] Choose(IReadOnlyList<double[]> tried, IReadOnlyList<Case> cases)
    {
        double Value(double[] weights) => weights.All(weight => weight == 0) ? -1 : cases.Average(one => one.Worth(weights));
        var best = tried.MaxBy(Value)!.ToArray();
        var value = Value(best);
        foreach (var p in Enumerable.Range(0, best.Length).Where(p => best[p] > 0).OrderBy(p => best[p]).ToArray())
        {
            var without = best.ToArray();
            without[p] = 0;
            if (Value(without) is var found && found >= value * (1 - Indifference))
            {
                (best, value) = (without, Math.Max(value, found));
            }
        }

        return best;
    }

    /// <summary>Half way between two weights of the same sum.</summary>
    private static double[] Middle(double[] a, double[] b)
    {
        var (sumA, sumB) = (Math.Max(1e-9, a.Sum()), Math.Max(1e-9, b.Sum()));
        return [.. a.Zip(b, (x, y) => (x / sumA) + (y / sumB))];
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

        /// <summary>What weights are worth to the person: the mean of NDCG@10 and NDCG@100.</summary>
        public double Worth(double[] weights) => (Ndcg(weights, Ranking.K) + Ndcg(weights, Deep)) / 2;

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
