using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace OKLA.Shared.Texts;

/// <summary>
/// What people read, by key: the embedded file <c>{room}.Texts.{language}.json</c> of an assembly, and the words that all rooms share (how values of the catalogue are
/// written), which a room may say otherwise.
/// </summary>
public sealed class LanguageTexts
{
    private const string SharedRoom = "OKLA.Shared";
    private readonly Dictionary<string, string> texts;
    private readonly CultureInfo culture;

    /// <summary>Reads the files of an assembly and a language.</summary>
    /// <param name="assembly">The assembly.</param>
    /// <param name="room">Its root namespace.</param>
    /// <param name="language">Language, such as es.</param>
    /// <param name="country">Country whose numbers are written, such as DO.</param>
    /// <exception cref="CultureNotFoundException">There is no such file.</exception>
    public LanguageTexts(Assembly assembly, string room, string language, string country)
    {
        culture = CultureInfo.GetCultureInfo($"{language}-{country}");
        texts = Read(typeof(LanguageTexts).Assembly, SharedRoom, language);
        foreach (var (key, text) in Read(assembly, room, language))
        {
            texts[key] = text;
        }
    }

    /// <summary>Whether there is a text of this key.</summary>
    public bool Has(string key) => texts.ContainsKey(key);

    /// <summary>The text of a key with its values put in.</summary>
    public string this[string key, params object[] values] => values.Length == 0 ? texts[key] : string.Format(culture, texts[key], values);

    /// <summary>A value of the catalogue as people write it: sellers leave the accents out. Itself where there is nothing to mend.</summary>
    public string Value(string value) => texts.GetValueOrDefault($"value.{value}", value);

    private static Dictionary<string, string> Read(Assembly assembly, string room, string language)
    {
        using var file = assembly.GetManifestResourceStream($"{room}.Texts.{language}.json") ?? throw new CultureNotFoundException($"{room} has no texts in {language}.");
        return JsonSerializer.Deserialize<Dictionary<string, string>>(file)!;
    }
}
