using OKLA.ML.Monitoring;
using OKLA.ML.Serving;
using static OKLA.ML.Serving.LiveModels;

namespace OKLA.ML.Rollout;

/// <summary>The recommenders' part in rollouts: which version somebody meets, what is counted of it, and what a candidate in the shadow would have shown.</summary>
internal sealed class TriedVersions(ServedModels served, ServingMeter meter, Exposures exposures, ShadowAnswers shadow)
{
    /// <summary>Who answers somebody, in this order.</summary>
    /// <param name="Model">Name of the recommender.</param>
    /// <param name="Order">Versions and how the answer names them.</param>
    /// <param name="Rollout">The rollout that is met; null for none.</param>
    /// <param name="Arm">Its arm.</param>
    /// <param name="Candidate">Who is asked in the shadow.</param>
    internal sealed record Turn<T>(string Model, IReadOnlyList<(T Served, string Source)> Order, ActiveRollout? Rollout, Arm? Arm, T? Candidate)
        where T : class, ILoaded
    {
        /// <summary>How an answer of the arm is named.</summary>
        public string Source => Arm is null ? "popularity" : AnswerOrder.SourceOf(Arm);

        /// <summary>Whether the arm is what is popular, or the rule that answers without a model.</summary>
        public bool Popularity => Arm?.Strategy is "popularity" or "baseline";
    }

    /// <summary>Who answers somebody.</summary>
    /// <param name="model">The recommender.</param>
    /// <param name="key">What keeps the arm: a person, or what is asked about where nobody is known.</param>
    /// <param name="loaded">Its versions in memory.</param>
    public Turn<T> TurnOf<T>(string model, string key, IReadOnlyList<T> loaded)
        where T : class, ILoaded
    {
        var rollout = served.Find(model)?.Rollout;
        var arm = rollout is { IsShadow: false } ? rollout.ArmOf(key) : null;
        var candidate = rollout is { IsShadow: true } ? loaded.FirstOrDefault(version => version.Version == rollout.Spec.Arms[1].Version) : null;
        var turn = new Turn<T>(model, [], rollout, arm, candidate);
        return turn.Popularity ? turn : turn with
        {
            Order = [.. AnswerOrder.Of(Named("model"), Named("previous"), arm).SelectMany(next => loaded.Where(version => version.Version == next.Version).Select(version => (version, next.Source)))],
        };

        int? Named(string source) => loaded.FirstOrDefault(version => version.Source == source)?.Version;
    }

    /// <summary>Counts an answer, or a failure at one.</summary>
    public void Count<T>(Turn<T> turn, int version, string source, TimeSpan elapsed, bool failed, int cacheHits = 0)
        where T : class, ILoaded
    {
        var byArm = turn.Arm is not null && source == turn.Source;
        meter.Count(turn.Model, version, byArm ? turn.Rollout!.Id : Guid.Empty, byArm ? turn.Arm!.Name : "", 1, cacheHits, elapsed, failed);
    }

    /// <summary>Takes note that a person met the arm.</summary>
    public void Met<T>(Turn<T> turn, string person, string source)
        where T : class, ILoaded
    {
        if (turn.Arm is { } arm && source == turn.Source)
        {
            exposures.Meet(turn.Rollout!, person, arm.Name);
        }
    }

    /// <summary>Lets the candidate say what it would have shown; compared by the share of what was shown that it shows too.</summary>
    /// <param name="turn">Who answered.</param>
    /// <param name="shown">What was shown.</param>
    /// <param name="ask">What a version would show, by its ids.</param>
    public void AskInShadow<T>(Turn<T> turn, IReadOnlyCollection<string> shown, Func<T, IEnumerable<string>> ask)
        where T : class, ILoaded => AskInShadow(turn, shown, candidate => Task.FromResult(ask(candidate)));

    /// <summary>The same for who must read something first.</summary>
    public void AskInShadow<T>(Turn<T> turn, IReadOnlyCollection<string> shown, Func<T, Task<IEnumerable<string>>> ask)
        where T : class, ILoaded
    {
        if (turn.Candidate is not { } candidate)
        {
            return;
        }

        var ids = shown.ToHashSet(StringComparer.Ordinal);
        shadow.Add(new ShadowQuestion(turn.Rollout!, 1, [new Prediction(1)], async () =>
        {
            var said = (await ask(candidate)).Count(ids.Contains);
            return [new Prediction(ids.Count == 0 ? 1 : said / (double)ids.Count)];
        }));
    }
}
