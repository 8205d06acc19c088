using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Automatic;

/// <summary>The size that boosted trees may take.</summary>
/// <param name="Name">What it is called among others.</param>
/// <param name="Leaves">Most leaves of a tree.</param>
/// <param name="LeastRows">Least rows of a leaf.</param>
/// <param name="Columns">Share of the columns tried at each node.</param>
internal sealed record BoostingShape(string Name, int Leaves, int LeastRows, double Columns);

/// <summary>The ways to learn from a fold.</summary>
internal static class Learners
{
    private const int LinearRows = 60_000;
    private const int ForestRows = 60_000;
    private const long SampledCells = 6_000_000;
    private const int LeastSampled = 5_000;

    /// <summary>Columns from which a histogram a node costs more than its rows do: coarser bins and fewer trees keep the time in bounds.</summary>
    public const int WideTable = 150;

    /// <summary>Bins of a column.</summary>
    public static int Bins(int columns) => columns > WideTable ? 48 : 255;

    /// <summary>Penalties that linear regression may take.</summary>
    public static IReadOnlyList<double> Penalties { get; } = [1, 10, 100];

    /// <summary>From stumps' neighbours for few noisy rows to trees that remember single ones.</summary>
    public static IReadOnlyList<BoostingShape> Shapes { get; } =
        [new("small trees", 5, 10, 0.6), new("middle trees", 15, 10, 0.6), new("large trees", 48, 5, 0.7), new("huge trees", 160, 2, 0.7)];

    public static IFoldModel Boost(Fold fold, BoostingShape shape, double rate, int most, AutomaticOptions o, int threads, int seed, Func<bool> enough)
    {
        var (train, held) = fold.Bins;
        var options = Options(shape, rate, most, o, threads, seed) with { Enough = enough };
        return new BoostedModel(GradientBoosting.Train(train, fold.TrainY, options, held, fold.HeldY));
    }

    /// <summary>The loss on the rows held out at the best round.</summary>
    public static double BoostedLoss(Fold fold, BoostingShape shape, double rate, int most, AutomaticOptions o, int threads, Func<bool> enough)
    {
        var (train, held) = fold.Bins;
        return GradientBoosting.Train(train, fold.TrainY, Options(shape, rate, most, o, threads, o.Seed) with { Enough = enough }, held, fold.HeldY).ValidationScores.Min();
    }

    public static IFoldModel Forest(Fold fold, bool extra, int trees, AutomaticOptions o, int threads, Func<bool> enough)
    {
        var (x, y) = fold.Sample(Affordable(fold, ForestRows), o.Seed);
        return new ForestModel(RandomForest.Train(x, y, new RandomForestOptions
        {
            Trees = trees, Classes = o.Classes, ExtraTrees = extra, MinRowsPerLeaf = o.IsRegression ? 2 : 4, MaxBins = Bins(x.ColumnCount), ColumnSampleByNode = o.IsRegression ? 0.5 : 0, Seed = o.Seed, Threads = threads, Enough = enough,
        }));
    }

    /// <summary>Ridge or logistic regression with the one of some penalties that does best on the rows held out.</summary>
    public static IFoldModel Linear(Fold fold, IReadOnlyList<double> penalties, AutomaticOptions o, int threads, Func<bool> enough)
    {
        var models = penalties.Select(penalty => Linear(fold, penalty, o, threads, enough)).ToList();
        return models.Count == 1 ? models[0] : models.MinBy(model => Losses.Mean(model.Predict(fold.Held, threads), fold.HeldY, o.Classes))!;
    }

    /// <summary>Ridge or logistic regression.</summary>
    public static IFoldModel Linear(Fold fold, double penalty, AutomaticOptions o, int threads, Func<bool> enough)
    {
        var (x, y) = fold.Sample(Affordable(fold, LinearRows), o.Seed);
        var view = LinearView.Fit(x);
        var table = view.Transform(x);
        if (o.IsRegression) return new RidgeModel(view, RidgeRegression.Fit(table, y, new RidgeOptions { Regularization = penalty, Threads = threads, Tolerance = 1e-5, Enough = enough }), y.Min(), y.Max());
        var options = new LogisticOptions { Regularization = penalty, Threads = threads, Tolerance = 1e-4, MaxIterations = 100, Enough = enough };
        return new LogisticModel(view, LogisticRegression.Fit(table, Array.ConvertAll(y, c => (int)c), options), o.Classes);
    }

    // The rows that leave a sample in bounds however wide the table.
    private static int Affordable(Fold fold, int rows) => (int)Math.Clamp(SampledCells / fold.Train.ColumnCount, LeastSampled, rows);

    private static GradientBoostingOptions Options(BoostingShape shape, double rate, int most, AutomaticOptions o, int threads, int seed) => new()
    {
        Objective = o.IsRegression ? BoostingObjective.SquaredError : o.Classes == 2 ? BoostingObjective.BinaryLogistic : BoostingObjective.Softmax,
        Classes = Math.Max(2, o.Classes), Iterations = most, LearningRate = rate, MaxLeaves = shape.Leaves, MinRowsPerLeaf = shape.LeastRows, Lambda = 1, RowSample = 0.8,
        ColumnSampleByNode = shape.Columns, EarlyStoppingRounds = (int)Math.Clamp(3 / rate, 20, 100), Seed = seed, Threads = threads,
    };
}
