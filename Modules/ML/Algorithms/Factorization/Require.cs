using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace OKLA.ML.Algorithms.Factorization;

/// <summary>Checks of settings before a training starts.</summary>
internal static class Require
{
    /// <summary>Throws when the value is NaN or outside [least, most]; the message names the setting.</summary>
    public static void Between<T>(T value, T least, T most, [CallerArgumentExpression(nameof(value))] string name = "") where T : INumber<T>
    {
        if (!(value >= least && value <= most))
            throw new ArgumentOutOfRangeException(name, string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; it must lie between {least} and {most}."));
    }
}
