using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Text;

/// <summary>Settings of <see cref="TextClassifier"/>.</summary>
public sealed record TextClassifierOptions
{
    /// <summary>How texts become rows.</summary>
    public TextVectorizerOptions Vectorizer { get; init; } = new();

    /// <summary>Cᵢ = this, times the row's weight: the price of a loss against ½|w|², above 0.</summary>
    public double Cost { get; init; } = 10;

    /// <summary>Largest violation of the optimality conditions (in log-odds) that ends the training.</summary>
    public double Tolerance { get; init; } = 0.05;

    /// <summary>Most passes over the rows.</summary>
    public int MaxPasses { get; init; } = 100;

    /// <summary>Raises each class's cost so that all classes weigh the same.</summary>
    public bool Balanced { get; init; }

    /// <summary>Seed of the order of rows.</summary>
    public int Seed { get; init; } = 42;
}

/// <summary>
/// A linear classifier of texts: TF-IDF n-grams and L2 logistic regression, one class against the rest, by dual coordinate descent (Yu, Huang and Lin 2011).
/// Immutable, safe for many threads.
/// </summary>
public sealed class TextClassifier
{
    private const string Kind = "OKTC";
    private readonly TextVectorizer _vectorizer;
    private readonly LinearClassifierModel _model;

    private TextClassifier(TextVectorizer vectorizer, LinearClassifierModel model, IReadOnlyList<string> classes)
    {
        _vectorizer = vectorizer;
        _model = model;
        Classes = classes;
    }

    /// <summary>The classes, in ordinal order.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Trains on one label a text.</summary>
    /// <exception cref="ArgumentException">Lengths differ or there is only one class.</exception>
    public static TextClassifier Fit(
        IReadOnlyList<string> texts, IReadOnlyList<string> labels, TextClassifierOptions? options = null, float[]? weights = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(labels);
        options ??= new TextClassifierOptions();
        if (texts.Count != labels.Count) throw new ArgumentException($"{texts.Count} texts and {labels.Count} labels.", nameof(labels));
        var classes = labels.Distinct().Order(StringComparer.Ordinal).ToArray();
        if (classes.Length < 2) throw new ArgumentException("There is only one class.", nameof(labels));
        var codes = classes.Select((name, code) => (name, code)).ToDictionary(pair => pair.name, pair => pair.code, StringComparer.Ordinal);
        var (vectorizer, x) = TextVectorizer.FitTransform(texts, options.Vectorizer);
        return new TextClassifier(vectorizer, Train(x, [.. labels.Select(label => codes[label])], classes.Length, options, weights, cancellation), classes);
    }

    /// <summary>P(class) of a text, in the order of <see cref="Classes"/>.</summary>
    public double[] Probabilities(string text)
    {
        var (columns, values) = _vectorizer.Transform(text);
        return _model.Probabilities(columns, values);
    }

    /// <summary>P(class) of texts, texts × classes, text after text.</summary>
    public double[] Probabilities(IReadOnlyList<string> texts) => _model.Probabilities(_vectorizer.Transform(texts));

    /// <summary>The likeliest class of a text and its probability.</summary>
    public (string Class, double Probability) Predict(string text)
    {
        var probabilities = Probabilities(text);
        var best = System.Numerics.Tensors.TensorPrimitives.IndexOfMax<double>(probabilities);
        return (Classes[best], probabilities[best]);
    }

    /// <summary>Writes the classifier (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        writer.Write(Classes.Count);
        foreach (var name in Classes) writer.Write(name);
        _vectorizer.Write(writer);
        _model.Write(writer);
    });

    /// <summary>Reads a classifier that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static TextClassifier Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) =>
    {
        var classes = new string[reader.ReadInt32()];
        for (var c = 0; c < classes.Length; c++) classes[c] = reader.ReadString();
        var vectorizer = TextVectorizer.Read(reader);
        return new TextClassifier(vectorizer, LinearClassifierModel.Read(reader), classes);
    });

    /// <summary>One-against-rest logistic regression on rows made before.</summary>
    internal static LinearClassifierModel Train(SparseMatrix x, int[] labels, int classes, TextClassifierOptions o, float[]? weights, CancellationToken cancellation)
    {
        Require.Between(o.Cost, 1e-9, 1e9);
        Checks.Weights(weights, x.Rows);
        var counts = new int[classes];
        foreach (var label in labels) counts[label]++;
        var costs = new double[x.Rows];
        for (var i = 0; i < costs.Length; i++) costs[i] = o.Cost * (weights?[i] ?? 1) * (o.Balanced ? (double)x.Rows / (classes * counts[labels[i]]) : 1);
        var outputs = classes == 2 ? 1 : classes;
        var (values, intercepts) = (new double[outputs * x.Columns], new double[outputs]);
        Workers.For(o.Vectorizer.Threads, outputs, k =>
        {
            var target = outputs == 1 ? 1 : k;
            var w = DualCoordinateDescent.Fit(x, i => labels[i] == target, costs, DualLoss.Logistic, o.Tolerance, o.MaxPasses, o.Seed, cancellation);
            w.AsSpan(0, x.Columns).CopyTo(values.AsSpan(k * x.Columns));
            intercepts[k] = w[^1];
        });
        return new LinearClassifierModel(new LinearWeights(null, x.Columns, values, intercepts), outputs == 1 ? LinearLink.Logistic : LinearLink.OneVersusRest);
    }
}
