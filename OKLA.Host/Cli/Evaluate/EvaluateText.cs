using System.Diagnostics;
using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Text;
using OKLA.Shared.Files;

namespace OKLA.Host.Cli.Evaluate;

/// <summary><c>evaluate text</c>: classifiers of texts, learned from one file and measured on another.</summary>
internal static class EvaluateText
{
    private const double Least = 1e-15;

    public static Verb Verb { get; } = Verb.OnFiles(
        "evaluate text",
        [
            new("--train", "FILE", "rows to learn from, with a header"), new("--test", "FILE", "rows to measure on"), new("--text", "COL", "column of the text"),
            new("--label", "COL", "column of the class"), new("--seed", "N", "of the choice within the training file (default 42)"), AlgorithmResults.Json,
        ],
        "measures classifiers of texts",
        Run) with
    {
        Check = invocation => _ = (invocation.Required("--train"), invocation.Required("--test"), invocation.Required("--text"), invocation.Required("--label"), Seed(invocation)),
    };

    private static int Seed(Invocation invocation) => invocation.Number("--seed", 42, 0, int.MaxValue);

    private static int Run(Invocation invocation, Terminal terminal)
    {
        var (texts, labels) = Read(invocation, "--train");
        var (testTexts, testLabels) = Read(invocation, "--test");
        string[] classes = [.. labels.Distinct().Order(StringComparer.Ordinal)], all = [.. classes, .. testLabels.Except(classes).Order(StringComparer.Ordinal)];
        var results = new List<AlgorithmResult> { Measure("majority class", () => (_ => [.. testTexts.SelectMany(_ => classes.Select(name => labels.Count(label => label == name) / (double)labels.Count))])) };
        var about = "There is one class only.";
        if (classes.Length > 1)
        {
            results.Add(Measure("naive Bayes", () => AutomaticTextClassifier.Fit(texts, labels, "naive Bayes", Seed(invocation)).Probabilities));
            results.Add(Measure("linear", () => TextClassifier.Fit(texts, labels).Probabilities));
            results.Add(Measure("linear tuned", () => AutomaticTextClassifier.Fit(texts, labels, "linear", Seed(invocation)).Probabilities));
            results.Add(Measure("NB-SVM", () => AutomaticTextClassifier.Fit(texts, labels, "NB-SVM", Seed(invocation)).Probabilities));
            results.Add(Measure("automatic", () =>
            {
                var automatic = AutomaticTextClassifier.Fit(texts, labels, seed: Seed(invocation));
                about = $"automatic is {automatic.Description}, chosen by cross-validation of the training file.";
                return automatic.Probabilities;
            }));
        }

        AlgorithmResults.Write(terminal, invocation, string.Create(
            CultureInfo.InvariantCulture, $"{texts.Count:N0} texts learned from, {testTexts.Count:N0} measured, {classes.Length:N0} classes{(all.Length > classes.Length ? $" and {all.Length - classes.Length} that the training lacks" : "")}. {about}"), results);
        return CommandLine.Success;

        AlgorithmResult Measure(string name, Func<Func<IReadOnlyList<string>, double[]>> train)
        {
            var clock = Stopwatch.StartNew();
            var predict = train();
            var training = clock.Elapsed;
            var probabilities = predict(testTexts);
            var predicting = clock.Elapsed - training;
            return new AlgorithmResult(name, Figures(probabilities, classes, all, testLabels), training.TotalSeconds, predicting.TotalMicroseconds / testTexts.Count, testTexts.Count);
        }
    }

    private static List<KeyValuePair<string, double>> Figures(double[] probabilities, string[] classes, string[] all, List<string> labels)
    {
        var codes = all.Select((name, code) => (name, code)).ToDictionary(pair => pair.name, pair => pair.code, StringComparer.Ordinal);
        int[] truth = [.. labels.Select(label => codes[label])], predicted = new int[truth.Length];
        double loss = 0;
        for (var i = 0; i < truth.Length; i++)
        {
            var row = probabilities.AsSpan(i * classes.Length, classes.Length);
            predicted[i] = System.Numerics.Tensors.TensorPrimitives.IndexOfMax<double>(row);
            loss -= Math.Log(Math.Max(truth[i] < row.Length ? row[truth[i]] : 0, Least)) / truth.Length;
        }

        var report = new MulticlassMetrics(truth, predicted, all.Length);
        List<KeyValuePair<string, double>> figures = [new("accuracy", report.Accuracy), new("macroF1", report.MacroF1), new("logLoss", loss)];
        if (all.Length == 2 && classes.Length == 2)
        {
            bool[] second = [.. truth.Select(code => code == 1)];
            figures.Add(new("AUC", second.Distinct().Count() == 2 ? BinaryMetrics.RocAuc([.. second.Select((_, i) => probabilities[2 * i + 1])], second) : double.NaN));
        }

        return figures;
    }

    /// <summary>Texts and classes of a file; rows without a class are left out.</summary>
    private static (List<string> Texts, List<string> Labels) Read(Invocation invocation, string option)
    {
        var path = invocation.Required(option);
        var (texts, labels) = (new List<string>(), new List<string>());
        int text = -1, label = -1;
        foreach (var row in EvaluationRows.Read(path))
        {
            if (text < 0)
            {
                (text, label) = (EvaluationRows.Find(row, invocation.Required("--text"), path), EvaluationRows.Find(row, invocation.Required("--label"), path));
                continue;
            }

            if (Math.Max(text, label) < row.Length && row[label].Length > 0)
            {
                texts.Add(row[text]);
                labels.Add(row[label]);
            }
        }

        return texts.Count > 0 ? (texts, labels) : throw new UnreadableFileException($"'{path}' has no row with a class.");
    }
}
