using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using OKLA.ML.Datasets;
using OKLA.ML.Models;
using OKLA.ML.Rollout;
using OKLA.ML.Training.Gates;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;

namespace OKLA.ML.Training.Jobs;

/// <summary>POST /api/ml/jobs: trains a model, of this house or of a data set; a name that is new brings the model.</summary>
internal static class QueueTraining
{
    private static readonly string[] Tasks = ["regression", "binary", "multiclass"];
    private static readonly string[] Profiles = ["auto", "fast", "accurate"];

    /// <summary>What to train. For a model that is known, what is not said stays as it was.</summary>
    /// <param name="Model">Its name: 2 to 60 lower case letters, digits and dashes, a letter first.</param>
    /// <param name="Dataset">Name of the data set to learn from.</param>
    /// <param name="DatasetVersion">Its version; the newest when absent.</param>
    /// <param name="Target">The column to predict; the one with that role when absent.</param>
    /// <param name="Task">regression, binary or multiclass; told from the target when absent.</param>
    /// <param name="Positive">The label that is the positive one of two.</param>
    /// <param name="Columns">Columns to learn from; all but target, surrogate, time and group when absent.</param>
    /// <param name="Time">A column of times: the newest rows are the test.</param>
    /// <param name="Group">A column whose values are never on both sides of the test.</param>
    /// <param name="Fairness">Columns whose groups must be served alike.</param>
    /// <param name="Invariances">Columns that must not matter.</param>
    /// <param name="Directions">Columns that must move the answer one way.</param>
    /// <param name="BudgetSeconds">Seconds to search, 5 to 3,600.</param>
    /// <param name="Profile">fast, accurate or auto.</param>
    /// <param name="SelectColumns">Whether columns that help nothing are left out.</param>
    /// <param name="Coverage">Share of cases that intervals of a number should hold.</param>
    /// <param name="Unit">Unit of a number.</param>
    /// <param name="Entity">What the columns describe and can be looked up by in the feature store.</param>
    /// <param name="RequireApproval">Whether versions wait for somebody's approval.</param>
    /// <param name="Seed">Seed of everything random.</param>
    /// <param name="Gates">How strict the gates are.</param>
    /// <param name="Notes">What the model is for.</param>
    /// <param name="Priority">Larger goes first, -100 to 100.</param>
    /// <param name="Reason">Why now.</param>
    /// <param name="Objective">What to weigh quality against: speed, size and fairness; the front of what was tried is kept with the run.</param>
    /// <param name="Rollout">How a version that passes its gates is let in step by step, instead of at once.</param>
    /// <param name="Surrogate">A column of the two labels of the target that is known more often and moves with it, learned from in its stead; figures stay with the target.</param>
    public sealed record Request(
        [Required, MaxLength(60)] string Model, [MaxLength(100)] string? Dataset = null, [Range(1, int.MaxValue)] int? DatasetVersion = null, [MaxLength(200)] string? Target = null, string? Task = null,
        [MaxLength(200)] string? Positive = null, IReadOnlyList<string>? Columns = null, [MaxLength(200)] string? Time = null, [MaxLength(200)] string? Group = null, IReadOnlyList<string>? Fairness = null,
        IReadOnlyList<Invariance>? Invariances = null, IReadOnlyList<Direction>? Directions = null, [Range(5, 3_600)] double? BudgetSeconds = null, string? Profile = null, bool? SelectColumns = null,
        [Range(0.5, 0.99)] double? Coverage = null, [MaxLength(40)] string? Unit = null, [MaxLength(40)] string? Entity = null, bool? RequireApproval = null, int? Seed = null, Strictness? Gates = null,
        [MaxLength(2_000)] string? Notes = null, [Range(-100, 100)] int Priority = 0, [MaxLength(100)] string? Reason = null, Aim? Objective = null, Steps? Rollout = null,
        [MaxLength(200)] string? Surrogate = null);

    /// <summary>Weights of what a model is to be good at, and limits that come first; none of them says quality alone.</summary>
    public sealed record Aim(
        [Range(0, 1_000)] double Quality = 1, [Range(0, 1_000)] double Latency = 0, [Range(0, 1_000)] double Size = 0, [Range(0, 1_000)] double Fairness = 0,
        [Range(1, 60_000_000)] double? MaxRowMicroseconds = null, [Range(1, 1_000_000_000)] long? MaxBytes = null, [Range(0, 1_000)] double? MaxGroupGap = null);

    /// <summary>A rollout that begins by itself; what is not said is as /rollouts has it.</summary>
    public sealed record Steps(IReadOnlyList<Stage>? Stages = null, Goal? Goal = null, Guardrails? Guardrails = null, bool Auto = true);

    /// <summary>Answers must stay when a column takes other values.</summary>
    public sealed record Invariance([Required] string Column, [Required, MinLength(1)] IReadOnlyList<string> Values, [Range(0, 1)] double Tolerance = 0.05);

