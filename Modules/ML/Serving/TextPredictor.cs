using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OKLA.ML.Monitoring;
using OKLA.ML.Rollout;

namespace OKLA.ML.Serving;

/// <summary>What a version said to a text.</summary>
/// <param name="Answer">What it said; null when no version can, or when the arm of an experiment is to do without one.</param>
/// <param name="Version">The version.</param>
/// <param name="Source">model, previous or rollout:{arm}; empty when no version spoke.</param>
internal sealed record Told<TAnswer>(TAnswer? Answer, int? Version, string Source)
    where TAnswer : class;

/// <summary>
/// Asks models that read texts and say more than a row of numbers: the arm of a rollout, else the serving version, else the one before it. Every answer is counted and
/// every meeting kept; the texts are written down nowhere. A weighted mean of versions answers rows alone: whoever meets one here is answered by what serves.
/// </summary>
internal sealed class TextPredictor(ServedModels served, ServingMeter meter, Exposures exposures, ShadowAnswers shadow, ILogger<TextPredictor> logger)
{
    /// <summary>What a version says. One at fault is logged, counted and passed over: it never fails who asks.</summary>
    /// <param name="model">Name of the model.</param>
    /// <param name="person">Whom it is for; null when nobody knows.</param>
    /// <param name="text">What keeps its arm of a rollout when nobody is known.</param>
    /// <param name="ask">Asks a version.</param>
    /// <param name="figure">An answer as a number or class, by which a candidate in the shadow is compared.</param>
    /// <param name="ct">Stops it.</param>
    public async Task<Told<TAnswer>> AskAsync<TModel, TAnswer>(string model, string? person, string text, Func<TModel, TAnswer> ask, Func<TAnswer, Prediction> figure, CancellationToken ct)
        where TModel : class, IServedModel
        where TAnswer : class
    {
        if (await served.FindAsync(model, ct) is not { } live)
        {
            return new Told<TAnswer>(null, null, "");
        }

        var rollout = live.Rollout;
        var arm = rollout is null or { IsShadow: true } ? null : rollout.ArmOf(person ?? text);
        if (arm?.Strategy is "baseline")
        {
            meter.Count(model, 0, rollout!.Id, arm.Name, 1, 0, TimeSpan.Zero, failed: false);
            Meet(rollout, arm, person);
            return new Told<TAnswer>(null, null, AnswerOrder.SourceOf(arm));
        }

        foreach (var turn in AnswerOrder.Of(live.Version, live.Previous, arm))
        {
            if (await TryAsync(model, turn.Version, turn.ByArm ? (rollout!.Id, arm!.Name) : (Guid.Empty, ""), ask) is not { } answer)
            {
                continue;
            }

            if (turn.ByArm)
            {
                Meet(rollout!, arm!, person);
            }

            if (rollout is { IsShadow: true } && rollout.Spec.Arms[1].Version is { } candidate)
            {
                shadow.Add(new ShadowQuestion(rollout, 1, [figure(answer)], async () =>
                    [figure(ask(await served.GetAsync(model, candidate) is { Answers: TModel tried } ? tried : throw new InvalidDataException($"Version {candidate} of {model} cannot be read.")))]));
            }

            return new Told<TAnswer>(answer, turn.Version, turn.Source);
        }

        return new Told<TAnswer>(null, null, "");
    }

    private async Task<TAnswer?> TryAsync<TModel, TAnswer>(string model, int version, (Guid Rollout, string Arm) by, Func<TModel, TAnswer> ask)
        where TModel : class, IServedModel
        where TAnswer : class
    {
        if (await served.GetAsync(model, version) is not { Answers: TModel answers })
        {
            meter.Count(model, version, by.Rollout, by.Arm, 1, 0, TimeSpan.Zero, failed: true);
            return null;
        }

        var started = Stopwatch.GetTimestamp();
        try
        {
            var answer = ask(answers);
            meter.Count(model, version, by.Rollout, by.Arm, 1, 0, Stopwatch.GetElapsedTime(started), failed: false);
            return answer;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            meter.Count(model, version, by.Rollout, by.Arm, 1, 0, Stopwatch.GetElapsedTime(started), failed: true);
            Log.PredictionFailed(logger, model, version, fault);
            return null;
        }
    }

    private void Meet(ActiveRollout rollout, Arm arm, string? person)
    {
        if (person is not null)
        {
            exposures.Meet(rollout, person, arm.Name);
        }
    }
}
