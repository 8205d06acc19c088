using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OKLA.ML.Algorithms.Automatic;
using OKLA.ML.Algorithms.Explanation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Serving;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Models;

/// <summary>An ensemble of <see cref="AutomaticTable"/>: the accurate way to answer a table.</summary>
internal sealed class EnsembleTable(AutomaticTableModel model) : ITablePredictor
{
    private AutomaticExplainer? explainer;

    /// <summary>What was trained.</summary>
    public AutomaticTableModel Model => model;

    public float[] Predict(IReadOnlyList<RawColumn> columns, int threads) => model.Predict(model.Encode(columns), threads);

    public void Save(Stream stream) => model.Save(stream);

    /// <summary>Explanations against the rows given first, which are the same for a model's whole life; null for more than two classes.</summary>
    public AutomaticExplainer? Explainer(Func<IReadOnlyList<RawColumn>> background) =>
        model.Classes > 2 ? null : LazyInitializer.EnsureInitialized(ref explainer, () => new AutomaticExplainer(model, background()));
}

/// <summary>
/// A model of a table of named columns of text, as a version is kept and served.
/// Answers: a number with a conformal interval, or calibrated probabilities. Explanations: exact where trees answer alone (<see cref="BoostedTable"/>), the weighted sum
/// of the members' where an ensemble does (<see cref="AutomaticExplainer"/>), otherwise Kernel SHAP against <see cref="Background"/>; base and contributions add up to the
/// output on every answer, or none is given.
/// </summary>
internal sealed class TableModel : IServedModel
{
    private const string Kind = "OKLA.Table";
    private const int Format = 1;

    /// <summary>How far base and contributions may miss the output, of its size.</summary>
    private const double Additivity = 1e-4;

    /// <summary>How many times larger a calibration may make a difference of probabilities for it to be carried through in proportion.</summary>
    private const double SteepestCalibration = 20;

    private const int KernelSubsets = 256;
    private const int KernelExact = 7;

    private readonly ITablePredictor predictor;
    private readonly int classes;
    private readonly string[] names;

    public TableModel(ModelSignature signature, ITablePredictor predictor, TableCalibration calibration, TableInterval? interval, IReadOnlyList<string?[]> background)
    {
        Signature = signature;
        this.predictor = predictor;
        Calibration = calibration;
        Interval = interval;
        Background = background;
        classes = signature.Classes.Count;
        names = [.. signature.Inputs.Select(input => input.Name)];
    }

    public ModelSignature Signature { get; }

    /// <summary>How probabilities are put right.</summary>
    public TableCalibration Calibration { get; }

    /// <summary>How wide intervals are; null for classes.</summary>
    public TableInterval? Interval { get; }

    /// <summary>Rows that explanations compare with; put together from training rows, nobody's own.</summary>
    public IReadOnlyList<string?[]> Background { get; }

    /// <summary>What answers: fast (one model of trees) or accurate (an ensemble).</summary>
    public string Profile => predictor is BoostedTable ? "fast" : "accurate";

    public Prediction[] Predict(IReadOnlyList<string?[]> rows, int threads = 1) => rows.Count == 0 ? [] : Predictions(Answers(RawRows.Columns(names, rows), threads));

    /// <summary>Calibrated answers, rows × outputs.</summary>
    public float[] Answers(IReadOnlyList<RawColumn> columns, int threads)
    {
        var answers = predictor.Predict(columns, threads);
        Calibration.Apply(answers, classes);
        return answers;
    }

    /// <summary>Answers before they are put right, rows × outputs.</summary>
    public float[] Raw(IReadOnlyList<RawColumn> columns, int threads) => predictor.Predict(columns, threads);

    /// <summary>Answers as they are told.</summary>
    public Prediction[] Predictions(float[] answers)
    {
        var outputs = BoostedTable.Outputs(classes);
        var told = new Prediction[answers.Length / outputs];
        for (var r = 0; r < told.Length; r++)
        {
            if (classes == 0)
            {
                var (low, high) = Interval?.Around(answers[r]) ?? (double.NaN, double.NaN);
                told[r] = double.IsNaN(low) ? new Prediction(answers[r]) : new Prediction(answers[r], low, high);
                continue;
            }

            double[] probabilities = classes == 2 ? [1 - (double)answers[r], answers[r]] : [.. answers.AsSpan(r * outputs, outputs).ToArray().Select(p => (double)p)];
            var label = Label(probabilities);
            told[r] = new Prediction(classes == 2 ? probabilities[1] : probabilities[label], Label: Signature.Classes[label], Probabilities: probabilities);
        }

        return told;
    }

