using System.Globalization;
using System.Text.Json;

namespace OKLA.ML;

/// <summary>What people read, by key; one embedded file <c>Texts.{language}.json</c> a language.</summary>
internal sealed class Texts
{
    private readonly Dictionary<string, string> texts;
    private readonly CultureInfo culture;

    private Texts(string language, string country)
    {
        using var file = typeof(Texts).Assembly.GetManifestResourceStream($"OKLA.ML.Texts.{language}.json")
            ?? throw new CultureNotFoundException($"There are no texts in {language}.");
        texts = JsonSerializer.Deserialize<Dictionary<string, string>>(file)!;
        culture = CultureInfo.GetCultureInfo($"{language}-{country}");
    }

    /// <summary>Dominican Spanish: numbers as there, 1,250.5, not as in Spain.</summary>
    public static Texts Spanish { get; } = new("es", "DO");

    /// <summary>Whether there is a text of this key.</summary>
    public bool Has(string key) => texts.ContainsKey(key);

    /// <summary>The text of a key with its values put in.</summary>
    public string this[string key, params object[] values] => values.Length == 0 ? texts[key] : string.Format(culture, texts[key], values);
}
