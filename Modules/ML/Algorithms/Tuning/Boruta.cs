using MathNet.Numerics.Distributions;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tuning;

/// <summary>What <see cref="Boruta"/> found out about a column.</summary>
public enum Relevance
{
    /// <summary>Still neither better nor worse than chance at the end.</summary>
    Tentative,

    /// <summary>More important than the best shadow significantly often.</summary>
    Confirmed,

    /// <summary>Significantly seldom.</summary>
    Rejected,
}

/// <summary>The knobs of <see cref="Boruta"/>.</summary>
public sealed record BorutaOptions
{
    /// <summary>Forests grown at most.</summary>
    public int Rounds { get; init; } = 50;

    /// <summary>Error level of the decision on a column, over all columns (Bonferroni).</summary>
    public double Level { get; init; } = 0.01;

    /// <summary>The forest; its <see cref="RandomForestOptions.Classes"/> says what the target is.</summary>
    public RandomForestOptions Forest { get; init; } = new() { Trees = 100 };

    /// <summary>Seed of the shadows and the forests.</summary>
    public int Seed { get; init; } = 42;
}

/// <summary>A column and its verdict.</summary>
/// <param name="Column">The column.</param>
/// <param name="Relevance">The verdict.</param>
/// <param name="Hits">Rounds in which it was more important than every shadow.</param>
/// <param name="Rounds">Rounds it took part in.</param>
public sealed record ColumnRelevance(string Column, Relevance Relevance, int Hits, int Rounds);

/// <summary>
/// Boruta (Kursa and Rudnicki 2010): finds all columns that matter, not the fewest that do. In each round a random forest is grown on the columns and on
/// shuffled copies of them (at least five); a column scores a hit when its importance (gain) exceeds the best shadow's. Hits are tested against a fair
/// coin, corrected for the number of columns; rejected columns leave the table.
/// </summary>
public static class Boruta
{
    private const int LeastShadows = 5;

    /// <summary>Verdicts on the columns of <paramref name="x"/> for the target <paramref name="y"/> (numbers, or classes from 0), in column order.</summary>
    /// <exception cref="ArgumentException">Lengths differ or an option is out of range.</exception>
    public static IReadOnlyList<ColumnRelevance> Select(Dataset x, float[] y, BorutaOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        options ??= new BorutaOptions();
        if (options.Rounds < 1 || !(options.Level is > 0 and < 1)) throw new ArgumentException("Boruta options: a value is out of range.", nameof(options));
        var hits = new int[x.ColumnCount];
        var rounds = new int[x.ColumnCount];
        var verdicts = new Relevance[x.ColumnCount];
        for (var round = 0; round < options.Rounds && verdicts.Contains(Relevance.Tentative); round++)
        {
            int[] kept = [.. Enumerable.Range(0, x.ColumnCount).Where(c => verdicts[c] != Relevance.Rejected)];
            var random = RandomSource.For(options.Seed, round);
            var shadows = Enumerable.Range(0, Math.Max(LeastShadows, kept.Length)).Select(s => Shadow(x.Columns[kept[s % kept.Length]], s, ref random)).ToArray();
            var table = new Dataset([.. kept.Select(c => x.Columns[c]), .. shadows]);
            var importance = RandomForest.Train(table, y, options.Forest with { Seed = options.Seed + round }, cancellation: cancellation).Importance();
            var best = importance.Skip(kept.Length).Max(i => i.Gain);
            for (var i = 0; i < kept.Length; i++)
            {
                rounds[kept[i]]++;
                if (importance[i].Gain > best) hits[kept[i]]++;
            }
            foreach (var c in kept.Where(c => verdicts[c] == Relevance.Tentative))
            {
                var level = options.Level / (2.0 * x.ColumnCount);
                if (1 - Binomial.CDF(0.5, rounds[c], hits[c] - 1) < level) verdicts[c] = Relevance.Confirmed;
                else if (Binomial.CDF(0.5, rounds[c], hits[c]) < level) verdicts[c] = Relevance.Rejected;
            }
        }
        return [.. x.Columns.Select((column, c) => new ColumnRelevance(column.Name, verdicts[c], hits[c], rounds[c]))];
    }

    private static Column Shadow(Column column, int number, ref RandomSource random)
    {
        var order = Enumerable.Range(0, column.Length).ToArray();
        for (var i = order.Length - 1; i > 0; i--)
        {
            var other = random.NextInt(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
        var name = $"shadow {number} of {column.Name}";
        var shuffled = column.Select(order);
        return column.IsCategorical
            ? Column.Categorical(name, shuffled.Codes.ToArray(), column.Categories.Count > 0 ? column.Categories : null)
            : Column.Numeric(name, shuffled.Numbers.ToArray());
    }
}
