using System.Collections.Concurrent;
using System.Numerics.Tensors;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>A trained <see cref="WideAndDeep"/>. Immutable, safe for many threads.</summary>
public sealed class WideAndDeepModel
{
    internal const int Block = 1024;
    private const string Kind = "OKWD";
    private readonly LinearInputs _inputs;
    private readonly QuantileRanks? _ranks;
    private readonly WideAndDeepOptions _options;
    private readonly TargetScale _scale;
    private readonly WideAndDeepNetwork _network;
    private readonly ConcurrentBag<WideAndDeepNetwork> _idle = [];

    internal WideAndDeepModel(
        LinearInputs inputs, QuantileRanks? ranks, WideAndDeepOptions options, int outputs, TargetScale scale, int iterations, WideAndDeepNetwork network)
    {
        (_inputs, _ranks, _options, OutputCount, _scale, Iterations) = (inputs, ranks, options, outputs, scale, iterations);
        // Another one over the same weights: the trained one holds the gradients and the batch's buffers.
        _network = network.Share();
    }

    /// <summary>What is predicted.</summary>
    public NeuralTask Task => _options.Task;

    /// <summary>Numbers a row's prediction has: one a class for more classes, otherwise one.</summary>
    public int OutputCount { get; }

    /// <summary>The pass whose weights the model has.</summary>
    public int Iterations { get; }

    /// <summary>Names of the columns read, in order.</summary>
    public IReadOnlyList<string> Columns => [.. _inputs.Parts.Select(part => part.Name)];

    /// <summary>Probabilities or numbers, rows × <see cref="OutputCount"/>, row after row.</summary>
    /// <exception cref="ArgumentException">The table's columns are not those of the training.</exception>
    public float[] Predict(Dataset table)
    {
        ArgumentNullException.ThrowIfNull(table);
        if (table.ColumnCount != _inputs.Parts.Length)
            throw new ArgumentException($"The table has {table.ColumnCount} columns, training had {_inputs.Parts.Length}.", nameof(table));
        for (var c = 0; c < table.ColumnCount; c++)
        {
            if (table.Columns[c].Name != _inputs.Parts[c].Name || table.Columns[c].IsCategorical != _inputs.Parts[c].Categorical)
                throw new ArgumentException($"Column {c} is {table.Columns[c].Name}, training had {_inputs.Parts[c].Name}; or it changed between number and category.", nameof(table));
        }
        var prediction = new float[(long)table.RowCount * OutputCount];
        var rows = new int[Math.Min(Block, table.RowCount)];
        var network = Rent();
        for (var from = 0; from < table.RowCount; from += Block)
        {
            var count = Math.Min(Block, table.RowCount - from);
            for (var r = 0; r < count; r++) rows[r] = from + r;
            Finish(network.Forward(table, rows.AsSpan(0, count), false), count, prediction.AsSpan(from * OutputCount, count * OutputCount));
        }
        _idle.Add(network);
        return prediction;
    }

    /// <summary>The prediction of one row as <see cref="Dataset.CopyRow"/> gives it, into <see cref="OutputCount"/> places.</summary>
    /// <exception cref="ArgumentException">The row or the places have another length.</exception>
    public void Predict(ReadOnlySpan<float> row, Span<float> prediction)
    {
        if (row.Length != _inputs.Parts.Length) throw new ArgumentException($"The row has {row.Length} columns, training had {_inputs.Parts.Length}.", nameof(row));
        if (prediction.Length != OutputCount) throw new ArgumentException($"{OutputCount} numbers do not fit {prediction.Length} places.", nameof(prediction));
        var network = Rent();
        Finish(network.Forward(row), 1, prediction);
        _idle.Add(network);
    }

    /// <summary>Writes the model (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        _inputs.Write(writer);
        writer.Write(_ranks is not null);
        _ranks?.Write(writer);
        writer.Write((int)_options.Task);
        writer.Write(_options.Hidden.Count);
        foreach (var units in _options.Hidden) writer.Write(units);
        writer.Write((int)_options.Activation);
        writer.Write(_options.LayerNorm);
        writer.Write(_options.EmbeddingDimension);
        writer.Write(_options.Wide);
        writer.Write(_options.CrossBuckets);
        writer.Write(OutputCount);
        writer.Write(_scale.Mean);
        writer.Write(_scale.Deviation);
        writer.Write(Iterations);
        foreach (var parameter in _network.Parameters) writer.WriteArray(parameter.Values);
    });

    /// <summary>Reads a model that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static WideAndDeepModel Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) =>
    {
        var inputs = LinearInputs.Read(reader);
        var ranks = reader.ReadBoolean() ? QuantileRanks.Read(reader, inputs) : null;
        var task = (NeuralTask)reader.ReadInt32();
        var hidden = new int[reader.ReadInt32()];
        for (var i = 0; i < hidden.Length; i++) hidden[i] = reader.ReadInt32();
        var options = new WideAndDeepOptions
        {
            Task = task,
            Hidden = hidden,
            Activation = (Activation)reader.ReadInt32(),
            LayerNorm = reader.ReadBoolean(),
            EmbeddingDimension = reader.ReadInt32(),
            Wide = reader.ReadBoolean(),
            CrossBuckets = reader.ReadInt32(),
            Dropout = 0,
        };
        var outputs = reader.ReadInt32();
        var scale = new TargetScale(reader.ReadDouble(), reader.ReadDouble());
        var iterations = reader.ReadInt32();
        var network = new WideAndDeepNetwork(inputs, ranks, options, outputs, null);
        foreach (var parameter in network.Parameters)
        {
            var values = reader.ReadSingles();
            if (values.Length != parameter.Values.Length) throw new InvalidDataException($"Saved {Kind} is damaged: a layer has another size.");
            values.CopyTo(parameter.Values, 0);
        }
        return new WideAndDeepModel(inputs, ranks, options, outputs, scale, iterations, network);
    });

    private WideAndDeepNetwork Rent() => _idle.TryTake(out var network) ? network : _network.Share();

    private void Finish(float[] scores, int rows, Span<float> prediction)
    {
        var from = scores.AsSpan(0, rows * OutputCount);
        switch (Task)
        {
            case NeuralTask.Binary:
                TensorPrimitives.Sigmoid(from, prediction);
                break;
            case NeuralTask.Multiclass:
                for (var r = 0; r < rows; r++) TensorPrimitives.SoftMax(from.Slice(r * OutputCount, OutputCount), prediction.Slice(r * OutputCount, OutputCount));
                break;
            default:
                for (var i = 0; i < from.Length; i++) prediction[i] = _scale.Up(from[i]);
                break;
        }
    }
}
