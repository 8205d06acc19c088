namespace OKLA.ML.Algorithms.Text;

/// <summary>A name found for a misspelt one.</summary>
/// <param name="Index">Its position in the list of names.</param>
/// <param name="Name">The name as listed.</param>
/// <param name="Score">How alike, 0 to 1; 1 is equal but for case, accents and blanks.</param>
public readonly record struct NameMatch(int Index, string Name, double Score);

/// <summary>A name found inside a longer text.</summary>
/// <param name="Match">The name.</param>
/// <param name="FirstWord">Position of its first word in the text, counted from 0.</param>
/// <param name="Words">How many words it takes.</param>
public readonly record struct NameInText(NameMatch Match, int FirstWord, int Words);

/// <summary>
/// Finds the names (makes and models, say) that a misspelt text means: names sharing most two- and three-letter grams of spelling or sound are candidates,
/// and edit distance over spelling and sound with Jaro-Winkler ranks them. Immutable, safe for many threads.
/// </summary>
public sealed class NameMatcher
{
    private const int MostCandidates = 64;
    private static readonly char[] Breaks = [' ', '\t', '\n', '\r', ',', ';', ':', '!', '?', '¿', '¡', '(', ')', '"', '/'];
    private readonly string[] _names;
    private readonly string[] _spelling;
    private readonly string[] _sound;
    private readonly Dictionary<string, List<int>> _byGram = new(StringComparer.Ordinal);
    private readonly int _mostWords;

    /// <summary>A matcher for <paramref name="names"/>, which are not empty.</summary>
    public NameMatcher(IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        _names = [.. names];
        _spelling = [.. _names.Select(Plain)];
        _sound = [.. _names.Select(name => SpanishPhonetics.Key(name).Replace(" ", "", StringComparison.Ordinal))];
        for (var i = 0; i < _names.Length; i++)
        {
            if (_spelling[i].Length == 0) throw new ArgumentException($"Name {i} has no letter or digit.", nameof(names));
            _mostWords = Math.Max(_mostWords, Split(_names[i]).Length);
            foreach (var gram in Grams(_spelling[i], _sound[i]))
            {
                if (!_byGram.TryGetValue(gram, out var list)) _byGram[gram] = list = [];
                list.Add(i);
            }
        }
    }

    /// <summary>The names, as listed.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>Up to <paramref name="count"/> names at least <paramref name="least"/> alike, best first; equal ones in the list's order.</summary>
    public IReadOnlyList<NameMatch> Find(string text, int count = 5, double least = 0.7)
    {
        ArgumentNullException.ThrowIfNull(text);
        var spelling = Plain(text);
        if (spelling.Length == 0) return [];
        var sound = SpanishPhonetics.Key(text).Replace(" ", "", StringComparison.Ordinal);
        var shared = new Dictionary<int, int>();
        foreach (var gram in Grams(spelling, sound))
        {
            if (!_byGram.TryGetValue(gram, out var list)) continue;
            foreach (var name in list) shared[name] = shared.GetValueOrDefault(name) + 1;
        }
        // Dice's coefficient of grams, so that long names are not favoured.
        return
        [
            .. shared.OrderByDescending(pair => 2.0 * pair.Value / (spelling.Length + _spelling[pair.Key].Length)).ThenBy(pair => pair.Key).Take(MostCandidates)
                .Select(pair => new NameMatch(pair.Key, _names[pair.Key], Score(spelling, sound, pair.Key)))
                .Where(match => match.Score >= least).OrderByDescending(match => match.Score).ThenBy(match => match.Index).Take(count),
        ];
    }

    /// <summary>The best name, or null when none is <paramref name="least"/> alike.</summary>
    public NameMatch? Best(string text, double least = 0.7)
    {
        var found = Find(text, 1, least);
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>The names inside a text that do not overlap, the surest first chosen, in the text's order.</summary>
    public IReadOnlyList<NameInText> FindIn(string text, double least = 0.82)
    {
        ArgumentNullException.ThrowIfNull(text);
        var words = Split(text);
        var found = new List<NameInText>();
        for (var from = 0; from < words.Length; from++)
        {
            for (var count = 1; count <= _mostWords && from + count <= words.Length; count++)
            {
                if (Best(string.Join(' ', words, from, count), least) is { } match) found.Add(new NameInText(match, from, count));
            }
        }
        var taken = new bool[words.Length];
        var chosen = new List<NameInText>();
        // Of equally sure ones the longer text says more: "grand cherokee" before "cherokee".
        foreach (var candidate in found.OrderByDescending(f => Math.Round(f.Match.Score, 2)).ThenByDescending(f => _spelling[f.Match.Index].Length).ThenBy(f => f.FirstWord))
        {
            var range = taken.AsSpan(candidate.FirstWord, candidate.Words);
            if (range.Contains(true)) continue;
            range.Fill(true);
            chosen.Add(candidate);
        }
        return [.. chosen.OrderBy(f => f.FirstWord)];
    }

    private double Score(string spelling, string sound, int name)
    {
        if (spelling == _spelling[name]) return 1;
        // In two or three letters one edit makes another name (CX5, CX7): only an equal one is meant.
        if (Math.Min(spelling.Length, _spelling[name].Length) <= 3) return 0;
        if (Digits(spelling) != Digits(_spelling[name])) return 0;
        var edits = EditDistance.Similarity(spelling, _spelling[name]);
        var heard = sound.Length == 0 ? 0 : EditDistance.Similarity(sound, _sound[name]);
        var jaro = EditDistance.JaroWinkler(spelling, _spelling[name]);
        return Math.Min(0.99, 0.4 * edits + 0.3 * heard + 0.3 * jaro);
    }

    /// <summary>The digits of a name: a Mazda 3 is not a Mazda 6, however alike they are spelt.</summary>
    private static string Digits(string text) => string.Concat(text.Where(char.IsAsciiDigit));

    private static string Plain(string text) => string.Concat(Characters.Fold(text.ToLowerInvariant(), enye: true).Where(char.IsLetterOrDigit));

    private static string[] Split(string text) => text.Split(Breaks, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Distinct two-letter grams of the spelling with its ends, and three-letter ones of the sound.</summary>
    private static HashSet<string> Grams(string spelling, string sound)
    {
        var grams = new HashSet<string>(StringComparer.Ordinal);
        var bounded = $"^{spelling}$";
        for (var i = 0; i + 2 <= bounded.Length; i++) grams.Add(bounded.Substring(i, 2));
        for (var i = 0; i + 3 <= sound.Length; i++) grams.Add(sound.Substring(i, 3));
        return grams;
    }
}
