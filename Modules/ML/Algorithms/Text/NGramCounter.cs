namespace OKLA.ML.Algorithms.Text;

/// <summary>
/// The hashed n-grams of one text at a time, as ascending buckets with counts. The lowest bit of a bucket tells words (0) from chars (1).
/// Reuses its buffers: one instance a thread.
/// </summary>
internal sealed class NGramCounter(TextVectorizerOptions options, Tokenizer tokenizer)
{
    private readonly List<Token> _tokens = [];
    private readonly List<ulong> _words = [];
    private readonly int _shift = 64 - (options.HashBits - 1);
    private int[] _buckets = new int[256];
    private int[] _counts = new int[256];
    private int _used;
    private int _distinct;

    /// <summary>Distinct buckets of the last text, ascending.</summary>
    public ReadOnlySpan<int> Buckets => _buckets.AsSpan(0, _distinct);

    /// <summary>How often each stood in it.</summary>
    public ReadOnlySpan<int> Counts => _counts.AsSpan(0, _distinct);

    public void Read(string text)
    {
        _tokens.Clear();
        _words.Clear();
        _used = 0;
        tokenizer.Tokenize(text, _tokens);
        foreach (var token in _tokens)
        {
            var plain = token.Text;
            if (options.Chars.Most > 0) Chars(options.Stem && options.FoldAccents ? Characters.Fold(plain) : plain);
            if (options.Words.Most == 0) continue;
            if (options.Stem && token.Kind == TokenKind.Word) plain = SpanishStemmer.Stem(plain);
            if (options.Stem && options.FoldAccents) plain = Characters.Fold(plain);
            _words.Add(Characters.Mix(Characters.Hash(plain)));
        }
        for (var start = 0; start < _words.Count; start++)
        {
            ulong hash = 0;
            for (var n = 1; n <= options.Words.Most && start + n <= _words.Count; n++)
            {
                hash = Characters.Mix(hash * 31 + _words[start + n - 1]);
                if (n >= options.Words.Least) Add(hash, 0);
            }
        }
        Collect();
    }

    /// <summary>The char n-grams of " word ", each start's hash grown char by char.</summary>
    private void Chars(string word)
    {
        var length = word.Length + 2;
        for (var start = 0; start + options.Chars.Least <= length; start++)
        {
            var hash = Characters.Basis;
            for (var n = 1; n <= options.Chars.Most && start + n <= length; n++)
            {
                var at = start + n - 2;
                hash = (hash ^ (at < 0 || at == word.Length ? ' ' : word[at])) * Characters.Prime;
                if (n >= options.Chars.Least) Add(Characters.Mix(hash), 1);
            }
        }
    }

    private void Add(ulong hash, int kind)
    {
        if (_used == _buckets.Length) Array.Resize(ref _buckets, 2 * _used);
        _buckets[_used++] = ((int)(hash >> _shift) << 1) | kind;
    }

    private void Collect()
    {
        _buckets.AsSpan(0, _used).Sort();
        if (_counts.Length < _used) _counts = new int[_buckets.Length];
        _distinct = 0;
        for (var k = 0; k < _used;)
        {
            var from = k;
            var bucket = _buckets[k];
            while (k < _used && _buckets[k] == bucket) k++;
            (_buckets[_distinct], _counts[_distinct]) = (bucket, k - from);
            _distinct++;
        }
    }
}
