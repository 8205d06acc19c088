using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Models;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;
using OKLA.Shared.Web;

namespace OKLA.ML.Rollout;

/// <summary>
/// <c>/api/ml/models/{name}/rollouts</c>: lets a version in step by step (shadow, 10 %, 50 %, all), or tries arms against each other; and
/// <c>/api/ml/models/{name}/serve/{version}</c>: puts any version in place at once.
/// </summary>
internal static class RolloutEndpoints
{
    private const int MostArms = 8;
    private static readonly string[] Strategies = ["model", "previous", "baseline", "popularity"];

    /// <summary>What to try.</summary>
    /// <param name="Version">A version to let in step by step.</param>
    /// <param name="Arms">Arms to try against each other with fixed shares, the control first; instead of <paramref name="Version"/>.</param>
    /// <param name="Ensemble">Versions whose weighted mean is let in step by step; instead of <paramref name="Version"/>.</param>
    /// <param name="Stages">Stages and their lengths; shadow, 10 % and 50 % when left out.</param>
    /// <param name="Goal">What it is for; contacts within a day when left out.</param>
    /// <param name="Guardrails">What an arm may not do; the settings' when left out.</param>
    /// <param name="Auto">Whether the next stage follows by itself.</param>
    public sealed record Request(
        int? Version = null, IReadOnlyList<Arm>? Arms = null, IReadOnlyList<Member>? Ensemble = null, IReadOnlyList<Stage>? Stages = null, Goal? Goal = null, Guardrails? Guardrails = null, bool Auto = true);

    /// <summary>A rollout.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Model">The model.</param>
    /// <param name="Kind">version or experiment.</param>
    /// <param name="Stage">Its stage.</param>
    /// <param name="Status">running, promoted, rolled_back or stopped.</param>
    /// <param name="Spec">How it goes.</param>
    /// <param name="StartedBy">Who began it.</param>
    /// <param name="StartedAt">When (UTC).</param>
    /// <param name="StageSince">When its stage began, or when it ended (UTC).</param>
    /// <param name="EndedAt">When it ended (UTC).</param>
    /// <param name="Reason">Why it is where it is.</param>
    /// <param name="Evidence">The figures so far; null in a list.</param>
    /// <param name="Steps">What was done and why, newest first; null in a list.</param>
    public sealed record Shown(
        Guid Id, string Model, string Kind, string Stage, string Status, RolloutSpec Spec, string StartedBy, DateTimeOffset StartedAt, DateTimeOffset StageSince, DateTimeOffset? EndedAt, string? Reason,
        Evidence? Evidence = null, IReadOnlyList<RolloutStep>? Steps = null);

    /// <summary>Rollouts of a model and all its steps.</summary>
    /// <param name="Rollouts">Newest first.</param>
    /// <param name="Steps">Steps of them and changes without one, newest first.</param>
    public sealed record Listed(IReadOnlyList<Shown> Rollouts, IReadOnlyList<RolloutStep> Steps);

    /// <summary>Why something is done.</summary>
    /// <param name="Why">In a sentence.</param>
    /// <param name="Arm">Of an experiment: the arm whose version shall serve all.</param>
    public sealed record Reason([property: MaxLength(1_000)] string? Why = null, [property: MaxLength(100)] string? Arm = null);

    public static void Map(IEndpointRouteBuilder models)
    {
        models.MapPost("/{name}/rollouts", StartAsync).WithName("StartRollout").WithSummary("Let a version in step by step, or try arms against each other");
        models.MapGet("/{name}/rollouts", ListAsync).WithName("ListRollouts").WithSummary("Rollouts of a model and every step with its reason");
        models.MapGet("/{name}/rollouts/{id:guid}", GetAsync).WithName("ReadRollout").WithSummary("A rollout with its figures and steps");
        models.MapPost("/{name}/rollouts/{id:guid}/advance", AdvanceAsync).WithName("AdvanceRollout").WithSummary("On to the next stage");
        models.MapPost("/{name}/rollouts/{id:guid}/rollback", RollBackAsync).WithName("RollBackRollout").WithSummary("Back to the serving version");
        models.MapPost("/{name}/serve/{version:int}", ServeAsync).WithName("ServeVersion").WithSummary("Put a version in place at once");
    }

