using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Training;

namespace OKLA.ML.Models;

/// <summary>What a target's column asks for, and its values as numbers.</summary>
/// <param name="Name">regression, binary or multiclass.</param>
/// <param name="Classes">Labels, the positive one last of two; empty for a number.</param>
/// <param name="Y">One a row: a number or a class; NaN where the row has none.</param>
/// <param name="Log">Whether the logarithm of 1 + target is learned: numbers of one sign that spread over powers of ten.</param>
internal sealed record TableTask(string Name, IReadOnlyList<string> Classes, float[] Y, bool Log)
{
    private const int MostClasses = 50;
    private const int FewNumbers = 12;
    private const double ReadableShare = 0.95;

    /// <summary>Reads a target.</summary>
    /// <exception cref="TooLittleDataException">It does not say what the task asks for.</exception>
    public static TableTask Read(RawColumn target, string? task, string? positive)
    {
        var known = target.Values.Where(text => !TableSignature.IsMissing(text)).ToArray();
        var numbers = NumberTarget.Fit(target.Values).Read(target.Values);
        var read = numbers.Count(float.IsFinite);
        var values = numbers.Where(float.IsFinite).Distinct().Take(FewNumbers + 1).Count();
        task ??= positive is null && known.Length > 0 && read >= ReadableShare * known.Length && values > FewNumbers ? "regression" : null;
        if (task == "regression")
        {
            return read == 0 ? throw new TooLittleDataException($"No value of {target.Name} is a number.") : new TableTask("regression", [], numbers, Spreads(numbers));
        }

        ClassTarget labels;
        try
        {
            labels = ClassTarget.Fit(target.Values, positive);
        }
        catch (ArgumentException unknown)
        {
            throw new TooLittleDataException(unknown.Message);
        }

        if (labels.Classes.Count < 2 || labels.Classes.Count > MostClasses || (task == "binary" && labels.Classes.Count != 2))
        {
            throw new TooLittleDataException($"{target.Name} has {labels.Classes.Count} different values; {(task == "binary" ? "two are" : $"2 to {MostClasses} can be")} told apart.");
        }

        return new TableTask(labels.Classes.Count == 2 ? "binary" : "multiclass", labels.Classes, [.. labels.Read(target.Values).Select(c => c < 0 ? float.NaN : c)], false);
    }

    private static bool Spreads(float[] numbers)
    {
        var sorted = numbers.Where(float.IsFinite).Order().ToArray();
        float At(double share) => sorted[(int)(share * (sorted.Length - 1))];
        return sorted[0] >= 0 && At(0.5) > 10 && At(0.99) > 4 * At(0.5);
    }
}
