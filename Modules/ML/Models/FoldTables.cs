using System.Runtime.CompilerServices;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Models;

/// <summary>
/// What trees see of the two sides of each fold, made once: every trial of a search and the cross-validation after it learn from the same features, and to make
/// them (the words of texts above all) takes longer than to boost on them.
/// </summary>
/// <param name="columns">Rows to learn from.</param>
/// <param name="y">Their targets.</param>
/// <param name="classes">Number of classes; 0 for a number.</param>
/// <param name="log">Whether the logarithm of 1 + target is learned.</param>
/// <param name="seed">Seed of the folds inside.</param>
internal sealed class FoldTables(IReadOnlyList<RawColumn> columns, float[] y, int classes, bool log, int seed)
{
    private readonly ConditionalWeakTable<Split, Tuple<Dataset, Dataset>> made = [];

    /// <summary>The targets as they are learned.</summary>
    public float[] Target { get; } = BoostedTable.Learned(y, log);

    public int Classes => classes;

    public bool Log => log;

    public int Seed => seed;

    /// <summary>The rows to learn from and those held out, both as features learned on the former.</summary>
    public (Dataset Train, Dataset Held) Of(Split fold)
    {
        if (!made.TryGetValue(fold, out var tables))
        {
            var (features, train) = TableFeatures.Fit(columns.Rows(fold.Train), Array.ConvertAll(fold.Train, row => Target[row]), classes, seed);
            made.Add(fold, tables = Tuple.Create(train, features.Transform(columns.Rows(fold.Test))));
        }

        return (tables.Item1, tables.Item2);
    }
}
