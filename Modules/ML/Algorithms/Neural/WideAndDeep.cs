using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>
/// Wide &amp; Deep learning (Cheng et al. 2016): a linear model of features and crossed categories and a network over embeddings and numbers, trained together
/// by AdamW on mini-batches. The same seed gives the same model, whatever the number of threads.
/// </summary>
public static class WideAndDeep
{
    /// <summary>Trains on <paramref name="x"/> (rows × columns) and <paramref name="y"/> (one target a row).</summary>
    /// <param name="x">The training rows; numbers are standardised by their own mean and deviation, a missing one gets a flag.</param>
    /// <param name="y">Targets: 0 / 1, classes from 0, or numbers.</param>
    /// <param name="options">The settings.</param>
    /// <param name="validX">Rows for early stopping; without them <see cref="WideAndDeepOptions.ValidationShare"/> of the training rows is held out.</param>
    /// <param name="validY">Their targets.</param>
    /// <param name="weights">A weight a training row; null counts each as 1.</param>
    /// <param name="progress">Told after each pass: the mean loss on the validation rows, or of the pass when there are none.</param>
    /// <param name="cancellation">Looked at before each step.</param>
    /// <exception cref="ArgumentException">Lengths differ, a target does not suit the task, or an option is out of range.</exception>
    public static WideAndDeepModel Fit(
        Dataset x, float[] y, WideAndDeepOptions? options = null, Dataset? validX = null, float[]? validY = null, float[]? weights = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        options ??= new WideAndDeepOptions();
        options.Check();
        CheckTargets(y, x.RowCount, options.Task, nameof(y));
        Checks.Weights(weights, x.RowCount);
        if ((validX is null) != (validY is null)) throw new ArgumentException("Validation rows and targets come together.", nameof(validY));
        if (validX is not null) CheckTargets(validY!, validX.RowCount, options.Task, nameof(validY));
        var outputs = options.Task == NeuralTask.Multiclass ? Math.Max(2, (int)Math.Max(y.Max(), validY?.Max() ?? 0) + 1) : 1;
        var rows = Enumerable.Range(0, x.RowCount).ToArray();
        (Dataset X, float[] Y, int[] Rows)? validation = validX is null ? null : (validX, validY!, [.. Enumerable.Range(0, validX.RowCount)]);
        if (validX is null && options.ValidationShare > 0 && x.RowCount > 1)
        {
            var split = options.Task == NeuralTask.Regression
                ? Splits.Random(x.RowCount, options.ValidationShare, options.Seed)
                : Splits.Stratified(y, options.ValidationShare, options.Seed);
            if (split.Train.Length > 0 && split.Test.Length > 0) (rows, validation) = (split.Train, (x, y, split.Test));
        }

        // Means and deviations of the rows that learn, so that the held-out ones stay unseen.
        var learning = rows.Length == x.RowCount ? x : x.Select(rows);
        var ranks = options.Ranks ? QuantileRanks.Fit(learning) : null;
        var inputs = LinearInputs.Fit(learning, weights is null ? null : [.. rows.Select(row => weights[row])]);
        var scale = TargetScale.Of(y, rows, weights, options.Task);
        var network = new WideAndDeepNetwork(inputs, ranks, options, outputs, new Random(options.Seed));
        var parameters = network.Parameters.ToArray();
        var adam = new Adam(options.Adam, parameters);
        var best = new BestWeights(parameters, options.Patience);
        var batch = new Batch(network, options.Task, scale);
        var random = new Random(options.Seed ^ 0x5EED);
        var passes = options.Iterations;
        for (var pass = 1; pass <= options.Iterations; pass++)
        {
            random.Shuffle(rows);
            double loss = 0;
            for (var at = 0; at < rows.Length; at += options.BatchSize)
            {
                cancellation.ThrowIfCancellationRequested();
                var part = rows.AsSpan(at, Math.Min(options.BatchSize, rows.Length - at));
                loss += part.Length * batch.Learn(x, y, weights, part);
                adam.Step();
            }
            loss = validation is { } v ? batch.Measure(v.X, v.Y, ReferenceEquals(v.X, x) ? weights : null, v.Rows) : loss / rows.Length;
            progress?.Report(new TrainingProgress(pass, options.Iterations, loss));
            if (!double.IsFinite(loss)) throw new ArithmeticException($"The loss of pass {pass} is {loss}; a smaller learning rate may help.");
            if (validation is not null && options.Patience > 0 && best.Observe(pass, loss)) break;
        }
        if (validation is not null && options.Patience > 0)
        {
            best.Restore();
            passes = best.BestPass;
        }
        return new WideAndDeepModel(inputs, ranks, options, outputs, scale, passes, network);
    }

