using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using OKLA.ML.Models;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Monitoring;
using OKLA.ML.Rollout;

namespace OKLA.ML.Serving;

/// <summary>How a question ended.</summary>
internal enum AskStatus
{
    /// <summary>It was answered.</summary>
    Answered,

    /// <summary>The rows are not as the model needs them.</summary>
    Refused,

    /// <summary>There is no such model.</summary>
    Unknown,

    /// <summary>The model is asked through an endpoint of its own.</summary>
    NotByRows,

    /// <summary>No version was published, or none can be read and none left a value to fall back on.</summary>
    Unavailable,
}

/// <summary>A question to a model.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Rows">Array of objects.</param>
/// <param name="RequestId">Its id.</param>
/// <param name="UserKey">Whom it is for.</param>
/// <param name="EntityIds">What each row is about.</param>
/// <param name="StickyTo">What keeps its arm of a rollout when it is for nobody that is known; null for the request alone.</param>
internal sealed record Question(string Model, JsonElement Rows, string RequestId, string? UserKey = null, IReadOnlyList<string?>? EntityIds = null, string? StickyTo = null);

/// <summary>What came of it; the predictions stand in the order of the rows.</summary>
internal sealed record Answer(
    AskStatus Status, int? Version = null, string Source = "", IReadOnlyList<Prediction>? Predictions = null, ReadRows? Read = null, ServedVersion? By = null, int CacheHits = 0)
{
    /// <summary>Whose weighted mean it is, for who asks them more than rows say: one version, or those of an ensemble; empty without a version.</summary>
    public IReadOnlyList<(ServedVersion By, double Weight)> Members { get; init; } = By is null ? [] : [(By, 1)];
}

