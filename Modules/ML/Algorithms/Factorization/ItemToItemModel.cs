using OKLA.ML.Algorithms.Retrieval;

namespace OKLA.ML.Algorithms.Factorization;

/// <summary>
/// Weights from items to items: the score of an item for a history is Σ r_j · W[j, item]. Item-kNN, SAR and EASE all are of this form.
/// Users need no training: any history is scored at once. W is either sparse or dense. Immutable and safe for many threads at once.
/// </summary>
public sealed class ItemToItemModel
{
    private const string Kind = "OKLAITEM";
    private readonly SparseMatrix? sparse;
    private readonly float[]? dense;
    private readonly int stride;

    /// <summary>Wraps sparse weights: row = item of the history, column = item to score.</summary>
    public ItemToItemModel(SparseMatrix weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (weights.Rows != weights.Columns) throw new ArgumentException("The weights must be items × items.", nameof(weights));
        sparse = weights;
        Items = weights.Rows;
    }

    /// <summary>Wraps dense weights, items × items, row after row (kept, not copied): row = item of the history, column = item to score.</summary>
    public ItemToItemModel(float[] weights, int items)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (weights.Length != (long)items * items) throw new ArgumentException("The weights must be items × items.", nameof(weights));
        dense = weights;
        Items = items;
        stride = items;
    }

    /// <summary>Wraps dense weights whose rows are <paramref name="stride"/> ≥ items apart.</summary>
    internal ItemToItemModel(float[] weights, int items, int stride)
    {
        dense = weights;
        Items = items;
        this.stride = stride;
    }

    /// <summary>Number of items.</summary>
    public int Items { get; }

    /// <summary>The weight from an item of the history to an item to score.</summary>
    public float this[int from, int to] => sparse is not null ? sparse[from, to] : dense![(long)from * stride + to];

    /// <summary>
    /// Scores of all items for a history, into <paramref name="scores"/> (length = items, overwritten).
    /// <paramref name="weights"/> are the r of each item (empty: 1 each).
    /// </summary>
    public void Score(ReadOnlySpan<int> history, ReadOnlySpan<float> weights, Span<float> scores)
    {
        if (scores.Length != Items) throw new ArgumentException($"There must be room for {Items} scores.", nameof(scores));
        if (!weights.IsEmpty && weights.Length != history.Length) throw new ArgumentException("Items and weights must be equally many.", nameof(weights));
        scores.Clear();
        for (int k = 0; k < history.Length; k++)
        {
            float r = weights.IsEmpty ? 1 : weights[k];
            if (dense is not null)
            {
                FloatKernels.AddScaled(ref dense[(long)history[k] * stride], r, ref scores[0], Items);
                continue;
            }

            var columns = sparse!.RowIndices(history[k]);
            var values = sparse.RowValues(history[k]);
            for (int n = 0; n < columns.Length; n++) scores[columns[n]] += r * values[n];
        }
    }

    /// <summary>The k best items for a history, best first, without the history itself, <paramref name="exclude"/> and what <paramref name="allowed"/> lacks.</summary>
    public Scored[] Recommend(ReadOnlySpan<int> history, ReadOnlySpan<float> weights, int k, ReadOnlySpan<int> exclude = default, ItemMask? allowed = null)
    {
        var scores = new float[Items];
        Score(history, weights, scores);
        foreach (int item in history) scores[item] = float.NegativeInfinity;
        return TopK.Of(scores, k, exclude, allowed);
    }

    /// <summary>How much each item of a history gives to the score of <paramref name="item"/>, in its order; the values add up to the score.</summary>
    public Contribution[] Explain(ReadOnlySpan<int> history, ReadOnlySpan<float> weights, int item)
    {
        if (!weights.IsEmpty && weights.Length != history.Length) throw new ArgumentException("Items and weights must be equally many.", nameof(weights));
        var parts = new Contribution[history.Length];
        for (int k = 0; k < parts.Length; k++) parts[k] = new Contribution(history[k], (weights.IsEmpty ? 1.0 : weights[k]) * this[history[k], item]);
        return parts;
    }

    /// <summary>The k items most drawn by one item, best first.</summary>
    public Scored[] SimilarItems(int item, int k) => Recommend([item], default, k);

    /// <summary>A smaller model that keeps, for every item to score, its <paramref name="neighbours"/> largest positive or negative weights.</summary>
    public ItemToItemModel Prune(int neighbours)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(neighbours, 1);
        var best = new TopK[Items];
        for (int i = 0; i < Items; i++) best[i] = new TopK(neighbours);
        for (int from = 0; from < Items; from++)
        {
            if (dense is not null)
            {
                for (int to = 0; to < Items; to++)
                {
                    float value = dense[(long)from * stride + to];
                    if (value != 0) best[to].Offer(from, Math.Abs(value));
                }

                continue;
            }

            var columns = sparse!.RowIndices(from);
            var values = sparse.RowValues(from);
            for (int n = 0; n < columns.Length; n++) best[columns[n]].Offer(from, Math.Abs(values[n]));
        }

        return FromNeighbours(best, (from, to) => this[from, to]);
    }

    /// <summary>Writes the model, with a version and a checksum. The stream is left open.</summary>
    public void Save(Stream stream)
    {
        using var writer = new ChecksummedWriter(stream, Kind, 1);
        writer.Write(Items);
        writer.Write(sparse is null ? 0 : 1);
        if (sparse is null)
        {
            for (int row = 0; row < Items; row++) writer.Write<float>(dense.AsSpan(row * stride, Items));
        }
        else
        {
            writer.Write(sparse.RowStarts);
            writer.Write(sparse.Indices);
            writer.Write(sparse.Values);
        }

        writer.Finish();
    }

    /// <summary>Reads a saved model; throws <see cref="InvalidDataException"/> when it is damaged or of an unknown version.</summary>
    public static ItemToItemModel Load(Stream stream)
    {
        using var reader = new ChecksummedReader(stream, Kind, 1);
        int items = reader.ReadInt32();
        if (reader.ReadInt32() == 0)
        {
            var weights = new float[(long)items * items];
            for (int row = 0; row < items; row++) reader.ReadArray<float>().CopyTo(weights, (long)row * items);
            reader.Finish();
            return new ItemToItemModel(weights, items);
        }

        var (starts, columns, values) = (reader.ReadArray<int>(), reader.ReadArray<int>(), reader.ReadArray<float>());
        reader.Finish();
        var rows = new int[columns.Length];
        for (int row = 0; row < items; row++) Array.Fill(rows, row, starts[row], starts[row + 1] - starts[row]);
        return new ItemToItemModel(SparseMatrix.FromTriples(items, items, rows, columns, values));
    }

    /// <summary>Builds from each scored item's kept neighbours.</summary>
    internal static ItemToItemModel FromNeighbours(TopK[] neighbours, Func<int, int, float> weight)
    {
        int count = neighbours.Sum(n => n.Count), at = 0;
        var (rows, columns, values) = (new int[count], new int[count], new float[count]);
        for (int to = 0; to < neighbours.Length; to++)
            foreach (var neighbour in neighbours[to].ToSorted())
                (rows[at], columns[at], values[at++]) = (neighbour.Index, to, weight(neighbour.Index, to));
        return new ItemToItemModel(SparseMatrix.FromTriples(neighbours.Length, neighbours.Length, rows, columns, values));
    }
}
