using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Text;

/// <summary>Settings of <see cref="TextVectorizer"/>.</summary>
public sealed record TextVectorizerOptions
{
    /// <summary>Shortest and longest run of words, 0 to 5; 0 as the longest leaves words out.</summary>
    public (int Least, int Most) Words { get; init; } = (1, 2);

    /// <summary>Shortest and longest run of chars within a word and the blanks around it, 0 to 8; 0 as the longest leaves chars out.</summary>
    public (int Least, int Most) Chars { get; init; } = (2, 5);

    /// <summary>Documents an n-gram must stand in to be kept, from 1.</summary>
    public int MinDocuments { get; init; } = 2;

    /// <summary>1 + ln(count) instead of the count.</summary>
    public bool Sublinear { get; init; } = true;

    /// <summary>Weighs by inverse document frequency ln((1 + n) / (1 + df)) + 1.</summary>
    public bool InverseDocumentFrequency { get; init; } = true;

    /// <summary>Word n-grams of stems instead of whole words.</summary>
    public bool Stem { get; init; } = true;

    /// <summary>Removes accents (after stemming).</summary>
    public bool FoldAccents { get; init; }

    /// <summary>Replaces Dominican chat forms by standard words.</summary>
    public bool NormalizeSlang { get; init; } = true;

    /// <summary>log₂ of the hash buckets, 10 to 24.</summary>
    public int HashBits { get; init; } = 20;

    /// <summary>Threads, 0 for one a core; the result does not depend on it.</summary>
    public int Threads { get; init; }
}

/// <summary>
/// Texts as sparse TF-IDF rows of word and character n-grams (Salton and Buckley 1988), each kind of unit length. N-grams are hashed into 2^bits buckets
/// (Weinberger et al. 2009); the buckets that enough training texts use get columns 0, 1, … so that no vocabulary of strings is stored.
/// </summary>
public sealed class TextVectorizer
{
    private const string Kind = "OKTV";
    private readonly TextVectorizerOptions _options;
    private readonly Tokenizer _tokenizer;
    private readonly int[] _columnOfBucket;
    private readonly float[] _idf;

    private TextVectorizer(TextVectorizerOptions options, int[] columnOfBucket, float[] idf)
    {
        _options = options;
        _tokenizer = MakeTokenizer(options);
        _columnOfBucket = columnOfBucket;
        _idf = idf;
    }

    /// <summary>The number of columns.</summary>
    public int Columns => _idf.Length;

    /// <summary>Learns which n-grams to keep and their weights.</summary>
    public static TextVectorizer Fit(IReadOnlyList<string> texts, TextVectorizerOptions? options = null) => Learn(texts, options ?? new TextVectorizerOptions()).Vectorizer;

    /// <summary><see cref="Fit"/> and <see cref="Transform(IReadOnlyList{string})"/> in one reading of the texts.</summary>
    public static (TextVectorizer Vectorizer, SparseMatrix Matrix) FitTransform(IReadOnlyList<string> texts, TextVectorizerOptions? options = null)
    {
        var (vectorizer, documents) = Learn(texts, options ?? new TextVectorizerOptions());
        return (vectorizer, vectorizer.Assemble(documents));
    }

    /// <summary>Texts × columns, each row of unit length (empty where no n-gram is known).</summary>
    public SparseMatrix Transform(IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return Assemble(Count(texts, _options));
    }

    /// <summary>One text: ascending columns and their values.</summary>
    public (int[] Columns, float[] Values) Transform(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var counter = new NGramCounter(_options, _tokenizer);
        counter.Read(text);
        var (columns, values) = (new List<int>(), new List<float>());
        Weigh(counter.Buckets, counter.Counts, columns, values);
        return ([.. columns], [.. values]);
    }

    /// <summary>Writes the vectoriser (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, Write);

    /// <summary>Reads a vectoriser that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static TextVectorizer Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) => Read(reader));

    internal void Write(BinaryWriter writer)
    {
        foreach (var number in new[] { _options.Words.Least, _options.Words.Most, _options.Chars.Least, _options.Chars.Most, _options.MinDocuments, _options.HashBits })
            writer.Write(number);
        foreach (var flag in new[] { _options.Sublinear, _options.InverseDocumentFrequency, _options.Stem, _options.FoldAccents, _options.NormalizeSlang }) writer.Write(flag);
        var buckets = new int[Columns];
        for (var b = 0; b < _columnOfBucket.Length; b++)
        {
            if (_columnOfBucket[b] >= 0) buckets[_columnOfBucket[b]] = b;
        }
        writer.Write(Columns);
        foreach (var bucket in buckets) writer.Write(bucket);
        writer.WriteArray(_idf);
    }

    internal static TextVectorizer Read(BinaryReader reader)
    {
        var options = new TextVectorizerOptions
        {
            Words = (reader.ReadInt32(), reader.ReadInt32()),
            Chars = (reader.ReadInt32(), reader.ReadInt32()),
            MinDocuments = reader.ReadInt32(),
            HashBits = reader.ReadInt32(),
            Sublinear = reader.ReadBoolean(),
            InverseDocumentFrequency = reader.ReadBoolean(),
            Stem = reader.ReadBoolean(),
            FoldAccents = reader.ReadBoolean(),
            NormalizeSlang = reader.ReadBoolean(),
        };
        var columnOfBucket = new int[1 << options.HashBits];
        Array.Fill(columnOfBucket, -1);
        var columns = reader.ReadInt32();
        for (var c = 0; c < columns; c++) columnOfBucket[reader.ReadInt32()] = c;
        return new TextVectorizer(options, columnOfBucket, reader.ReadSingles());
    }

