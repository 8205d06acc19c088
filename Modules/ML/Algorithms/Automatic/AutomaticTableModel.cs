using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Automatic;

/// <summary>One algorithm that <see cref="AutomaticTable"/> trained.</summary>
public sealed class TableCandidate
{
    internal TableCandidate(string name, IFoldModel[] models, float[] held, double loss, double ownSeconds, double trainSeconds)
    {
        Name = name;
        Models = models;
        Held = held;
        Loss = loss;
        OwnSeconds = ownSeconds;
        TrainSeconds = trainSeconds;
    }

    /// <summary>The algorithm's name.</summary>
    public string Name { get; }

    /// <summary>Its loss on training rows that it had not learned from: mean squared error (of logarithms where those were learned), or log loss.</summary>
    public double Loss { get; }

    /// <summary>Seconds that reading the columns and training it took; 0 after loading.</summary>
    public double TrainSeconds { get; }

    internal double OwnSeconds { get; }

    internal IFoldModel[] Models { get; }

    // Answers for the held-out rows, rising, in the learned scale.
    internal float[] Held { get; }
}

/// <summary>Rows that were read for a model, ready for each of its algorithms.</summary>
public sealed class EncodedTable
{
    internal EncodedTable(Dataset[] folds) => Folds = folds;

    internal Dataset[] Folds { get; }

    /// <summary>The number of rows.</summary>
    public int RowCount => Folds[0].RowCount;
}

/// <summary>What <see cref="AutomaticTable"/> learned: every algorithm and their ensemble. Immutable; safe for many threads.</summary>
public sealed class AutomaticTableModel
{
    private const string Kind = "OKAT";
    private readonly bool _log;
    private readonly TableReader _reader;
    private readonly FoldFeatures[] _folds;

    internal AutomaticTableModel(
        int classes, bool log, TableReader reader, FoldFeatures[] folds, IReadOnlyList<TableCandidate> candidates, IReadOnlyList<(string Name, double Weight)> weights, int[] heldRows, float[] truth,
        double seconds)
    {
        Classes = classes;
        _log = log;
        _reader = reader;
        _folds = folds;
        Candidates = candidates;
        Weights = weights;
        HeldOutRows = heldRows;
        TrainSeconds = seconds;
        Best = candidates.Where(c => c.Name != "baseline").MinBy(c => c.Loss)!;
        HeldOutLoss = truth.Length == 0 ? double.NaN : Losses.Mean(Weighted(c => c.Held, truth.Length * Outputs), truth, classes);
    }

    /// <summary>Number of classes, 0 for numbers.</summary>
    public int Classes { get; }

    /// <summary>Whether the logarithm of 1 + target was learned.</summary>
    public bool IsLog => _log;

    /// <summary>Numbers that an answer has: 1, or one a class where there are more than two.</summary>
    public int Outputs => Math.Max(1, Classes == 2 ? 1 : Classes);

    /// <summary>All that was trained, in order.</summary>
    public IReadOnlyList<TableCandidate> Candidates { get; }

    /// <summary>The one with the least loss on rows not learned from.</summary>
    public TableCandidate Best { get; }

    /// <summary>Each algorithm's weight in the ensemble; they sum to 1.</summary>
    public IReadOnlyList<(string Name, double Weight)> Weights { get; }

    /// <summary>The training rows that were judged unseen, rising; all of them but where rows are very many.</summary>
    public IReadOnlyList<int> HeldOutRows { get; }

    /// <summary>The ensemble's loss on those rows, NaN after loading.</summary>
    public double HeldOutLoss { get; }

    /// <summary>Seconds that all of it took; 0 after loading.</summary>
    public double TrainSeconds { get; }

    /// <summary>Reads rows; a column that is absent is all missing, one that training did not have is ignored.</summary>
    public EncodedTable Encode(IReadOnlyList<RawColumn> columns)
    {
        var rows = _reader.Read(columns);
        var folds = new Dataset[_folds.Length];
        Workers.For(Workers.ForRows(rows.Table.RowCount), folds.Length, f => folds[f] = _folds[f].Transform(rows));
        return new EncodedTable(folds);
    }

