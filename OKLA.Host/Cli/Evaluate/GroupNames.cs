using System.Globalization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.Host.Cli.Evaluate;

/// <summary>The group of each row: a column's text, or, for numbers of many values such as ages, the quarter of training rows that it falls into.</summary>
internal sealed class GroupNames
{
    private const string Missing = "(missing)";
    private const int MostValues = 12;
    private static readonly double[] Quarters = [0.25, 0.5, 0.75];
    private readonly NumberTarget? _numbers;
    private readonly float[] _bounds;

    private GroupNames(NumberTarget? numbers, float[] bounds) => (_numbers, _bounds) = (numbers, bounds);

    public static GroupNames Learn(IReadOnlyList<string?> values)
    {
        var numbers = NumberTarget.Fit(values);
        var known = numbers.Read(values).Where(v => !float.IsNaN(v)).Order().ToArray();
        var filled = values.Count(v => !string.IsNullOrWhiteSpace(v));
        return known.Length < 0.9 * filled || known.Distinct().Take(MostValues + 1).Count() <= MostValues
            ? new GroupNames(null, [])
            : new GroupNames(numbers, [.. Quarters.Select(q => known[(int)(q * (known.Length - 1))]).Distinct()]);
    }

    public string[] Of(IReadOnlyList<string?> values)
    {
        if (_numbers is null)
        {
            return [.. values.Select(v => string.IsNullOrWhiteSpace(v) ? Missing : v.Trim())];
        }

        return Array.ConvertAll(_numbers.Read(values), v =>
        {
            if (float.IsNaN(v))
            {
                return Missing;
            }

            var at = Array.FindIndex(_bounds, bound => v <= bound);
            return at < 0 ? $"above {Text(_bounds[^1])}" : at == 0 ? $"up to {Text(_bounds[0])}" : $"{Text(_bounds[at - 1])} to {Text(_bounds[at])}";
        });
    }

    private static string Text(float bound) => bound.ToString("0.##", CultureInfo.InvariantCulture);
}
