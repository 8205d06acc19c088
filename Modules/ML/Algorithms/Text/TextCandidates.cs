using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;

namespace OKLA.ML.Algorithms.Text;

/// <summary>A way to read texts and a linear model on what is read.</summary>
/// <param name="Kind">The kind of model.</param>
/// <param name="Name">The whole of its settings.</param>
/// <param name="Vectorizer">How texts become rows.</param>
/// <param name="Marks">Only whether a text has an n-gram counts.</param>
/// <param name="Train">Rows, classes from 0 and their number to a model.</param>
internal sealed record TextCandidate(string Kind, string Name, TextVectorizerOptions Vectorizer, bool Marks, Func<SparseMatrix, int[], int, LinearClassifierModel> Train)
{
    public const string Bayes = "naive Bayes", Logistic = "linear", Svm = "NB-SVM";

    private static readonly (string Name, TextVectorizerOptions Options)[] Readings =
    [
        ("stems, slang, chars", new TextVectorizerOptions()),
        ("words, chars", new TextVectorizerOptions { Stem = false, NormalizeSlang = false, MinDocuments = 1 }),
        ("words, slang, chars, no accents", new TextVectorizerOptions { Stem = false, FoldAccents = true, MinDocuments = 1 }),
        ("stems, words only", new TextVectorizerOptions { Chars = (0, 0), MinDocuments = 1 }),
    ];

    /// <summary>Rows as this model takes them.</summary>
    public SparseMatrix Rows(SparseMatrix x) => Marks ? x.Map((_, _, _) => 1) : x;

    /// <summary>The readings with one logistic regression each: what is asked first.</summary>
    public static IReadOnlyList<TextCandidate> First { get; } = [.. Readings.Select(reading => LogisticOf(reading.Name, reading.Options, 10))];

    /// <summary>Other settings and models for the best reading.</summary>
    public static IReadOnlyList<TextCandidate> Next(TextCandidate best)
    {
        var reading = Readings.First(reading => reading.Options == best.Vectorizer);
        var marks = new NbSvmOptions().Vectorizer;
        return
        [
            .. ((double[])[1, 3, 30]).Select(cost => LogisticOf(reading.Name, reading.Options, cost)),
            .. ((double[])[0.01, 0.1, 0.5]).Select(smoothing => new TextCandidate(
                Bayes, FormattableString.Invariant($"{Bayes} ({reading.Name}, smoothing {smoothing})"), reading.Options, false, (x, labels, _) => NaiveBayes.FitMultinomial(x, labels, smoothing))),
            .. ((double[])[0.03, 0.1, 0.3]).Select(cost => SvmOf("stems", marks, cost)),
            .. ((double[])[0.01, 0.03, 0.1]).Select(cost => SvmOf("stems, chars", marks with { Chars = (3, 5) }, cost)),
        ];
    }

    private static TextCandidate LogisticOf(string reading, TextVectorizerOptions options, double cost) => new(
        Logistic, FormattableString.Invariant($"{Logistic} ({reading}, cost {cost})"), options, false,
        (x, labels, classes) => TextClassifier.Train(x, labels, classes, new TextClassifierOptions { Vectorizer = options, Cost = cost }, null, CancellationToken.None));

    private static TextCandidate SvmOf(string reading, TextVectorizerOptions options, double cost) => new(
        Svm, FormattableString.Invariant($"{Svm} ({reading}, cost {cost})"), options, true,
        (x, labels, classes) => new LinearClassifierModel(
            NbSvm.Train(x, labels, classes, new NbSvmOptions { Vectorizer = options, Cost = cost }), classes == 2 ? LinearLink.Logistic : LinearLink.OneVersusRest));
}
