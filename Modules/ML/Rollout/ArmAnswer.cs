using OKLA.ML.Serving;

namespace OKLA.ML.Rollout;

/// <summary>What an arm says to rows: a version, or the weighted mean of several.</summary>
internal static class ArmAnswer
{
    /// <summary>Asks an arm's versions.</summary>
    /// <param name="served">Versions in memory.</param>
    /// <param name="model">The model.</param>
    /// <param name="arm">The arm; it names a version or an ensemble.</param>
    /// <param name="names">Names of the inputs in the order of the rows.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="threads">Threads that a model may use.</param>
    /// <exception cref="InvalidDataException">A version cannot be read.</exception>
    public static async Task<Prediction[]> AskAsync(ServedModels served, string model, Arm arm, IReadOnlyList<string> names, IReadOnlyList<string?[]> rows, int threads = 1)
    {
        var members = arm.Version is { } one ? [new Member(one, 1)] : arm.Ensemble ?? throw new InvalidDataException($"Arm {arm.Name} names no version.");
        var answers = new List<(double Weight, Prediction[] Answers, IReadOnlyList<string> Classes)>();
        foreach (var member in members)
        {
            var version = await served.GetAsync(model, member.Version) ?? throw new InvalidDataException($"Version {member.Version} of {model} cannot be read.");
            answers.Add((member.Weight, version.Answers.Predict(Arranged(version.Answers.Signature, names, rows), threads), version.Answers.Signature.Classes));
        }

        return answers.Count == 1 ? answers[0].Answers : [.. Enumerable.Range(0, rows.Count).Select(i => Mean(answers.ConvertAll(item => (item.Weight, item.Answers[i])), answers[0].Classes))];
    }

    /// <summary>The weighted mean of answers: of numbers and of both ends of their intervals, or of probabilities, of which the largest names the class.</summary>
    public static Prediction Mean(IReadOnlyList<(double Weight, Prediction Answer)> answers, IReadOnlyList<string> classes)
    {
        var total = answers.Sum(item => item.Weight);
        double? Of(Func<Prediction, double?> part) => answers.All(item => part(item.Answer) is not null) ? answers.Sum(item => item.Weight * part(item.Answer)!.Value) / total : null;
        if (answers.All(item => item.Answer.Probabilities is { } shares && shares.Count == classes.Count) && classes.Count > 0)
        {
            var mean = Enumerable.Range(0, classes.Count).Select(c => answers.Sum(item => item.Weight * item.Answer.Probabilities![c]) / total).ToArray();
            var best = Array.IndexOf(mean, mean.Max());
            return new Prediction(classes.Count == 2 ? mean[^1] : mean[best], Label: classes[best], Probabilities: mean);
        }

        return new Prediction(Of(answer => answer.Value)!.Value, Of(answer => answer.Low), Of(answer => answer.High));
    }

    /// <summary>Rows in the order of another version's inputs; an input that the rows do not have is missing.</summary>
    public static IReadOnlyList<string?[]> Arranged(ModelSignature signature, IReadOnlyList<string> names, IReadOnlyList<string?[]> rows)
    {
        if (signature.Inputs.Count == names.Count && signature.Inputs.Select(input => input.Name).SequenceEqual(names, StringComparer.Ordinal))
        {
            return rows;
        }

        var places = signature.Inputs.Select(input => names.ToList().IndexOf(input.Name)).ToArray();
        return [.. rows.Select(row => Array.ConvertAll(places, place => place < 0 ? null : row[place]))];
    }
}