    /// <summary>Answers must move up or down when a number grows by <paramref name="Change"/>.</summary>
    public sealed record Direction([Required] string Column, double Change, [OneOf("up", "down")] string Expect, [Range(0, 1)] double Tolerance = 0.01);

    /// <summary>How strict the gates are; what is not said has the house's value. <paramref name="Off"/> names gates that report without blocking.</summary>
    public sealed record Strictness(
        IReadOnlyList<string>? Off = null, [Range(0, 1)] double? Tolerance = null, [Range(0, 1)] double? CalibrationError = null, [Range(0, 1)] double? CoverageGap = null,
        [Range(1, 60_000_000)] double? RowMicroseconds = null, [Range(1, 1_000_000_000)] long? Bytes = null, [Range(0, 10)] double? FoldSpread = null, [Range(0, 10)] double? GroupGap = null,
        [Range(0, 1)] double? Violations = null, [Range(0, 1)] double? SingleColumn = null);

    /// <summary>A training that was queued.</summary>
    /// <param name="Id">The job, to follow at /api/ml/jobs/{id}.</param>
    /// <param name="Model">The model.</param>
    /// <param name="IsNew">Whether the model was not known before.</param>
    public sealed record Response(Guid Id, string Model, bool IsNew);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapPost("/", HandleAsync).WithName("QueueTraining").WithSummary("Train a model of this house or of a data set");

    internal static async Task<Results<Accepted<Response>, ValidationProblem>> HandleAsync(
        Request request, CurrentUser admin, ModelCatalog models, DatasetStore datasets, TrainingJobs jobs, IOptions<MLOptions> options, CancellationToken ct)
    {
        if (!ModelCatalog.IsName(request.Model))
        {
            return Problems.Invalid("model", "A name has 2 to 60 lower case letters, digits and dashes, a letter first.");
        }

        var rollout = request.Rollout is { } steps ? new RolloutEndpoints.Request(Stages: steps.Stages, Goal: steps.Goal, Guardrails: steps.Guardrails, Auto: steps.Auto) : null;
        if (rollout is not null && RolloutStart.Faults(rollout, options.Value.Rollout) is { Count: > 0 } faults)
        {
            return Problems.Invalid(faults.ToDictionary(fault => $"rollout.{fault.Key}", fault => fault.Value));
        }

        var known = await models.FindAsync(request.Model, ct);
        if (known is null or BroughtModel)
        {
            var before = (known as BroughtModel)?.Definition;
            var (definition, errors) = await CheckAsync(Merge(request, before), request, datasets, ct);
            if (errors.Count > 0)
            {
                return Problems.Invalid(errors);
            }

            if (before is null || JsonSerializer.Serialize(before, EventJson.Options) != JsonSerializer.Serialize(definition, EventJson.Options) || request.Notes is not null)
            {
                await models.PutAsync(definition, admin.Actor, request.Notes, ct);
            }
        }
        else if (request.Dataset is not null || request.Target is not null || request.Objective is not null)
        {
            return Problems.Invalid(request.Dataset is not null ? "dataset" : request.Target is not null ? "target" : "objective", $"{request.Model} is a model of this house and learns from the log.");
        }

        var id = await jobs.QueueAsync(request.Model, request.Reason ?? "demand", admin.Actor, request.Priority, ct, rollout: rollout);
        return TypedResults.Accepted($"/api/ml/jobs/{id}", new Response(id, request.Model, known is null));
    }

    private static TableDefinition Merge(Request request, TableDefinition? before)
    {
        var old = before ?? new TableDefinition { Name = request.Model };
        var (gates, strict) = (old.Gates, request.Gates);
        return old with
        {
            Dataset = request.Dataset ?? old.Dataset, DatasetVersion = request.DatasetVersion, Target = request.Target ?? old.Target, Task = request.Task ?? old.Task, Positive = request.Positive ?? old.Positive, Surrogate = request.Surrogate ?? old.Surrogate,
            Columns = request.Columns ?? old.Columns, Time = request.Time ?? old.Time, Group = request.Group ?? old.Group, Fairness = request.Fairness ?? old.Fairness,
            Invariances = request.Invariances is { } invariances ? [.. invariances.Select(test => new InvarianceTest(test.Column, test.Values, test.Tolerance))] : old.Invariances,
            Directions = request.Directions is { } directions ? [.. directions.Select(test => new DirectionTest(test.Column, test.Change, test.Expect, test.Tolerance))] : old.Directions,
            BudgetSeconds = request.BudgetSeconds ?? old.BudgetSeconds, Profile = request.Profile ?? old.Profile, SelectColumns = request.SelectColumns ?? old.SelectColumns,
            Coverage = request.Coverage ?? old.Coverage, Unit = request.Unit ?? old.Unit, Entity = request.Entity ?? old.Entity, RequireApproval = request.RequireApproval ?? old.RequireApproval,
            Seed = request.Seed ?? old.Seed,
            Objective = request.Objective is { } aim
                ? new Objective
                {
                    Quality = aim.Quality, Latency = aim.Latency, Size = aim.Size, Fairness = aim.Fairness, MaxRowMicroseconds = aim.MaxRowMicroseconds, MaxBytes = aim.MaxBytes, MaxGroupGap = aim.MaxGroupGap,
                }
                : old.Objective,
            Gates = strict is null ? gates : new GateSettings
            {
                Off = strict.Off ?? gates.Off, Tolerance = strict.Tolerance ?? gates.Tolerance, CalibrationError = strict.CalibrationError ?? gates.CalibrationError,
                CoverageGap = strict.CoverageGap ?? gates.CoverageGap, RowMicroseconds = strict.RowMicroseconds ?? gates.RowMicroseconds, Bytes = strict.Bytes ?? gates.Bytes,
                FoldSpread = strict.FoldSpread ?? gates.FoldSpread, GroupGap = strict.GroupGap ?? gates.GroupGap, Violations = strict.Violations ?? gates.Violations,
                SingleColumn = strict.SingleColumn ?? gates.SingleColumn,
            },
        };
    }