    internal static Tokenizer MakeTokenizer(TextVectorizerOptions options) =>
        new(new TokenizerOptions { FoldAccents = options.FoldAccents && !options.Stem, NormalizeSlang = options.NormalizeSlang });

    private static void Validate(TextVectorizerOptions o)
    {
        Require.Between(o.Words.Most, 0, 5);
        Require.Between(o.Words.Least, Math.Min(1, o.Words.Most), Math.Max(1, o.Words.Most));
        Require.Between(o.Chars.Most, 0, 8);
        Require.Between(o.Chars.Least, Math.Min(1, o.Chars.Most), Math.Max(1, o.Chars.Most));
        Require.Between(o.MinDocuments, 1, int.MaxValue);
        Require.Between(o.HashBits, 10, 24);
        if (o.Words.Most + o.Chars.Most == 0) throw new ArgumentException("Neither words nor chars are counted.", nameof(o));
    }

    private static (TextVectorizer Vectorizer, Documents Documents) Learn(IReadOnlyList<string> texts, TextVectorizerOptions options)
    {
        ArgumentNullException.ThrowIfNull(texts);
        Validate(options);
        if (texts.Count == 0) throw new ArgumentException("No texts.", nameof(texts));
        var documents = Count(texts, options);
        var frequency = new int[1 << options.HashBits];
        foreach (var part in documents.Parts)
        {
            foreach (var bucket in part.Buckets.AsSpan(0, part.Used)) frequency[bucket]++;
        }
        var columnOfBucket = frequency;
        var idf = new List<float>();
        for (var b = 0; b < frequency.Length; b++)
        {
            var count = frequency[b];
            columnOfBucket[b] = -1;
            if (count < options.MinDocuments) continue;
            columnOfBucket[b] = idf.Count;
            idf.Add(options.InverseDocumentFrequency ? (float)(Math.Log((1.0 + texts.Count) / (1.0 + count)) + 1) : 1);
        }
        return (new TextVectorizer(options, columnOfBucket, [.. idf]), documents);
    }

    /// <summary>The n-grams of a range of texts, text after text.</summary>
    private sealed class Part
    {
        public int[] Buckets = new int[1024];
        public int[] Counts = new int[1024];
        public int Used;
        public readonly List<int> Ends = [];

        public void Append(NGramCounter counter)
        {
            var length = counter.Buckets.Length;
            if (Used + length > Buckets.Length)
            {
                Array.Resize(ref Buckets, Math.Max(Used + length, 2 * Buckets.Length));
                Array.Resize(ref Counts, Buckets.Length);
            }
            counter.Buckets.CopyTo(Buckets.AsSpan(Used));
            counter.Counts.CopyTo(Counts.AsSpan(Used));
            Used += length;
            Ends.Add(Used);
        }
    }

    private sealed record Documents(Part[] Parts, int Count);

    private static Documents Count(IReadOnlyList<string> texts, TextVectorizerOptions options)
    {
        var threads = texts.Count < 64 ? 1 : Workers.Count(options.Threads);
        var parts = new Part[threads];
        Workers.Ranges(threads, texts.Count, (t, from, to) =>
        {
            var counter = new NGramCounter(options, MakeTokenizer(options));
            var part = parts[t] = new Part();
            for (var i = from; i < to; i++)
            {
                counter.Read(texts[i]);
                part.Append(counter);
            }
        });
        return new Documents(parts, texts.Count);
    }

    private SparseMatrix Assemble(Documents documents)
    {
        var total = documents.Parts.Sum(part => part.Used);
        var (rows, columns, values) = (new List<int>(total), new List<int>(total), new List<float>(total));
        var row = 0;
        foreach (var part in documents.Parts)
        {
            var from = 0;
            foreach (var end in part.Ends)
            {
                Weigh(part.Buckets.AsSpan(from, end - from), part.Counts.AsSpan(from, end - from), columns, values);
                while (rows.Count < columns.Count) rows.Add(row);
                row++;
                from = end;
            }
        }
        return SparseMatrix.FromTriples(documents.Count, Columns, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(rows),
            System.Runtime.InteropServices.CollectionsMarshal.AsSpan(columns), System.Runtime.InteropServices.CollectionsMarshal.AsSpan(values));
    }

    /// <summary>Appends the known n-grams of one text with their TF-IDF, words and chars each scaled to the same length and together to length 1.</summary>
    private void Weigh(ReadOnlySpan<int> buckets, ReadOnlySpan<int> counts, List<int> columns, List<float> values)
    {
        // Even buckets hold words, odd ones chars (see NGramCounter), so that neither kind drowns the other.
        Span<double> squares = stackalloc double[2];
        var from = values.Count;
        for (var k = 0; k < buckets.Length; k++)
        {
            var column = _columnOfBucket[buckets[k]];
            if (column < 0) continue;
            var count = counts[k];
            var value = (_options.Sublinear && count > 1 ? 1 + MathF.Log(count) : count) * _idf[column];
            squares[buckets[k] & 1] += value * value;
            columns.Add(column);
            values.Add(value);
        }
        var kinds = (squares[0] > 0 ? 1 : 0) + (squares[1] > 0 ? 1 : 0);
        if (kinds == 0) return;
        Span<float> scale = [squares[0] > 0 ? (float)(1 / Math.Sqrt(squares[0] * kinds)) : 0, squares[1] > 0 ? (float)(1 / Math.Sqrt(squares[1] * kinds)) : 0];
        for (int k = 0, at = from; k < buckets.Length; k++)
        {
            if (_columnOfBucket[buckets[k]] >= 0) values[at++] *= scale[buckets[k] & 1];
        }
    }
}
