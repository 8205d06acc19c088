using OKLA.ML.Algorithms.Decomposition;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Text;

namespace OKLA.ML.Algorithms.Automatic;

/// <summary>A free text column as TF-IDF vectors, learned without the target, and the leading directions of those (latent semantic analysis, Deerwester et al. 1990).</summary>
internal sealed class TextPart
{
    private const int FitRows = 20_000;
    private const int Directions = 8;

    private readonly string _name;
    private readonly TextVectorizer _vectorizer;
    private readonly float[][] _directions;

    private TextPart(string name, TextVectorizer vectorizer, float[][] directions)
    {
        _name = name;
        _vectorizer = vectorizer;
        _directions = directions;
    }

    /// <summary>Null when no word repeats.</summary>
    public static TextPart? Fit(RawColumn column, int seed)
    {
        var step = Math.Max(1, column.Values.Count / FitRows);
        var texts = Enumerable.Range(0, column.Values.Count).Where(r => r % step == 0).Select(r => column.Values[r] ?? "").ToList();
        var (vectorizer, matrix) = TextVectorizer.FitTransform(texts, new TextVectorizerOptions { Words = (1, 2), Chars = (3, 3), HashBits = 17, Stem = false, NormalizeSlang = false, FoldAccents = true });
        if (matrix.Columns == 0 || matrix.Count == 0) return null;
        var count = Math.Min(Directions, Math.Min(matrix.Rows, matrix.Columns) / 4);
        var directions = count < 1 ? [] : TruncatedSvd.Fit(matrix, count, powerIterations: 2, seed: seed).Components.Select(c => Array.ConvertAll(c, v => (float)v)).ToArray();
        return new TextPart(column.Name, vectorizer, directions);
    }

    public string Name => _name;

    public SparseMatrix Vectors(IReadOnlyList<RawColumn> columns)
    {
        var column = columns.FirstOrDefault(c => c.Name == _name);
        return _vectorizer.Transform(column is null ? [.. Enumerable.Repeat("", columns[0].Values.Count)] : [.. column.Values.Select(v => v ?? "")]);
    }

    public IEnumerable<Column> Along(SparseMatrix vectors)
    {
        for (var d = 0; d < _directions.Length; d++)
        {
            var values = new float[vectors.Rows];
            for (var r = 0; r < values.Length; r++)
            {
                var at = vectors.RowIndices(r);
                var weights = vectors.RowValues(r);
                double sum = 0;
                for (var i = 0; i < at.Length; i++) sum += weights[i] * _directions[d][at[i]];
                values[r] = (float)sum;
            }
            yield return Column.Numeric($"{_name} → direction {d + 1}", values);
        }
    }

    public void Write(BinaryWriter writer)
    {
        writer.Write(_name);
        using var inner = new MemoryStream();
        _vectorizer.Save(inner);
        writer.Write((int)inner.Length);
        writer.Write(inner.GetBuffer(), 0, (int)inner.Length);
        writer.Write(_directions.Length);
        foreach (var direction in _directions) writer.WriteArray(direction);
    }

    public static TextPart Read(BinaryReader reader)
    {
        var name = reader.ReadString();
        var vectorizer = TextVectorizer.Load(new MemoryStream(reader.ReadBytes(reader.ReadInt32())));
        var directions = new float[reader.ReadInt32()][];
        for (var d = 0; d < directions.Length; d++) directions[d] = reader.ReadSingles();
        return new TextPart(name, vectorizer, directions);
    }
}

/// <summary>What the words of a text say about the target: ridge regressions on its vectors; training rows are scored by models that did not see them.</summary>
internal static class TextScores
{
    private const int Folds = 4;
    private const int FitRows = 40_000;
    private static readonly RidgeOptions Options = new() { Regularization = 1, Tolerance = 1e-3 };

    /// <summary>The model for rows never seen, and out-of-fold scores of the training rows.</summary>
    public static (LinearRegressionModel Model, float[] Training) Fit(SparseMatrix vectors, float[] target, int seed)
    {
        var order = Enumerable.Range(0, vectors.Rows).ToArray();
        new Random(seed).Shuffle(order);
        var scores = new float[vectors.Rows];
        var folds = Math.Min(Folds, vectors.Rows);
        for (var f = 0; f < folds; f++)
        {
            var test = order.Where((_, at) => at % folds == f).ToArray();
            var model = Learn(vectors, target, [.. order.Where((_, at) => at % folds != f)]);
            var predicted = model.Predict(Select(vectors, test));
            for (var i = 0; i < test.Length; i++) scores[test[i]] = (float)predicted[i];
        }
        return (Learn(vectors, target, order), scores);
    }

    public static float[] Score(LinearRegressionModel model, SparseMatrix vectors) => Array.ConvertAll(model.Predict(vectors), v => (float)v);

    private static LinearRegressionModel Learn(SparseMatrix vectors, float[] target, int[] rows)
    {
        if (rows.Length > FitRows) rows = rows[..FitRows];
        return RidgeRegression.Fit(Select(vectors, rows), Array.ConvertAll(rows, r => target[r]), Options);
    }

    public static SparseMatrix Select(SparseMatrix matrix, int[] rows)
    {
        var count = rows.Sum(matrix.RowCount);
        int[] row = new int[count], column = new int[count];
        var values = new float[count];
        var at = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            var indices = matrix.RowIndices(rows[i]);
            row.AsSpan(at, indices.Length).Fill(i);
            indices.CopyTo(column.AsSpan(at));
            matrix.RowValues(rows[i]).CopyTo(values.AsSpan(at));
            at += indices.Length;
        }
        return SparseMatrix.FromTriples(rows.Length, matrix.Columns, row, column, values);
    }
}
