using OKLA.Shared.Texts;

namespace OKLA.ML;

/// <summary>What people read.</summary>
internal static class Texts
{
    /// <summary>Dominican Spanish: numbers as there, 1,250.5, not as in Spain.</summary>
    public static LanguageTexts Spanish { get; } = new(typeof(Texts).Assembly, "OKLA.ML", "es", "DO");
}
