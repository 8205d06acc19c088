using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Text;

namespace OKLA.ML.Models;

/// <summary>
/// What trees see of columns of text: the encoded columns, means of the target by category, and what the words of free texts say about the target. Learned on
/// training rows; no training row sees its own target.
/// </summary>
internal sealed class TableFeatures
{
    private const int MostTexts = 2;
    private const int TextRows = 40_000;
    private const int TextFolds = 4;
    private const int ProbeRows = 200;
    private static readonly RidgeOptions Ridge = new() { Regularization = 1, Tolerance = 1e-3, Threads = 1 };

    private readonly TableEncoder encoder;
    private readonly TargetStatistics statistics;
    private readonly TextScore[] texts;

    private TableFeatures(TableEncoder encoder, TargetStatistics statistics, TextScore[] texts)
    {
        this.encoder = encoder;
        this.statistics = statistics;
        this.texts = texts;
    }

    /// <summary>One number a row for a free text and an output.</summary>
    private sealed record TextScore(string Column, string Name, TextVectorizer Words, LinearRegressionModel Model);

    /// <summary>Learns; answers the features and the training rows with them.</summary>
    /// <param name="columns">Training rows.</param>
    /// <param name="y">Their targets.</param>
    /// <param name="classes">Number of classes; 0 for a number.</param>
    /// <param name="seed">Seed of the folds.</param>
    public static (TableFeatures Features, Dataset Training) Fit(IReadOnlyList<RawColumn> columns, float[] y, int classes, int seed)
    {
        // A score a class is worth its columns only while classes are few.
        float[][] targets = classes <= 2 ? [y] : classes <= 12 ? [.. Enumerable.Range(0, classes).Select(k => Array.ConvertAll(y, c => c == k ? 1f : 0f))] : [];
        var encoder = TableEncoder.Fit(columns, new TableEncoderOptions { MaxCategories = 20_000 });
        var table = encoder.Transform(columns);
        var (statistics, means) = TargetStatistics.Fit(table, targets, seed: seed);
        var made = new List<Column>([.. table.Columns, .. means]);
        var texts = new List<TextScore>();
        foreach (var column in columns.Where(column => encoder.TextColumns.Contains(column.Name)).OrderByDescending(column => column.Values.Take(2_000).Sum(text => text?.Length ?? 0)).Take(MostTexts))
        {
            // Read once; each output and each fold takes its rows of the one matrix.
            var (words, matrix) = TextVectorizer.FitTransform(Texts(column), new TextVectorizerOptions { Words = (1, 2), Chars = (3, 3), HashBits = 17, Stem = false, NormalizeSlang = false, FoldAccents = true, Threads = 1 });
            for (var k = 0; k < targets.Length && words.Columns > 0; k++)
            {
                var name = $"{column.Name} → words say {k}";
                made.Add(Column.Numeric(name, OutOfFold(matrix, targets[k], seed)));
                texts.Add(new TextScore(column.Name, name, words, Learn(matrix, targets[k], [.. Enumerable.Range(0, y.Length)])));
            }
        }

        return (new TableFeatures(encoder, statistics, [.. texts]), new Dataset(made));
    }

    /// <summary>The features of other rows.</summary>
    public Dataset Transform(IReadOnlyList<RawColumn> columns)
    {
        var table = encoder.Transform(columns);
        if (statistics.IsEmpty && texts.Length == 0)
        {
            return table;
        }

        var made = new List<Column>([.. table.Columns, .. statistics.Transform(table)]);
        var read = new Dictionary<string, SparseMatrix>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var column = columns.FirstOrDefault(column => column.Name == text.Column);
            if (column is not null && !read.ContainsKey(text.Column))
            {
                read[text.Column] = text.Words.Transform(Texts(column));
            }

            var scores = column is null ? new double[table.RowCount] : text.Model.Predict(read[text.Column]);
            made.Add(Column.Numeric(text.Name, Array.ConvertAll(scores, score => (float)score)));
        }

        return new Dataset(made);
    }

    /// <summary>Which of the columns each feature is made from, told by leaving each column out in turn.</summary>
    public int[][] Sources(IReadOnlyList<RawColumn> columns)
    {
        var rows = columns.Count();
        var sample = columns.Rows([.. Enumerable.Range(0, Math.Min(ProbeRows, rows)).Select(i => (int)((long)i * rows / Math.Min(ProbeRows, rows)))]);
        var whole = Transform(sample);
        var sources = Enumerable.Range(0, whole.ColumnCount).Select(_ => new List<int>()).ToArray();
        var nothing = new string?[sample.Count()];
        for (var c = 0; c < sample.Length; c++)
        {
            RawColumn[] without = [.. sample[..c], new RawColumn(sample[c].Name, nothing), .. sample[(c + 1)..]];
            var less = Transform(without);
            for (var f = 0; f < sources.Length; f++)
            {
                if (Differ(whole.Columns[f], less.Columns[f]))
                {
                    sources[f].Add(c);
                }
            }
        }

        return [.. sources.Select(found => found.ToArray())];
    }

    public void Write(Stream stream)
    {
        encoder.Save(stream);
        statistics.Save(stream);
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(texts.Length);
        foreach (var text in texts)
        {
            writer.Write(text.Column);
            writer.Write(text.Name);
            writer.Flush();
            text.Words.Save(stream);
            text.Model.Save(stream);
        }
    }

    public static TableFeatures Read(Stream stream)
    {
        var (encoder, statistics) = (TableEncoder.Load(stream), TargetStatistics.Load(stream));
        using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        var texts = new TextScore[reader.ReadInt32()];
        for (var t = 0; t < texts.Length; t++)
        {
            texts[t] = new TextScore(reader.ReadString(), reader.ReadString(), TextVectorizer.Load(stream), LinearRegressionModel.Load(stream));
        }

        return new TableFeatures(encoder, statistics, texts);
    }

    private static float[] OutOfFold(SparseMatrix words, float[] target, int seed)
    {
        var order = Enumerable.Range(0, target.Length).ToArray();
        new Random(seed).Shuffle(order);
        var scores = new float[target.Length];
        var folds = Math.Min(TextFolds, target.Length);
        for (var f = 0; f < folds; f++)
        {
            var held = order.Where((_, at) => at % folds == f).ToArray();
            var model = Learn(words, target, [.. order.Where((_, at) => at % folds != f)]);
            var predicted = model.Predict(words.Select(held));
            for (var i = 0; i < held.Length; i++)
            {
                scores[held[i]] = (float)predicted[i];
            }
        }

        return scores;
    }

    private static LinearRegressionModel Learn(SparseMatrix words, float[] target, int[] rows)
    {
        rows = rows.Length > TextRows ? rows[..TextRows] : rows;
        return RidgeRegression.Fit(words.Select(rows), Array.ConvertAll(rows, row => target[row]), Ridge);
    }

    private static string[] Texts(RawColumn column) => [.. column.Values.Select(text => text ?? "")];

    private static bool Differ(Column a, Column b)
    {
        for (var r = 0; r < a.Length; r++)
        {
            if (!a[r].Equals(b[r]))
            {
                return true;
            }
        }

        return false;
    }
}
