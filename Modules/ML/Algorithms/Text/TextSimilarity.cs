namespace OKLA.ML.Algorithms.Text;

/// <summary>How alike two short texts are, 0 to 1.</summary>
public sealed class TextSimilarity(TextVectorizer vectorizer)
{
    private readonly TextVectorizer _vectorizer = vectorizer ?? throw new ArgumentNullException(nameof(vectorizer));

    /// <summary>Cosine of the TF-IDF rows; 0 when either has no known n-gram.</summary>
    public double Cosine(string a, string b)
    {
        var (columnsA, valuesA) = _vectorizer.Transform(a);
        var (columnsB, valuesB) = _vectorizer.Transform(b);
        double sum = 0;
        for (int i = 0, j = 0; i < columnsA.Length && j < columnsB.Length;)
        {
            if (columnsA[i] == columnsB[j]) sum += valuesA[i++] * valuesB[j++];
            else if (columnsA[i] < columnsB[j]) i++;
            else j++;
        }
        return Math.Min(1, sum);
    }

    /// <summary>Words in both over words in either (Jaccard 1901); 1 for two texts without words.</summary>
    public static double Jaccard(string a, string b)
    {
        HashSet<string> first = [.. Words(a)], second = [.. Words(b)];
        var both = first.Count(second.Contains);
        var either = first.Count + second.Count - both;
        return either == 0 ? 1 : (double)both / either;
    }

    /// <summary>
    /// Mean over the words of both texts of the best Jaro-Winkler match in the other one, matches under <paramref name="threshold"/> counting 0 (the soft
    /// similarity of Cohen, Ravikumar and Fienberg 2003, symmetric): misspelt words still count.
    /// </summary>
    public static double Soft(string a, string b, double threshold = 0.85)
    {
        string[] first = [.. Words(a)], second = [.. Words(b)];
        if (first.Length + second.Length == 0) return 1;
        if (first.Length == 0 || second.Length == 0) return 0;
        return (Sum(first, second, threshold) + Sum(second, first, threshold)) / (first.Length + second.Length);
    }

    private static double Sum(string[] from, string[] to, double threshold) => from.Sum(word =>
    {
        var best = to.Max(other => EditDistance.JaroWinkler(word, other));
        return best >= threshold ? best : 0;
    });

    private static IEnumerable<string> Words(string text) =>
        new Tokenizer(new TokenizerOptions { FoldAccents = true, KeepPunctuation = false }).Tokenize(text).Select(token => token.Text);
}
