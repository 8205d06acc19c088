using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace OKLA.Shared.Web;

/// <summary>A value that is one of a few words; the refusal names them. Null passes only where it stands among them.</summary>
/// <param name="values">The words, as clients write them.</param>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter)]
public sealed class OneOfAttribute(params string?[] values) : ValidationAttribute("The field {0} must be one of {1}.")
{
    /// <summary>The words, without null.</summary>
    public IReadOnlyList<string> Values { get; } = [.. values.OfType<string>()];

    /// <inheritdoc/>
    public override bool IsValid(object? value) => Array.IndexOf(values, value) >= 0;

    /// <inheritdoc/>
    public override string FormatErrorMessage(string name) => string.Format(CultureInfo.CurrentCulture, ErrorMessageString, name, string.Join(", ", Values));
}
