namespace OKLA.ML.Algorithms.Automatic;

/// <summary>What <see cref="AutomaticTable"/> is to learn, and for how long.</summary>
public sealed record AutomaticOptions
{
    /// <summary>Number of classes, whose targets are 0 to Classes − 1; 0 for a number.</summary>
    public int Classes { get; init; }

    /// <summary>Learns the logarithm of 1 + target, for numbers above −1 that spread over powers of ten; answers are in the target's unit all the same.</summary>
    public bool Log { get; init; }

    /// <summary>Seconds after which nothing more is tried. The four standing algorithms are always trained, each within its part of this: boosting takes fewer and larger steps where it would need more than half of it, and what is not done in its part ends with what it has. Reading and weighing come on top.</summary>
    public double BudgetSeconds { get; init; } = 60;

    /// <summary>Trains the four standing algorithms and nothing beyond them.</summary>
    public bool StandingOnly { get; init; }

    /// <summary>Seed of every draw; runs that the budget does not cut short are repeatable.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Most threads; 0 takes every core.</summary>
    public int Threads { get; init; }

    /// <summary>How columns are read.</summary>
    public Tabular.TableEncoderOptions Encoding { get; init; } = new() { MaxCategories = 20_000 };

    /// <summary>The clock that the budget and the training times are read from.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    internal int Outputs => Math.Max(1, Classes == 2 ? 1 : Classes);

    internal bool IsRegression => Classes == 0;
}
