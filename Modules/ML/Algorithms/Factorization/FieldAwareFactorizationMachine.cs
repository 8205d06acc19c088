namespace OKLA.ML.Algorithms.Factorization;

/// <summary>
/// Field-aware factorisation machine (Juan, Zhuang, Chin, Lin 2016): ŝ(x) = w₀ + Σ w_i x_i + Σ_{i&lt;j} v_{i,f(j)}·v_{j,f(i)} x_i x_j, a vector of each feature for each
/// field it meets, learned by AdaGrad (algorithm 1), with early stopping since it overfits soon. Sequential and deterministic. Memory: features · fields · k floats,
/// twice while learning. The learned machine is immutable and safe for many threads.
/// </summary>
public sealed class FieldAwareFactorizationMachine
{
    private const string Kind = "OKLAFFM";
    private readonly MachineLoss loss;
    private readonly bool normalize;
    private readonly int factors;
    private readonly int fields;
    private readonly int[] fieldOf;
    private readonly float[] linear;
    private readonly float[] vectors;
    private float bias;

    private FieldAwareFactorizationMachine(MachineLoss loss, bool normalize, int factors, int fields, int[] fieldOf, float bias, float[] linear, float[] vectors)
    {
        (this.loss, this.normalize, this.factors, this.fields) = (loss, normalize, factors, fields);
        (this.fieldOf, this.bias, this.linear, this.vectors) = (fieldOf, bias, linear, vectors);
    }

    /// <summary>Number of features.</summary>
    public int Features => linear.Length;

    /// <summary>Number of fields.</summary>
    public int Fields => fields;

    /// <summary>
    /// Learns from rows × features, the field (from 0) of each feature and one target a row (logistic: 0 or 1). With <paramref name="validation"/> the machine of
    /// the best pass on it is answered.
    /// </summary>
    public static FieldAwareFactorizationMachine Fit(SparseMatrix rows, int[] fieldOf, float[] targets, MachineOptions? options = null, LabelledRows? validation = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        options ??= new MachineOptions { Factors = 8, Normalize = true };
        options.Check();
        MachineTraining.Check(rows, targets, options.Loss);
        if (validation is not null) MachineTraining.Check(validation.Rows, validation.Targets, options.Loss);
        ArgumentNullException.ThrowIfNull(fieldOf);
        if (fieldOf.Length != rows.Columns || fieldOf.Any(f => f < 0)) throw new ArgumentException("Every feature needs a field from 0 up.", nameof(fieldOf));
        int fields = fieldOf.Max() + 1, k = options.Factors;
        FactorModel.RequireSize(rows.Columns, checked(fields * k));
        var random = new Random(options.Seed);
        var vectors = new float[rows.Columns * fields * k];
        for (int i = 0; i < vectors.Length; i++) vectors[i] = options.InitialDeviation * ImplicitAls.Gaussian(random);
        var machine = new FieldAwareFactorizationMachine(options.Loss, options.Normalize, k, fields, (int[])fieldOf.Clone(),
            MachineTraining.InitialBias(targets, options.Loss), new float[rows.Columns], vectors);
        var linearSquares = new float[rows.Columns];
        var squares = new float[vectors.Length];
        Array.Fill(linearSquares, 1);
        Array.Fill(squares, 1);
        float biasSquares = 1;
        var copy = new float[k];
        MachineTraining.Run(rows, targets, options, validation, random, machine.Predict, Step, machine.linear, machine.vectors, ref machine.bias, progress, cancellation);
        return machine;

        double Step(int row)
        {
            var indices = rows.RowIndices(row);
            var values = rows.RowValues(row);
            float scale = machine.normalize ? MachineTraining.UnitScale(values) : 1;
            double lost = MachineTraining.Loss(options.Loss, machine.Score(indices, values, scale), targets[row], out float slope);
            biasSquares += slope * slope;
            machine.bias -= options.LearningRate * slope / MathF.Sqrt(biasSquares);
            for (int n = 0; n < indices.Length; n++)
            {
                int i = indices[n];
                float x = values[n] * scale;
                float g = slope * x + options.LinearRegularization * machine.linear[i];
                linearSquares[i] += g * g;
                machine.linear[i] -= options.LearningRate * g / MathF.Sqrt(linearSquares[i]);
                for (int m = n + 1; m < indices.Length; m++)
                {
                    int a = machine.At(i, indices[m]), b = machine.At(indices[m], i);
                    float pull = slope * x * values[m] * scale;

                    // Both gradients are of the vectors before the step (eq. 6-7).
                    machine.vectors.AsSpan(a, k).CopyTo(copy);
                    MachineTraining.Descend(ref machine.vectors[a], ref squares[a], ref machine.vectors[b], pull, options.Regularization, options.LearningRate, k);
                    MachineTraining.Descend(ref machine.vectors[b], ref squares[b], ref copy[0], pull, options.Regularization, options.LearningRate, k);
                }
            }

            return lost;
        }
    }

    /// <summary>A probability (logistic) or a number (squared) for one row; features beyond those learned are ignored.</summary>
    public float Predict(ReadOnlySpan<int> features, ReadOnlySpan<float> values)
    {
        if (features.Length != values.Length) throw new ArgumentException("Features and values must be equally many.", nameof(values));
        float score = Score(features, values, normalize ? MachineTraining.UnitScale(values) : 1);
        return loss == MachineLoss.Logistic ? MachineTraining.Sigmoid(score) : score;
    }

    /// <summary>Writes the machine, with a version and a checksum. The stream is left open.</summary>
    public void Save(Stream stream)
    {
        using var to = new ChecksummedWriter(stream, Kind, 1);
        to.Write((int)loss);
        to.Write(normalize ? 1 : 0);
        to.Write(factors);
        to.Write(fields);
        to.Write<int>(fieldOf);
        to.Write(bias);
        to.Write<float>(linear);
        to.Write<float>(vectors);
        to.Finish();
    }

    /// <summary>Reads a saved machine; throws <see cref="InvalidDataException"/> when it is damaged or of an unknown version.</summary>
    public static FieldAwareFactorizationMachine Load(Stream stream)
    {
        using var from = new ChecksummedReader(stream, Kind, 1);
        var machine = new FieldAwareFactorizationMachine((MachineLoss)from.ReadInt32(), from.ReadInt32() == 1, from.ReadInt32(), from.ReadInt32(),
            from.ReadArray<int>(), from.ReadSingle(), from.ReadArray<float>(), from.ReadArray<float>());
        from.Finish();
        return machine;
    }

    /// <summary>Where the vector of a feature for the field of another begins.</summary>
    private int At(int feature, int other) => (feature * fields + fieldOf[other]) * factors;

    private float Score(ReadOnlySpan<int> features, ReadOnlySpan<float> values, float scale)
    {
        float score = bias;
        for (int n = 0; n < features.Length; n++)
        {
            int i = features[n];
            if ((uint)i >= (uint)linear.Length) continue;
            float x = values[n] * scale;
            score += linear[i] * x;
            for (int m = n + 1; m < features.Length; m++)
            {
                if ((uint)features[m] >= (uint)linear.Length) continue;
                score += x * values[m] * scale * FloatKernels.Dot(ref vectors[At(i, features[m])], ref vectors[At(features[m], i)], factors);
            }
        }

        return score;
    }
}
