using OKLA.Shared.Texts;

namespace OKLA.Host;

/// <summary>What people read in what the host prints for dealers.</summary>
internal static class Texts
{
    /// <summary>Dominican Spanish.</summary>
    public static LanguageTexts Spanish { get; } = new(typeof(Texts).Assembly, "OKLA.Host", "es", "DO");
}
