using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Automatic;

/// <summary>
/// Learns a table of text without being told how: reads the columns, trains several algorithms on the same folds, and weighs them into one. Of each algorithm
/// the models of all folds answer together (bagging by cross-validation), so that every row is learned from and every row is also judged unseen.
/// </summary>
public static class AutomaticTable
{
    /// <summary>The least rows that can be parted into some to learn from and some to judge by.</summary>
    public const int LeastRows = 8;

    private const int FewRows = 1_000;
    private const int ManyRows = 100_000;
    private const int ParallelFolds = 50_000;
    private const double TrialRate = 0.12;

    // What a standing algorithm may take of the budget even after it is spent.
    private const double LeastPart = 0.05;

    /// <summary>Learns from training rows alone.</summary>
    /// <param name="columns">The columns but for the target, with different names.</param>
    /// <param name="y">One target a row: finite numbers, or classes from 0.</param>
    /// <param name="options">The task and the budget.</param>
    /// <param name="progress">Told what is being trained.</param>
    /// <exception cref="ArgumentException">No column, fewer than <see cref="LeastRows"/> rows, lengths that differ, a target that is not finite or no class, or one class only.</exception>
    public static AutomaticTableModel Fit(IReadOnlyList<RawColumn> columns, float[] y, AutomaticOptions? options = null, IProgress<string>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(y);
        var o = options ?? new AutomaticOptions();
        Check(columns, y, o);
        var run = new Run(columns, o.Log ? Array.ConvertAll(y, v => (float)Math.Log(1 + (double)v)) : y, o, progress);
        return run.Train();
    }

    private static void Check(IReadOnlyList<RawColumn> columns, float[] y, AutomaticOptions o)
    {
        if (columns.Count == 0 || columns.Any(c => c.Values.Count != y.Length)) throw new ArgumentException("Columns and targets differ in their rows, or there is no column.", nameof(columns));
        if (y.Length < LeastRows) throw new ArgumentException($"{y.Length} rows are too few to learn from; {LeastRows} is the least.", nameof(y));
        if (y.Any(v => !float.IsFinite(v) || (o.Classes > 0 && (v < 0 || v >= o.Classes || v != MathF.Floor(v))))) throw new ArgumentException("A target is not finite, or no class.", nameof(y));
        if (o.Classes == 1 || (o.Classes > 1 && y.All(v => v == y[0]))) throw new ArgumentException("All rows are of one class: there is nothing to tell apart.", nameof(y));
        if (o.Log && (o.Classes > 0 || y.Any(v => v <= -1))) throw new ArgumentException("A logarithm needs numbers above -1.", nameof(y));
    }

    private sealed class Run(IReadOnlyList<RawColumn> columns, float[] y, AutomaticOptions o, IProgress<string>? progress)
    {
        private readonly long _started = o.Clock.GetTimestamp();
        private readonly List<TableCandidate> _candidates = [];
        private TableReader _reader = null!;
        private Fold[] _folds = [];
        private int[] _heldRows = [];
        private double _readSeconds;

        private double Budget => o.BudgetSeconds;

        private double Elapsed => o.Clock.GetElapsedTime(_started).TotalSeconds;

