namespace OKLA.ML.Algorithms.Neural;

/// <summary>
/// Weights that are learned (rows × width, row-major) with the gradient of the batch. A sparse parameter lists the rows a batch touched; the others have no
/// gradient and are not moved.
/// </summary>
internal sealed class Parameter(int rows, int width, bool sparse, bool decays)
{
    private readonly List<int> _touched = [];
    private bool[]? _marks;

    public float[] Values { get; } = new float[Checked(rows, width)];

    /// <summary>dLoss/dValues, made when first asked for: a model that only predicts has none.</summary>
    public float[] Gradient => field ??= new float[Values.Length];

    public int Rows => rows;

    public int Width => width;

    public bool Sparse => sparse;

    /// <summary>Whether weight decay pulls it towards 0; biases and gains are left alone.</summary>
    public bool Decays => decays;

    /// <summary>Rows with a gradient, in the order they were touched.</summary>
    public IReadOnlyList<int> Touched => _touched;

    /// <summary>The gradient of a row of a sparse parameter, which counts as touched from now on.</summary>
    public Span<float> GradientRow(int row)
    {
        _marks ??= new bool[rows];
        if (!_marks[row])
        {
            _marks[row] = true;
            _touched.Add(row);
        }
        return Gradient.AsSpan(row * width, width);
    }

    public void ClearGradient()
    {
        if (!sparse)
        {
            Array.Clear(Gradient);
            return;
        }
        foreach (var row in _touched)
        {
            Gradient.AsSpan(row * width, width).Clear();
            _marks![row] = false;
        }
        _touched.Clear();
    }

    /// <summary>Draws every value from N(0, deviation²); without <paramref name="random"/> they stay 0, to be read from elsewhere.</summary>
    public Parameter Normal(double deviation, Random? random)
    {
        if (random is null) return this;
        for (var i = 0; i < Values.Length; i++) Values[i] = (float)deviation * Factorization.ImplicitAls.Gaussian(random);
        return this;
    }

    private static int Checked(int rows, int width)
    {
        if ((long)rows * width > Array.MaxLength) throw new ArgumentException($"{rows} rows of {width} weights do not fit into one array.", nameof(rows));
        return rows * width;
    }
}
