using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Text;

/// <summary>Settings of <see cref="NbSvm"/>.</summary>
public sealed record NbSvmOptions
{
    /// <summary>How texts become rows; only which n-grams a text has counts, not how often.</summary>
    public TextVectorizerOptions Vectorizer { get; init; } = new() { Words = (1, 2), Chars = (0, 0), MinDocuments = 1, InverseDocumentFrequency = false };

    /// <summary>C of the squared hinge against ½|w|², above 0.</summary>
    public double Cost { get; init; } = 0.1;

    /// <summary>α added to each n-gram's counts.</summary>
    public double Smoothing { get; init; } = 1;

    /// <summary>β between the mean size of the weights (0) and the weights themselves (1). The paper's 0.25 needs classes of like size: it drags rare ones to rare words.</summary>
    public double Interpolation { get; init; } = 1;

    /// <summary>Seed of the order of rows.</summary>
    public int Seed { get; init; } = 42;
}

/// <summary>
/// A support vector machine on naive Bayes log-count ratios (Wang and Manning 2012, eq. 3 and 4), one class against the rest, solved by dual coordinate descent
/// (Hsieh et al. 2008). Strong on short texts. Immutable, safe for many threads.
/// </summary>
public sealed class NbSvm
{
    private const string Kind = "OKNS";
    private readonly TextVectorizer _vectorizer;
    private readonly LinearWeights _weights;

    private NbSvm(TextVectorizer vectorizer, LinearWeights weights, IReadOnlyList<string> classes)
    {
        _vectorizer = vectorizer;
        _weights = weights;
        Classes = classes;
    }

    /// <summary>The classes, in ordinal order.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Trains on one label a text.</summary>
    /// <exception cref="ArgumentException">Lengths differ or there is only one class.</exception>
    public static NbSvm Fit(IReadOnlyList<string> texts, IReadOnlyList<string> labels, NbSvmOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(labels);
        options ??= new NbSvmOptions();
        if (texts.Count != labels.Count) throw new ArgumentException($"{texts.Count} texts and {labels.Count} labels.", nameof(labels));
        var classes = labels.Distinct().Order(StringComparer.Ordinal).ToArray();
        if (classes.Length < 2) throw new ArgumentException("There is only one class.", nameof(labels));
        var codes = classes.Select((name, code) => (name, code)).ToDictionary(pair => pair.name, pair => pair.code, StringComparer.Ordinal);
        var (vectorizer, x) = TextVectorizer.FitTransform(texts, options.Vectorizer);
        return new NbSvm(vectorizer, Train(x, [.. labels.Select(label => codes[label])], classes.Length, options, cancellation), classes);
    }

    /// <summary>The weights on rows made before; only which columns a row has counts.</summary>
    internal static LinearWeights Train(SparseMatrix x, int[] labels, int classes, NbSvmOptions options, CancellationToken cancellation = default)
    {
        Require.Between(options.Cost, 1e-9, 1e9);
        Require.Between(options.Smoothing, 1e-9, 1e6);
        Require.Between(options.Interpolation, 0, 1);
        var columns = x.Columns;
        var outputs = classes == 2 ? 1 : classes;
        var (values, intercepts) = (new double[outputs * columns], new double[outputs]);
        double[] costs = [.. Enumerable.Repeat(options.Cost, x.Rows)];
        Workers.For(options.Vectorizer.Threads, outputs, k =>
        {
            var own = outputs == 1 ? 1 : k;
            bool[] positive = [.. labels.Select(label => label == own)];
            var ratios = LogCountRatios(x, positive, options.Smoothing);
            var scaled = x.Map((_, column, _) => (float)ratios[column]);
            var w = DualCoordinateDescent.Fit(scaled, i => positive[i], costs, DualLoss.SquaredHinge, 0.01, 500, options.Seed, cancellation);
            double mean = 0;
            for (var j = 0; j < columns; j++) mean += Math.Abs(w[j]) / columns;
            for (var j = 0; j < columns; j++) values[k * columns + j] = ratios[j] * ((1 - options.Interpolation) * mean + options.Interpolation * w[j]);
            intercepts[k] = w[columns];
        });
        return new LinearWeights(null, columns, values, intercepts);
    }

    /// <summary>The class of a text and by how much its score leads (above 0, no probability).</summary>
    public (string Class, double Margin) Predict(string text)
    {
        var (columns, _) = _vectorizer.Transform(text);
        var marks = new float[columns.Length];
        Array.Fill(marks, 1);
        var scores = new double[_weights.Outputs];
        _weights.ScoreRow(columns, marks, scores);
        if (scores.Length == 1) return (Classes[scores[0] > 0 ? 1 : 0], Math.Abs(scores[0]));
        var best = System.Numerics.Tensors.TensorPrimitives.IndexOfMax<double>(scores);
        var second = double.NegativeInfinity;
        for (var k = 0; k < scores.Length; k++)
        {
            if (k != best) second = Math.Max(second, scores[k]);
        }
        return (Classes[best], scores[best] - second);
    }

    /// <summary>Writes the model (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        writer.Write(Classes.Count);
        foreach (var name in Classes) writer.Write(name);
        _vectorizer.Write(writer);
        _weights.Write(writer);
    });

    /// <summary>Reads a model that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static NbSvm Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) =>
    {
        var classes = new string[reader.ReadInt32()];
        for (var c = 0; c < classes.Length; c++) classes[c] = reader.ReadString();
        var vectorizer = TextVectorizer.Read(reader);
        return new NbSvm(vectorizer, LinearWeights.Read(reader), classes);
    });

    /// <summary>r = log((p / |p|₁) / (q / |q|₁)) with p = α + texts of the class that have the n-gram, q the same of the rest (eq. 3).</summary>
    private static double[] LogCountRatios(SparseMatrix x, bool[] positive, double smoothing)
    {
        double[] p = new double[x.Columns], q = new double[x.Columns];
        Array.Fill(p, smoothing);
        Array.Fill(q, smoothing);
        for (var i = 0; i < x.Rows; i++)
        {
            var side = positive[i] ? p : q;
            foreach (var column in x.RowIndices(i)) side[column]++;
        }
        double sumP = p.Sum(), sumQ = q.Sum();
        for (var j = 0; j < p.Length; j++) p[j] = Math.Log(p[j] / sumP / (q[j] / sumQ));
        return p;
    }
}
