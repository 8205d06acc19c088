namespace OKLA.ML.Algorithms.Linear;

/// <summary>
/// Proximal Newton for the elastic net: a quadratic model of the loss in one output's weights (Friedman et al. 2010, eq. 15 and §4.1), coordinate descent on it
/// (eq. 10) over the features that may move, then a backtracking line search along the step (Yuan et al. 2012, eq. 12 and 20).
/// </summary>
internal static class LogisticCoordinateDescent
{
    private const int MostSweeps = 100;

    public static void Minimize(LogisticLoss loss, double[] parameters, LogisticOptions options, CancellationToken cancellation)
    {
        var x = loss.X;
        int n = x.Rows, p = x.Columns, outputs = loss.Outputs;
        double[] scores = new double[outputs * n], trial = new double[outputs * n], residuals = new double[outputs * n];
        double[] hessian = new double[n], step = new double[n], moves = new double[p], squares = new double[p];
        loss.Scores(parameters, scores);
        var l1 = options.Regularization * options.L1Share;
        var l2 = options.Regularization * (1 - options.L1Share);
        var value = loss.Residuals(scores, residuals) + Penalty(parameters, outputs * p, l1, l2);
        for (var iteration = 0; iteration < options.MaxIterations; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            var before = value;
            for (var k = 0; k < outputs; k++)
            {
                loss.Residuals(scores, residuals);
                value = Step(loss, parameters, k, scores, trial, residuals, hessian, step, moves, squares, l1, l2, value, options.Tolerance);
            }
            if (before - value <= 1e-3 * options.Tolerance * Math.Max(1, Math.Abs(value))) return;
        }
    }

    private static double Step(
        LogisticLoss loss, double[] parameters, int k, double[] scores, double[] trial, double[] residuals, double[] hessian, double[] step, double[] moves,
        double[] squares, double l1, double l2, double value, double tolerance)
    {
        var x = loss.X;
        int n = x.Rows, p = x.Columns, interceptAt = loss.Outputs * p + k;
        var beta = parameters.AsSpan(k * p, p);
        var gradient = residuals.AsSpan(k * n, n);
        double curvature = 0;
        for (var i = 0; i < n; i++)
        {
            // w·p·(1 − p) from the residual w·(p − y); floored, as in the paper, where a probability is 0 or 1 by rounding.
            var weight = loss.Weights[i];
            var miss = weight > 0 ? Math.Abs(gradient[i]) / weight : 0;
            hessian[i] = weight * Math.Max(miss * (1 - miss), 1e-5);
            curvature += hessian[i];
        }
        Array.Clear(step);
        Array.Clear(moves);
        Array.Clear(squares);
        var interceptMove = x is TableDesign table && p <= LogisticNewton.MostFeatures
            ? SolveByGram(table, beta, residuals, k, hessian, step, moves, l1, l2, tolerance * tolerance * loss.Total)
            : Solve(x, beta, gradient, hessian, curvature, step, moves, squares, l1, l2, tolerance * tolerance * loss.Total);
        double slope = 0;
        double penaltyBefore = 0, penaltyAfter = 0;
        for (var j = 0; j < p; j++)
        {
            penaltyBefore += l1 * Math.Abs(beta[j]) + l2 / 2 * beta[j] * beta[j];
            penaltyAfter += l1 * Math.Abs(beta[j] + moves[j]) + l2 / 2 * (beta[j] + moves[j]) * (beta[j] + moves[j]);
        }
        for (var i = 0; i < n; i++) slope += gradient[i] * step[i];
        var expected = slope + penaltyAfter - penaltyBefore;
        if (!(expected < 0)) return value;
        var others = Penalty(parameters, loss.Outputs * p, l1, l2) - penaltyBefore;
        for (double length = 1; length > 1e-10; length /= 2)
        {
            scores.CopyTo(trial, 0);
            for (var i = 0; i < n; i++) trial[k * n + i] += length * step[i];
            var penalty = others;
            for (var j = 0; j < p; j++)
            {
                var b = beta[j] + length * moves[j];
                penalty += l1 * Math.Abs(b) + l2 / 2 * b * b;
            }
            var next = loss.Residuals(trial, residuals) + penalty;
            if (!(next <= value + 0.01 * length * expected)) continue;
            for (var j = 0; j < p; j++) beta[j] += length * moves[j];
            parameters[interceptAt] += length * interceptMove;
            trial.CopyTo(scores, 0);
            return next;
        }
        return value;
    }

