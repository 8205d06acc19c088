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
using OKLA.Shared.Web;

namespace OKLA.ML.Rollout;

/// <summary>
/// <c>/api/ml/models/{name}/rollouts</c>: lets a version in step by step (shadow, 10 %, 50 %, all), or tries arms against each other; and
/// <c>/api/ml/models/{name}/serve/{version}</c>: puts any version in place at once.
/// </summary>
internal static class RolloutEndpoints
{
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
        [MaxLength(100)] string name, Request request, CurrentUser admin, RolloutStart start, CancellationToken ct)
    {
        var begun = await start.TryAsync(name, request, admin.Actor, ct);
        return begun.Missing is { } missing ? PredictRows.Missing(name, missing)
            : begun.Faults is { } faults ? Problems.Invalid(faults)
            : begun.Rollout is { } rollout ? TypedResults.Created($"/api/ml/models/{name}/rollouts/{rollout.Id}", Show(new KeptRollout(rollout, "running", admin.Actor, null, null)))
            : TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: begun.Conflict);
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

        if (!ItemKind.Recommends(name) && !await served.IsReadableAsync(name, version, ct))
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
}
