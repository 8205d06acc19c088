namespace OKLA.ML.Models.Frames;

/// <summary>Labels of what came to pass or did not.</summary>
internal static class Outcome
{
    /// <summary>It came to pass.</summary>
    public const string Yes = "yes";

    /// <summary>It did not.</summary>
    public const string No = "no";

    public static string Of(bool came) => came ? Yes : No;
}