    internal static async Task<Results<Created<Shown>, ValidationProblem, ProblemHttpResult>> StartAsync(
        [MaxLength(100)] string name, Request request, CurrentUser admin, ModelCatalog catalog, ModelRegistry registry, ServedModels served, NpgsqlDataSource database, IOptions<MLOptions> options,
        TimeProvider clock, CancellationToken ct)
    {
        var knobs = options.Value.Rollout;
        if (catalog.Find(name) is null || !(await registry.ServingAsync(ct)).TryGetValue(name, out var serving))
        {
            return PredictRows.Missing(name, catalog.Find(name) is null ? AskStatus.Unknown : AskStatus.Unavailable);
        }

        var goal = request.Goal ?? new Goal([EventTypes.Contacted], knobs.GoalMinutes);
        var candidate = request.Ensemble is null ? new Arm(ActiveRollout.Candidate, 1, request.Version) : new Arm(ActiveRollout.Candidate, 1, Ensemble: request.Ensemble);
        var experiment = request.Arms is not null;
        IReadOnlyList<Stage> stages = experiment ? []
            : request.Stages ?? [new Stage("shadow", 0, knobs.ShadowMinutes), new Stage("ab", 0.1, knobs.AbMinutes), new Stage("canary", 0.5, knobs.CanaryMinutes)];
        var spec = new RolloutSpec(
            request.Arms ?? [new Arm(ActiveRollout.Control, 1, serving.Version), candidate], stages, goal,
            request.Guardrails ?? new Guardrails(knobs.MaxErrorRate, knobs.MaxSlowdown, knobs.MaxBusinessDrop, knobs.MinRequests), request.Auto && !experiment);
        var errors = Check(request, spec, serving.Version, knobs);
        if (spec.Arms.Any(arm => ItemKind.Recommends(name) ? arm.Ensemble is not null : arm.Strategy == "popularity"))
        {
            errors.TryAdd("arms", ["The recommender has no weighted means, and only it has popularity."]);
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var known = (await registry.VersionsAsync(name, int.MaxValue, ct)).Select(version => version.Version).ToHashSet();
        foreach (var version in spec.Arms.SelectMany(arm => arm.Versions))
        {
            if (!known.Contains(version))
            {
                return Problems.Invalid("version", $"{name} has no version {version}.");
            }

            if (!ItemKind.Recommends(name) && await served.GetAsync(name, version) is null)
            {
                return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: $"Version {version} of {name} cannot be read.");
            }
        }

        var now = clock.GetUtcNow();
        var rollout = new ActiveRollout(Guid.CreateVersion7(now), name, experiment ? "experiment" : "version", experiment ? "experiment" : stages[0].Name, spec, now, now, 1);
        await using var connection = await database.OpenConnectionAsync(ct);
        if (!await RolloutStore.StartAsync(connection, rollout, admin.Actor, ct))
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: $"A rollout of {name} is under way.");
        }

        await RolloutStore.RecordAsync(connection, name, rollout.Id, "started", candidate.Version, admin.Actor, $"Begun in stage {rollout.Stage}.", new { }, now, ct);
        await served.RefreshAsync(ct);
        return TypedResults.Created($"/api/ml/models/{name}/rollouts/{rollout.Id}", Show(new KeptRollout(rollout, "running", admin.Actor, null, null)));
    }

    internal static async Task<Ok<Listed>> ListAsync([MaxLength(100)] string name, NpgsqlDataSource database, CancellationToken ct, [Range(1, 500)] int limit = 50)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var rollouts = await RolloutStore.OfModelAsync(connection, name, limit, ct);
        return TypedResults.Ok(new Listed([.. rollouts.Select(kept => Show(kept))], await RolloutStore.StepsAsync(connection, name, null, 200, ct)));
    }

    internal static async Task<Results<Ok<Shown>, NotFound>> GetAsync(
        [MaxLength(100)] string name, Guid id, NpgsqlDataSource database, IOptions<MLOptions> options, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await RolloutStore.FindAsync(connection, name, id, ct) is { } kept
            ? TypedResults.Ok(await DetailAsync(connection, kept, options.Value, clock.GetUtcNow(), ct)) : TypedResults.NotFound();
    }

    internal static async Task<Results<Ok<Shown>, NotFound, ValidationProblem, ProblemHttpResult>> AdvanceAsync(
        [MaxLength(100)] string name, Guid id, Reason? reason, CurrentUser admin, RolloutLoop loop, ServedModels served, NpgsqlDataSource database, IOptions<MLOptions> options, TimeProvider clock,
        CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        if (await RolloutStore.FindAsync(connection, name, id, ct) is not { } kept)
        {
            return TypedResults.NotFound();
        }

        if (kept.Status != "running")
        {
            return Over();
        }

        var now = clock.GetUtcNow();
        var why = reason?.Why ?? "By hand.";
        var evidence = await Evidence.ReadAsync(connection, kept.Rollout, options.Value.Rollout, TimeSpan.FromSeconds(options.Value.RefreshSeconds), now, ct);
        bool moved;
        if (kept.Rollout.Kind == "experiment")
        {
            if (kept.Rollout.Spec.Arms.FirstOrDefault(arm => arm.Name == reason?.Arm) is not { } winner)
            {
                return Problems.Invalid("arm", "The arm that wins, by its name.");
            }

            moved = await loop.EndAsync(connection, kept.Rollout, winner.Version is null ? "stopped" : "promoted", admin.Actor, $"{winner.Name} wins. {why}", evidence, ct);
            if (moved && winner.Version is { } version)
            {
                await loop.ServeAsync(connection, name, version, "served", admin.Actor, $"{winner.Name} won an experiment.", evidence, ct);
            }
        }
        else
        {
            if (kept.Rollout.Spec.Arms[1].Version is null && kept.Rollout.Stage == kept.Rollout.Spec.Stages[^1].Name)
            {
                return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: "A weighted mean of versions is no version that could serve all; keep this stage, or train one.");
            }

            moved = await loop.AdvanceAsync(connection, kept.Rollout, admin.Actor, why, evidence, ct) is not null;
        }

        return await AfterAsync(connection, name, id, moved, served, options.Value, now, ct);
    }

    internal static async Task<Results<Ok<Shown>, NotFound, ValidationProblem, ProblemHttpResult>> RollBackAsync(
        [MaxLength(100)] string name, Guid id, Reason? reason, CurrentUser admin, RolloutLoop loop, ServedModels served, NpgsqlDataSource database, IOptions<MLOptions> options, TimeProvider clock,
        CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        if (await RolloutStore.FindAsync(connection, name, id, ct) is not { } kept)
        {
            return TypedResults.NotFound();
        }

        if (kept.Status != "running")
        {
            return Over();
        }

        var now = clock.GetUtcNow();
        var evidence = await Evidence.ReadAsync(connection, kept.Rollout, options.Value.Rollout, TimeSpan.FromSeconds(options.Value.RefreshSeconds), now, ct);
        var moved = await loop.EndAsync(connection, kept.Rollout, "rolled_back", admin.Actor, reason?.Why ?? "By hand.", evidence, ct);
        return await AfterAsync(connection, name, id, moved, served, options.Value, now, ct);
    }

    internal static async Task<Results<Ok<RolloutStep>, ProblemHttpResult>> ServeAsync(
        [MaxLength(100)] string name, int version, Reason? reason, CurrentUser admin, ModelCatalog catalog, ModelRegistry registry, RolloutLoop loop, ServedModels served, NpgsqlDataSource database,
        CancellationToken ct)
    {
        if (catalog.Find(name) is null || (await registry.VersionsAsync(name, int.MaxValue, ct)).All(known => known.Version != version))
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no version {version} of {name}.");
        }

        if (!ItemKind.Recommends(name) && await served.GetAsync(name, version) is null)
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: $"Version {version} of {name} cannot be read.");
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        await loop.ServeAsync(connection, name, version, "served", admin.Actor, reason?.Why ?? "By hand.", new { }, ct);
        await served.RefreshAsync(ct);
        return TypedResults.Ok((await RolloutStore.StepsAsync(connection, name, null, 1, ct))[0]);
    }

    private static async Task<Results<Ok<Shown>, NotFound, ValidationProblem, ProblemHttpResult>> AfterAsync(
        NpgsqlConnection connection, string name, Guid id, bool moved, ServedModels served, MLOptions options, DateTimeOffset now, CancellationToken ct)
    {
        if (!moved)
        {
            return Over();
        }

        await served.RefreshAsync(ct);
        return TypedResults.Ok(await DetailAsync(connection, (await RolloutStore.FindAsync(connection, name, id, ct))!, options, now, ct));
    }

    private static ProblemHttpResult Over() =>
        TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: "The rollout is not under way any more, or went on meanwhile.");

    private static async Task<Shown> DetailAsync(NpgsqlConnection connection, KeptRollout kept, MLOptions options, DateTimeOffset now, CancellationToken ct) => Show(
        kept,
        kept.Rollout.Kind == "version" && kept.Rollout.Spec.Stages.All(stage => stage.Name != kept.Rollout.Stage) ? null
            : await Evidence.ReadAsync(connection, kept.Rollout, options.Rollout, TimeSpan.FromSeconds(options.RefreshSeconds), now, ct),
        await RolloutStore.StepsAsync(connection, kept.Rollout.Model, kept.Rollout.Id, 200, ct));

    private static Shown Show(KeptRollout kept, Evidence? evidence = null, IReadOnlyList<RolloutStep>? steps = null) => new(
        kept.Rollout.Id, kept.Rollout.Model, kept.Rollout.Kind, kept.Rollout.Stage, kept.Status, kept.Rollout.Spec, kept.StartedBy, kept.Rollout.StartedAt, kept.Rollout.StageSince, kept.EndedAt,
        kept.Reason, evidence, steps);

    private static Dictionary<string, string[]> Check(Request request, RolloutSpec spec, int serving, RolloutKnobs knobs)
    {
        var errors = new Dictionary<string, string[]>();
        void Fail(string path, string message) => errors.TryAdd(path, [message]);
        if (new object?[] { request.Version, request.Arms, request.Ensemble }.Count(part => part is not null) != 1)
        {
            Fail("version", "One of version, arms and ensemble.");
            return errors;
        }

        if (request.Version == serving)
        {
            Fail("version", "This version serves already.");
        }

        if (request.Arms is { } arms && (arms.Count is < 2 or > MostArms || arms.Select(arm => arm.Name).Distinct(StringComparer.Ordinal).Count() != arms.Count))
        {
            Fail("arms", $"Between 2 and {MostArms} arms of different names.");
        }

        for (var i = 0; i < spec.Arms.Count; i++)
        {
            var arm = spec.Arms[i];
            if (string.IsNullOrEmpty(arm.Name) || arm.Name.Length > 50 || !(arm.Weight is > 0 and <= 1e6))
            {
                Fail($"arms[{i}]", "A name of 1 to 50 characters and a weight above 0.");
            }

            if (new object?[] { arm.Version, arm.Strategy, arm.Ensemble }.Count(part => part is not null) != 1 || (arm.Strategy is { } named && !Strategies.Contains(named))
                || (arm.Ensemble is { } members && (members.Count is < 1 or > MostArms || members.Any(member => !(member.Weight > 0)))))
            {
                Fail($"arms[{i}]", $"One of version, ensemble (versions with weights above 0) and strategy ({string.Join(", ", Strategies)}).");
            }
        }

        string[] names = ["shadow", "ab", "canary"];
        if (request.Arms is null && (spec.Stages.Count == 0 || spec.Stages.Any(stage => !names.Contains(stage.Name) || !(stage.Share is >= 0 and <= 1) || stage.Minutes < 0)
            || !spec.Stages.Select(stage => Array.IndexOf(names, stage.Name)).SequenceEqual(spec.Stages.Select(stage => Array.IndexOf(names, stage.Name)).Distinct().Order())
            || spec.Stages.Any(stage => stage.Name == ActiveRollout.Shadow && stage.Share != 0)))
        {
            Fail("stages", "Some of shadow (share 0), ab and canary in this order, each with its share of users (0 to 1) and its minutes.");
        }

        if (spec.Goal.EventTypes is not { Count: > 0 } || spec.Goal.EventTypes.Any(type => !knobs.Goals.Contains(type)) || spec.Goal.WindowMinutes is < 1 or > 129_600)
        {
            Fail("goal", $"Any of {string.Join(", ", knobs.Goals)}, within 1 to 129,600 minutes.");
        }

        if (!(spec.Guardrails is { MaxErrorRate: >= 0 and <= 1, MaxSlowdown: > 1, MaxBusinessDrop: >= 0 and <= 1, MinRequests: >= 5 }))
        {
            Fail("guardrails", "Shares from 0 to 1, a slowdown above 1, and 5 requests or more.");
        }

        return errors;
    }
}
