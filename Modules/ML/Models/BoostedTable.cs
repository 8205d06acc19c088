using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Explanation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Models;

/// <summary>Knobs of <see cref="BoostedTable"/>; kept with the version, and enough to train the same model again.</summary>
/// <param name="Leaves">Leaves of a tree at most.</param>
/// <param name="LeastRows">Rows of a leaf at least.</param>
/// <param name="Columns">Share of the columns tried at each node.</param>
/// <param name="Rows">Share of the rows drawn each round.</param>
/// <param name="LearningRate">Step of each tree.</param>
/// <param name="Lambda">L2 penalty on leaf values.</param>
/// <param name="Rounds">Rounds of boosting; 0 while cross-validation has not told yet.</param>
internal sealed record BoostingSettings(
    int Leaves, int LeastRows, double Columns, double Rows = 0.8, double LearningRate = 0.05, double Lambda = 1, int Rounds = 0)
{
    /// <summary>Sizes of trees from which a quick look chooses.</summary>
    public static IReadOnlyList<BoostingSettings> Shapes { get; } = [new(5, 10, 0.6), new(15, 10, 0.6), new(48, 5, 0.7)];
}

/// <summary>Boosted trees that were judged on rows they had not learned from.</summary>
/// <param name="Settings">Knobs, with the rounds that did best.</param>
/// <param name="Answers">Answers for every held-out row (rows × outputs), NaN for rows that no fold held out.</param>
/// <param name="Loss">Mean loss of those answers: squared error of what was learned, or log loss.</param>
internal sealed record CrossValidated(BoostingSettings Settings, float[] Answers, double Loss);

/// <summary>
/// One model of boosted trees over <see cref="TableFeatures"/>: the quick way to answer a table. Cross-validation chooses its rounds, then it learns from all
/// rows. Contributions are exact (Tree SHAP) and told for each column that was brought.
/// </summary>
internal sealed class BoostedTable : ITablePredictor
{
    private const int MostRounds = 2_000;

    // A five-hundredth of the first loss left is a table that is learned: the answers would only get surer.
    private const double Solved = 0.002;

    private readonly TableFeatures features;
    private readonly GradientBoostingModel trees;
    private readonly int[][] sources;
    private readonly int inputs;
    private readonly Lazy<TreeShap> shap;

    private BoostedTable(TableFeatures features, GradientBoostingModel trees, int[][] sources, int inputs, int classes, bool log)
    {
        this.features = features;
        this.trees = trees;
        this.sources = sources;
        this.inputs = inputs;
        Classes = classes;
        Log = log;
        shap = new Lazy<TreeShap>(() => new TreeShap(trees));
    }

    /// <summary>Number of classes; 0 for a number.</summary>
    public int Classes { get; }

    /// <summary>Whether the logarithm of 1 + target was learned.</summary>
    public bool Log { get; }

    /// <summary>Learns from all rows with settings that cross-validation made.</summary>
    public static BoostedTable Fit(IReadOnlyList<RawColumn> columns, float[] y, int classes, bool log, BoostingSettings settings, int seed, int threads, CancellationToken ct)
    {
        var target = Learned(y, log);
        var (features, table) = TableFeatures.Fit(columns, target, classes, seed);
        var trees = GradientBoosting.Train(table, target, Options(settings, classes, seed, threads) with { Iterations = Math.Max(1, settings.Rounds) }, cancellation: ct);
        return new BoostedTable(features, trees, features.Sources(columns), columns.Count, classes, log);
    }

