using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Retrieval;

/// <summary>What two vectors are compared by.</summary>
public enum VectorSimilarity
{
    /// <summary>q·x. Vectors get one more coordinate √(R² − |x|²) that makes them equally long, so that the nearest is the one with the largest product (Bachrach et al. 2014).</summary>
    InnerProduct,

    /// <summary>q·x / (|q||x|); zero vectors score 0.</summary>
    Cosine,
}

/// <summary>Settings of <see cref="Hnsw"/>.</summary>
public sealed record HnswOptions
{
    /// <summary>What vectors are compared by.</summary>
    public VectorSimilarity Similarity { get; init; } = VectorSimilarity.InnerProduct;

    /// <summary>M: links of a vector on the upper layers; twice as many on the lowest. 4 to 128.</summary>
    public int Links { get; init; } = 16;

    /// <summary>efConstruction: candidates looked at when a vector is linked; more is slower to build and better.</summary>
    public int BuildWidth { get; init; } = 120;

    /// <summary>Seed of the layers.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Threads; the graph does not depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}

/// <summary>
/// Hierarchical navigable small-world graph (Malkov, Yashunin 2018): approximate search in about log(n) steps. Vectors are linked in batches that grow with the
/// graph: within a batch candidates are sought in parallel in the graph as it stood, then linked one after the other, so that the graph is the same for any number of
/// threads. Searches are safe for many threads at once.
/// </summary>
public sealed class Hnsw
{
    private const string Kind = "OKLAHNSW";
    private readonly HnswOptions options;
    private readonly int width;
    private readonly float[] points;
    private readonly int[][][] links;
    private int entry = -1;

    private Hnsw(HnswOptions options, int dimension, float[] points, int[][][] links)
    {
        (this.options, Dimension, this.points, this.links) = (options, dimension, points, links);
        width = WidthOf(options.Similarity, dimension);
    }

    /// <summary>Number of vectors.</summary>
    public int Count => links.Length;

    /// <summary>Length of each vector.</summary>
    public int Dimension { get; }

    /// <summary>Builds the graph over items × <paramref name="dimension"/> finite values, row after row; the values are copied once.</summary>
    public static Hnsw Build(ReadOnlySpan<float> vectors, int dimension, HnswOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new HnswOptions();
        Require.Between(dimension, 1, 65_536);
        Require.Between(options.Links, 4, 128);
        Require.Between(options.BuildWidth, 8, 100_000);
        Require.Between(options.Threads, 1, 1024);
        if (vectors.Length % dimension != 0) throw new ArgumentException($"{vectors.Length} values are not rows of {dimension}.", nameof(vectors));
        int count = vectors.Length / dimension;
        var points = Prepare(vectors, dimension, options.Similarity);
        var random = new Random(options.Seed);
        var links = new int[count][][];
        double scale = 1 / Math.Log(options.Links);
        for (int i = 0; i < count; i++)
        {
            // Layer l = ⌊−ln(uniform) · 1/ln(M)⌋ (algorithm 1, line 4; section 4.1 for the scale).
            links[i] = new int[Math.Min(24, (int)(-Math.Log(1 - random.NextDouble()) * scale)) + 1][];
            Array.Fill(links[i], []);
        }

        var graph = new Hnsw(options, dimension, points, links);
        graph.LinkAll(cancellation);
        return graph;
    }

    /// <summary>
    /// The k best items found, best first, by the similarity the graph was built for. <paramref name="searchWidth"/> (ef) is how many candidates are kept, at least k:
    /// more finds more. Items that <paramref name="allowed"/> lacks or <paramref name="predicate"/> refuses are walked through but not answered; when a mask leaves few
    /// (under 2 %) they are all scored instead.
    /// </summary>
    public Scored[] Search(ReadOnlySpan<float> query, int k, int searchWidth = 100, ItemMask? allowed = null, Func<int, bool>? predicate = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        if (query.Length != Dimension) throw new ArgumentException($"The query has {query.Length} values, the items have {Dimension}.", nameof(query));
        if (Count == 0) return [];
        var point = new float[width];
        query.CopyTo(point);
        if (options.Similarity == VectorSimilarity.Cosine) Normalize(point);
        if (allowed is not null && allowed.Count < Math.Max(Count / 50, searchWidth))
        {
            var few = new TopK(k);
            foreach (int item in allowed.Items())
                if (item < Count && (predicate is null || predicate(item))) few.Offer(item, Similarity(point, item));
            return few.ToSorted();
        }

        int nearest = Descend(point, links[entry].Length - 1, 0);
        var found = SearchLayer(point, nearest, Math.Max(searchWidth, k), 0, allowed is null && predicate is null ? null : item => (allowed is null || allowed[item]) && (predicate is null || predicate(item)));
        var best = found.ToSorted();
        return best.Length > k ? best[..k] : best;
    }

