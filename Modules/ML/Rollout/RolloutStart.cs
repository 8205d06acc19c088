using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Models;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Rollout;

/// <summary>Begins rollouts, for whoever asks by HTTP and for trainings that end in one.</summary>
internal sealed class RolloutStart(
    ModelCatalog catalog, ModelRegistry registry, ServedModels served, NpgsqlDataSource database, IOptions<MLOptions> options, TimeProvider clock)
{
    private const int MostArms = 8;
    private static readonly string[] Strategies = ["model", "previous", "baseline", "popularity"];

    /// <summary>What came of it: a rollout, or one of the reasons why there is none.</summary>
    internal sealed record Begun(ActiveRollout? Rollout = null, AskStatus? Missing = null, Dictionary<string, string[]>? Faults = null, string? Conflict = null);

    /// <summary>What is wrong with a wish for the rollout of a version that is not there yet.</summary>
    public static Dictionary<string, string[]> Faults(RolloutEndpoints.Request request, RolloutKnobs knobs)
    {
        var wish = request with { Version = int.MaxValue };
        return Check(wish, SpecOf(wish, 0, knobs), 0, knobs);
    }

    /// <summary>Begins a rollout; the reason when none could begin.</summary>
    public async Task<(ActiveRollout? Rollout, string? Why)> BeginAsync(string name, RolloutEndpoints.Request request, string by, CancellationToken ct)
    {
        var begun = await TryAsync(name, request, by, ct);
        return (begun.Rollout, begun.Conflict ?? (begun.Faults is { } faults ? string.Join(" ", faults.SelectMany(fault => fault.Value)) : begun.Missing is null ? null : "No version serves."));
    }

    /// <summary>Begins a rollout.</summary>
    public async Task<Begun> TryAsync(string name, RolloutEndpoints.Request request, string by, CancellationToken ct)
    {
        var knobs = options.Value.Rollout;
        if (await catalog.FindAsync(name, ct) is null)
        {
            return new Begun(Missing: AskStatus.Unknown);
        }

        if (catalog.Find(name) is { MeetsRollouts: false })
        {
            return new Begun(Conflict: $"{name} answers for all at once, so that nobody could meet another version: publish one, or serve an earlier one again.");
        }

        if (!(await registry.ServingAsync(ct)).TryGetValue(name, out var serving))
        {
            return new Begun(Missing: AskStatus.Unavailable);
        }

        var spec = SpecOf(request, serving.Version, knobs);
        var errors = Check(request, spec, serving.Version, knobs);
        if (spec.Arms.Any(arm => ItemKind.Recommends(name) ? arm.Ensemble is not null : arm.Strategy == "popularity"))
        {
            errors.TryAdd("arms", ["The recommender has no weighted means, and only it has popularity."]);
        }

        if (errors.Count > 0)
        {
            return new Begun(Faults: errors);
        }

        foreach (var version in spec.Arms.SelectMany(arm => arm.Versions).Distinct())
        {
            if (await registry.VersionAsync(name, version, ct) is null)
            {
                return new Begun(Faults: new() { ["version"] = [$"{name} has no version {version}."] });
            }

            if (!ItemKind.Recommends(name) && await served.GetAsync(name, version) is null)
            {
                return new Begun(Conflict: $"Version {version} of {name} cannot be read.");
            }
        }

        var (now, experiment) = (clock.GetUtcNow(), request.Arms is not null);
        var rollout = new ActiveRollout(Guid.CreateVersion7(now), name, experiment ? "experiment" : "version", experiment ? "experiment" : spec.Stages[0].Name, spec, now, now, 1);
        await using var connection = await database.OpenConnectionAsync(ct);
        if (!await RolloutStore.StartAsync(connection, rollout, by, ct))
        {
            return new Begun(Conflict: $"A rollout of {name} is under way.");
        }

        await RolloutStore.RecordAsync(connection, name, rollout.Id, "started", spec.Arms[^1].Version, by, $"Begun in stage {rollout.Stage}.", new { }, now, ct);
        await served.RefreshAsync(ct);
        return new Begun(rollout);
    }

    private static RolloutSpec SpecOf(RolloutEndpoints.Request request, int serving, RolloutKnobs knobs)
    {
        var candidate = request.Ensemble is null ? new Arm(ActiveRollout.Candidate, 1, request.Version) : new Arm(ActiveRollout.Candidate, 1, Ensemble: request.Ensemble);
        var experiment = request.Arms is not null;
        IReadOnlyList<Stage> stages = experiment ? []
            : request.Stages ?? [new Stage("shadow", 0, knobs.ShadowMinutes), new Stage("ab", 0.1, knobs.AbMinutes), new Stage("canary", 0.5, knobs.CanaryMinutes)];
        return new RolloutSpec(
            request.Arms ?? [new Arm(ActiveRollout.Control, 1, serving), candidate], stages, request.Goal ?? new Goal([EventTypes.Contacted], knobs.GoalMinutes),
            request.Guardrails ?? new Guardrails(knobs.MaxErrorRate, knobs.MaxSlowdown, knobs.MaxBusinessDrop, knobs.MinRequests), request.Auto && !experiment);
    }

    private static Dictionary<string, string[]> Check(RolloutEndpoints.Request request, RolloutSpec spec, int serving, RolloutKnobs knobs)
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