    private static void CheckTargets(float[] y, int rows, NeuralTask task, string name)
    {
        ArgumentNullException.ThrowIfNull(y, name);
        if (rows == 0 || y.Length != rows) throw new ArgumentException($"{rows} rows and {y.Length} targets.", name);
        foreach (var target in y)
        {
            var suits = task switch
            {
                NeuralTask.Binary => target is 0 or 1,
                NeuralTask.Multiclass => target is >= 0 and < 1 << 20 && target == MathF.Floor(target),
                _ => float.IsFinite(target),
            };
            if (!suits) throw new ArgumentException($"{target} is no target of the task {task}.", name);
        }
    }

    /// <summary>One batch's loss, with its gradients when it learns.</summary>
    private sealed class Batch(WideAndDeepNetwork network, NeuralTask task, TargetScale scale)
    {
        private float[] _targets = [];
        private float[] _weights = [];
        private int[] _labels = [];

        public double Learn(Dataset x, float[] y, float[]? weights, ReadOnlySpan<int> rows)
        {
            var scores = network.Forward(x, rows, true);
            var loss = Loss(scores, y, weights, rows);
            network.Backward(scores, rows.Length);
            return loss;
        }

        public double Measure(Dataset x, float[] y, float[]? weights, ReadOnlySpan<int> rows)
        {
            double loss = 0, total = 0;
            for (var at = 0; at < rows.Length; at += WideAndDeepModel.Block)
            {
                var part = rows.Slice(at, Math.Min(WideAndDeepModel.Block, rows.Length - at));
                double weight = part.Length;
                if (weights is not null)
                {
                    weight = 0;
                    foreach (var row in part) weight += weights[row];
                }
                loss += weight * Loss(network.Forward(x, part, false), y, weights, part);
                total += weight;
            }
            return total > 0 ? loss / total : 0;
        }

        private double Loss(float[] scores, float[] y, float[]? weights, ReadOnlySpan<int> rows)
        {
            if (_targets.Length < rows.Length) (_targets, _weights, _labels) = (new float[rows.Length], new float[rows.Length], new int[rows.Length]);
            for (var r = 0; r < rows.Length; r++)
            {
                _targets[r] = scale.Down(y[rows[r]]);
                if (task == NeuralTask.Multiclass) _labels[r] = (int)y[rows[r]];
                if (weights is not null) _weights[r] = weights[rows[r]];
            }
            var part = scores.AsSpan(0, rows.Length * network.Outputs);
            ReadOnlySpan<float> targets = _targets.AsSpan(0, rows.Length), w = weights is null ? default : _weights.AsSpan(0, rows.Length);
            return task switch
            {
                NeuralTask.Binary => Losses.BinaryCrossEntropy(part, targets, w),
                NeuralTask.Multiclass => Losses.SoftmaxCrossEntropy(part, network.Outputs, _labels.AsSpan(0, rows.Length), w),
                _ => Losses.SquaredError(part, targets, w),
            };
        }
    }
}

/// <summary>How a regression's targets are standardised; other tasks leave them as they are.</summary>
internal readonly record struct TargetScale(double Mean, double Deviation)
{
    public static TargetScale Of(float[] y, int[] rows, float[]? weights, NeuralTask task)
    {
        if (task != NeuralTask.Regression) return new TargetScale(0, 1);
        double total = 0, sum = 0, squares = 0;
        foreach (var row in rows) (total, sum) = (total + (weights?[row] ?? 1), sum + (weights?[row] ?? 1.0) * y[row]);
        var mean = total > 0 ? sum / total : 0;
        foreach (var row in rows) squares += (weights?[row] ?? 1) * (y[row] - mean) * (y[row] - mean);
        var deviation = total > 0 ? Math.Sqrt(squares / total) : 0;
        return new TargetScale(mean, deviation > 1e-12 * Math.Max(1, Math.Abs(mean)) ? deviation : 1);
    }

    public float Down(float target) => (float)((target - Mean) / Deviation);

    public float Up(float score) => (float)(score * Deviation + Mean);
}
