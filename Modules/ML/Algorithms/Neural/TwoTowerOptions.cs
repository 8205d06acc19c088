using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>What is known of each user or each item besides its number.</summary>
public sealed record TowerFeatures
{
    /// <summary>Entities × feature ids; a value is the feature's weight in the entity's average of feature vectors. Null: none.</summary>
    public SparseMatrix? Bags { get; init; }

    /// <summary>Entities × <see cref="NumberCount"/>, row after row, NaN where missing; standardised by the training. Null: none.</summary>
    public float[]? Numbers { get; init; }

    /// <summary>Numbers an entity has.</summary>
    public int NumberCount { get; init; }
}

/// <summary>Settings of <see cref="TwoTower"/>.</summary>
public sealed record TwoTowerOptions
{
    /// <summary>Length of the vectors answered, 1 to 4096.</summary>
    public int Dimension { get; init; } = 64;

    /// <summary>Length of the vectors of ids and features that the towers read, 1 to 4096.</summary>
    public int EmbeddingDimension { get; init; } = 64;

    /// <summary>Units of each hidden layer of both towers, between their inputs and a linear layer; empty: that layer alone.</summary>
    public IReadOnlyList<int> Hidden { get; init; } = [];

    /// <summary>What hidden units do.</summary>
    public Activation Activation { get; init; } = Activation.Relu;

    /// <summary>Normalises each hidden layer's outputs within a row.</summary>
    public bool LayerNorm { get; init; }

    /// <summary>Share of tower inputs and hidden outputs dropped in training, 0 to 0.95.</summary>
    public float Dropout { get; init; } = 0.2f;

    /// <summary>
    /// Whether each known user has a vector of its own; without it a user is the history and the features. A tower that would read nothing reads ids all the same.
    /// </summary>
    public bool UserIds { get; init; } = true;

    /// <summary>Whether the user tower reads the average of the vectors of the user's items (Covington, Adams and Sargin 2016, section 3.2).</summary>
    public bool History { get; init; } = true;

    /// <summary>Most items of a history that a training step reads, drawn anew each time.</summary>
    public int HistoryLength { get; init; } = 50;

    /// <summary>
    /// Share of users, and of items that have features, that training reads as unknown ones, so that the vector all unknown ones share is learned; 0 to 0.9.
    /// </summary>
    public float UnknownShare { get; init; } = 0.1f;

    /// <summary>Whether both vectors have length 1, so that scores are cosines.</summary>
    public bool UnitLength { get; init; } = true;

    /// <summary>τ: the softmax is over scores / τ.</summary>
    public float Temperature { get; init; } = 0.1f;

    /// <summary>Items drawn evenly from the catalogue as negatives of every step, beside those of the batch; 0 takes the batch alone.</summary>
    public int UniformNegatives { get; init; } = 512;

    /// <summary>Whether the softmax is corrected for popular items being negatives more often (Yi et al. 2019).</summary>
    public bool LogQCorrection { get; init; } = true;

    /// <summary>Whether the other items a user took are left out of that user's negatives.</summary>
    public bool ExcludeKnown { get; init; } = true;

    /// <summary>Whether an interaction's value weighs its loss.</summary>
    public bool Weighted { get; init; }

    /// <summary>Most passes over the interactions.</summary>
    public int Iterations { get; init; } = 60;

    /// <summary>Interactions a step.</summary>
    public int BatchSize { get; init; } = 512;

    /// <summary>The optimiser.</summary>
    public AdamOptions Adam { get; init; } = new() { LearningRate = 2e-3f };

    /// <summary>
    /// Share of each user's items (rounded down) held out by seed for early stopping when no validation is given, 0 to 0.5; 0 trains on all.
    /// </summary>
    public double ValidationShare { get; init; } = 0.1;

    /// <summary>Length of the lists whose NDCG early stopping watches.</summary>
    public int ValidationAt { get; init; } = 10;

    /// <summary>Most users, drawn by seed, that early stopping asks.</summary>
    public int ValidationUsers { get; init; } = 2000;

    /// <summary>Passes without a better NDCG before training stops; the best pass is answered. 0 never stops early.</summary>
    public int Patience { get; init; } = 4;

    /// <summary>Seed of every draw.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Threads, 0 for one a core; the result does not depend on it.</summary>
    public int Threads { get; init; }

    internal void Check()
    {
        if (!Enum.IsDefined(Activation)) throw new ArgumentOutOfRangeException(nameof(Activation), $"{Activation} is no activation.");
        ArgumentNullException.ThrowIfNull(Hidden);
        ArgumentNullException.ThrowIfNull(Adam);
        foreach (var units in Hidden) Require.Between(units, 1, 65_536, nameof(Hidden));
        Require.Between(Dimension, 1, 4096);
        Require.Between(EmbeddingDimension, 1, 4096);
        Require.Between(Dropout, 0, 0.95f);
        Require.Between(HistoryLength, 1, 1 << 20);
        Require.Between(UnknownShare, 0, 0.9f);
        Require.Between(Temperature, 1e-4f, 1000);
        Require.Between(UniformNegatives, 0, 1 << 20);
        Require.Between(Iterations, 1, 100_000);
        Require.Between(BatchSize, 1, 1 << 16);
        Require.Between(ValidationShare, 0, 0.5);
        Require.Between(ValidationAt, 1, 10_000);
        Require.Between(ValidationUsers, 1, int.MaxValue);
        Require.Between(Patience, 0, 100_000);
        Require.Between(Threads, 0, 1024);
        Adam.Check();
    }
}
