using OKLA.ML.Models;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Monitoring;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;
using static OKLA.ML.Serving.LiveModels;

namespace OKLA.ML.Rollout;

/// <summary>The recommender's part in rollouts: which version a person meets, what is counted of it, and what a candidate in the shadow would have shown.</summary>
internal sealed class TriedVersions(ServedModels served, ServingMeter meter, Exposures exposures, ShadowAnswers shadow)
{
    /// <summary>Who answers a person, in this order.</summary>
    /// <param name="Model">Name of the recommender.</param>
    /// <param name="Order">Versions and how the answer names them.</param>
    /// <param name="Rollout">The rollout that the person meets; null for none.</param>
    /// <param name="Arm">Its arm.</param>
    /// <param name="Candidate">Who is asked in the shadow.</param>
    internal sealed record Turn(string Model, IReadOnlyList<(ServedRecommender Served, string Source)> Order, ActiveRollout? Rollout, Arm? Arm, ServedRecommender? Candidate)
    {
        /// <summary>How an answer of the arm is named.</summary>
        public string Source => Arm is null ? "popularity" : $"rollout:{Arm.Name}";

        /// <summary>Whether the arm is what is popular.</summary>
        public bool Popularity => Arm?.Strategy is "popularity" or "baseline";
    }

    /// <summary>Who answers a person.</summary>
    public Turn TurnOf(string model, string person, IReadOnlyList<ServedRecommender> loaded)
    {
        List<(ServedRecommender Served, string Source)> usual = [.. loaded.Where(version => version.Source != "rollout").Select(version => (version, version.Source))];
        if (served.Find(model)?.Rollout is not { } rollout)
        {
            return new Turn(model, usual, null, null, null);
        }

        if (rollout.IsShadow)
        {
            return new Turn(model, usual, rollout, null, loaded.FirstOrDefault(version => version.Version == rollout.Spec.Arms[1].Version));
        }

        var arm = rollout.ArmOf(person);
        var turn = new Turn(model, usual, rollout, arm, null);
        if (turn.Popularity)
        {
            return turn with { Order = [] };
        }

        var first = arm.Version is { } wanted ? loaded.FirstOrDefault(version => version.Version == wanted)
            : loaded.FirstOrDefault(version => version.Source == (arm.Strategy == "previous" ? "previous" : "model"));
        return first is null ? turn : turn with { Order = [(first, turn.Source), .. usual.Where(item => item.Served.Version != first.Version)] };
    }

    /// <summary>Counts an answer, or a failure at one.</summary>
    public void Count(Turn turn, int version, string source, TimeSpan elapsed, bool failed, int cacheHits = 0)
    {
        var byArm = turn.Arm is not null && source == turn.Source;
        meter.Count(turn.Model, version, byArm ? turn.Rollout!.Id : Guid.Empty, byArm ? turn.Arm!.Name : "", 1, cacheHits, elapsed, failed);
    }

    /// <summary>Takes note that a person met the arm.</summary>
    public void Met(Turn turn, string person, string source)
    {
        if (turn.Arm is { } arm && source == turn.Source)
        {
            exposures.Meet(turn.Rollout!, person, arm.Name);
        }
    }

    /// <summary>Lets the candidate say what it would have shown; compared by the share of what was shown that it shows too.</summary>
    public void AskInShadow(Turn turn, IReadOnlyList<HistoryItem> history, int limit, IReadOnlySet<string> hidden, IReadOnlyCollection<string> shown, ItemRecommender.Moment moment)
    {
        if (turn.Candidate is not { } candidate)
        {
            return;
        }

        var ids = shown.ToHashSet(StringComparer.Ordinal);
        shadow.Add(new ShadowQuestion(turn.Rollout!, 1, [new Prediction(1)], () =>
        {
            var picks = candidate.Model.Best(candidate.Model.TasteOf(history), limit, candidate.Live, hidden, moment);
            return Task.FromResult<Prediction[]>([new Prediction(picks.Count(pick => ids.Contains(candidate.Model.Ids[pick.Index])) / (double)Math.Max(1, ids.Count))]);
        }));
    }
}
