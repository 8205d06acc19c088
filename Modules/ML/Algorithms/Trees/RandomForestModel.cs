using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>A trained forest. Immutable; predicts from any number of threads at once.</summary>
public sealed class RandomForestModel
{
    private const string Kind = "OKRF";

    internal RandomForestModel(int classes, TreeEnsemble ensemble, double outOfBagScore)
    {
        Classes = classes;
        Ensemble = ensemble;
        OutOfBagScore = outOfBagScore;
    }

    /// <summary>Number of classes, 0 for regression.</summary>
    public int Classes { get; }

    /// <summary>Numbers that a prediction has: one a class, 1 for regression.</summary>
    public int OutputCount => Math.Max(1, Classes);

    /// <summary>R² (regression) or accuracy (classes) of each row under the trees that did not see it; NaN for extra trees.</summary>
    public double OutOfBagScore { get; }

    /// <summary>Names of the columns it was trained on, in order.</summary>
    public IReadOnlyList<string> Columns => [.. Ensemble.Features.Select(f => f.Name)];

    internal TreeEnsemble Ensemble { get; }

    /// <summary>Means, or one probability a class (rows × <see cref="OutputCount"/>); <paramref name="threads"/> 0 takes every core.</summary>
    /// <exception cref="ArgumentException">The columns differ from those trained on.</exception>
    public float[] Predict(Dataset table, int threads = 0)
    {
        var margins = Ensemble.Margins(table, threads);
        var predictions = new float[table.RowCount * OutputCount];
        for (var r = 0; r < table.RowCount; r++) Respond(margins.AsSpan(r * Ensemble.Outputs, Ensemble.Outputs), predictions.AsSpan(r * OutputCount, OutputCount));
        return predictions;
    }

    /// <summary>The prediction for one row (a number a column; codes as numbers; NaN = missing) into <paramref name="prediction"/>.</summary>
    public void Predict(ReadOnlySpan<float> row, Span<float> prediction)
    {
        var margins = new double[Ensemble.Outputs];
        Ensemble.Margins(row, margins);
        Respond(margins, prediction);
    }

    /// <summary>Use of each column, in column order; gain is the drop of the squared error (of Gini impurity, for classes).</summary>
    public IReadOnlyList<FeatureImportance> Importance() => Ensemble.Importance();

    /// <summary>Writes the model: versioned, little-endian, with a checksum.</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        writer.Write(Classes);
        writer.Write(OutOfBagScore);
        Ensemble.Write(writer);
    });

    /// <summary>Reads a model that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not a model, cut off or damaged.</exception>
    public static RandomForestModel Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) =>
    {
        var classes = reader.ReadInt32();
        var score = reader.ReadDouble();
        return new RandomForestModel(classes, TreeEnsemble.Read(reader), score);
    });

    internal static int ClassOf(ReadOnlySpan<double> answers)
    {
        if (answers.Length == 1) return answers[0] > 0.5 ? 1 : 0;
        var best = 0;
        for (var k = 1; k < answers.Length; k++)
        {
            if (answers[k] > answers[best]) best = k;
        }
        return best;
    }

    private void Respond(ReadOnlySpan<double> answers, Span<float> prediction)
    {
        if (Classes == 0)
        {
            prediction[0] = (float)answers[0];
            return;
        }
        if (Classes == 2)
        {
            prediction[1] = (float)Math.Clamp(answers[0], 0, 1);
            prediction[0] = 1 - prediction[1];
            return;
        }
        double sum = 0;
        foreach (var answer in answers) sum += Math.Max(0, answer);
        for (var k = 0; k < answers.Length; k++) prediction[k] = sum > 0 ? (float)(Math.Max(0, answers[k]) / sum) : 1f / answers.Length;
    }
}
