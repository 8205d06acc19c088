using System.Globalization;
using OKLA.Host.Cli.Evaluate;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Text;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.Benchmarks.Algorithms;

/// <summary>Boosting, its prediction and text training beside XGBoost and scikit-learn, in turns.</summary>
internal static class TreeAndTextSpeed
{
    private const int Depth = 6;

    public static void Run(Peer? peer, int threads, string? folder, bool quick)
    {
        var table = new Table($"against XGBoost and scikit-learn, threads: {threads}", "ours /s", "peer /s", "ratio (bar 1)", "by processor time", "fit ours", "fit peer");
        var (rows, targets) = Samples.Table(quick ? 20_000 : 200_000, 30);
        Boost(table, peer, threads, $"synthetic {targets.Length:N0} x 30", "synthetic", rows, 30, targets, quick);
        if (folder is not null && Path.Combine(folder, "do_supercarros_2022", "merged_clean.csv") is var cars && File.Exists(cars))
        {
            var (x, columns, y) = Cars(cars);
            Boost(table, peer, threads, $"vehicle prices {y.Length:N0} x {columns}", "cars", x, columns, y, quick);
        }

        if (folder is not null && Path.Combine(folder, "es_intents", "fb_mtod_es_train_eval.csv") is var intents && File.Exists(intents)) Texts(table, peer, threads, "intents", intents, "intent");
        if (folder is not null && Path.Combine(folder, "es_sentiment", "intertass_es_mx.csv") is var moods && File.Exists(moods)) Texts(table, peer, threads, "sentiment", moods, "label");
        table.Print();
    }

    private static void Boost(Table table, Peer? peer, int threads, string about, string name, float[] rows, int columns, float[] y, bool quick)
    {
        var x = Samples.Columns(rows, columns);
        peer?.Load(name, rows, columns, y, classes: false);
        var trees = quick ? 100 : 200;
        var options = new GradientBoostingOptions { Iterations = trees, LearningRate = 0.1, MaxDepth = Depth, MaxLeaves = 1 << Depth, MinRowsPerLeaf = 1, MinHessianPerLeaf = 1, Threads = threads };
        GradientBoostingModel? model = null;
        var rounds = quick ? 2 : 3;
        var (ours, theirs) = Seconds.InTurn(rounds, () => model = GradientBoosting.Train(x, y, options), () => peer?.Train(name, trees, Depth, threads) ?? default);
        float[] answers = [];
        double score = double.NaN;
        Seconds Predicted()
        {
            if (peer is null) return default;
            (var time, score) = peer.Predict(name, threads);
            return time;
        }

        var (predicting, peerPredicting) = Seconds.InTurn(3 * rounds, () => answers = model!.Predict(x, threads), Predicted);
        var mean = y.Average(v => (double)v);
        var fit = 1 - y.Zip(answers, (a, b) => (double)(a - b) * (a - b)).Sum() / y.Sum(v => (v - mean) * (v - mean));
        Add(table, $"boosting, {about}, {trees} trees of depth {Depth}: row-trees", (double)y.Length * trees, ours, theirs, fit, score);
        Add(table, $"prediction, {about}, {trees} trees: rows", y.Length, predicting, peerPredicting, fit, score);
    }

    private static void Texts(Table table, Peer? peer, int threads, string about, string path, string label)
    {
        var file = TableFile.Read(path);
        var texts = file.Column("text").Values.Select(text => text ?? "").ToList();
        var labels = file.Column(label).Values.Select(text => text ?? "").ToList();
        peer?.LoadTexts(texts, labels);
        // The same features as the peer: words and pairs of words, nothing beyond.
        var options = new TextClassifierOptions { Cost = 10, Vectorizer = new TextVectorizerOptions { Words = (1, 2), Chars = (0, 0), MinDocuments = 2, Sublinear = true, Stem = false, NormalizeSlang = false, Threads = threads } };
        var (ours, theirs) = Seconds.InTurn(5, () => TextClassifier.Fit(texts, labels, options), () => peer?.TrainTexts() ?? default);
        Add(table, $"text training, {about}, {texts.Count:N0} texts in {labels.Distinct().Count()} classes: rows", texts.Count, ours, theirs, null, null);
    }

    private static void Add(Table table, string what, double work, Seconds ours, Seconds theirs, double? fit, double? peerFit) =>
        table.Add(what, work / ours.Wall, theirs.Wall > 0 ? work / theirs.Wall : null, theirs.Wall > 0 ? theirs.Wall / ours.Wall : null, theirs.Cpu > 0 ? theirs.Cpu / ours.Cpu : null, fit, peerFit);

    // Encoded by the library for both sides, so that they learn from equal numbers; the logarithm of the price.
    private static (float[] Rows, int Columns, float[] Targets) Cars(string path)
    {
        var file = TableFile.Read(path);
        var prices = file.Column("price").Values.Select(text => float.TryParse(text, CultureInfo.InvariantCulture, out var price) && price > 0 ? MathF.Log(price) : float.NaN).ToArray();
        var features = file.Columns.Where(column => column.Name != "price").ToList();
        var encoded = TableEncoder.Fit(features).Transform(features).Select([.. Enumerable.Range(0, prices.Length).Where(r => !float.IsNaN(prices[r]))]);
        var rows = new float[encoded.RowCount * encoded.ColumnCount];
        for (var r = 0; r < encoded.RowCount; r++) encoded.CopyRow(r, rows.AsSpan(r * encoded.ColumnCount, encoded.ColumnCount));
        return (rows, encoded.ColumnCount, [.. prices.Where(price => !float.IsNaN(price))]);
    }
}
