using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>What <see cref="WideAndDeep"/> learns to predict.</summary>
public enum NeuralTask
{
    /// <summary>Labels 0 and 1; predicts the probability of 1.</summary>
    Binary,

    /// <summary>Classes counted from 0; predicts one probability a class.</summary>
    Multiclass,

    /// <summary>Numbers by squared error; predicts the mean.</summary>
    Regression,
}

/// <summary>Settings of <see cref="WideAndDeep"/>.</summary>
public sealed record WideAndDeepOptions
{
    /// <summary>What is predicted.</summary>
    public NeuralTask Task { get; init; } = NeuralTask.Binary;

    /// <summary>Units of each hidden layer; empty leaves a linear model of numbers, embeddings and the wide part.</summary>
    public IReadOnlyList<int> Hidden { get; init; } = [128, 64];

    /// <summary>What hidden units do.</summary>
    public Activation Activation { get; init; } = Activation.Relu;

    /// <summary>Normalises each hidden layer's outputs within a row.</summary>
    public bool LayerNorm { get; init; }

    /// <summary>Share of hidden outputs dropped in training, 0 to 0.95.</summary>
    public float Dropout { get; init; } = 0.2f;

    /// <summary>Length of each category's vector; 0 takes min(50, ⌈1.6·n^0.56⌉) for a column of n categories.</summary>
    public int EmbeddingDimension { get; init; }

    /// <summary>Whether the deep part reads each number's rank among those of the training beside its standardised value; for numbers with long tails.</summary>
    public bool Ranks { get; init; } = true;

    /// <summary>Whether categories and numbers also have linear weights of their own (the wide part).</summary>
    public bool Wide { get; init; } = true;

    /// <summary>Weights that the pairs of categories of different columns share by hashing in the wide part; 0 crosses nothing.</summary>
    public int CrossBuckets { get; init; }

    /// <summary>Most passes over the rows.</summary>
    public int Iterations { get; init; } = 60;

    /// <summary>Rows a step.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>The optimiser.</summary>
    public AdamOptions Adam { get; init; } = new();

    /// <summary>Share of rows held out (by seed, classes in proportion) for early stopping when no validation rows are given, 0 to 0.5; 0 trains on all rows.</summary>
    public double ValidationShare { get; init; } = 0.1;

    /// <summary>Passes without a lower validation loss before training stops; the best pass is answered. 0 never stops early.</summary>
    public int Patience { get; init; } = 6;

    /// <summary>Seed of the initial weights, the order of rows, dropout and the hold-out.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Threads, 0 for one a core; the result does not depend on it.</summary>
    public int Threads { get; init; }

    internal void Check()
    {
        if (!Enum.IsDefined(Task)) throw new ArgumentOutOfRangeException(nameof(Task), $"{Task} is no task.");
        if (!Enum.IsDefined(Activation)) throw new ArgumentOutOfRangeException(nameof(Activation), $"{Activation} is no activation.");
        ArgumentNullException.ThrowIfNull(Hidden);
        ArgumentNullException.ThrowIfNull(Adam);
        foreach (var units in Hidden) Require.Between(units, 1, 65_536, nameof(Hidden));
        Require.Between(Dropout, 0, 0.95f);
        Require.Between(EmbeddingDimension, 0, 4096);
        Require.Between(CrossBuckets, 0, 1 << 28);
        Require.Between(Iterations, 1, 100_000);
        Require.Between(BatchSize, 1, 1 << 20);
        Require.Between(ValidationShare, 0, 0.5);
        Require.Between(Patience, 0, 100_000);
        Require.Between(Threads, 0, 1024);
        Adam.Check();
    }
}
