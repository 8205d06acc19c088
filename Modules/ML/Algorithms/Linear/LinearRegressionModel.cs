using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>A linear prediction w·x + b of a number, as <see cref="RidgeRegression"/> and <see cref="ElasticNet"/> learn it. Immutable, safe for many threads.</summary>
public sealed class LinearRegressionModel
{
    private const string Kind = "OKLR";
    private readonly LinearWeights _weights;

    internal LinearRegressionModel(LinearWeights weights) => _weights = weights;

    /// <summary>The encoding of tables; null when trained on a sparse matrix.</summary>
    public LinearInputs? Inputs => _weights.Inputs;

    /// <summary>One weight a feature, in the order of <see cref="LinearInputs.FeatureNames"/> or of the matrix's columns.</summary>
    public ReadOnlySpan<double> Weights => _weights.Values;

    /// <summary>The prediction where all features are 0.</summary>
    public double Intercept => _weights.Intercepts[0];

    /// <summary>Predictions, one a row, in the target's unit.</summary>
    public double[] Predict(Dataset x) => _weights.Scores(x);

    /// <summary>Predictions, one a row, in the target's unit.</summary>
    public double[] Predict(SparseMatrix x) => _weights.Scores(x);

    /// <summary>The prediction of one row as <see cref="Dataset.CopyRow"/> gives it.</summary>
    public double Predict(ReadOnlySpan<float> row)
    {
        Span<double> score = stackalloc double[1];
        _weights.ScoreRow(row, score);
        return score[0];
    }

    /// <summary>Writes the model (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, _weights.Write);

    /// <summary>Reads a model that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static LinearRegressionModel Load(Stream stream) =>
        CheckedStream.Read(stream, Kind, 1, (reader, _) => new LinearRegressionModel(LinearWeights.Read(reader)));
}