    /// <summary>Writes the graph with its vectors, with a version and a checksum. The stream is left open.</summary>
    public void Save(Stream stream)
    {
        using var to = new ChecksummedWriter(stream, Kind, 1);
        to.Write((int)options.Similarity);
        to.Write(options.Links);
        to.Write(options.BuildWidth);
        to.Write(options.Seed);
        to.Write(Dimension);
        to.Write(entry);
        to.Write<float>(points);
        to.Write<int>(links.Select(layers => layers.Length).ToArray());
        foreach (var layers in links)
            foreach (var layer in layers) to.Write<int>(layer);
        to.Finish();
    }

    /// <summary>Reads a saved graph; throws <see cref="InvalidDataException"/> when it is damaged or of an unknown version.</summary>
    public static Hnsw Load(Stream stream)
    {
        using var from = new ChecksummedReader(stream, Kind, 1);
        var options = new HnswOptions { Similarity = (VectorSimilarity)from.ReadInt32(), Links = from.ReadInt32(), BuildWidth = from.ReadInt32(), Seed = from.ReadInt32() };
        int dimension = from.ReadInt32(), entry = from.ReadInt32();
        var points = from.ReadArray<float>();
        var heights = from.ReadArray<int>();
        var links = new int[heights.Length][][];
        for (int i = 0; i < links.Length; i++)
        {
            if (heights[i] is < 1 or > 25) throw new InvalidDataException("The saved graph is damaged: a vector has an impossible number of layers.");
            links[i] = new int[heights[i]][];
            for (int layer = 0; layer < heights[i]; layer++) links[i][layer] = from.ReadArray<int>();
        }

        from.Finish();
        return new Hnsw(options, dimension, points, links) { entry = entry };
    }

    private static int WidthOf(VectorSimilarity similarity, int dimension) => similarity == VectorSimilarity.InnerProduct ? dimension + 1 : dimension;

    private static float[] Prepare(ReadOnlySpan<float> vectors, int dimension, VectorSimilarity similarity)
    {
        int width = WidthOf(similarity, dimension), count = vectors.Length / dimension;
        FactorModel.RequireSize(count, width);
        var points = new float[count * width];
        double longest = 0;
        for (int i = 0; i < count; i++)
        {
            var x = vectors.Slice(i * dimension, dimension);
            foreach (float value in x)
                if (!float.IsFinite(value)) throw new ArgumentException($"Vector {i} is not finite.", nameof(vectors));
            x.CopyTo(points.AsSpan(i * width));
            longest = Math.Max(longest, FloatKernels.Dot(x, x));
            if (similarity == VectorSimilarity.Cosine) Normalize(points.AsSpan(i * width, width));
        }

        if (similarity == VectorSimilarity.InnerProduct)
            for (int i = 0; i < count; i++)
            {
                var x = vectors.Slice(i * dimension, dimension);
                points[i * width + dimension] = (float)Math.Sqrt(Math.Max(0, longest - FloatKernels.Dot(x, x)));
            }

        return points;
    }

    private static void Normalize(Span<float> x)
    {
        float norm = MathF.Sqrt(FloatKernels.Dot(x, x));
        if (norm > 0)
            for (int i = 0; i < x.Length; i++) x[i] /= norm;
    }

    private ReadOnlySpan<float> Point(int item) => points.AsSpan(item * width, width);

    /// <summary>All points are equally long, so the inner product orders them as the distance does.</summary>
    private float Similarity(ReadOnlySpan<float> point, int item) => FloatKernels.Dot(point, Point(item));

