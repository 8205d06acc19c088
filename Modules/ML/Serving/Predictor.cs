using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using OKLA.ML.Models;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Monitoring;
using OKLA.ML.Rollout;
using OKLA.Shared.Web;

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

    /// <summary>Whom an answer is for: somebody who is signed in, and may not speak for others, is asked about alone; anybody else says it.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="person">For whom, as the caller says.</param>
    public static string? Whom(CurrentUser caller, string? person) => caller.Id is { } own && !caller.Has(Policies.Scopes.Predict) ? own : person ?? caller.Id;

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
        var arm = rollout?.ArmOf(question.UserKey ?? question.StickyTo ?? question.RequestId);
        Answer? answer = null;
        if (rollout is not null && arm is not null)
        {
            answer = await FromArmAsync(question, live, rollout, arm, ct);
        }

        answer ??= await FromVersionAsync(question, live.Version, "model") ?? (live.Previous is { } before ? await FromVersionAsync(question, before, "previous") : null);
        answer ??= await BaselineAsync(question, live.Version, ct);
        if (answer.Status != AskStatus.Answered)
        {
            return answer;
        }

        var byArm = answer.Source.StartsWith("rollout:", StringComparison.Ordinal);
        if (rollout is not null && arm is not null && byArm && question.UserKey is { } user && !rollout.IsShadow)
        {
            exposures.Meet(rollout, user, arm.Name);
        }

        if (rollout is { IsShadow: true } && answer.By is not null)
        {
            var (rows, names, candidate) = (answer.Read!.Rows, answer.By.Names, rollout.Spec.Arms[1]);
            shadow.Add(new ShadowQuestion(rollout, rows.Length, answer.Predictions!, () => ArmAnswer.AskAsync(served, question.Model, candidate, names, rows)));
        }

        WriteDown(question, answer, byArm ? rollout!.Id : null, byArm ? arm!.Name : null);
        return answer;
    }

    /// <summary>The answer of an arm. None comes from the cache: the latencies of the arms are compared, and the control's rows would be known and the candidate's not.</summary>
    private async ValueTask<Answer?> FromArmAsync(Question question, LiveVersions live, ActiveRollout rollout, Arm arm, CancellationToken ct)
    {
        var source = rollout.IsShadow ? "model" : $"rollout:{arm.Name}";
        var (id, name) = rollout.IsShadow ? (Guid.Empty, "") : (rollout.Id, arm.Name);
        switch (arm)
        {
            case { Version: { } version }:
                return await FromVersionAsync(question, version, source, id, name, mayCache: false);
            case { Ensemble: not null }:
                return await FromEnsembleAsync(question, rollout, arm, source);
            case { Strategy: "previous" } when live.Previous is { } before:
                return await FromVersionAsync(question, before, source, id, name, mayCache: false);
            case { Strategy: "baseline" }:
                return await BaselineAsync(question, live.Version, ct) is { Status: AskStatus.Answered } baseline ? baseline with { Source = source } : null;
            default:
                return await FromVersionAsync(question, live.Version, source, id, name, mayCache: false);
        }
    }

    /// <summary>A version's answer; null when it cannot be read or fails, refused when the rows are not as it needs them.</summary>
    private async ValueTask<Answer?> FromVersionAsync(Question question, int version, string source, Guid rollout = default, string arm = "", bool mayCache = true)
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

    private async ValueTask<Answer?> FromEnsembleAsync(Question question, ActiveRollout rollout, Arm arm, string source)
    {
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
