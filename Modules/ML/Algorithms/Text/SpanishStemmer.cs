namespace OKLA.ML.Algorithms.Text;

/// <summary>
/// The Snowball stemmer for Spanish, written from its published definition (snowballstem.org/algorithms/spanish/stemmer.html): attached pronouns,
/// standard suffixes, verb suffixes and residual suffixes within the regions RV, R1 and R2. Expects lower case with accents; answers without acute accents.
/// </summary>
public static class SpanishStemmer
{
    private static readonly string[] Pronouns = Longest("me se sela selo selas selos la le lo las les los nos");
    private static readonly string[] Gerunds = Longest("iéndo ándo ár ér ír ando iendo ar er ir yendo");
    private static readonly string[] Plain = Longest("anza anzas ico ica icos icas ismo ismos able ables ible ibles ista istas oso osa osos osas amiento amientos imiento imientos");
    private static readonly string[] AfterIc = Longest("adora ador ación adoras adores aciones ante antes ancia ancias");
    private static readonly string[] Others = Longest("logía logías ución uciones encia encias amente mente idad idades iva ivo ivas ivos");
    private static readonly string[] Standard = [.. Plain.Concat(AfterIc).Concat(Others).OrderByDescending(s => s.Length)];
    private static readonly string[] VerbsInY = Longest("ya ye yan yen yeron yendo yo yó yas yes yais yamos");
    private static readonly string[] ShortVerbs = Longest("en es éis emos");
    private static readonly string[] Verbs = [.. ShortVerbs.Concat(Longest(
        "arían arías arán arás aríais aría aréis aríamos aremos ará aré erían erías erán erás eríais ería eréis eríamos eremos erá eré irían irías irán irás iríais iría iréis " +
        "iríamos iremos irá iré aba ada ida ía ara iera ad ed id ase iese aste iste an aban ían aran ieran asen iesen aron ieron ado ido ando iendo ió ar er ir as abas adas " +
        "idas ías aras ieras ases ieses ís áis abais íais arais ierais aseis ieseis asteis isteis ados idos amos ábamos íamos imos áramos iéramos iésemos ásemos"))
        .OrderByDescending(s => s.Length)];
    private static readonly string[] Residual = Longest("os a o á í ó e é");

    /// <summary>The stem of one word.</summary>
    public static string Stem(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        var rv = Rv(word);
        var r1 = AfterVowelConsonant(word, 0);
        var r2 = AfterVowelConsonant(word, r1);
        word = AttachedPronoun(word, rv);
        var shorter = StandardSuffix(word, r1, r2) ?? VerbInY(word, rv) ?? Verb(word, rv) ?? word;
        return Unaccented(ResidualSuffix(shorter, rv));
    }

    /// <summary>
    /// After the next vowel when the second letter is a consonant, after the next consonant when the first two are vowels, otherwise after the third letter.
    /// </summary>
    private static int Rv(string word)
    {
        if (word.Length < 3) return word.Length;
        if (IsVowel(word[0]) != IsVowel(word[1]) && IsVowel(word[1])) return 3;
        var wanted = !IsVowel(word[1]);
        for (var i = 2; i < word.Length; i++)
        {
            if (IsVowel(word[i]) == wanted) return i + 1;
        }
        return word.Length;
    }

    private static int AfterVowelConsonant(string word, int from)
    {
        for (var i = from + 1; i < word.Length; i++)
        {
            if (IsVowel(word[i - 1]) && !IsVowel(word[i])) return i + 1;
        }
        return word.Length;
    }

    private static string AttachedPronoun(string word, int rv)
    {
        if (Ending(word, Pronouns) is not { } pronoun) return word;
        var before = word[..^pronoun.Length];
        if (Ending(before, Gerunds) is not { } gerund || before.Length - gerund.Length < rv) return word;
        if (gerund == "yendo") return before.EndsWith("uyendo", StringComparison.Ordinal) ? before : word;
        return string.Concat(before.AsSpan(0, before.Length - gerund.Length), Unaccented(gerund));
    }

    private static string? StandardSuffix(string word, int r1, int r2)
    {
        if (Ending(word, Standard) is not { } suffix) return null;
        var at = word.Length - suffix.Length;
        var stem = word[..at];
        if (suffix == "amente")
        {
            if (at < r1) return null;
            if (Without(stem, "iv", r2) is { } active) return Without(active, "at", r2) ?? active;
            return Without(stem, "os", r2) ?? Without(stem, "ic", r2) ?? Without(stem, "ad", r2) ?? stem;
        }
        if (at < r2) return null;
        return suffix switch
        {
            "logía" or "logías" => stem + "log",
            "ución" or "uciones" => stem + "u",
            "encia" or "encias" => stem + "ente",
            "mente" => Without(stem, "ante", r2) ?? Without(stem, "able", r2) ?? Without(stem, "ible", r2) ?? stem,
            "idad" or "idades" => Without(stem, "abil", r2) ?? Without(stem, "ic", r2) ?? Without(stem, "iv", r2) ?? stem,
            "iva" or "ivo" or "ivas" or "ivos" => Without(stem, "at", r2) ?? stem,
            _ => AfterIc.AsSpan().Contains(suffix) ? Without(stem, "ic", r2) ?? stem : stem,
        };
    }

    private static string? VerbInY(string word, int rv) =>
        Ending(word, VerbsInY, rv) is { } suffix && word[..^suffix.Length].EndsWith('u') ? word[..^suffix.Length] : null;

    private static string? Verb(string word, int rv)
    {
        if (Ending(word, Verbs, rv) is not { } suffix) return null;
        var stem = word[..^suffix.Length];
        return ShortVerbs.AsSpan().Contains(suffix) && stem.EndsWith("gu", StringComparison.Ordinal) ? stem[..^1] : stem;
    }

    private static string ResidualSuffix(string word, int rv)
    {
        if (Ending(word, Residual, rv) is not { } suffix) return word;
        var stem = word[..^suffix.Length];
        return suffix is "e" or "é" && stem.EndsWith("gu", StringComparison.Ordinal) && stem.Length - 1 >= rv ? stem[..^1] : stem;
    }

    private static string? Without(string word, string ending, int from) =>
        word.EndsWith(ending, StringComparison.Ordinal) && word.Length - ending.Length >= from ? word[..^ending.Length] : null;

    private static string? Ending(string word, string[] longestFirst, int from = 0)
    {
        foreach (var suffix in longestFirst)
        {
            if (word.Length - suffix.Length >= from && word.EndsWith(suffix, StringComparison.Ordinal)) return suffix;
        }
        return null;
    }

    private static string[] Longest(string words) => [.. words.Split(' ').OrderByDescending(word => word.Length)];

    private static bool IsVowel(char c) => c is 'a' or 'e' or 'i' or 'o' or 'u' or 'á' or 'é' or 'í' or 'ó' or 'ú' or 'ü';

    private static string Unaccented(string word) =>
        word.AsSpan().ContainsAny("áéíóú") ? word.Replace('á', 'a').Replace('é', 'e').Replace('í', 'i').Replace('ó', 'o').Replace('ú', 'u') : word;
}
