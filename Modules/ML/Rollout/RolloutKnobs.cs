using System.ComponentModel.DataAnnotations;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Rollout;

/// <summary>Section <c>ML:Rollout</c>; how new versions are let in and when they are taken back.</summary>
internal sealed class RolloutKnobs
{
    private static readonly string[] Business =
    [
        EventTypes.Contacted, EventTypes.TestDriveRequested, EventTypes.FavoriteAdded, EventTypes.RecommendationClicked, EventTypes.OfferMade, EventTypes.Sold, EventTypes.Attended,
        EventTypes.CampaignApplication, EventTypes.CampaignConversion,
    ];

    /// <summary>Seconds between looks at the guardrails. 0.2 to 15.</summary>
    [Range(0.2, 15)]
    public double CheckSeconds { get; set; } = 5;

    /// <summary>Requests that an arm must have answered before it is judged. 5 to 1,000,000.</summary>
    [Range(5, 1_000_000)]
    public int MinRequests { get; set; } = 30;

    /// <summary>Share of requests that a version may fail at. 0 to 1.</summary>
    [Range(0, 1)]
    public double MaxErrorRate { get; set; } = 0.02;

    /// <summary>How many times the other arm's 95th percentile of latency a version's may be. 1.05 to 100.</summary>
    [Range(1.05, 100)]
    public double MaxSlowdown { get; set; } = 1.5;

    /// <summary>Milliseconds below which a slowdown does not count. 0 to 10,000.</summary>
    [Range(0, 10_000)]
    public double SlowdownMilliseconds { get; set; } = 5;

    /// <summary>Share by which a version may lower the business metric. 0 to 1.</summary>
    [Range(0, 1)]
    public double MaxBusinessDrop { get; set; } = 0.1;

    /// <summary>Level of the sequential test of the business metric. 0.5 to 0.999.</summary>
    [Range(0.5, 0.999)]
    public double Level { get; set; } = 0.95;

    /// <summary>Difference of conversion rates that matters; what the sequential test expects. 0.0001 to 1.</summary>
    [Range(0.0001, 1)]
    public double ExpectedEffect { get; set; } = 0.02;

    /// <summary>Minutes after a change of the serving version during which it is watched and taken back by itself. 0 to 10,080.</summary>
    [Range(0, 10_080)]
    public int WatchMinutes { get; set; } = 60;

    /// <summary>Minutes in the shadow before a rollout goes on by itself. 0 to 43,200.</summary>
    [Range(0, 43_200)]
    public int ShadowMinutes { get; set; } = 60;

    /// <summary>Minutes at 10 % before a rollout goes on by itself. 0 to 43,200.</summary>
    [Range(0, 43_200)]
    public int AbMinutes { get; set; } = 1_440;

    /// <summary>Minutes at 50 % before a rollout goes on by itself. 0 to 43,200.</summary>
    [Range(0, 43_200)]
    public int CanaryMinutes { get; set; } = 1_440;

    /// <summary>Whether versions of weekly trainings and of those after drift are let in step by step, instead of at once.</summary>
    public bool Trainings { get; set; }

    /// <summary>Events that may be the goal of a rollout or of a model. Empty: contacts, test drives, favourites, followed recommendations, offers, sales, visits to activities, applications and conversions.</summary>
    public string[] GoalEvents { get; set; } = [];

    /// <summary>Minutes within which a goal counts, unless a rollout says otherwise. 1 to 129,600.</summary>
    [Range(1, 129_600)]
    public int GoalMinutes { get; set; } = 1_440;

    /// <summary>Events that are kept by person, so that they can be goals.</summary>
    internal IReadOnlyCollection<string> Goals => GoalEvents.Length > 0 ? GoalEvents : Business;
}