    /// <summary>Everything that names a column must name one of the data set, and words must be known; roles fill in what was not said.</summary>
    private static async Task<(TableDefinition Definition, Dictionary<string, string[]> Errors)> CheckAsync(TableDefinition definition, Request request, DatasetStore datasets, CancellationToken ct)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        void Wrong(string field, string message) => errors.TryAdd(field, [message]);
        if (definition.Task is { } task && !Tasks.Contains(task))
        {
            Wrong("task", $"A task is one of {string.Join(", ", Tasks)}.");
        }

        if (!Profiles.Contains(definition.Profile))
        {
            Wrong("profile", $"A profile is one of {string.Join(", ", Profiles)}.");
        }

        if (definition.Objective?.Fault(definition.Fairness.Count > 0) is var (weight, wrong))
        {
            Wrong(weight, wrong);
        }

        foreach (var gate in definition.Gates.Off.Where(name => Gate.All.All(gate => gate.Name != name)))
        {
            Wrong("gates.off", $"There is no gate {gate}; there are {string.Join(", ", Gate.All.Select(one => one.Name))}.");
        }

        if (definition.Dataset.Length == 0)
        {
            Wrong("dataset", $"{request.Model} is new: say which data set it learns from.");
            return (definition, errors);
        }

        if (await datasets.FindAsync(definition.Dataset, definition.DatasetVersion, ct) is not { } version)
        {
            Wrong(request.DatasetVersion is null ? "dataset" : "datasetVersion", $"There is no data set {definition.Dataset}{(definition.DatasetVersion is { } number ? $" of version {number}" : "")}.");
            return (definition, errors);
        }

        string? Role(string role) => version.Columns.FirstOrDefault(column => column.Role == role)?.Name;
        definition = definition with
        {
            Target = definition.Target.Length > 0 ? definition.Target : Role(ColumnRoles.Target) ?? "", Time = definition.Time ?? Role(ColumnRoles.Time), Group = definition.Group ?? Role(ColumnRoles.Group),
        };
        if (definition.Target.Length == 0)
        {
            Wrong("target", $"No column of {definition.Dataset} has the role of a target: say which one to predict.");
        }

        var names = version.Columns.Select(column => column.Name).ToHashSet(StringComparer.Ordinal);
        IEnumerable<(string Field, string? Column)> named =
        [
            ("target", definition.Target), ("time", definition.Time), ("group", definition.Group), ("surrogate", definition.Surrogate), .. (definition.Columns ?? []).Select((column, i) => ($"columns[{i}]", (string?)column)),
            .. definition.Fairness.Select((column, i) => ($"fairness[{i}]", (string?)column)), .. definition.Invariances.Select((test, i) => ($"invariances[{i}].column", (string?)test.Column)),
            .. definition.Directions.Select((test, i) => ($"directions[{i}].column", (string?)test.Column)),
        ];
        foreach (var (field, column) in named.Where(pair => pair.Column is { Length: > 0 } && !names.Contains(pair.Column)))
        {
            Wrong(field, $"{definition.Dataset} has no column {column}.");
        }

        if (definition.Columns?.Contains(definition.Target) == true)
        {
            Wrong("columns", $"{definition.Target} is what is to be predicted.");
        }

        if (definition.Surrogate is { } surrogate && (surrogate == definition.Target || definition.Columns?.Contains(surrogate) == true))
        {
            Wrong("surrogate", $"{surrogate} is {(surrogate == definition.Target ? "the target itself" : "among the columns to learn from")}.");
        }

        return (definition, errors);
    }
}