        public AutomaticTableModel Train()
        {
            progress?.Report("reading columns");
            _reader = TableReader.Fit(columns, o);
            var rows = _reader.Read(columns);
            var splits = FoldPlan.Of(columns, y, o.Classes, o.Seed);
            _folds = new Fold[splits.Count];
            Workers.For(o.Threads, _folds.Length, f => _folds[f] = new Fold(rows, _reader.TextNames, y, splits[f], o, o.Seed + f));
            _heldRows = [.. splits.SelectMany(s => s.Test).Distinct().Order()];
            _readSeconds = Elapsed;

            Add("baseline", 0, (fold, _, _) => ConstantModel.Learn(fold.TrainY, o));
            var started = Elapsed;
            // Two folds of few rows cannot tell a penalty: there each fold takes its own.
            IReadOnlyList<double> penalties = y.Length < FewRows ? Learners.Penalties : [BestPenalty()];
            Add("linear", 0.12, (fold, threads, enough) => Learners.Linear(fold, penalties, o, threads, enough), Elapsed - started);
            var trees = Math.Clamp(50 * Learners.WideTable / _folds[0].Train.ColumnCount, 10, 50);
            Add("extra trees", 0.15, (fold, threads, enough) => Learners.Forest(fold, true, trees, o, threads, enough));
            started = Elapsed;
            var order = RankShapes(out var trials);
            var (rate, most) = Pace(trials > 0 ? (Elapsed - started) / trials : 0);
            Add("gradient boosting", 1, (fold, threads, enough) => Learners.Boost(fold, order[0], rate, most, o, threads, o.Seed, enough), Elapsed - started);

            // Beyond these, whatever the budget leaves room for: an estimate by the like that was trained before.
            AddWithin("random forest", (fold, threads, enough) => Learners.Forest(fold, false, trees, o, threads, enough), "extra trees", 1.5);
            AddWithin($"boosting, {order[1].Name}", (fold, threads, enough) => Learners.Boost(fold, order[1], rate, most, o, threads, o.Seed + 1, enough), "gradient boosting", 1.5);
            AddWithin("boosting, another seed", (fold, threads, enough) => Learners.Boost(fold, order[0] with { Columns = 0.35 }, rate, most, o, threads, o.Seed + 2, enough), "gradient boosting", 1.2);
            AddWithin($"boosting, {order[2].Name}", (fold, threads, enough) => Learners.Boost(fold, order[2], rate, most, o, threads, o.Seed + 3, enough), "gradient boosting", 2);

            progress?.Report("weighing");
            var judged = _candidates.Where(c => c.Name != "baseline").ToList();
            var truth = Array.ConvertAll(_heldRows, r => y[r]);
            var weights = EnsembleSelection.Weights([.. judged.Select(c => c.Held)], truth, o.Classes);
            return new AutomaticTableModel(o.Classes, o.Log, _reader, [.. _folds.Select(f => f.Features)], _candidates, [.. judged.Select(c => c.Name).Zip(weights)], _heldRows, truth, Elapsed);
        }

        // Slow learning where rows are few enough to afford it, and only as slow as half the budget allows, told from what a trial took.
        private (double Rate, int Most) Pace(double trialSeconds)
        {
            var (rate, most) = y.Length switch
            {
                < 20_000 => (0.03, 3000),
                < 50_000 => (0.05, 2000),
                < ManyRows => (0.06, 1500),
                < 400_000 => (0.08, 1200),
                _ => (0.1, 600),
            };
            var expected = trialSeconds * _folds.Length * TrialRate / rate;
            var allowed = Math.Max(0.1 * o.BudgetSeconds, 0.5 * o.BudgetSeconds - Elapsed);
            return expected <= allowed ? (rate, most) : (Math.Min(TrialRate, rate * expected / allowed), most);
        }

        // By its loss on two folds; small differences of a penalty do not matter.
        private double BestPenalty()
        {
            var folds = _folds.Take(2).Where(f => !f.HasOneClass(o)).ToArray();
            var losses = new double[Learners.Penalties.Count * folds.Length];
            var turns = new Turns(this, 0.1, losses.Length, o.Threads);
            Workers.For(o.Threads, losses.Length, i =>
            {
                var fold = folds[i % folds.Length];
                losses[i] = Losses.Mean(Learners.Linear(fold, Learners.Penalties[i / folds.Length], o, 1, turns.Next()).Predict(fold.Held, 1), fold.HeldY, o.Classes);
            });
            return Enumerable.Range(0, Learners.Penalties.Count).OrderBy(p => losses.AsSpan(p * folds.Length, folds.Length).ToArray().Sum()).Select(p => Learners.Penalties[p]).First();
        }

