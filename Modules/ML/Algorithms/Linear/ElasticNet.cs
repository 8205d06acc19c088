using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>Settings of <see cref="ElasticNet"/>.</summary>
public sealed record ElasticNetOptions
{
    /// <summary>α: share of the penalty that is absolute; 1 is the lasso.</summary>
    public double L1Share { get; init; } = 1;

    /// <summary>λ of Σ wᵢ·(yᵢ − b − β·xᵢ)² / (2·Σw) + λ·(α|β|₁ + (1 − α)|β|²/2).</summary>
    public double Regularization { get; init; } = 0.1;

    /// <summary>Most sweeps over the features for one λ.</summary>
    public int MaxSweeps { get; init; } = 1000;

    /// <summary>Largest change of a fitted value, in the target's standard deviations, that ends the sweeps.</summary>
    public double Tolerance { get; init; } = 1e-6;

    /// <summary>Threads, 0 for one a core, of the products over all columns; the result does not depend on it.</summary>
    public int Threads { get; init; }
}

/// <summary>One λ of a path.</summary>
/// <param name="Regularization">λ.</param>
/// <param name="Model">The model there.</param>
/// <param name="NonZero">Features with a weight.</param>
/// <param name="ExplainedShare">R² on the training rows.</param>
public sealed record PathPoint(double Regularization, LinearRegressionModel Model, int NonZero, double ExplainedShare);

/// <summary>
/// Lasso and elastic net by cyclic coordinate descent with warm starts along falling λ (Friedman, Hastie and Tibshirani 2010, eq. 5 and §2.5), skipping features
/// by the sequential strong rule (Tibshirani et al. 2012, eq. 7), checked afterwards.
/// </summary>
public static class ElasticNet
{
    /// <summary>Trains for one λ on a table and one finite target a row.</summary>
    /// <exception cref="ArgumentException">Lengths differ, a target is not finite or a weight is negative.</exception>
    public static LinearRegressionModel Fit(Dataset x, float[] y, ElasticNetOptions? options = null, float[]? weights = null)
    {
        options ??= new ElasticNetOptions();
        return Path(x, y, [options.Regularization], options, weights)[0].Model;
    }

    /// <summary>Trains for one λ on a sparse matrix, whose columns are taken as they are.</summary>
    /// <exception cref="ArgumentException">Lengths differ, a target is not finite or a weight is negative.</exception>
    public static LinearRegressionModel Fit(SparseMatrix x, float[] y, ElasticNetOptions? options = null, float[]? weights = null)
    {
        options ??= new ElasticNetOptions();
        return Path(x, y, [options.Regularization], options, weights)[0].Model;
    }

    /// <summary>Trains for each of <paramref name="lambdas"/> (largest first; null: 100 from the least λ that leaves no feature down to a thousandth of it).</summary>
    public static IReadOnlyList<PathPoint> Path(Dataset x, float[] y, IReadOnlyList<double>? lambdas = null, ElasticNetOptions? options = null, float[]? weights = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        options ??= new ElasticNetOptions();
        var inputs = LinearInputs.Fit(x, weights);
        return Path(new TableDesign(inputs, x, options.Threads), inputs, y, lambdas, options, weights);
    }

    /// <summary>The same on a sparse matrix, whose columns are taken as they are.</summary>
    public static IReadOnlyList<PathPoint> Path(SparseMatrix x, float[] y, IReadOnlyList<double>? lambdas = null, ElasticNetOptions? options = null, float[]? weights = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        options ??= new ElasticNetOptions();
        return Path(new SparseDesign(x, options.Threads), null, y, lambdas, options, weights);
    }

    private static List<PathPoint> Path(Design x, LinearInputs? inputs, float[] y, IReadOnlyList<double>? lambdas, ElasticNetOptions options, float[]? weights)
    {
        Checks.Targets(y, x.Rows);
        Require.Between(options.L1Share, 0, 1);
        Require.Between(options.MaxSweeps, 1, int.MaxValue);
        var w = Checks.WeightsOrOnes(weights, x.Rows);
        var total = w.Sum();
        for (var i = 0; i < w.Length; i++) w[i] /= total;
        var descent = new Descent(x, y, w, options);
        lambdas ??= descent.DefaultPath();
        var points = new List<PathPoint>(lambdas.Count);
        double previous = double.PositiveInfinity;
        foreach (var lambda in lambdas)
        {
            Require.Between(lambda, 0, double.MaxValue);
            if (lambda > previous) throw new ArgumentException("The path goes from large to small.", nameof(lambdas));
            descent.Solve(lambda, double.IsPositiveInfinity(previous) ? lambda : previous);
            var beta = (double[])descent.Beta.Clone();
            var model = new LinearRegressionModel(new LinearWeights(inputs, x.Columns, beta, [descent.Intercept]));
            points.Add(new PathPoint(lambda, model, beta.Count(b => b != 0), descent.ExplainedShare));
            previous = lambda;
        }
        return points;
    }

