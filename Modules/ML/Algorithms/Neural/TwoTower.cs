using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>
/// Two-tower retrieval (Covington, Adams and Sargin 2016; Yi et al. 2019): one network makes a vector of a user, another of an item, and their inner product
/// scores the pair. Trained by AdamW on the softmax of each observed pair among the items of the batch and some drawn evenly, corrected for their unequal
/// chances of being drawn. The same seed gives the same model, whatever the number of threads.
/// </summary>
public static class TwoTower
{
    /// <summary>Learns from users × items; values matter only with <see cref="TwoTowerOptions.Weighted"/>.</summary>
    /// <param name="interactions">Users × items, at least one entry.</param>
    /// <param name="options">The settings.</param>
    /// <param name="users">Features of the users.</param>
    /// <param name="items">Features of the items.</param>
    /// <param name="validation">By user the held-out items that early stopping watches; without it <see cref="TwoTowerOptions.ValidationShare"/> is held out.</param>
    /// <param name="progress">Told after each pass: 1 − NDCG@K on the held-out items, or the mean loss of the pass when there are none.</param>
    /// <param name="cancellation">Looked at before each step.</param>
    /// <exception cref="ArgumentException">Features or validation do not fit the interactions, a weight is negative, or an option is out of range.</exception>
    public static TwoTowerModel Fit(
        SparseMatrix interactions, TwoTowerOptions? options = null, TowerFeatures? users = null, TowerFeatures? items = null,
        IReadOnlyList<IReadOnlySet<int>>? validation = null, IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(interactions);
        options ??= new TwoTowerOptions();
        options.Check();
        if (interactions.Count == 0) throw new ArgumentException("There is nothing to learn from.", nameof(interactions));
        CheckFeatures(users, interactions.Rows, nameof(users));
        CheckFeatures(items, interactions.Columns, nameof(items));
        if (validation is not null && validation.Count != interactions.Rows)
            throw new ArgumentException($"{interactions.Rows} users and {validation.Count} held-out sets.", nameof(validation));
        if (options.Weighted)
        {
            foreach (var value in interactions.Values)
                if (value < 0) throw new ArgumentException("Weights must not be negative.", nameof(interactions));
        }

        var train = interactions;
        if (validation is null && options.ValidationShare > 0)
        {
            var split = InteractionSplits.PerUser(interactions, options.ValidationShare, options.Seed);
            (train, validation) = (split.Train, split.Test);
        }

        var (userMeans, userDeviations) = Tower.Standards(users, interactions.Rows);
        var (itemMeans, itemDeviations) = Tower.Standards(items, interactions.Columns);
        var userFeatures = users?.Bags?.Columns ?? 0;
        var userShape = new TowerShape(
            interactions.Rows, options.UserIds || !(options.History || userFeatures > 0 || userMeans.Length > 0), userFeatures, options.History, userMeans, userDeviations);
        var itemShape = new TowerShape(interactions.Columns, true, items?.Bags?.Columns ?? 0, false, itemMeans, itemDeviations);
        var threads = Workers.Count(options.Threads);
        var towers = new TowerPair(userShape, itemShape, options, new Random(options.Seed), threads);
        var run = new TwoTowerRun(towers, train, users, items, threads);
        var check = Validation.Of(validation, train, options);
        var parameters = towers.Parameters.ToArray();
        var adam = new Adam(options.Adam, parameters);
        var best = new BestWeights(parameters, options.Patience);
        var passes = options.Iterations;
        for (var pass = 1; pass <= options.Iterations; pass++)
        {
            var loss = run.Pass(adam, cancellation);
            if (!double.IsFinite(loss)) throw new ArithmeticException($"The loss of pass {pass} is {loss}; a smaller learning rate may help.");
            if (check is not null) loss = 1 - check.Ndcg(towers, users, items, threads, cancellation);
            progress?.Report(new TrainingProgress(pass, options.Iterations, loss));
            if (check is not null && options.Patience > 0 && best.Observe(pass, loss)) break;
        }
        if (check is not null && options.Patience > 0)
        {
            best.Restore();
            passes = best.BestPass;
        }
        var everyone = Enumerable.Range(0, interactions.Rows).ToArray();
        return new TwoTowerModel(towers, towers.UserVectors(everyone, interactions, users), towers.ItemVectors(items), passes);
    }

    private static void CheckFeatures(TowerFeatures? features, int count, string name)
    {
        if (features is null) return;
        if (features.Bags is { } bags && bags.Rows != count) throw new ArgumentException($"{count} entities and {bags.Rows} rows of features.", name);
        if (features.NumberCount < 0 || (features.Numbers is null) != (features.NumberCount == 0)
            || (features.Numbers is { } numbers && numbers.Length != (long)count * features.NumberCount))
            throw new ArgumentException($"{features.Numbers?.Length ?? 0} numbers are not {count} rows of {features.NumberCount}.", name);
        if (features.Numbers?.Any(float.IsInfinity) == true) throw new ArgumentException("Numbers must not be infinite.", name);
    }

    /// <summary>The users that early stopping asks, with what they took since.</summary>
    private sealed class Validation(int[] users, IReadOnlyList<IReadOnlySet<int>> heldOut, SparseMatrix train, int k)
    {
        public static Validation? Of(IReadOnlyList<IReadOnlySet<int>>? heldOut, SparseMatrix train, TwoTowerOptions options)
        {
            if (heldOut is null) return null;
            var users = Enumerable.Range(0, heldOut.Count).Where(user => heldOut[user].Count > 0).ToArray();
            if (users.Length == 0) return null;
            new Random(options.Seed ^ 0x0C4E).Shuffle(users);
            return new Validation(users[..Math.Min(users.Length, options.ValidationUsers)], heldOut, train, options.ValidationAt);
        }

        public double Ndcg(TowerPair towers, TowerFeatures? userFeatures, TowerFeatures? itemFeatures, int threads, CancellationToken cancellation)
        {
            var search = new ExactTopK(towers.ItemVectors(itemFeatures), towers.Options.Dimension);
            var lists = search.SearchBatch(towers.UserVectors(users, train, userFeatures), k, n => train.RowIndices(users[n]).ToArray(), null, threads, cancellation);
            double sum = 0;
            for (var n = 0; n < users.Length; n++) sum += RankingMetrics.Ndcg([.. lists[n].Select(s => s.Index)], heldOut[users[n]], k);
            return sum / users.Length;
        }
    }
}