    private void LinkAll(CancellationToken cancellation)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads, CancellationToken = cancellation };
        for (int done = 0; done < Count;)
        {
            if (done == 0)
            {
                entry = 0;
                done = 1;
                continue;
            }

            // At most a fiftieth of the graph at a time: what a batch cannot see of itself is little.
            int size = Math.Min(Math.Clamp(done / 50, 1, 2048), Count - done), first = done;
            var chosen = new int[size][][];
            Parallel.For(0, size, parallel, n => chosen[n] = Choose(first + n));
            for (int n = 0; n < size; n++) Link(first + n, chosen[n]);
            done += size;
        }
    }

    /// <summary>The links of a new vector on each of its layers (algorithm 1, lines 5-12), without changing the graph.</summary>
    private int[][] Choose(int item)
    {
        int top = links[entry].Length - 1, own = links[item].Length - 1;
        var point = Point(item);
        int nearest = Descend(point, top, Math.Min(own, top));
        var chosen = new int[own + 1][];
        Array.Fill(chosen, []);
        for (int layer = Math.Min(own, top); layer >= 0; layer--)
        {
            var found = SearchLayer(point, nearest, options.BuildWidth, layer, null).ToSorted();
            if (found.Length == 0) continue;
            chosen[layer] = Diverse(found, options.Links);
            nearest = found[0].Index;
        }

        return chosen;
    }

    private void Link(int item, int[][] chosen)
    {
        for (int layer = 0; layer < chosen.Length; layer++)
        {
            links[item][layer] = chosen[layer];
            int most = layer == 0 ? 2 * options.Links : options.Links;
            foreach (int other in chosen[layer])
            {
                int[] extended = [.. links[other][layer], item];
                if (extended.Length > most)
                {
                    var point = Point(other);
                    var scored = new Scored[extended.Length];
                    for (int n = 0; n < scored.Length; n++) scored[n] = new Scored(extended[n], Similarity(point, extended[n]));
                    Array.Sort(scored);
                    extended = Diverse(scored, most);
                }

                links[other][layer] = extended;
            }
        }

        if (links[item].Length > links[entry].Length) entry = item;
    }

    /// <summary>
    /// Neighbours in different directions (algorithm 4): a candidate is taken when it is nearer to the base than to any taken one; the nearest of the rest fill up.
    /// </summary>
    private int[] Diverse(ReadOnlySpan<Scored> candidates, int most)
    {
        var taken = new List<int>(most);
        var rest = new List<int>();
        foreach (var candidate in candidates)
        {
            if (taken.Count == most) break;
            bool apart = true;
            var point = Point(candidate.Index);
            foreach (int other in taken)
            {
                if (Similarity(point, other) <= candidate.Score) continue;
                apart = false;
                break;
            }

            (apart ? taken : rest).Add(candidate.Index);
        }

        foreach (int candidate in rest)
        {
            if (taken.Count == most) break;
            taken.Add(candidate);
        }

        return [.. taken];
    }

    /// <summary>Greedy walk from the entry down to just above <paramref name="layer"/>; answers where it ends.</summary>
    private int Descend(ReadOnlySpan<float> point, int top, int layer)
    {
        int at = entry;
        float score = Similarity(point, at);
        for (; top > layer; top--)
        {
            for (bool moved = true; moved;)
            {
                moved = false;
                foreach (int other in links[at][top])
                {
                    float theirs = Similarity(point, other);
                    if (theirs <= score) continue;
                    (at, score, moved) = (other, theirs, true);
                }
            }
        }

        return at;
    }

    /// <summary>Best-first search of one layer (algorithm 2): the <paramref name="breadth"/> best of those that <paramref name="accept"/> lets through.</summary>
    private TopK SearchLayer(ReadOnlySpan<float> point, int from, int breadth, int layer, Func<int, bool>? accept)
    {
        var found = new TopK(breadth);
        var seen = Visited.Rent(Count);
        var open = new PriorityQueue<int, float>();
        float start = Similarity(point, from);
        seen.Add(from);
        open.Enqueue(from, -start);
        if (accept is null || accept(from)) found.Offer(from, start);
        while (open.TryDequeue(out int at, out float negative) && (found.Count < breadth || -negative >= found.Threshold))
        {
            foreach (int other in links[at][layer])
            {
                if (!seen.Add(other)) continue;
                float score = Similarity(point, other);
                if (found.Count == breadth && score <= found.Threshold) continue;
                open.Enqueue(other, -score);
                if (accept is null || accept(other)) found.Offer(other, score);
            }
        }

        return found;
    }

    /// <summary>Which vectors a search has met: a stamp for each, one list a thread, so that a search neither allocates nor clears.</summary>
    private sealed class Visited
    {
        [ThreadStatic]
        private static Visited? mine;
        private int[] stamps = [];
        private int stamp;

        public static Visited Rent(int count)
        {
            var visited = mine ??= new Visited();
            if (visited.stamps.Length < count)
            {
                visited.stamps = new int[count];
                visited.stamp = 0;
            }

            if (++visited.stamp == int.MaxValue)
            {
                Array.Clear(visited.stamps);
                visited.stamp = 1;
            }

            return visited;
        }

        public bool Add(int item)
        {
            if (stamps[item] == stamp) return false;
            stamps[item] = stamp;
            return true;
        }
    }
}
