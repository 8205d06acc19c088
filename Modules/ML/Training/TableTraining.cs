using System.Diagnostics;
using System.Globalization;
using OKLA.ML.Algorithms.Automatic;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Training.Gates;
using OKLA.ML.Tuning;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training;

/// <summary>
/// Trains a model of any table: reads the target, parts the rows, searches settings of boosted trees, trains an ensemble where the profile asks for it, puts
/// probabilities and intervals right on answers to rows held out, and measures all of it on a test that nothing of this has seen.
/// </summary>
/// <param name="definition">What to learn.</param>
/// <param name="read">Brings the table.</param>
/// <param name="options">The house's settings.</param>
/// <param name="clock">The clock.</param>
/// <param name="recipe">What an earlier training found out, to make it again; null searches.</param>
internal sealed partial class TableTraining(
    TableDefinition definition, Func<CancellationToken, Task<TableData>> read, MLOptions options, TimeProvider clock, TableRecipe? recipe = null) : ModelTraining
{
    private const int LeastRows = 60;
    private const int BackgroundRows = 24;
    private const int TimedRows = 60;
    private const int ReferenceRows = 1_000;
    private const int LeastGroup = 30;

    // Parts of the budget.
    private const double SearchShare = 0.3, EnsembleShare = 0.7;

    /// <summary>How much less loss makes an ensemble worth its time, or a column worth being told.</summary>
    private const double WorthIt = 0.005;

    /// <summary>What shuffling a column must cost, of what the most important one costs, for the column to be kept without question.</summary>
    private const double LeastImportance = 0.002;

    private readonly int threads = recipe?.Threads ?? options.Threads;
    private readonly ReplayedClock ensembleClock = new(clock, recipe?.Clock is { } packed ? ReplayedClock.Unpack(packed) : null);
    private TableData data = null!;
    private TableTask task = null!;
    private RawColumn[] columns = [];
    private Split split = null!;
    private string how = "";
    private DateTimeOffset? trainedUntil;
    private DateTimeOffset? newest;
    private BoostingSettings settings = null!;
    private float[] judged = [];

    // What is learned from: the target, or what stands in for it.
    private float[] taught = [];
    private TableModel measured = null!;
    private ModelSignature? signature;
    private HeldOutRows? heldOut;

    /// <summary>What of a group's key is independent of others, where that is less than the key: of a person's look at an item the person.</summary>
    public Func<string, string> UnitOf { get; init; } = key => key;

    public override string Model => definition.Name;

    public override bool LargerIsBetter => false;

    public override GateSettings Gates => definition.Gates;

    public override ModelSignature? Signature => signature;

    /// <summary>What was found out; after <see cref="EvaluateAsync"/>.</summary>
    public override TableRecipe Recipe => new(measured.Profile, settings, [.. columns.Select(column => column.Name)], definition.Seed, threads, definition.BudgetSeconds)
    {
        Clock = measured.Profile == "accurate" ? ensembleClock.Pack() : null,
    };

    /// <summary>The data that were read; after <see cref="EvaluateAsync"/>.</summary>
    public TableData Data => data;

    public override HeldOutRows? HeldOutRows => heldOut;

    /// <summary>Rows of the table that it was measured on; after <see cref="EvaluateAsync"/>.</summary>
    public IReadOnlyList<int> TestRows { get; private set; } = [];

    /// <summary>Calibrated probabilities of the positive class of those rows; null where there are not two classes.</summary>
    public IReadOnlyList<double>? TestAnswers => Classes == 2 ? [.. measured.Answers(columns.Rows(split.Test), threads).Select(answer => (double)answer)] : null;

    private int Classes => task.Classes.Count;

    private int Outputs => BoostedTable.Outputs(Classes);

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        // Load.
        progress?.Report(new WorkProgress(0, "reading the table"));
        data = await read(ct);
        var target = Column(definition.Target);
        task = TableTask.Read(target, definition.Task, definition.Positive);
        var known = Enumerable.Range(0, task.Y.Length).Where(row => !float.IsNaN(task.Y[row])).ToArray();
        if (known.Length < LeastRows)
        {
            throw new TooLittleDataException($"{known.Length} rows have a value of {definition.Target}; {LeastRows} are needed.");
        }

        task = task with { Y = Array.ConvertAll(known, row => task.Y[row]) };
        var rows = data.Columns.Rows(known);
        target = new[] { target }.Rows(known)[0];
        var (time, group) = (rows.FirstOrDefault(column => column.Name == definition.Time), rows.FirstOrDefault(column => column.Name == definition.Group));
        taught = Taught(target, rows);
        string?[] never = [definition.Target, definition.Surrogate, definition.Columns is null ? definition.Time : null, definition.Columns is null ? definition.Group : null];
        columns = rows.Named((recipe?.Columns ?? definition.Columns ?? rows.Select(column => column.Name)).Where(name => !never.Contains(name)));
        if (columns.Length == 0)
        {
            throw new TooLittleDataException("There is no column to learn from.");
        }

        // Split.
        (split, how, trainedUntil) = TableSplits.Test(task, time, group, options.HoldOutShare, definition.Seed, definition.EmbargoDays);
        TestRows = Array.ConvertAll(split.Test, row => known[row]);
        newest = time is null ? null : time.Values.Select(TableTimes.Read).Max();
        var trainTask = task with { Y = Array.ConvertAll(split.Train, row => task.Y[row]) };
        var lesson = Array.ConvertAll(split.Train, row => taught[row]);
        if (Classes > 0 && trainTask.Y.Distinct().Count() < 2)
        {
            throw new TooLittleDataException($"The rows to learn from have one value of {definition.Target} only.");
        }

        RawColumn? Train(RawColumn? column) => column is null ? null : new[] { column }.Rows(split.Train)[0];
        var folds = TableSplits.Folds(trainTask, Train(time), Train(group), definition.Seed);
        var train = columns.Rows(split.Train);

        // Fit: settings on a few folds, then rounds on all of them.
        var tried = new List<TriedModel>();
        var searched = Search(train, lesson, folds, progress, tried, ct);
        (train, searched) = SelectColumns(train, lesson, folds, searched, ct);
        settings = searched.Settings;
        progress?.Report(new WorkProgress(0.4, "boosting on all rows to learn from"));
        ITablePredictor predictor = BoostedTable.Fit(train, lesson, Classes, task.Log, settings, definition.Seed, threads, ct);
        judged = searched.Answers;
        tried.Add(Measure($"boosted trees, {settings.Leaves} leaves, {settings.Rounds} rounds", Loss(judged, lesson), predictor, train, GroupGap(Train, rows, judged, lesson)));
        var made = new List<(TriedModel Tried, ITablePredictor Model, float[] Answers, BoostingSettings Settings)>();
        if (recipe is null && definition.Objective is not null)
        {
            made.Add((tried[^1], predictor, judged, settings));
            made.AddRange(Alternatives(train, lesson, folds, (answers) => GroupGap(Train, rows, answers, lesson), progress, ct));
            tried.AddRange(made.Skip(1).Select(one => one.Tried));
        }

        if (recipe?.Profile is "accurate" || (recipe is null && definition.Profile != "fast"))
        {
            progress?.Report(new WorkProgress(0.45, "training an ensemble"));
            var (ensemble, answers) = Ensemble(train, lesson, new Steps(progress, 0.45, 0.8, ct), ct);
            tried.Add(Measure("ensemble", Loss(answers, lesson), ensemble, train, GroupGap(Train, rows, answers, lesson)));
            if (recipe is null && definition.Objective is not null)
            {
                made.Add((tried[^1], ensemble, answers, settings));
            }
            else if (definition.Profile == "accurate" || recipe is not null || Better(tried[^1], tried[^2]))
            {
                (predictor, judged) = (ensemble, answers);
            }
        }

        if (made.Count > 0)
        {
            (predictor, judged, settings) = Chosen(made, tried);
        }

        signature = TableSignature.Of(task.Name, columns, task.Classes, definition.Unit, definition.Entity);
        measured = Made(predictor, judged, trainTask.Y, train);

        // Evaluate beside the baseline and the serving version.
        progress?.Report(new WorkProgress(0.85, "measuring on the test"));
        ct.ThrowIfCancellationRequested();
        return Evaluate(serving, target, time, rows, trainTask, folds, tried, ct);
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        var raw = Unseen();
        var more = settings with { Rounds = (int)(settings.Rounds * (1 + (double)split.Test.Length / task.Y.Length)) };
        ITablePredictor predictor = measured.Profile == "fast"
            ? BoostedTable.Fit(columns, taught, Classes, task.Log, more, definition.Seed, threads, ct)
            : Ensemble(columns, taught, new Steps(progress, 0, 1, ct), ct).Model;
        return new TrainedModel(Made(predictor, raw, task.Y, columns).Save(), Parameters(), Sources(raw), newest ?? data.CreatedAt, task.Y.Length);
    }

    public override TrainedModel Measured() => new(measured.Save(), Parameters(), Sources(Unseen()), trainedUntil ?? data.CreatedAt, split.Train.Length);

    /// <summary>Every row as judged by a model that had not learned from it, before calibration: those to learn from by folds, the test by what was measured.</summary>
    private float[] Unseen()
    {
        var raw = new float[task.Y.Length * Outputs];
        var test = measured.Raw(columns.Rows(split.Test), threads);
        for (var i = 0; i < split.Train.Length; i++)
        {
            judged.AsSpan(i * Outputs, Outputs).CopyTo(raw.AsSpan(split.Train[i] * Outputs));
        }

        for (var i = 0; i < split.Test.Length; i++)
        {
            test.AsSpan(i * Outputs, Outputs).CopyTo(raw.AsSpan(split.Test[i] * Outputs));
        }

        return raw;
    }

    private object Parameters() => new
    {
        task = task.Name, profile = measured.Profile, settings, log = task.Log, calibration = measured.Calibration.Name, seed = definition.Seed, threads, budgetSeconds = definition.BudgetSeconds, objective = definition.Objective,
        columns = columns.Select(column => column.Name),
    };

    private object Sources(float[] raw) => new
    {
        dataset = data.Dataset, version = data.Version, sha256 = data.Sha256, rows = task.Y.Length, target = definition.Target, surrogate = definition.Surrogate, time = definition.Time, group = definition.Group, split = how,
        learned = split.Train.Length, tested = split.Test.Length, baseline = FallBack(), reference = Reference(raw),
    };

    /// <summary>Values of every column and answers, drawn from all, that what is served later is held against.</summary>
    private object Reference(float[] raw)
    {
        var drawn = Enumerable.Range(0, task.Y.Length).Where(row => !float.IsNaN(raw[row * Outputs])).ToArray();
        new Random(definition.Seed).Shuffle(drawn);
        drawn = [.. drawn.Take(ReferenceRows)];
        var shared = Anonymous.Shuffled(Anonymous.Shared(columns, signature!.Inputs).Rows(drawn), definition.Seed);
        float[] answers = [.. drawn.SelectMany(row => raw.AsSpan(row * Outputs, Outputs).ToArray())];
        measured.Calibration.Apply(answers, Classes);
        return new
        {
            inputs = shared.ToDictionary(column => column.Name, column => column.Values.ToArray()),
            predictions = measured.Predictions(answers).Select(answer => answer.Value).ToArray(),
        };
    }

    /// <summary>What is answered when no version can be: the median, or the most frequent class with the shares of all.</summary>
    private Prediction FallBack()
    {
        if (Classes == 0)
        {
            return new Prediction(task.Y.Order().ElementAt(task.Y.Length / 2));
        }

        double[] shares = [.. Enumerable.Range(0, Classes).Select(c => (double)task.Y.Count(y => (int)y == c) / task.Y.Length)];
        var most = Array.IndexOf(shares, shares.Max());
        return new Prediction(Classes == 2 ? shares[1] : shares[most], Label: task.Classes[most], Probabilities: shares);
    }

    /// <summary>What every row teaches: its target, or where a surrogate is declared and the row has it, that.</summary>
    private float[] Taught(RawColumn target, RawColumn[] rows)
    {
        if (definition.Surrogate is not { } name)
        {
            return task.Y;
        }

        var surrogate = rows.FirstOrDefault(column => column.Name == name) ?? throw new TooLittleDataException($"The table has no column {name}.");
        if (Classes != 2)
        {
            throw new TooLittleDataException($"{name} can stand in for a target of two classes only, and {target.Name} is not one.");
        }

        return [.. ClassTarget.Fit(target.Values, task.Classes[1]).Read(surrogate.Values).Select((value, row) => value < 0 ? task.Y[row] : value)];
    }

    private RawColumn Column(string name) => data.Columns.FirstOrDefault(column => column.Name == name) ?? throw new TooLittleDataException($"The table has no column {name}.");

    private CrossValidated Search(RawColumn[] train, float[] y, IReadOnlyList<Split> folds, IProgress<WorkProgress>? progress, List<TriedModel> tried, CancellationToken ct)
    {
        var tables = Tables(train, y);
        if (recipe is not null)
        {
            return BoostedTable.CrossValidate(tables, recipe.Settings, folds, threads, ct);
        }

        progress?.Report(new WorkProgress(0.05, "searching settings"));
        var started = clock.GetTimestamp();
        var few = folds.Count > 3 ? folds.TakeLast(2).ToArray() : [folds[^1]];
        var found = new TableSearch(tables, few, threads)
            .Run(() => clock.GetElapsedTime(started).TotalSeconds >= SearchShare * definition.BudgetSeconds, Trials, ct);
        tried.AddRange(found.Select(one => new TriedModel(
            string.Create(CultureInfo.InvariantCulture, $"hasty trees, {one.Settings.Leaves} leaves, {one.Settings.Columns:0.##} of the columns, {one.Settings.Rows:0.##} of the rows"), one.Loss, null, null, null, false)));
        progress?.Report(new WorkProgress(0.25, "cross-validating"));
        return BoostedTable.CrossValidate(tables, found.Count > 0 ? found[0].Settings : BoostingSettings.Shapes[1], folds, threads, ct);
    }

    private FoldTables Tables(RawColumn[] train, float[] y) => new(train, y, Classes, task.Log, definition.Seed);

    /// <summary>Leaves out the columns whose shuffling did not hurt on a fold, where cross-validation without them is no worse.</summary>
    private (RawColumn[] Train, CrossValidated Found) SelectColumns(RawColumn[] train, float[] y, IReadOnlyList<Split> folds, CrossValidated whole, CancellationToken ct)
    {
        if (recipe is not null || !definition.SelectColumns || train.Length < 3)
        {
            return (train, whole);
        }

        var fold = folds[^1];
        var fitted = BoostedTable.Fit(train.Rows(fold.Train), Array.ConvertAll(fold.Train, row => y[row]), Classes, task.Log, whole.Settings, definition.Seed, threads, ct);
        var plain = new TableModel(TableSignature.Of(task.Name, train, task.Classes, null, null), fitted, TableCalibration.None, null, []);
        var importance = TableChecks.Importance(plain, train.Rows(fold.Test), Array.ConvertAll(fold.Test, row => y[row]), definition.Seed);
        var useful = importance.Where(one => one.LossIncrease > LeastImportance * importance[0].LossIncrease).Select(one => one.Column).ToHashSet(StringComparer.Ordinal);
        if (useful.Count == 0 || useful.Count == train.Length)
        {
            return (train, whole);
        }

        RawColumn[] fewer = [.. train.Where(column => useful.Contains(column.Name))];
        var less = BoostedTable.CrossValidate(Tables(fewer, y), whole.Settings, folds, threads, ct);
        if (!(less.Loss <= (1 + WorthIt) * whole.Loss))
        {
            return (train, whole);
        }

        columns = [.. columns.Where(column => useful.Contains(column.Name))];
        return (fewer, less);
    }

    private (EnsembleTable Model, float[] Answers) Ensemble(RawColumn[] train, float[] y, IProgress<string> progress, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var model = AutomaticTable.Fit(train, y, new AutomaticOptions
        {
            Classes = Classes, Log = task.Log, BudgetSeconds = EnsembleShare * definition.BudgetSeconds, Seed = definition.Seed, Threads = threads, Clock = ensembleClock,
        }, progress);
        ct.ThrowIfCancellationRequested();
        var held = model.HeldOutAnswers();
        var answers = new float[y.Length * Outputs];
        Array.Fill(answers, float.NaN);
        for (var i = 0; i < model.HeldOutRows.Count; i++)
        {
            held.AsSpan(i * Outputs, Outputs).CopyTo(answers.AsSpan(model.HeldOutRows[i] * Outputs));
        }

        return (new EnsembleTable(model), answers);
    }

    private TableModel Made(ITablePredictor predictor, float[] raw, float[] y, RawColumn[] from)
    {
        var calibration = Classes > 0 ? TableCalibration.Choose(raw, y, Classes, straight: predictor is BoostedTable) : TableCalibration.None;
        var interval = Classes > 0 ? null : TableInterval.Of(raw, y, definition.Coverage, task.Log);
        int[] order = [.. Enumerable.Range(0, y.Length).OrderBy(row => y[row]).ThenBy(row => raw[row * Outputs]).ThenBy(row => row)];
        signature = signature! with { Threshold = OperatingThreshold(raw, y, calibration)?.Threshold };
        return new TableModel(signature, predictor, calibration, interval, Anonymous.Rows(Anonymous.Shared(from, signature.Inputs), order, BackgroundRows, definition.Seed));
    }

    /// <summary>Mean loss of the rows that have an answer, as the deciding metric counts it.</summary>
    private double Loss(float[] answers, float[] y) => Classes > 0
        ? TableLosses.Mean(answers, y, Classes)
        : Enumerable.Range(0, y.Length).Where(row => !float.IsNaN(answers[row])).Select(row => Math.Abs(answers[row] - (double)y[row])).DefaultIfEmpty(double.NaN).Average();

    /// <summary>By how much the loss of the worst served group of a declared column exceeds that of the best served one; null where none is declared.</summary>
    private double? GroupGap(Func<RawColumn?, RawColumn?> train, RawColumn[] rows, float[] answers, float[] y)
    {
        var known = Enumerable.Range(0, y.Length).Where(row => !float.IsNaN(answers[row * Outputs])).ToArray();
        float[] told = [.. known.SelectMany(row => answers.AsSpan(row * Outputs, Outputs).ToArray())], truth = Array.ConvertAll(known, row => y[row]);
        double[] gaps =
        [
            .. rows.Named(definition.Fairness).Select(column => TableMeasures.Groups(new[] { train(column)! }.Rows(known)[0], told, truth, Classes, 0.5).Where(group => group.Rows >= LeastGroup).ToArray())
                .Where(groups => groups.Length >= 2).Select(groups => groups.Max(group => group.Loss) / groups.Min(group => group.Loss) - 1),
        ];
        return gaps.Length == 0 ? null : gaps.Max();
    }

    private TriedModel Measure(string name, double loss, ITablePredictor predictor, RawColumn[] train, double? gap)
    {
        using var size = new MemoryStream();
        predictor.Save(size);
        return new TriedModel(name, loss, RowMicroseconds(row => predictor.Predict(row, 1), train), size.Length, gap, false);
    }

    private bool Better(TriedModel ensemble, TriedModel trees) =>
        ensemble.Loss < (1 - WorthIt) * trees.Loss && ensemble.RowMicroseconds <= Gates.RowMicroseconds && ensemble.Bytes <= Gates.Bytes;

    private static double RowMicroseconds(Action<RawColumn[]> answer, RawColumn[] columns)
    {
        var rows = Enumerable.Range(0, Math.Min(TimedRows, columns.Count())).Select(row => columns.Rows([row])).ToArray();
        foreach (var row in rows)
        {
            answer(row);
        }

        var took = Array.ConvertAll(rows, row =>
        {
            var started = Stopwatch.GetTimestamp();
            answer(row);
            return Stopwatch.GetElapsedTime(started).TotalMicroseconds;
        });
        Array.Sort(took);
        return took[took.Length / 2];
    }

    /// <summary>Hears what an ensemble is at; between two of its algorithms it can be stopped.</summary>
    private sealed class Steps(IProgress<WorkProgress>? whole, double from, double to, CancellationToken ct) : IProgress<string>
    {
        private const int Expected = 9;
        private int heard;

        public void Report(string value)
        {
            ct.ThrowIfCancellationRequested();
            whole?.Report(new WorkProgress(from + (to - from) * Math.Min(1, (double)heard++ / Expected), value));
        }
    }
}