/// <summary>Answers rows: the arm of a rollout, else the serving version, else the one before it, else the stored baseline; every answer is counted and written down.</summary>
internal sealed class Predictor(
    ModelCatalog catalog, ServedModels served, EntityFeatures features, PredictionCache cache, PredictionStore store, ServingMeter meter, Exposures exposures, ShadowAnswers shadow, TimeProvider clock, ILogger<Predictor> logger)
{
    private const int RowsForAllThreads = 256;

    /// <summary>Larger requests are lots that do not come again; to keep their rows would only drive others out.</summary>
    private const int MostCachedRows = 100;

    /// <summary>Answers a question.</summary>
    public async ValueTask<Answer> AskAsync(Question question, CancellationToken ct)
    {
        if (ItemKind.Recommends(question.Model))
        {
            return new Answer(AskStatus.NotByRows);
        }

        if (await served.FindAsync(question.Model, ct) is not { } live)
        {
            return new Answer(catalog.Find(question.Model) is null ? AskStatus.Unknown : AskStatus.Unavailable);
        }

        question = await features.FillAsync(question, ct);
        var rollout = live.Rollout;
        var arm = rollout is { IsShadow: false } ? rollout.ArmOf(question.UserKey ?? question.StickyTo ?? question.RequestId) : null;
        var answer = arm is null ? null : await WithoutVersionAsync(question, live.Version, rollout!, arm, ct);
        foreach (var turn in answer is null ? AnswerOrder.Of(live.Version, live.Previous, arm) : [])
        {
            // While a rollout is under way none comes from the cache: the latencies of the arms are compared, and the control's rows would be known and the candidate's not.
            answer = await FromVersionAsync(question, turn.Version, turn.Source, turn.ByArm ? rollout!.Id : Guid.Empty, turn.ByArm ? arm!.Name : "", mayCache: rollout is null);
            if (answer is not null)
            {
                break;
            }
        }

        answer ??= await BaselineAsync(question, live.Version, ct);
        if (answer.Status != AskStatus.Answered)
        {
            return answer;
        }

        var byArm = arm is not null && answer.Source == AnswerOrder.SourceOf(arm);
        if (byArm && question.UserKey is { } user)
        {
            exposures.Meet(rollout!, user, arm!.Name);
        }

        if (rollout is { IsShadow: true } && answer.By is not null)
        {
            var (rows, names, candidate) = (answer.Read!.Rows, answer.By.Names, rollout.Spec.Arms[1]);
            shadow.Add(new ShadowQuestion(rollout, rows.Length, answer.Predictions!, () => ArmAnswer.AskAsync(served, question.Model, candidate, names, rows)));
        }

        WriteDown(question, answer, byArm ? rollout!.Id : null, byArm ? arm!.Name : null);
        return answer;
    }

    /// <summary>What an arm says that is no version; null of one that is, and where it has nothing to say.</summary>
    private async ValueTask<Answer?> WithoutVersionAsync(Question question, int serving, ActiveRollout rollout, Arm arm, CancellationToken ct) => arm switch
    {
        { Ensemble: not null } => await FromEnsembleAsync(question, rollout, arm),
        { Strategy: "baseline" } => await BaselineAsync(question, serving, ct) is { Status: AskStatus.Answered } baseline ? baseline with { Source = AnswerOrder.SourceOf(arm) } : null,
        _ => null,
    };

    /// <summary>A version's answer; null when it cannot be read or fails, refused when the rows are not as it needs them.</summary>
    private async ValueTask<Answer?> FromVersionAsync(Question question, int version, string source, Guid rollout, string arm, bool mayCache)
    {
        if (await served.GetAsync(question.Model, version) is not { } by)
        {
            meter.Count(question.Model, version, rollout, arm, question.Rows.GetArrayLength(), 0, TimeSpan.Zero, failed: true);
            return null;
        }

        var started = Stopwatch.GetTimestamp();
        var read = RowReader.Read(by, question.Rows);
        if (read.Errors.Count > 0)
        {
            return new Answer(AskStatus.Refused, version, source, Read: read);
        }

        try
        {
            var (predictions, hits) = Predict(by, read.Rows, mayCache);
            meter.Count(question.Model, version, rollout, arm, read.Rows.Length, hits, Stopwatch.GetElapsedTime(started), failed: false);
            return new Answer(AskStatus.Answered, version, source, predictions, read, by, hits);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // A version at fault never fails the page: the next fallback answers, and the guardrail hears of it.
            meter.Count(question.Model, version, rollout, arm, read.Rows.Length, 0, Stopwatch.GetElapsedTime(started), failed: true);
            Log.PredictionFailed(logger, question.Model, version, fault);
            return null;
        }
    }

    private async ValueTask<Answer?> FromEnsembleAsync(Question question, ActiveRollout rollout, Arm arm)
    {
        var source = AnswerOrder.SourceOf(arm);
        if (await served.GetAsync(question.Model, arm.Ensemble![0].Version) is not { } first)
        {
            return null;
        }

        var read = RowReader.Read(first, question.Rows);
        if (read.Errors.Count > 0)
        {
            return new Answer(AskStatus.Refused, Source: source, Read: read);
        }

        var started = Stopwatch.GetTimestamp();
        try
        {
            var predictions = await ArmAnswer.AskAsync(served, question.Model, arm, first.Names, read.Rows);
            CheckNumbers(predictions);
            var members = new List<(ServedVersion By, double Weight)>();
            foreach (var member in arm.Ensemble)
            {
                members.Add((await served.GetAsync(question.Model, member.Version) ?? throw new InvalidDataException($"Version {member.Version} of {question.Model} cannot be read."), member.Weight));
            }

            meter.Count(question.Model, 0, rollout.Id, arm.Name, read.Rows.Length, 0, Stopwatch.GetElapsedTime(started), failed: false);
            return new Answer(AskStatus.Answered, null, source, predictions, read, first) { Members = members };
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            meter.Count(question.Model, 0, rollout.Id, arm.Name, read.Rows.Length, 0, Stopwatch.GetElapsedTime(started), failed: true);
            Log.PredictionFailed(logger, question.Model, 0, fault);
            return null;
        }
    }

    private async ValueTask<Answer> BaselineAsync(Question question, int version, CancellationToken ct)
    {
        var rows = question.Rows.GetArrayLength();
        if (await served.BaselineAsync(question.Model, version, ct) is not { } baseline)
        {
            return new Answer(AskStatus.Unavailable);
        }

        meter.Count(question.Model, 0, Guid.Empty, "", rows, 0, TimeSpan.Zero, failed: false);
        return new Answer(AskStatus.Answered, null, "fallback", [.. Enumerable.Repeat(baseline, rows)]);
    }

    private (Prediction[] Answers, int Hits) Predict(ServedVersion by, string?[][] rows, bool mayCache)
    {
        if (!mayCache || rows.Length > MostCachedRows)
        {
            var all = by.Answers.Predict(rows, rows.Length >= RowsForAllThreads ? Environment.ProcessorCount : 1);
            CheckNumbers(all);
            return (all, 0);
        }

        var answers = new Prediction?[rows.Length];
        var keys = new object[rows.Length];
        var open = new List<int>(rows.Length);
        for (var i = 0; i < rows.Length; i++)
        {
            answers[i] = cache.Find(by.Model, by.Version, rows[i], out keys[i]);
            if (answers[i] is null)
            {
                open.Add(i);
            }
        }

        if (open.Count > 0)
        {
            string?[][] asked = open.Count == rows.Length ? rows : [.. open.Select(i => rows[i])];
            var said = by.Answers.Predict(asked);
            CheckNumbers(said);
            for (var i = 0; i < open.Count; i++)
            {
                answers[open[i]] = said[i];
                cache.Keep(keys[open[i]], said[i]);
            }
        }

        return (Array.ConvertAll(answers, answer => answer!), rows.Length - open.Count);
    }

    private static void CheckNumbers(Prediction[] said)
    {
        foreach (var answer in said)
        {
            if (!double.IsFinite(answer.Value))
            {
                throw new InvalidOperationException($"The model answers {answer.Value}, which is no number to serve.");
            }
        }
    }

    private void WriteDown(Question question, Answer answer, Guid? rollout, string? arm)
    {
        var names = answer.By is { } by ? by.Names : [];
        var rows = new AnsweredRow[answer.Predictions!.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = new AnsweredRow(Storable(question.EntityIds?.ElementAtOrDefault(i)), names, answer.Read?.Rows[i] ?? [], answer.Predictions[i]);
        }

        store.Add(new AnsweredRequest(question.RequestId, clock.GetUtcNow(), question.Model, answer.Version, answer.Source, rollout, arm, Storable(question.UserKey), rows));
    }

    /// <summary>PostgreSQL keeps no zero character, and one key that has it would cost all that is written with it.</summary>
    internal static string? Storable(string? text) => text?.Replace("\0", "", StringComparison.Ordinal);
}
