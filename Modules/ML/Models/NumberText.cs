using System.Globalization;

namespace OKLA.ML.Models;

/// <summary>Numbers as the cells of tables hold them: the shortest text that is read back as the same number.</summary>
internal static class NumberText
{
    /// <summary>A number.</summary>
    public static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A number that may be unknown.</summary>
    public static string? Text(double? value) => value is { } known ? Text(known) : null;
}
