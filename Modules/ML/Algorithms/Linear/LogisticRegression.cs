using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>Settings of <see cref="LogisticRegression"/>.</summary>
public sealed record LogisticOptions
{
    /// <summary>λ of Σ wᵢ·lossᵢ + λ·(share·|β|₁ + (1 − share)·|β|²/2), 0 or more; the intercept is free. 1/λ is what others call C.</summary>
    public double Regularization { get; init; } = 1;

    /// <summary>Share of the penalty that is absolute (lasso), 0 to 1; 0 trains by L-BFGS, more by proximal Newton coordinate descent.</summary>
    public double L1Share { get; init; }

    /// <summary>Most steps.</summary>
    public int MaxIterations { get; init; } = 200;

    /// <summary>Largest slope of the mean objective at the end.</summary>
    public double Tolerance { get; init; } = 1e-6;

    /// <summary>Threads, 0 for one a core; the result does not depend on it.</summary>
    public int Threads { get; init; }

    // Looked at between steps (not by coordinate descent); true ends training with what is learned by then.
    internal Func<bool>? Enough { get; init; }
}

/// <summary>
/// Logistic (two classes) and softmax (more) regression with an elastic-net penalty: L2 by L-BFGS (Nocedal and Wright 2006, ch. 7; two classes
/// on a table of up to 256 features by Newton's method), L1 and mixtures by
/// coordinate descent on quadratic models of the loss (Friedman, Hastie and Tibshirani 2010, §3) with a line search (Yuan, Ho and Lin 2012).
/// </summary>
public static class LogisticRegression
{
    /// <summary>Trains on a table; labels count classes from 0.</summary>
    /// <exception cref="ArgumentException">Lengths differ, a label is below 0 or a weight is negative.</exception>
    public static LinearClassifierModel Fit(Dataset x, int[] labels, LogisticOptions? options = null, float[]? weights = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        options ??= new LogisticOptions();
        var inputs = LinearInputs.Fit(x, weights);
        return Fit(new TableDesign(inputs, x, options.Threads), inputs, labels, options, weights, cancellation);
    }

    /// <summary>Trains on a sparse matrix, whose columns are taken as they are; labels count classes from 0.</summary>
    /// <exception cref="ArgumentException">Lengths differ, a label is below 0 or a weight is negative.</exception>
    public static LinearClassifierModel Fit(SparseMatrix x, int[] labels, LogisticOptions? options = null, float[]? weights = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        options ??= new LogisticOptions();
        return Fit(new SparseDesign(x, options.Threads), null, labels, options, weights, cancellation);
    }

    private static LinearClassifierModel Fit(
        Design x, LinearInputs? inputs, int[] labels, LogisticOptions options, float[]? weights, CancellationToken cancellation)
    {
        Require.Between(options.Regularization, 0, 1e12);
        Require.Between(options.L1Share, 0, 1);
        Require.Between(options.MaxIterations, 1, 1_000_000);
        var classes = Checks.Classes(labels, x.Rows);
        var loss = new LogisticLoss(x, labels, classes, Checks.WeightsOrOnes(weights, x.Rows));
        var outputs = loss.Outputs;
        var parameters = new double[outputs * (x.Columns + 1)];
        if (options.L1Share == 0 && outputs == 1 && x is TableDesign table && x.Columns <= LogisticNewton.MostFeatures)
            LogisticNewton.Minimize(loss, table, parameters, options.Regularization, options.MaxIterations, options.Tolerance, options.Enough, cancellation);
        else if (options.L1Share == 0) Lbfgs.Minimize((p, g) => loss.Evaluate(p, g, options.Regularization), parameters, options.MaxIterations, options.Tolerance, 10, options.Enough, cancellation);
        else LogisticCoordinateDescent.Minimize(loss, parameters, options, cancellation);
        var learned = new LinearWeights(inputs, x.Columns, parameters[..(outputs * x.Columns)], parameters[(outputs * x.Columns)..]);
        return new LinearClassifierModel(learned, outputs == 1 ? LinearLink.Logistic : LinearLink.Softmax);
    }
}