    public Explanation[] Explain(IReadOnlyList<string?[]> rows, CancellationToken ct = default)
    {
        if (rows.Count == 0)
        {
            return [];
        }

        var explained = predictor is BoostedTable trees && (classes != 2 || Calibration.Line is not null) ? OfTrees(trees, rows)
            : predictor is EnsembleTable ensemble && Background.Count > 0 && ensemble.Explainer(() => RawRows.Columns(names, Background)) is { } explainer ? OfEnsemble(explainer, rows, ct)
            : OfAny(rows, ct);
        foreach (var one in explained)
        {
            var sum = one.Base + one.Contributions.Sum();
            if (!(Math.Abs(sum - one.Output) <= Additivity * Math.Max(1, Math.Abs(one.Output))))
            {
                throw new ArithmeticException($"Base and contributions add up to {sum}, but the output is {one.Output}.");
            }
        }

        return explained;
    }

    /// <summary>The model as bytes, with their checksum.</summary>
    public byte[] Save()
    {
        using var body = new MemoryStream();
        using (var writer = new BinaryWriter(body, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(JsonSerializer.Serialize(Signature, EventJson.Options));
            writer.Write(JsonSerializer.Serialize(Background, EventJson.Options));
            writer.Write(JsonSerializer.Serialize(Interval, EventJson.Options));
            writer.Write(predictor is BoostedTable);
        }

        Calibration.Write(body);
        predictor.Save(body);
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(Kind);
            writer.Write(Format);
            writer.Write(SHA256.HashData(body.GetBuffer().AsSpan(0, (int)body.Length)));
            writer.Write(body.GetBuffer(), 0, (int)body.Length);
        }

        return stream.ToArray();
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Something else, of another format, cut off or damaged.</exception>
    public static TableModel Load(byte[] artefact)
    {
        using var stream = new MemoryStream(artefact);
        using var reader = new BinaryReader(stream, Encoding.UTF8);
        try
        {
            if (reader.ReadString() != Kind || reader.ReadInt32() != Format)
            {
                throw new InvalidDataException("This is not a table's model of a known format.");
            }

            var checksum = reader.ReadBytes(32);
            if (!checksum.AsSpan().SequenceEqual(SHA256.HashData(artefact.AsSpan((int)stream.Position))))
            {
                throw new InvalidDataException("The table's model is damaged: its checksum does not match.");
            }

            var signature = JsonSerializer.Deserialize<ModelSignature>(reader.ReadString(), EventJson.Options)!;
            var background = JsonSerializer.Deserialize<string?[][]>(reader.ReadString(), EventJson.Options)!;
            var interval = JsonSerializer.Deserialize<TableInterval>(reader.ReadString(), EventJson.Options);
            var trees = reader.ReadBoolean();
            var calibration = TableCalibration.Read(stream);
            return new TableModel(signature, trees ? BoostedTable.Load(stream) : new EnsembleTable(AutomaticTableModel.Load(stream)), calibration, interval, background);
        }
        catch (Exception cut) when (cut is EndOfStreamException or FormatException or ArgumentException)
        {
            throw new InvalidDataException("This is not a table's model, or it is cut off.", cut);
        }
    }

    private int Label(double[] probabilities) => probabilities.Length == 2 ? (probabilities[1] >= (Signature.Threshold ?? 0.5) ? 1 : 0) : Array.IndexOf(probabilities, probabilities.Max());

    private Explanation[] OfTrees(BoostedTable trees, IReadOnlyList<string?[]> rows)
    {
        var (start, margins, contributions) = trees.Explain(RawRows.Columns(names, rows));
        var outputs = start.Length;
        var labels = classes > 2 ? Array.ConvertAll(Predict(rows), prediction => Signature.Classes.ToList().IndexOf(prediction.Label!)) : null;
        var explained = new Explanation[rows.Count];
        for (var r = 0; r < explained.Length; r++)
        {
            var output = labels?[r] ?? 0;
            var at = r * outputs + output;
            var (slope, offset) = classes == 2 ? Calibration.Line!.Value : (classes > 2 ? 1 / Calibration.Temperature : 1, 0);
            var scale = classes switch { 0 => trees.Log ? "ln(1 + answer)" : "answer", 2 => "log odds", _ => $"log score of {Signature.Classes[output]}" };
            explained[r] = new Explanation(
                scale, slope * start[output] + offset, slope * margins[at] + offset, [.. contributions.Skip(at * names.Length).Take(names.Length).Select(part => slope * part)]);
        }

        return explained;
    }

    /// <summary>The members' values; those of probabilities are carried through the calibration in proportion, unless it makes a leap there.</summary>
    private Explanation[] OfEnsemble(AutomaticExplainer explainer, IReadOnlyList<string?[]> rows, CancellationToken ct)
    {
        var told = explainer.Explain(RawRows.Columns(names, rows));
        var log = ((EnsembleTable)predictor).Model.IsLog;
        float[] put = [(float)told.Base, .. told.Outputs.Select(output => (float)output)];
        Calibration.Apply(put, classes);
        var explained = new Explanation[rows.Count];
        for (var r = 0; r < explained.Length; r++)
        {
            var parts = told.Contributions.Skip(r * names.Length).Take(names.Length);
            if (classes == 0)
            {
                explained[r] = new Explanation(log ? "ln(1 + answer)" : "answer", told.Base, told.Outputs[r], [.. parts]);
                continue;
            }

            var moved = told.Outputs[r] - told.Base;
            var slope = Math.Abs(moved) > 1e-6 ? (put[r + 1] - (double)put[0]) / moved : 1;
            explained[r] = Math.Abs(slope) <= SteepestCalibration && (Math.Abs(moved) > 1e-6 || put[r + 1] == put[0])
                ? new Explanation("probability", put[0], put[r + 1], [.. parts.Select(part => slope * part)])
                : OfAny([rows[r]], ct)[0];
        }

        return explained;
    }

    /// <summary>Every column as a category of its own texts, so that any answer can be asked for with a column taken from another row.</summary>
    private Explanation[] OfAny(IReadOnlyList<string?[]> rows, CancellationToken ct)
    {
        var explained = new Explanation[rows.Count];
        for (var r = 0; r < explained.Length; r++)
        {
            ct.ThrowIfCancellationRequested();
            var texts = names.Select((_, c) => Background.Select(row => row[c]).Append(rows[r][c]).Distinct().ToList()).ToArray();
            Dataset Coded(IReadOnlyList<string?[]> some) =>
                new([.. names.Select((name, c) => Column.Categorical(name, [.. some.Select(row => texts[c].IndexOf(row[c]))]))]);
            var label = classes > 2 ? Array.IndexOf([.. Signature.Classes], Predict([rows[r]])[0].Label) : 0;
            double[] Ask(Dataset table)
            {
                var columns = names.Select((name, c) => new RawColumn(name, Array.ConvertAll(table.Columns[c].Codes.ToArray(), code => texts[c][code]))).ToArray();
                var answers = Answers(columns, 1);
                var outputs = BoostedTable.Outputs(classes);
                return [.. Enumerable.Range(0, table.RowCount).Select(i => (double)answers[i * outputs + label])];
            }

            var row = Coded([rows[r]]);
            var kernel = new KernelShap(Ask, Coded(Background), new KernelShapOptions { Subsets = KernelSubsets, ExactColumns = KernelExact });
            explained[r] = new Explanation(classes > 2 ? $"probability of {Signature.Classes[label]}" : classes == 2 ? "probability" : "answer", kernel.BaseValue, Ask(row)[0], kernel.Explain(row));
        }

        return explained;
    }
}

/// <summary>A conformal interval (Vovk et al. 2005): how far answers to unseen rows were off in the wanted share of cases.</summary>
/// <param name="Coverage">Share of cases that it should hold.</param>
/// <param name="Margin">Half its width, on the learned scale.</param>
/// <param name="Log">Whether that scale is the logarithm of 1 + target.</param>
internal sealed record TableInterval(double Coverage, double Margin, bool Log)
{
    /// <summary>The ⌈(n + 1)·coverage⌉-th smallest miss of answers to rows not learned from; null where there are none.</summary>
    public static TableInterval? Of(float[] answers, float[] truth, double coverage, bool log)
    {
        var misses = Enumerable.Range(0, truth.Length).Where(r => !float.IsNaN(answers[r])).Select(r => Math.Abs(Scaled(answers[r], log) - Scaled(truth[r], log))).Order().ToArray();
        return misses.Length == 0 ? null : new TableInterval(coverage, misses[Math.Clamp((int)Math.Ceiling((misses.Length + 1) * coverage) - 1, 0, misses.Length - 1)], log);
    }

    /// <summary>The interval around an answer.</summary>
    public (double Low, double High) Around(double answer)
    {
        var centre = Scaled(answer, Log);
        return Log ? (Math.Exp(centre - Margin) - 1, Math.Exp(centre + Margin) - 1) : (centre - Margin, centre + Margin);
    }

    private static double Scaled(double value, bool log) => log ? Math.Log(1 + Math.Max(value, -0.999999)) : value;
}
