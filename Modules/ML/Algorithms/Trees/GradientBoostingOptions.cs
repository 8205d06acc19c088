namespace OKLA.ML.Algorithms.Trees;

/// <summary>What gradient boosting minimises.</summary>
public enum BoostingObjective
{
    /// <summary>Half the squared error; predicts the mean.</summary>
    SquaredError,

    /// <summary>The absolute error; predicts the median (leaves are renewed by medians).</summary>
    AbsoluteError,

    /// <summary>Huber's loss with <see cref="GradientBoostingOptions.HuberDelta"/>.</summary>
    Huber,

    /// <summary>The pinball loss of <see cref="GradientBoostingOptions.QuantileAlpha"/> (leaves are renewed by quantiles).</summary>
    Quantile,

    /// <summary>Poisson deviance of counts, log link.</summary>
    Poisson,

    /// <summary>Tweedie deviance with <see cref="GradientBoostingOptions.TweediePower"/>, log link.</summary>
    Tweedie,

    /// <summary>Log loss of labels 0 and 1; predicts the probability of 1.</summary>
    BinaryLogistic,

    /// <summary>Log loss of classes 0 to <see cref="GradientBoostingOptions.Classes"/> - 1; predicts one probability a class.</summary>
    Softmax,

    /// <summary>LambdaMART (Burges 2010): ranks within query groups by graded relevance 0, 1, 2 …</summary>
    LambdaRank,
}

/// <summary>What early stopping watches on the validation rows.</summary>
public enum BoostingMetric
{
    /// <summary>The objective's own loss (NDCG for ranking).</summary>
    Default,

    /// <summary>Root of the mean squared error.</summary>
    RootMeanSquaredError,

    /// <summary>Mean absolute error.</summary>
    MeanAbsoluteError,

    /// <summary>Area under the ROC curve; larger is better.</summary>
    AreaUnderCurve,

    /// <summary>Share of wrong classes.</summary>
    ErrorRate,
}

/// <summary>The knobs of <see cref="GradientBoosting"/>.</summary>
public sealed record GradientBoostingOptions
{
    /// <summary>What is minimised.</summary>
    public BoostingObjective Objective { get; init; } = BoostingObjective.SquaredError;

    /// <summary>Most boosting rounds (each grows one tree, or one a class).</summary>
    public int Iterations { get; init; } = 500;

    /// <summary>Factor on each tree's answer.</summary>
    public double LearningRate { get; init; } = 0.05;

    /// <summary>Most leaves of a tree; the leaf with the largest gain is split first.</summary>
    public int MaxLeaves { get; init; } = 63;

    /// <summary>Most splits between root and leaf; 0 sets no limit.</summary>
    public int MaxDepth { get; init; }

    /// <summary>Least rows a leaf may hold (judged by its share of the node's hessian, as exact counts are not kept per bin).</summary>
    public int MinRowsPerLeaf { get; init; } = 5;

    /// <summary>Least sum of hessians a leaf may hold.</summary>
    public double MinHessianPerLeaf { get; init; } = 1e-3;

    /// <summary>Gain a split must exceed.</summary>
    public double MinSplitGain { get; init; }

    /// <summary>L2 penalty on leaf values.</summary>
    public double Lambda { get; init; } = 1;

    /// <summary>L1 penalty on leaf values.</summary>
    public double Alpha { get; init; }

    /// <summary>Share of rows drawn (without replacement) for each round.</summary>
    public double RowSample { get; init; } = 1;

    /// <summary>Share of columns drawn for each tree.</summary>
    public double ColumnSampleByTree { get; init; } = 1;

    /// <summary>Share of a tree's columns drawn for each depth.</summary>
    public double ColumnSampleByLevel { get; init; } = 1;

    /// <summary>Share of a depth's columns drawn for each node.</summary>
    public double ColumnSampleByNode { get; init; } = 1;

    /// <summary>Most bins for the known values of a column, 2 to 255.</summary>
    public int MaxBins { get; init; } = 255;

    /// <summary>Added to a category's hessian when categories are ordered by gradient, so that rare ones stay near the middle.</summary>
    public double CategorySmoothing { get; init; } = 10;

    /// <summary>L2 penalty added to <see cref="Lambda"/> when a split on categories is weighed.</summary>
    public double CategoryLambda { get; init; } = 10;