    /// <summary>Coordinate descent on the quadratic model, column by column; returns the intercept's move and leaves X·moves + move in <paramref name="step"/>.</summary>
    private static double Solve(
        Design x, ReadOnlySpan<double> beta, ReadOnlySpan<double> gradient, double[] hessian, double curvature, double[] step, double[] moves, double[] squares,
        double l1, double l2, double stop)
    {
        int n = x.Rows, p = x.Columns;
        double interceptMove = 0, first = 0;
        var active = new List<int>();
        for (var sweep = 0; sweep < MostSweeps; sweep++)
        {
            var full = sweep == 0 || sweep % 10 == 0;
            double largest = 0;
            if (full) active.Clear();
            for (var a = 0; a < (full ? p : active.Count); a++)
            {
                var j = full ? a : active[a];
                if (squares[j] == 0) squares[j] = x.ColumnSquares(j, hessian);
                if (squares[j] + l2 <= 0) continue;
                var g = x.ColumnDot(j, gradient) + (sweep == 0 && active.Count == 0 && interceptMove == 0 ? 0 : x.ColumnDot(j, hessian, step));
                var current = beta[j] + moves[j];
                var updated = SoftThreshold(squares[j] * current - g, l1) / (squares[j] + l2);
                if (full && (updated != 0 || current != 0)) active.Add(j);
                var change = updated - current;
                if (change == 0) continue;
                moves[j] += change;
                x.AddColumn(j, change, step);
                largest = Math.Max(largest, change * change * squares[j]);
            }
            double interceptSlope = 0;
            for (var i = 0; i < n; i++) interceptSlope += gradient[i] + hessian[i] * step[i];
            var shift = -interceptSlope / curvature;
            interceptMove += shift;
            for (var i = 0; i < n; i++) step[i] += shift;
            largest = Math.Max(largest, shift * shift * curvature);
            if (sweep == 0) first = largest;
            // A model of the loss need not be solved much better than it fits: a thousandth (squared: a millionth) of the first move will do.
            if (largest > Math.Max(stop, 1e-6 * first)) continue;
            // The features left out are looked at once more before the model counts as solved.
            if (full) break;
            sweep += 9 - sweep % 10;
        }
        return interceptMove;
    }

    /// <summary>The same with all products of columns made beforehand ("covariance updates", Friedman et al. 2010, §2.2): a sweep costs features², whatever the rows.</summary>
    private static double SolveByGram(
        TableDesign x, ReadOnlySpan<double> beta, double[] residuals, int k, double[] hessian, double[] step, double[] moves, double l1, double l2, double stop)
    {
        int n = x.Rows, p = x.Columns, size = p + 1;
        var gram = x.Gram(hessian);
        for (var a = 0; a < size; a++)
            for (var b = 0; b < a; b++) gram[b * size + a] = gram[a * size + b];
        var slopes = new double[size];
        x.MultiplyTransposed(residuals, k * n, slopes, 0);
        for (var i = 0; i < n; i++) slopes[p] += residuals[k * n + i];
        double interceptMove = 0, first = 0;
        for (var sweep = 0; sweep < 100 * MostSweeps; sweep++)
        {
            double largest = 0;
            for (var j = 0; j < size; j++)
            {
                var square = gram[j * size + j];
                double change;
                if (j == p) interceptMove += change = -slopes[p] / square;
                else if (square + l2 > 0)
                {
                    var current = beta[j] + moves[j];
                    change = SoftThreshold(square * current - slopes[j], l1) / (square + l2) - current;
                    moves[j] += change;
                }
                else continue;
                if (change == 0) continue;
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(gram.AsSpan(j * size, size), change, slopes, slopes);
                largest = Math.Max(largest, change * change * square);
            }
            if (sweep == 0) first = largest;
            if (largest <= Math.Max(1e-4 * stop, 1e-10 * first)) break;
        }
        x.Multiply(moves, 0, step, 0);
        for (var i = 0; i < n; i++) step[i] += interceptMove;
        return interceptMove;
    }

    /// <summary>S(z, γ) = sign(z)·max(|z| − γ, 0) (eq. 6).</summary>
    public static double SoftThreshold(double z, double gamma) => z > gamma ? z - gamma : z < -gamma ? z + gamma : 0;

    private static double Penalty(double[] parameters, int count, double l1, double l2)
    {
        double sum = 0;
        for (var j = 0; j < count; j++) sum += l1 * Math.Abs(parameters[j]) + l2 / 2 * parameters[j] * parameters[j];
        return sum;
    }
}
