using OKLA.ML.Models;

namespace OKLA.ML.Training;

/// <summary>What a training of a table found out, and enough to train the same model again; kept with its run.</summary>
/// <param name="Profile">fast or accurate.</param>
/// <param name="Settings">Settings of the boosted trees.</param>
/// <param name="Columns">Columns learned from.</param>
/// <param name="Seed">Seed of everything random.</param>
/// <param name="Threads">Threads used.</param>
/// <param name="BudgetSeconds">Time given to the ensemble.</param>
internal sealed record TableRecipe(string Profile, BoostingSettings Settings, IReadOnlyList<string> Columns, int Seed, int Threads, double BudgetSeconds)
{
    /// <summary>What the clock said while the ensemble was trained; null for the fast profile.</summary>
    public byte[]? Clock { get; init; }
}

/// <summary>A table to learn from.</summary>
/// <param name="Columns">Its columns.</param>
/// <param name="Dataset">Name of the data set.</param>
/// <param name="Version">Its version; 0 where it has none.</param>
/// <param name="Sha256">Checksum of its content; empty where it has none.</param>
/// <param name="CreatedAt">When it was made.</param>
internal sealed record TableData(IReadOnlyList<Algorithms.Tabular.RawColumn> Columns, string Dataset, int Version, string Sha256, DateTimeOffset CreatedAt);
