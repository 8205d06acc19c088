using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;

namespace OKLA.ML.Algorithms.Text;

/// <summary>
/// Chooses by cross-validation how to read texts (stems or words, accents, slang, chars) and how hard to regularise, and joins the best model of each kind (logistic
/// regression, naive Bayes, NB-SVM) so that the probabilities are calibrated (<see cref="LogPool"/>). Immutable, safe for many threads.
/// </summary>
public sealed class AutomaticTextClassifier
{
    private const int Folds = 5, MostRows = 20_000;
    private readonly IReadOnlyList<(TextCandidate Candidate, TextVectorizer Vectorizer, LinearClassifierModel Model, double Weight)> _parts;

    private AutomaticTextClassifier(IReadOnlyList<(TextCandidate Candidate, TextVectorizer Vectorizer, LinearClassifierModel Model, double Weight)> parts, IReadOnlyList<string> classes, string description) =>
        (_parts, Classes, Description) = (parts, classes, description);

    /// <summary>The classes, in ordinal order.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>What was chosen.</summary>
    public string Description { get; }

    /// <summary>Trains on one label a text.</summary>
    /// <param name="texts">Texts.</param>
    /// <param name="labels">Their classes.</param>
    /// <param name="kind">Only models of this kind, "linear", "naive Bayes" or "NB-SVM"; null for all.</param>
    /// <param name="seed">Of the folds.</param>
    /// <exception cref="ArgumentException">Lengths differ or there is only one class.</exception>
    public static AutomaticTextClassifier Fit(IReadOnlyList<string> texts, IReadOnlyList<string> labels, string? kind = null, int seed = 42)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(labels);
        if (texts.Count != labels.Count) throw new ArgumentException($"{texts.Count} texts and {labels.Count} labels.", nameof(labels));
        var classes = labels.Distinct().Order(StringComparer.Ordinal).ToArray();
        if (classes.Length < 2) throw new ArgumentException("There is only one class.", nameof(labels));
        var codes = classes.Select((name, code) => (name, code)).ToDictionary(pair => pair.name, pair => pair.code, StringComparer.Ordinal);
        int[] y = [.. labels.Select(label => codes[label])];
        int[] rows = [.. Enumerable.Range(0, y.Length)];
        if (rows.Length > MostRows) new Random(seed).Shuffle(rows);
        rows = rows[..Math.Min(rows.Length, MostRows)];
        string[] sample = [.. rows.Select(row => texts[row])];
        int[] sampleLabels = [.. rows.Select(row => y[row])];
        var tried = Validate(sample, sampleLabels, classes.Length, kind is null or TextCandidate.Logistic ? TextCandidate.First : [TextCandidate.First[0]], seed);
        tried.AddRange(Validate(sample, sampleLabels, classes.Length, TextCandidate.Next(tried.MinBy(one => one.Loss).Candidate), seed));

        // The best of each kind and way of reading: what differs most adds most.
        var best = tried.Where(one => kind is null || one.Candidate.Kind == kind).OrderBy(one => one.Loss)
            .GroupBy(one => (one.Candidate.Kind, one.Candidate.Vectorizer)).Select(group => group.First()).Take(kind is null ? 6 : 1).ToList();
        var weights = LogPool.Fit([.. best.Select(one => one.Probabilities)], sampleLabels, classes.Length);
        var kept = best.Zip(weights).Where(pair => pair.Second > 0.01).ToList();
        var parts = kept.Select(pair =>
        {
            var (vectorizer, x) = TextVectorizer.FitTransform(texts, pair.First.Candidate.Vectorizer);
            return (pair.First.Candidate, vectorizer, pair.First.Candidate.Train(pair.First.Candidate.Rows(x), y, classes.Length), pair.Second);
        }).ToList();
        return new AutomaticTextClassifier(parts, classes, string.Join(" + ", kept.Select(pair => FormattableString.Invariant($"{pair.Second:0.00} {pair.First.Candidate.Name}"))));
    }

    /// <summary>P(class) of texts, texts × classes, text after text.</summary>
    public double[] Probabilities(IReadOnlyList<string> texts) =>
        LogPool.Join([.. _parts.Select(part => part.Model.Probabilities(part.Candidate.Rows(part.Vectorizer.Transform(texts))))], [.. _parts.Select(part => part.Weight)], Classes.Count);

    /// <summary>Probabilities of every row by a model that did not learn from it, and their loss.</summary>
    private static List<(TextCandidate Candidate, double[] Probabilities, double Loss)> Validate(
        string[] texts, int[] labels, int classes, IReadOnlyList<TextCandidate> candidates, int seed)
    {
        var found = candidates.Select(_ => new double[texts.Length * classes]).ToArray();
        foreach (var fold in Splits.StratifiedKFold(labels, Folds, seed))
        {
            string[] train = [.. fold.Train.Select(row => texts[row])], test = [.. fold.Test.Select(row => texts[row])];
            // A class whose only rows are held out is not known to this fold's models.
            int[] codes = [.. fold.Train.Select(row => labels[row]).Distinct().Order()];
            if (codes.Length < 2 || test.Length == 0) continue;
            int[] y = [.. fold.Train.Select(row => Array.BinarySearch(codes, labels[row]))];
            foreach (var reading in Enumerable.Range(0, candidates.Count).GroupBy(c => candidates[c].Vectorizer))
            {
                var (vectorizer, x) = TextVectorizer.FitTransform(train, reading.Key);
                if (vectorizer.Columns == 0) continue;
                SparseMatrix held = vectorizer.Transform(test);
                foreach (var c in reading)
                {
                    var probabilities = candidates[c].Train(candidates[c].Rows(x), y, codes.Length).Probabilities(candidates[c].Rows(held));
                    for (var i = 0; i < test.Length; i++)
                        for (var k = 0; k < codes.Length; k++) found[c][fold.Test[i] * classes + codes[k]] = probabilities[i * codes.Length + k];
                }
            }
        }
        return [.. candidates.Select((candidate, c) =>
            (candidate, found[c], LogPool.Loss(LogPool.Join([found[c]], LogPool.Fit([found[c]], labels, classes), classes), labels, classes)))];
    }
}
