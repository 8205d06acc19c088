using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>How much a column is used by a model's trees.</summary>
/// <param name="Column">The column's name.</param>
/// <param name="Gain">Sum of the gains of its splits.</param>
/// <param name="Splits">Number of its splits.</param>
/// <param name="Cover">Sum of hessians of the training rows that its splits parted.</param>
public sealed record FeatureImportance(string Column, double Gain, int Splits, double Cover);

/// <summary>A trained ensemble of boosted trees. Immutable; predicts from any number of threads at once.</summary>
public sealed class GradientBoostingModel
{
    private const string Kind = "OKGB";
    private readonly TreeEnsemble _ensemble;

    internal GradientBoostingModel(BoostingObjective objective, TreeEnsemble ensemble, IReadOnlyList<double> validationScores)
    {
        Objective = objective;
        _ensemble = ensemble;
        ValidationScores = validationScores;
    }

    /// <summary>What the model was trained to minimise.</summary>
    public BoostingObjective Objective { get; }

    /// <summary>Numbers that a prediction has: the classes of <see cref="BoostingObjective.Softmax"/>, otherwise 1.</summary>
    public int OutputCount => _ensemble.Outputs;

    /// <summary>Boosting rounds kept (up to the best one after early stopping).</summary>
    public int Iterations => _ensemble.Trees.Count / OutputCount;

    /// <summary>Names of the columns it was trained on, in order.</summary>
    public IReadOnlyList<string> Columns => [.. _ensemble.Features.Select(f => f.Name)];

    /// <summary>The watched validation metric after each round; empty without validation rows or after loading.</summary>
    public IReadOnlyList<double> ValidationScores { get; }

    internal TreeEnsemble Ensemble => _ensemble;

    /// <summary>
    /// Predictions row by row (rows × <see cref="OutputCount"/>): means, medians, quantiles, rates, the probability of 1,
    /// one probability a class, or a ranking score. <paramref name="threads"/> 0 takes every core.
    /// </summary>
    /// <exception cref="ArgumentException">The columns differ from those trained on.</exception>
    public float[] Predict(Dataset table, int threads = 0)
    {
        var margins = PredictMargins(table, threads);
        var predictions = new float[margins.Length];
        for (var r = 0; r < margins.Length; r += OutputCount) Respond(margins.AsSpan(r, OutputCount), predictions.AsSpan(r, OutputCount));
        return predictions;
    }

    /// <summary>Raw scores before the link (rows × <see cref="OutputCount"/>).</summary>
    public double[] PredictMargins(Dataset table, int threads = 0) => _ensemble.Margins(table, threads);

    /// <summary>The prediction for one row (a number a column; codes as numbers; NaN = missing) of a model with one output.</summary>
    public float Predict(ReadOnlySpan<float> row)
    {
        if (OutputCount != 1) throw new InvalidOperationException("The model predicts one number a class; give a span for them.");
        Span<float> prediction = stackalloc float[1];
        Predict(row, prediction);
        return prediction[0];
    }

    /// <summary>The prediction for one row into <paramref name="prediction"/> (<see cref="OutputCount"/> numbers).</summary>
    public void Predict(ReadOnlySpan<float> row, Span<float> prediction)
    {
        Span<double> margins = OutputCount <= 64 ? stackalloc double[OutputCount] : new double[OutputCount];
        _ensemble.Margins(row, margins);
        Respond(margins, prediction);
    }

    /// <summary>Use of each column, in column order.</summary>
    public IReadOnlyList<FeatureImportance> Importance() => _ensemble.Importance();

    /// <summary>Writes the model: versioned, little-endian, with a checksum.</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        writer.Write((int)Objective);
        _ensemble.Write(writer);
    });

    /// <summary>Reads a model that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not a model, cut off or damaged.</exception>
    public static GradientBoostingModel Load(Stream stream) =>
        CheckedStream.Read(stream, Kind, 1, (reader, _) => new GradientBoostingModel((BoostingObjective)reader.ReadInt32(), TreeEnsemble.Read(reader), []));

    private void Respond(ReadOnlySpan<double> margins, Span<float> prediction)
    {
        switch (Objective)
        {
            case BoostingObjective.BinaryLogistic:
                prediction[0] = (float)(1 / (1 + Math.Exp(-margins[0])));
                break;
            case BoostingObjective.Poisson or BoostingObjective.Tweedie:
                prediction[0] = (float)Math.Exp(margins[0]);
                break;
            case BoostingObjective.Softmax:
                double largest = double.NegativeInfinity, sum = 0;
                foreach (var margin in margins) largest = Math.Max(largest, margin);
                foreach (var margin in margins) sum += Math.Exp(margin - largest);
                for (var k = 0; k < margins.Length; k++) prediction[k] = (float)(Math.Exp(margins[k] - largest) / sum);
                break;
            default:
                prediction[0] = (float)margins[0];
                break;
        }
    }
}