        // All shapes by a hasty run on a few folds, the best one first.
        private BoostingShape[] RankShapes(out int trials)
        {
            trials = 0;
            progress?.Report("sizing trees");
            if (_folds[0].HasOneClass(o)) return [.. Learners.Shapes];
            var trial = Math.Min(_folds.Length, y.Length < 1_000 ? _folds.Length / 2 : y.Length < 20_000 ? 2 : 1);
            var most = y.Length > ManyRows ? 80 : 300;
            var losses = new double[Learners.Shapes.Count * trial];
            trials = losses.Length;
            var alone = y.Length < ParallelFolds;
            var turns = new Turns(this, 0.25, losses.Length, alone ? o.Threads : 1);
            Workers.For(alone ? o.Threads : 1, losses.Length, i => losses[i] = _folds[i % trial].HasOneClass(o) ? 0 : Learners.BoostedLoss(_folds[i % trial], Learners.Shapes[i / trial], TrialRate, most, o, alone ? 1 : o.Threads, turns.Next()));
            return [.. Enumerable.Range(0, Learners.Shapes.Count).OrderBy(s => losses.AsSpan(s * trial, trial).ToArray().Sum()).Select(s => Learners.Shapes[s])];
        }

        private void AddWithin(string name, Learner learner, string like, double times)
        {
            var expected = times * _candidates.First(c => c.Name == like).OwnSeconds;
            if (!o.StandingOnly && Elapsed + expected <= o.BudgetSeconds) Add(name, 1, learner);
        }

        private void Add(string name, double share, Learner learner, double beforehand = 0)
        {
            progress?.Report(name);
            var started = Elapsed;
            var models = new IFoldModel[_folds.Length];
            var held = new float[_folds.Length][];
            // Few rows keep no more than one thread busy a tree; folds side by side do.
            var alone = y.Length < ParallelFolds && _folds.Length > 1;
            var turns = new Turns(this, share, _folds.Length, alone ? o.Threads : 1);
            Workers.For(alone ? o.Threads : 1, _folds.Length, f =>
            {
                var enough = turns.Next();
                // A fold may lack all but one of rare classes.
                models[f] = _folds[f].HasOneClass(o) ? ConstantModel.Learn(_folds[f].TrainY, o) : learner(_folds[f], alone ? 1 : o.Threads, enough);
                held[f] = models[f].Predict(_folds[f].Held, alone ? 1 : o.Threads);
            });
            var answers = Gather(held);
            var loss = Losses.Mean(answers, Array.ConvertAll(_heldRows, r => y[r]), o.Classes);
            var own = beforehand + Elapsed - started;
            _candidates.Add(new TableCandidate(name, models, answers, loss, own, _readSeconds + own));
        }

        /// <summary>Shares a part of the time that is left among tasks, as each one starts.</summary>
        private sealed class Turns(Run run, double share, int tasks, int threads)
        {
            private readonly double _end = run.Elapsed + Math.Max(share * (run.Budget - run.Elapsed), LeastPart * run.Budget);
            private readonly int _lanes = Math.Min(Workers.Count(threads), tasks);
            private int _started = -1;

            public Func<bool> Next()
            {
                var waves = (tasks - Interlocked.Increment(ref _started) + _lanes - 1) / _lanes;
                var now = run.Elapsed;
                var until = now + Math.Max(0, _end - now) / waves;
                return () => run.Elapsed >= until;
            }
        }

        // Rows that several partings held out get the mean of their answers.
        private float[] Gather(float[][] held)
        {
            var outputs = o.Outputs;
            var at = new int[y.Length];
            for (var i = 0; i < _heldRows.Length; i++) at[_heldRows[i]] = i;
            var sums = new float[_heldRows.Length * outputs];
            var counts = new int[_heldRows.Length];
            for (var f = 0; f < held.Length; f++)
            {
                var rows = _folds[f].Rows.Test;
                for (var i = 0; i < rows.Length; i++)
                {
                    counts[at[rows[i]]]++;
                    for (var k = 0; k < outputs; k++) sums[at[rows[i]] * outputs + k] += held[f][i * outputs + k];
                }
            }
            for (var i = 0; i < sums.Length; i++) sums[i] /= counts[i / outputs];
            return sums;
        }
    }
}
