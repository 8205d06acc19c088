using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>How linear scores become class probabilities.</summary>
public enum LinearLink
{
    /// <summary>Two classes, one score s: P(1) = 1 / (1 + e^−s).</summary>
    Logistic,

    /// <summary>One score a class: P(k) = e^s_k / Σ e^s.</summary>
    Softmax,

    /// <summary>One score a class against the rest: P(k) = σ(s_k) / Σ σ(s).</summary>
    OneVersusRest,
}

/// <summary>Linear scores turned into class probabilities, as <see cref="LogisticRegression"/> learns them. Immutable, safe for many threads.</summary>
public sealed class LinearClassifierModel
{
    private const string Kind = "OKLC";
    private readonly LinearWeights _weights;

    internal LinearClassifierModel(LinearWeights weights, LinearLink link)
    {
        _weights = weights;
        Link = link;
    }

    /// <summary>How scores become probabilities.</summary>
    public LinearLink Link { get; }

    /// <summary>The number of classes.</summary>
    public int Classes => Link == LinearLink.Logistic ? 2 : _weights.Outputs;

    /// <summary>The encoding of tables; null when trained on a sparse matrix.</summary>
    public LinearInputs? Inputs => _weights.Inputs;

    /// <summary>Scores × features, score after score; one score for two classes, otherwise one a class.</summary>
    public ReadOnlySpan<double> Weights => _weights.Values;

    /// <summary>One intercept a score.</summary>
    public ReadOnlySpan<double> Intercepts => _weights.Intercepts;

    /// <summary>P(class), rows × classes, row after row.</summary>
    public double[] Probabilities(Dataset x) => ByRow(_weights.Scores(x));

    /// <summary>P(class), rows × classes, row after row.</summary>
    public double[] Probabilities(SparseMatrix x) => ByRow(_weights.Scores(x));

    /// <summary>P(class) of one row as <see cref="Dataset.CopyRow"/> gives it.</summary>
    public double[] Probabilities(ReadOnlySpan<float> row)
    {
        var scores = new double[_weights.Outputs];
        _weights.ScoreRow(row, scores);
        return ByRow(scores);
    }

    /// <summary>P(class) of one sparse row: ascending columns and their values.</summary>
    public double[] Probabilities(ReadOnlySpan<int> indices, ReadOnlySpan<float> values)
    {
        var scores = new double[_weights.Outputs];
        _weights.ScoreRow(indices, values, scores);
        return ByRow(scores);
    }

    /// <summary>P(class 1) a row of a model of two classes.</summary>
    /// <exception cref="InvalidOperationException">There are more classes.</exception>
    public double[] PositiveProbabilities(Dataset x) => Positive(Probabilities(x));

    /// <summary>P(class 1) a row of a model of two classes.</summary>
    /// <exception cref="InvalidOperationException">There are more classes.</exception>
    public double[] PositiveProbabilities(SparseMatrix x) => Positive(Probabilities(x));

    /// <summary>The likeliest class a row.</summary>
    public int[] Predict(Dataset x) => Likeliest(Probabilities(x));

    /// <summary>The likeliest class a row.</summary>
    public int[] Predict(SparseMatrix x) => Likeliest(Probabilities(x));

    /// <summary>Writes the model (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, Write);

    /// <summary>Reads a model that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static LinearClassifierModel Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) => Read(reader));

    internal void Write(BinaryWriter writer)
    {
        writer.Write((byte)Link);
        _weights.Write(writer);
    }

    internal static LinearClassifierModel Read(BinaryReader reader)
    {
        var link = (LinearLink)reader.ReadByte();
        if (!Enum.IsDefined(link)) throw new InvalidDataException($"Unknown link {link}.");
        return new LinearClassifierModel(LinearWeights.Read(reader), link);
    }

    /// <summary>1 / (1 + e^−s) without overflow.</summary>
    internal static double Sigmoid(double s)
    {
        if (s >= 0) return 1 / (1 + Math.Exp(-s));
        var e = Math.Exp(s);
        return e / (1 + e);
    }

    private double[] ByRow(double[] scores)
    {
        var rows = scores.Length / _weights.Outputs;
        var result = new double[rows * Classes];
        for (var i = 0; i < rows; i++)
        {
            if (Link == LinearLink.Logistic)
            {
                (result[2 * i], result[2 * i + 1]) = (Sigmoid(-scores[i]), Sigmoid(scores[i]));
                continue;
            }
            var row = result.AsSpan(i * Classes, Classes);
            for (var k = 0; k < row.Length; k++) row[k] = Link == LinearLink.Softmax ? scores[k * rows + i] : Sigmoid(scores[k * rows + i]);
            if (Link == LinearLink.Softmax) System.Numerics.Tensors.TensorPrimitives.SoftMax<double>(row, row);
            else
            {
                var sum = System.Numerics.Tensors.TensorPrimitives.Sum<double>(row);
                if (sum > 0) System.Numerics.Tensors.TensorPrimitives.Divide(row, sum, row);
                else row.Fill(1.0 / Classes);
            }
        }
        return result;
    }

    private double[] Positive(double[] probabilities)
    {
        if (Classes != 2) throw new InvalidOperationException($"The model has {Classes} classes.");
        var result = new double[probabilities.Length / 2];
        for (var i = 0; i < result.Length; i++) result[i] = probabilities[2 * i + 1];
        return result;
    }

    private int[] Likeliest(double[] probabilities)
    {
        var result = new int[probabilities.Length / Classes];
        for (var i = 0; i < result.Length; i++) result[i] = System.Numerics.Tensors.TensorPrimitives.IndexOfMax<double>(probabilities.AsSpan(i * Classes, Classes));
        return result;
    }
}