    /// <summary>The ensemble's answers, rows × <see cref="Outputs"/>: numbers in the target's unit, P(1), or one probability a class.</summary>
    public float[] Predict(EncodedTable rows, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return Answers(Weighted(c => Learned(c, rows, threads), rows.RowCount * Outputs));
    }

    /// <summary>One algorithm's answers; see <see cref="Predict(EncodedTable, int)"/>.</summary>
    public float[] Predict(TableCandidate candidate, EncodedTable rows, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        ArgumentNullException.ThrowIfNull(rows);
        return Answers(Learned(candidate, rows, threads));
    }

    /// <summary>Answers for <see cref="HeldOutRows"/> by models that did not learn from them: one algorithm's, or with null the ensemble's. Not kept by saving.</summary>
    public float[] HeldOutAnswers(TableCandidate? candidate = null) =>
        Answers(candidate is null ? Weighted(c => c.Held, HeldOutRows.Count * Outputs) : (float[])candidate.Held.Clone());

    /// <summary>Writes the model (versioned, with a checksum), without what it measured.</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        writer.Write(Classes);
        writer.Write(_log);
        _reader.Write(writer);
        writer.Write(_folds.Length);
        foreach (var fold in _folds) fold.Write(writer);
        writer.Write(Candidates.Count);
        foreach (var candidate in Candidates)
        {
            writer.Write(candidate.Name);
            writer.Write(candidate.Loss);
            foreach (var model in candidate.Models) model.Write(writer);
        }
        writer.Write(Weights.Count);
        foreach (var (name, weight) in Weights)
        {
            writer.Write(name);
            writer.Write(weight);
        }
    });

    /// <summary>Reads a model that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static AutomaticTableModel Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) =>
    {
        var classes = reader.ReadInt32();
        var log = reader.ReadBoolean();
        var table = TableReader.Read(reader);
        var folds = new FoldFeatures[reader.ReadInt32()];
        for (var f = 0; f < folds.Length; f++) folds[f] = FoldFeatures.Read(reader);
        var candidates = new TableCandidate[reader.ReadInt32()];
        for (var c = 0; c < candidates.Length; c++)
        {
            var name = reader.ReadString();
            var loss = reader.ReadDouble();
            var models = new IFoldModel[folds.Length];
            for (var f = 0; f < models.Length; f++) models[f] = FoldModels.Read(reader);
            candidates[c] = new TableCandidate(name, models, [], loss, 0, 0);
        }
        var weights = new (string, double)[reader.ReadInt32()];
        for (var w = 0; w < weights.Length; w++) weights[w] = (reader.ReadString(), reader.ReadDouble());
        return new AutomaticTableModel(classes, log, table, folds, candidates, weights, [], [], 0);
    });

    private static float[] Learned(TableCandidate candidate, EncodedTable rows, int threads)
    {
        float[]? sum = null;
        for (var f = 0; f < candidate.Models.Length; f++)
        {
            var answers = candidate.Models[f].Predict(rows.Folds[f], threads);
            if (sum is null) sum = answers;
            else System.Numerics.Tensors.TensorPrimitives.Add(sum, answers, sum);
        }
        System.Numerics.Tensors.TensorPrimitives.Divide(sum!, candidate.Models.Length, sum!);
        return sum!;
    }

    private float[] Weighted(Func<TableCandidate, float[]> answers, int count)
    {
        var sum = new float[count];
        foreach (var (name, weight) in Weights)
        {
            if (weight == 0) continue;
            System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(answers(Candidates.First(c => c.Name == name)), (float)weight, sum, sum);
        }
        return sum;
    }

    private float[] Answers(float[] learned)
    {
        if (_log)
        {
            for (var i = 0; i < learned.Length; i++) learned[i] = (float)(Math.Exp(learned[i]) - 1);
        }
        return learned;
    }
}
