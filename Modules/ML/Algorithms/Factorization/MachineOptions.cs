namespace OKLA.ML.Algorithms.Factorization;

/// <summary>What a factorisation machine minimises.</summary>
public enum MachineLoss
{
    /// <summary>ln(1 + e^(−yŝ)); targets are 0 or 1, predictions are probabilities.</summary>
    Logistic,

    /// <summary>½(y − ŝ)²; targets and predictions are numbers.</summary>
    Squared,
}

/// <summary>Settings of <see cref="FactorizationMachine"/> and <see cref="FieldAwareFactorizationMachine"/>.</summary>
public sealed record MachineOptions
{
    /// <summary>What is minimised.</summary>
    public MachineLoss Loss { get; init; } = MachineLoss.Logistic;

    /// <summary>Length of each factor vector, 1 to 1024; multiples of 8 are fastest.</summary>
    public int Factors { get; init; } = 16;

    /// <summary>Most passes over the rows.</summary>
    public int Iterations { get; init; } = 20;

    /// <summary>η of AdaGrad.</summary>
    public float LearningRate { get; init; } = 0.1f;

    /// <summary>λ on the linear weights.</summary>
    public float LinearRegularization { get; init; } = 1e-5f;

    /// <summary>λ on the factor vectors.</summary>
    public float Regularization { get; init; } = 2e-5f;

    /// <summary>Standard deviation of the initial factors.</summary>
    public float InitialDeviation { get; init; } = 0.05f;

    /// <summary>Each row is scaled to unit length first (Juan et al. 2016, section 3.2).</summary>
    public bool Normalize { get; init; }

    /// <summary>With validation rows: stops after this many passes without improvement and goes back to the best. 0 = never.</summary>
    public int Patience { get; init; } = 3;

    /// <summary>Seed of the initial factors and of the order of rows.</summary>
    public int Seed { get; init; } = 42;

    internal void Check()
    {
        Require.Between(Factors, 1, 1024);
        Require.Between(Iterations, 1, 100_000);
        Require.Between(LearningRate, 1e-9f, 100);
        Require.Between(LinearRegularization, 0, 100);
        Require.Between(Regularization, 0, 100);
        Require.Between(InitialDeviation, 0, 10);
        Require.Between(Patience, 0, 100_000);
    }
}

/// <summary>Rows of features with their targets, kept for measuring while a machine learns.</summary>
/// <param name="Rows">Rows × features.</param>
/// <param name="Targets">One target a row.</param>
public sealed record LabelledRows(SparseMatrix Rows, float[] Targets);