    private sealed class Descent
    {
        private readonly Design _x;
        private readonly double[] _w, _residual, _means, _squares, _gradient, _weighted;
        private readonly ElasticNetOptions _options;
        private readonly double _variance, _mean;

        public Descent(Design x, float[] y, double[] w, ElasticNetOptions options)
        {
            (_x, _w, _options) = (x, w, options);
            for (var i = 0; i < y.Length; i++) _mean += w[i] * y[i];
            _residual = new double[y.Length];
            for (var i = 0; i < y.Length; i++)
            {
                _residual[i] = y[i] - _mean;
                _variance += w[i] * _residual[i] * _residual[i];
            }
            (Beta, _means, _squares, _gradient, _weighted) = (new double[x.Columns], new double[x.Columns], new double[x.Columns], new double[x.Columns], new double[y.Length]);
            x.MultiplyTransposed(w, 0, _means, 0);
            for (var j = 0; j < x.Columns; j++)
            {
                var raw = x.ColumnSquares(j, w);
                var centred = raw - _means[j] * _means[j];
                _squares[j] = centred > 1e-12 * raw ? centred : 0;
            }
            Gradient();
        }

        public double[] Beta { get; }

        /// <summary>Columns are centred in thought: the residual carries no shift, the intercept makes up for it here.</summary>
        public double Intercept
        {
            get
            {
                double b = _mean;
                for (var j = 0; j < Beta.Length; j++) b -= Beta[j] * _means[j];
                return b;
            }
        }

        public double ExplainedShare
        {
            get
            {
                double left = 0, shift = Shift();
                for (var i = 0; i < _residual.Length; i++) left += _w[i] * (_residual[i] - shift) * (_residual[i] - shift);
                return _variance > 0 ? 1 - left / _variance : 0;
            }
        }

        public double[] DefaultPath()
        {
            var largest = _gradient.Length == 0 ? 0 : _gradient.Max(Math.Abs) / Math.Max(_options.L1Share, 1e-3);
            if (largest == 0) return [1];
            return [.. Enumerable.Range(0, 100).Select(k => largest * Math.Pow(1e-3, k / 99.0))];
        }

        public void Solve(double lambda, double previous)
        {
            var l1 = lambda * _options.L1Share;
            var candidates = new List<int>();
            var inside = new bool[Beta.Length];
            var bound = _options.L1Share * (2 * lambda - previous);
            for (var j = 0; j < Beta.Length; j++)
            {
                if (_squares[j] == 0 || (Beta[j] == 0 && Math.Abs(_gradient[j]) < bound)) continue;
                inside[j] = true;
                candidates.Add(j);
            }
            while (true)
            {
                Sweep(candidates, lambda);
                Gradient();
                var added = candidates.Count;
                for (var j = 0; j < Beta.Length; j++)
                {
                    if (inside[j] || _squares[j] == 0 || Math.Abs(_gradient[j]) <= l1 * (1 + 1e-9)) continue;
                    inside[j] = true;
                    candidates.Add(j);
                }
                if (candidates.Count == added) return;
            }
        }

        private void Sweep(List<int> candidates, double lambda)
        {
            double l1 = lambda * _options.L1Share, l2 = lambda * (1 - _options.L1Share), stop = _options.Tolerance * _options.Tolerance * _variance;
            var active = candidates;
            for (var sweep = 0; sweep < _options.MaxSweeps; sweep++)
            {
                double largest = 0;
                var shift = Shift();
                foreach (var j in active)
                {
                    var slope = _x.ColumnDot(j, _w, _residual) - _means[j] * shift;
                    var updated = LogisticCoordinateDescent.SoftThreshold(slope + _squares[j] * Beta[j], l1) / (_squares[j] + l2);
                    var change = updated - Beta[j];
                    if (change == 0) continue;
                    Beta[j] = updated;
                    _x.AddColumn(j, -change, _residual);
                    shift -= change * _means[j];
                    largest = Math.Max(largest, change * change * _squares[j]);
                }
                if (largest <= stop)
                {
                    if (ReferenceEquals(active, candidates)) return;
                    active = candidates;
                }
                else if (ReferenceEquals(active, candidates)) active = [.. candidates.Where(j => Beta[j] != 0)];
            }
        }

        private double Shift() => System.Numerics.Tensors.TensorPrimitives.Dot<double>(_w, _residual);

        private void Gradient()
        {
            var shift = Shift();
            System.Numerics.Tensors.TensorPrimitives.Multiply<double>(_w, _residual, _weighted);
            _x.MultiplyTransposed(_weighted, 0, _gradient, 0);
            for (var j = 0; j < _gradient.Length; j++) _gradient[j] -= _means[j] * shift;
        }
    }
}
