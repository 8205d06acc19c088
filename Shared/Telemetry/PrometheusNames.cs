using System.Globalization;
using System.Text;

namespace OKLA.Shared.Telemetry;

/// <summary>
/// Names, units, labels and texts as Prometheus wants them: the text format 0.0.4
/// (prometheus.io/docs/instrumenting/exposition_formats) and OpenTelemetry's "Prometheus and OpenMetrics Compatibility".
/// </summary>
internal static class PrometheusNames
{
    /// <summary>The metric's name: letters, digits and underscores, with its unit, and <c>_total</c> when it only rises.</summary>
    public static string Metric(string name, string? unit, bool counter, bool gauge)
    {
        var result = Sanitise(name);
        var suffix = Unit(unit, gauge);
        if (suffix.Length > 0 && !result.EndsWith("_" + suffix, StringComparison.Ordinal)
            && !result.EndsWith($"_{suffix}_total", StringComparison.Ordinal)) result += "_" + suffix;
        return counter && !result.EndsWith("_total", StringComparison.Ordinal) ? result + "_total" : result;
    }

    /// <summary>Tags as <c>name="value"</c> pairs by name. Names that become equal share one label, their values joined by <c>;</c>.</summary>
    public static string Labels(IEnumerable<KeyValuePair<string, object?>> tags) => string.Join(',', tags
        // "le" is the histogram's own label.
        .GroupBy(t => t.Key == "le" ? "exported_le" : Sanitise(t.Key), StringComparer.Ordinal)
        .OrderBy(g => g.Key, StringComparer.Ordinal)
        .Select(g => $"{g.Key}=\"{Escape(string.Join(';', g.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => Text(t.Value))))}\""));

    /// <summary>A HELP text: one line.</summary>
    public static string Help(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Escape(string value) => Help(value).Replace("\"", "\\\"", StringComparison.Ordinal);

    private static string Text(object? value) => value switch
    {
        null => "",
        bool yes => yes ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string Sanitise(string name)
    {
        var result = new StringBuilder(name.Length + 1);
        if (name.Length == 0 || char.IsAsciiDigit(name[0])) result.Append('_');
        foreach (var c in name)
            if (char.IsAsciiLetterOrDigit(c)) result.Append(c);
            else if (result is [] || result[^1] != '_') result.Append('_');
        return result.ToString();
    }

    // UCUM, as the semantic conventions use it; {annotations} are no unit.
    private static string Unit(string? unit, bool gauge) => unit switch
    {
        null or "" => "",
        "1" => gauge ? "ratio" : "",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "min" => "minutes",
        "h" => "hours",
        "d" => "days",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "%" => "percent",
        _ when unit.Contains('{', StringComparison.Ordinal) => "",
        _ => Sanitise(unit.Replace("/", "_per_", StringComparison.Ordinal)).Trim('_'),
    };
}