    /// <summary>Most categories on the smaller, listed side of a split.</summary>
    public int MaxCategoriesPerSplit { get; init; } = 32;

    /// <summary>Up to this many categories each is tried alone against the others.</summary>
    public int OneHotCategories { get; init; } = 4;

    /// <summary>Direction by column name: 1 = the prediction never falls when the number grows, -1 = it never rises.</summary>
    public IReadOnlyDictionary<string, int> Monotone { get; init; } = new Dictionary<string, int>();

    /// <summary>Number of classes for <see cref="BoostingObjective.Softmax"/>.</summary>
    public int Classes { get; init; } = 2;

    /// <summary>Weight of each class; empty gives each row weight 1.</summary>
    public IReadOnlyList<double> ClassWeights { get; init; } = [];

    /// <summary>The quantile for <see cref="BoostingObjective.Quantile"/>, in (0, 1).</summary>
    public double QuantileAlpha { get; init; } = 0.5;

    /// <summary>Residual beyond which Huber's loss is linear, in the target's units.</summary>
    public double HuberDelta { get; init; } = 1;

    /// <summary>Tweedie's variance power, in (1, 2).</summary>
    public double TweediePower { get; init; } = 1.5;

    /// <summary>LambdaMART counts only pairs with one item among this many first.</summary>
    public int RankTruncation { get; init; } = 30;

    /// <summary>Positions that the validation NDCG counts.</summary>
    public int RankAt { get; init; } = 10;

    /// <summary>Rounds without a better validation metric before training stops; 0 never stops early.</summary>
    public int EarlyStoppingRounds { get; init; }

    /// <summary>
    /// Share of the first round's validation loss below which training is over, 0 to 1; 0 never ends it so. Where the target follows from the columns each round
    /// makes the answers a little surer and none is the last, so that <see cref="EarlyStoppingRounds"/> alone lets all rounds run.
    /// </summary>
    public double SolvedShare { get; init; }

    /// <summary>What early stopping watches.</summary>
    public BoostingMetric Metric { get; init; }

    /// <summary>Seed of every draw.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Most threads; the model is the same for any number. 0 takes every core.</summary>
    public int Threads { get; init; }

    // Looked at between rounds; true ends training with what is learned by then.
    internal Func<bool>? Enough { get; init; }

    internal int Outputs => Objective == BoostingObjective.Softmax ? Classes : 1;

    internal void Validate()
    {
        Check(Iterations >= 0 && MaxLeaves >= 2 && MaxDepth >= 0 && MinRowsPerLeaf >= 1, "Iterations, MaxLeaves, MaxDepth or MinRowsPerLeaf");
        Check(LearningRate > 0 && Lambda >= 0 && Alpha >= 0 && MinHessianPerLeaf >= 0, "LearningRate, Lambda, Alpha or MinHessianPerLeaf");
        Check(Share(RowSample) && Share(ColumnSampleByTree) && Share(ColumnSampleByLevel) && Share(ColumnSampleByNode), "a sample share");
        Check(MaxBins is >= 2 and <= 255, nameof(MaxBins));
        Check(Classes >= 2 && (ClassWeights.Count == 0 || ClassWeights.Count == (Objective == BoostingObjective.Softmax ? Classes : 2)), "Classes or ClassWeights");
        Check(QuantileAlpha is > 0 and < 1 && HuberDelta > 0 && TweediePower is > 1 and < 2, "QuantileAlpha, HuberDelta or TweediePower");
        Check(CategorySmoothing >= 0 && CategoryLambda >= 0 && MaxCategoriesPerSplit >= 1, "a category setting");
        Check(Monotone.Values.All(d => d is >= -1 and <= 1), nameof(Monotone));

        static bool Share(double share) => share is > 0 and <= 1;
        static void Check(bool right, string what)
        {
            if (!right) throw new ArgumentException($"Gradient boosting options: {what} out of range.");
        }
    }
}

/// <summary>What training tells after each round.</summary>
/// <param name="Iteration">Rounds done.</param>
/// <param name="ValidationScore">The watched metric on the validation rows, NaN without them.</param>
/// <param name="BestIteration">The round with the best metric so far.</param>
public readonly record struct BoostingProgress(int Iteration, double ValidationScore, int BestIteration);
