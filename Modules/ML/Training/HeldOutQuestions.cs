using System.Diagnostics;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training;

/// <summary>Asks a model that was just measured what it has not seen, one question at a time, and takes the time of each.</summary>
internal static class HeldOutQuestions
{
    /// <summary>Questions asked at most; fewer are asked again until there are <see cref="Least"/>.</summary>
    public const int Most = 400;

    private const int Least = 300, WarmUp = 50;

    /// <summary>Questions to a training's model: its own, or the rows that it was measured on, asked of the artefact as it would serve; none where it answers in no such way.</summary>
    public static IReadOnlyList<Action> Of(ModelDefinition definition, ModelTraining training)
    {
        if (training.Questions is { Count: > 0 } own)
        {
            return own;
        }

        return training.HeldOutRows is { } rows && definition.Load(training.Measured().Artefact) is { } served ? Rows(served, rows.Columns) : [];
    }

    /// <summary>Asks them, warm; null when there are none.</summary>
    public static AnswerTimes? Ask(IReadOnlyList<Action> questions, CancellationToken ct)
    {
        if (questions.Count == 0)
        {
            return null;
        }

        for (var i = 0; i < WarmUp; i++)
        {
            questions[i % questions.Count]();
        }

        var took = new double[Math.Clamp(questions.Count, Least, Most)];
        for (var i = 0; i < took.Length; i++)
        {
            ct.ThrowIfCancellationRequested();
            var at = Stopwatch.GetTimestamp();
            questions[i % questions.Count]();
            took[i] = Stopwatch.GetElapsedTime(at).TotalMilliseconds;
        }

        Array.Sort(took);
        return new AnswerTimes(took.Length, took[(took.Length - 1) / 2], took[(int)Math.Ceiling(0.99 * took.Length) - 1]);
    }

    private static IReadOnlyList<Action> Rows(IServedModel served, IReadOnlyList<RawColumn> columns)
    {
        var inputs = columns.Named(served.Signature.Inputs.Select(input => input.Name));
        var (rows, asked) = (inputs.Count(), Math.Min(Most, inputs.Count()));
        return inputs.Length < served.Signature.Inputs.Count ? []
            : [.. Enumerable.Range(0, asked).Select(i => inputs.Row((int)((long)i * rows / asked))).Select(row => (Action)(() => served.Predict([row])))];
    }
}
