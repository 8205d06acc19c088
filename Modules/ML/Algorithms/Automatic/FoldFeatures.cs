using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Automatic;

/// <summary>Rows read without any look at the target: columns, and the vectors of their texts.</summary>
internal sealed record ReadRows(Dataset Table, IReadOnlyList<SparseMatrix> Texts)
{
    public ReadRows Select(int[] rows) => new(Table.Select(rows), [.. Texts.Select(t => TextScores.Select(t, rows))]);
}

/// <summary>What one fold's training rows add to the columns by their targets: statistics of categories and scores of texts.</summary>
internal sealed class FoldFeatures
{
    private readonly TargetStatistics _statistics;
    private readonly (string Name, LinearRegressionModel Model)[][] _texts;

    private FoldFeatures(TargetStatistics statistics, (string, LinearRegressionModel)[][] texts)
    {
        _statistics = statistics;
        _texts = texts;
    }

    /// <summary>The features, and the training rows with them.</summary>
    public static (FoldFeatures Features, Dataset Training) Fit(ReadRows rows, IReadOnlyList<string> textNames, float[] y, AutomaticOptions options, int seed)
    {
        // A score a class is worth its columns only while classes are few.
        var targets = options.Outputs == 1 ? [y] : options.Outputs <= 6 ? Enumerable.Range(0, options.Outputs).Select(k => Array.ConvertAll(y, c => c == k ? 1f : 0f)).ToArray() : [];
        var (statistics, columns) = TargetStatistics.Fit(rows.Table, targets, seed: seed);
        var made = new List<Column>(rows.Table.Columns);
        made.AddRange(columns);
        var texts = new (string, LinearRegressionModel)[rows.Texts.Count][];
        for (var t = 0; t < texts.Length; t++)
        {
            texts[t] = new (string, LinearRegressionModel)[targets.Length];
            for (var k = 0; k < targets.Length; k++)
            {
                var (model, scores) = TextScores.Fit(rows.Texts[t], targets[k], seed);
                texts[t][k] = (ScoreName(textNames[t], k), model);
                made.Add(Column.Numeric(ScoreName(textNames[t], k), scores));
            }
        }
        return (new FoldFeatures(statistics, texts), new Dataset(made));
    }

    public Dataset Transform(ReadRows rows)
    {
        var made = new List<Column>(rows.Table.Columns);
        made.AddRange(_statistics.Transform(rows.Table));
        for (var t = 0; t < _texts.Length; t++)
        {
            foreach (var (name, model) in _texts[t]) made.Add(Column.Numeric(name, TextScores.Score(model, rows.Texts[t])));
        }
        return new Dataset(made);
    }

    public void Write(BinaryWriter writer)
    {
        _statistics.Write(writer);
        writer.Write(_texts.Length);
        foreach (var scores in _texts)
        {
            writer.Write(scores.Length);
            foreach (var (name, model) in scores)
            {
                writer.Write(name);
                Nested.Write(writer, model.Save);
            }
        }
    }

    public static FoldFeatures Read(BinaryReader reader)
    {
        var statistics = TargetStatistics.Read(reader);
        var texts = new (string, LinearRegressionModel)[reader.ReadInt32()][];
        for (var t = 0; t < texts.Length; t++)
        {
            texts[t] = new (string, LinearRegressionModel)[reader.ReadInt32()];
            for (var k = 0; k < texts[t].Length; k++) texts[t][k] = (reader.ReadString(), Nested.Read(reader, LinearRegressionModel.Load));
        }
        return new FoldFeatures(statistics, texts);
    }

    private static string ScoreName(string text, int output) => $"{text} → words say {output}";
}

/// <summary>A saved part inside a saved whole: its length, then what its own <c>Save</c> wrote.</summary>
internal static class Nested
{
    public static void Write(BinaryWriter writer, Action<Stream> save)
    {
        using var part = new MemoryStream();
        save(part);
        writer.Write((int)part.Length);
        writer.Write(part.GetBuffer(), 0, (int)part.Length);
    }

    public static T Read<T>(BinaryReader reader, Func<Stream, T> load) => load(new MemoryStream(reader.ReadBytes(reader.ReadInt32())));
}
