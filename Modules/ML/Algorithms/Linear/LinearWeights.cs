using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>Weights and intercepts of one or more linear scores w·x + b, with the encoding of tables when trained on one.</summary>
internal sealed class LinearWeights(LinearInputs? inputs, int columns, double[] weights, double[] intercepts)
{
    public LinearInputs? Inputs { get; } = inputs;

    /// <summary>Features a score.</summary>
    public int Columns { get; } = columns;

    public int Outputs => Intercepts.Length;

    /// <summary>Outputs × columns, output after output.</summary>
    public double[] Values { get; } = weights;

    public double[] Intercepts { get; } = intercepts;

    /// <summary>Scores output after output (outputs × rows).</summary>
    public double[] Scores(Dataset x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (Inputs is null) throw new InvalidOperationException("This model was trained on a sparse matrix.");
        return Scores(new TableDesign(Inputs, x, 0));
    }

    public double[] Scores(SparseMatrix x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (Inputs is not null) throw new InvalidOperationException("This model was trained on a table.");
        if (x.Columns != Columns) throw new ArgumentException($"The matrix has {x.Columns} columns, training had {Columns}.", nameof(x));
        return Scores(new SparseDesign(x, 0));
    }

    public void ScoreRow(ReadOnlySpan<float> row, Span<double> scores)
    {
        if (Inputs is null) throw new InvalidOperationException("This model was trained on a sparse matrix.");
        var features = new double[Columns];
        Inputs.Encode(row, features);
        for (var k = 0; k < Outputs; k++) scores[k] = Intercepts[k] + System.Numerics.Tensors.TensorPrimitives.Dot(features, Values.AsSpan(k * Columns, Columns));
    }

    public void ScoreRow(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, Span<double> scores)
    {
        if (indices.Length != values.Length) throw new ArgumentException("As many indices as values.", nameof(values));
        foreach (var index in indices) ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Columns);
        for (var k = 0; k < Outputs; k++) scores[k] = Intercepts[k] + SparseKernels.Dot(indices, values, Values.AsSpan(k * Columns, Columns));
    }

    public void Write(BinaryWriter writer)
    {
        writer.Write(Inputs is not null);
        Inputs?.Write(writer);
        writer.Write(Columns);
        writer.Write(Outputs);
        foreach (var value in Values) writer.Write(value);
        foreach (var value in Intercepts) writer.Write(value);
    }

    public static LinearWeights Read(BinaryReader reader)
    {
        var inputs = reader.ReadBoolean() ? LinearInputs.Read(reader) : null;
        var columns = reader.ReadInt32();
        var outputs = reader.ReadInt32();
        var weights = new double[columns * outputs];
        for (var i = 0; i < weights.Length; i++) weights[i] = reader.ReadDouble();
        var intercepts = new double[outputs];
        for (var i = 0; i < outputs; i++) intercepts[i] = reader.ReadDouble();
        return new LinearWeights(inputs, columns, weights, intercepts);
    }

    private double[] Scores(Design x)
    {
        var scores = new double[Outputs * x.Rows];
        for (var k = 0; k < Outputs; k++)
        {
            x.Multiply(Values, k * Columns, scores, k * x.Rows);
            var own = scores.AsSpan(k * x.Rows, x.Rows);
            System.Numerics.Tensors.TensorPrimitives.Add(own, Intercepts[k], own);
        }
        return scores;
    }
}