    /// <summary>Tells the rounds and the loss of settings, each fold stopped early on its own held-out rows.</summary>
    public static CrossValidated CrossValidate(FoldTables tables, BoostingSettings settings, IReadOnlyList<Split> folds, int threads, CancellationToken ct)
    {
        var (target, classes, log, seed) = (tables.Target, tables.Classes, tables.Log, tables.Seed);
        var outputs = Outputs(classes);
        var answers = new float[target.Length * outputs];
        Array.Fill(answers, float.NaN);
        var rounds = new List<double>();
        foreach (var fold in folds)
        {
            ct.ThrowIfCancellationRequested();
            var trainY = Array.ConvertAll(fold.Train, row => target[row]);
            if (classes > 0 && trainY.All(c => c == trainY[0]))
            {
                continue;
            }

            var (table, held) = tables.Of(fold);
            var options = Options(settings, classes, seed, threads) with { EarlyStoppingRounds = (int)Math.Clamp(3 / settings.LearningRate, 20, 100), SolvedShare = Solved };
            var model = GradientBoosting.Train(table, trainY, options, held, Array.ConvertAll(fold.Test, row => target[row]), cancellation: ct);
            var predicted = model.Predict(held, threads);
            for (var i = 0; i < fold.Test.Length; i++)
            {
                predicted.AsSpan(i * outputs, outputs).CopyTo(answers.AsSpan(fold.Test[i] * outputs));
            }

            // More rows bear more rounds.
            rounds.Add(model.Iterations * (1 + (double)fold.Test.Length / (fold.Train.Length + fold.Test.Length)));
        }

        var loss = TableLosses.Mean(answers, target, classes);
        return new CrossValidated(settings with { Rounds = rounds.Count == 0 ? 1 : Math.Max(1, (int)rounds.Average()) }, Unlearned(answers, log), loss);
    }

    public float[] Predict(IReadOnlyList<RawColumn> columns, int threads) => Unlearned(trees.Predict(features.Transform(columns), threads), Log);

    /// <summary>Margins (rows × outputs) with what each column that was brought adds to them (rows × outputs × columns), and what they start from.</summary>
    public (double[] Base, double[] Margins, double[] Contributions) Explain(IReadOnlyList<RawColumn> columns)
    {
        var table = features.Transform(columns);
        var found = shap.Value.Explain(table, 1);
        var outputs = Outputs(Classes);
        var contributions = new double[table.RowCount * outputs * inputs];
        for (var at = 0; at < table.RowCount * outputs; at++)
        {
            for (var f = 0; f < sources.Length; f++)
            {
                var part = found[at * sources.Length + f];
                // What is made from two columns (days between two dates) is theirs in equal parts.
                var owners = sources[f].Length > 0 ? sources[f] : [.. Enumerable.Range(0, inputs)];
                foreach (var owner in owners)
                {
                    contributions[at * inputs + owner] += part / owners.Length;
                }
            }
        }

        return ([.. shap.Value.BaseValues], trees.PredictMargins(table, 1), contributions);
    }

    public void Save(Stream stream)
    {
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(Classes);
        writer.Write(Log);
        writer.Write(inputs);
        writer.Write(sources.Length);
        foreach (var owners in sources)
        {
            writer.Write(owners.Length);
            foreach (var owner in owners)
            {
                writer.Write(owner);
            }
        }

        writer.Flush();
        features.Write(stream);
        trees.Save(stream);
    }

    public static BoostedTable Load(Stream stream)
    {
        using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        var (classes, log, inputs) = (reader.ReadInt32(), reader.ReadBoolean(), reader.ReadInt32());
        var sources = new int[reader.ReadInt32()][];
        for (var f = 0; f < sources.Length; f++)
        {
            sources[f] = new int[reader.ReadInt32()];
            for (var i = 0; i < sources[f].Length; i++)
            {
                sources[f][i] = reader.ReadInt32();
            }
        }

        return new BoostedTable(TableFeatures.Read(stream), GradientBoostingModel.Load(stream), sources, inputs, classes, log);
    }

    /// <summary>Numbers that an answer has.</summary>
    internal static int Outputs(int classes) => classes > 2 ? classes : 1;

    internal static float[] Learned(float[] y, bool log) => log ? Array.ConvertAll(y, v => (float)Math.Log(1 + (double)v)) : y;

    private static float[] Unlearned(float[] answers, bool log) => log ? Array.ConvertAll(answers, v => (float)(Math.Exp(v) - 1)) : answers;

    private static GradientBoostingOptions Options(BoostingSettings settings, int classes, int seed, int threads) => new()
    {
        Objective = classes switch { 0 => BoostingObjective.SquaredError, 2 => BoostingObjective.BinaryLogistic, _ => BoostingObjective.Softmax },
        Classes = Math.Max(2, classes), Iterations = MostRounds, LearningRate = settings.LearningRate, MaxLeaves = settings.Leaves, MinRowsPerLeaf = settings.LeastRows,
        Lambda = settings.Lambda, RowSample = settings.Rows, ColumnSampleByNode = settings.Columns, Seed = seed, Threads = threads,
    };
}
