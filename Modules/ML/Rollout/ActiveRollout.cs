using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace OKLA.ML.Rollout;

/// <summary>A version and its part in a weighted mean.</summary>
/// <param name="Version">The version.</param>
/// <param name="Weight">Its weight.</param>
internal sealed record Member(int Version, double Weight);

/// <summary>One of the ways a model may answer while it is tried: a version, a weighted mean of versions or a named strategy.</summary>
/// <param name="Name">Its name; <c>control</c> and <c>candidate</c> in the rollout of a version.</param>
/// <param name="Weight">Its share of the users of an experiment, beside those of the others.</param>
/// <param name="Version">The version that answers.</param>
/// <param name="Strategy">model (the serving version), previous, baseline, or popularity for the recommender.</param>
/// <param name="Ensemble">The versions whose weighted mean answers.</param>
internal sealed record Arm(string Name, double Weight, int? Version = null, string? Strategy = null, IReadOnlyList<Member>? Ensemble = null)
{
    /// <summary>Versions that it needs in memory.</summary>
    internal IEnumerable<int> Versions => Version is { } one ? [one] : Ensemble?.Select(member => member.Version) ?? [];
}

/// <summary>What a rollout is for: events of the log by the same person within a time.</summary>
/// <param name="EventTypes">Any of them counts.</param>
/// <param name="WindowMinutes">Within so many minutes.</param>
internal sealed record Goal(IReadOnlyList<string> EventTypes, int WindowMinutes);

/// <summary>What an arm may not do.</summary>
/// <param name="MaxErrorRate">Share of requests it may fail at.</param>
/// <param name="MaxSlowdown">Times the control's 95th percentile of latency.</param>
/// <param name="MaxBusinessDrop">Share by which it may lower the business metric.</param>
/// <param name="MinRequests">Requests before it is judged.</param>
internal sealed record Guardrails(double MaxErrorRate, double MaxSlowdown, double MaxBusinessDrop, int MinRequests);

/// <summary>A stage of a rollout.</summary>
/// <param name="Name">shadow, ab, canary or full.</param>
/// <param name="Share">Share of the users that meet the candidate.</param>
/// <param name="Minutes">Minutes before the next stage follows by itself.</param>
internal sealed record Stage(string Name, double Share, int Minutes);

/// <summary>How a rollout goes; stored with it.</summary>
/// <param name="Arms">Its arms, the control first.</param>
/// <param name="Stages">Its stages in order; empty for an experiment.</param>
/// <param name="Goal">What it is for.</param>
/// <param name="Guardrails">What its arms may not do.</param>
/// <param name="Auto">Whether the next stage follows by itself.</param>
internal sealed record RolloutSpec(IReadOnlyList<Arm> Arms, IReadOnlyList<Stage> Stages, Goal Goal, Guardrails Guardrails, bool Auto);

/// <summary>A rollout under way, as requests read it.</summary>
internal sealed record ActiveRollout(Guid Id, string Model, string Kind, string Stage, RolloutSpec Spec, DateTimeOffset StartedAt, DateTimeOffset StageSince, double PValue)
{
    public const string Control = "control";
    public const string Candidate = "candidate";
    public const string Shadow = "shadow";

    /// <summary>Whether the candidate is asked beside the control and never shown.</summary>
    public bool IsShadow => Stage == Shadow;

    /// <summary>Every version an arm needs.</summary>
    public IEnumerable<int> Versions => Spec.Arms.SelectMany(arm => arm.Versions).Distinct();

    /// <summary>The arms with the share of users that each meets in this stage.</summary>
    public IReadOnlyList<(Arm Arm, double Share)> Shares
    {
        get
        {
            if (Kind == "version")
            {
                var share = Spec.Stages.First(stage => stage.Name == Stage).Share;
                return [(Spec.Arms[0], 1 - share), (Spec.Arms[1], share)];
            }

            var total = Spec.Arms.Sum(arm => arm.Weight);
            return [.. Spec.Arms.Select(arm => (arm, arm.Weight / total))];
        }
    }

    /// <summary>
    /// The arm that a user meets: by a hash of rollout and user, so that it stays the same for this rollout and has nothing to do with any other; whoever
    /// met the candidate at 10 % meets it at 50 % too.
    /// </summary>
    public Arm ArmOf(string userKey)
    {
        // The last arm takes the lowest places, so that the candidate's share grows from below.
        var place = Place(Id, userKey);
        var shares = Shares;
        for (var i = shares.Count - 1; i > 0; i--)
        {
            if ((place -= shares[i].Share) < 0)
            {
                return shares[i].Arm;
            }
        }

        return shares[0].Arm;
    }

    /// <summary>A user's place in a rollout: uniform in [0, 1).</summary>
    internal static double Place(Guid rollout, string userKey)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{rollout:N}:{userKey}"), hash);
        return (BinaryPrimitives.ReadUInt64BigEndian(hash) >> 11) * (1.0 / (1UL << 53));
    }
}
