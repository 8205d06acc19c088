using System.Diagnostics;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Rollout;
using OKLA.Shared.Contracts;
using static OKLA.ML.Serving.LiveModels;

namespace OKLA.ML.Serving.Recommendations;

/// <summary>What somebody is to be recommended.</summary>
/// <param name="PersonId">For whom.</param>
/// <param name="Kind">Kind of items.</param>
/// <param name="Limit">Items wanted.</param>
/// <param name="Page">home, item, favorites or email.</param>
/// <param name="History">What the person did.</param>
/// <param name="Place">Where the person is, when it is known.</param>
/// <param name="Province">The person's province, when it is known.</param>
/// <param name="ItemId">The item that the page shows.</param>
/// <param name="Entry">How the person came, see <see cref="GetEntry"/>; counts where there is no history.</param>
internal sealed record RecommendationQuestion(
    string PersonId, ItemKind Kind, int Limit, string Page, IReadOnlyList<HistoryItem> History, GeoPoint? Place = null, string? Province = null, string? ItemId = null, IReadOnlyList<string>? Entry = null)
{
    /// <summary>Whether the person takes part in experiments by it: not when somebody else names a user.</summary>
    public bool Counts { get; init; } = true;
}

/// <summary>An item that is recommended, its reason, and the chance that it stood there.</summary>
internal sealed record RecommendedItem(Card Card, double Score, string Reason, string Why, double Propensity);

/// <summary>A page of recommendations and who spoke.</summary>
internal sealed record RecommendationPage(IReadOnlyList<RecommendedItem> Items, int? Version, string Source);

/// <summary>
/// Answers who should see what: the arm of a rollout, the serving version, the one before it, or what is popular; candidates come from one search over
/// vectors, then the policies choose. Rankings are kept for a short time, as people turn pages and come back.
/// </summary>
internal sealed class RecommendationDesk : IDisposable
{
    private readonly LiveModels live;
    private readonly TriedVersions tried;
    private readonly OperatorRules rules;
    private readonly SellerExposure exposure;
    private readonly MLOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger<RecommendationDesk> logger;
    private readonly MemoryCache? memory;

    public RecommendationDesk(LiveModels live, TriedVersions tried, OperatorRules rules, SellerExposure exposure, IOptions<MLOptions> options, TimeProvider clock, ILogger<RecommendationDesk> logger)
    {
        this.live = live;
        this.tried = tried;
        this.rules = rules;
        this.exposure = exposure;
        this.options = options.Value;
        this.clock = clock;
        this.logger = logger;
        var most = this.options.Recommendations.CacheMegabytes;
        memory = most == 0 ? null : new MemoryCache(new MemoryCacheOptions { SizeLimit = most * 1_000_000L, CompactionPercentage = 0.1 });
    }

    /// <summary>The page.</summary>
    public RecommendationPage Answer(RecommendationQuestion question)
    {
        var now = clock.GetUtcNow();
        var history = Told(question);
        var hidden = question.History.Where(item => Hides(item, options, question.Page, now)).Select(item => item.ItemId).ToHashSet(StringComparer.Ordinal);
        if (question.ItemId is { } shownItem)
        {
            hidden.Add(shownItem);
        }

        var inForce = rules.For(question.Kind.Name, question.Page);
        var shelf = live.Now.Of(question.Kind);
        var turn = tried.TurnOf(question.Kind.Model, question.PersonId, shelf.Recommenders);
        foreach (var (served, source) in turn.Order)
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                var ((page, first), cached) = Ranked(served, question, history, hidden, inForce, shelf, now);
                tried.Count(turn, served.Version, source, Stopwatch.GetElapsedTime(started), failed: false, cached ? 1 : 0);
                if (page.Count == 0)
                {
                    break;
                }

                Meet(turn, question, source);
                tried.AskInShadow(turn, first, other => other.Model.Best(other.Model.TasteOf(history), question.Limit, other.Live, hidden, new ItemRecommender.Moment(now, question.Place))
                    .Select(pick => other.Model.Ids[pick.Index]));
                exposure.Show(page.Select(item => item.Card.Snapshot.Item.SellerId));
                return new RecommendationPage(page, served.Version, source);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                tried.Count(turn, served.Version, source, Stopwatch.GetElapsedTime(started), failed: true);
                Log.PredictionFailed(logger, question.Kind.Model, served.Version, fault);
            }
        }

        if (turn.Popularity)
        {
            tried.Count(turn, 0, turn.Source, TimeSpan.Zero, failed: false);
            Meet(turn, question, turn.Source);
        }

        var popular = Popular(question, hidden, inForce, shelf, now);
        exposure.Show(popular.Select(item => item.Card.Snapshot.Item.SellerId));
        return new RecommendationPage(popular, null, turn.Popularity ? turn.Source : "popularity");
    }

    private void Meet(TriedVersions.Turn<ServedRecommender> turn, RecommendationQuestion question, string source)
    {
        if (question.Counts)
        {
            tried.Met(turn, question.PersonId, source);
        }
    }

    /// <summary>Whether an item of the history stays away: refused ones for good, contacted ones as the settings say, seen ones for some days.</summary>
    internal static bool Hides(HistoryItem item, MLOptions options, string page, DateTimeOffset now)
    {
        var seen = options.HideAfterViews > 0 && (item.Events >= options.HideAfterViews || page == "email");
        var recently = options.Recommendations.SeenDays == 0 || now - item.LastAt <= TimeSpan.FromDays(options.Recommendations.SeenDays);
        return item.Refused || (seen && recently) || (options.HideContacted && item.StrongestType is EventTypes.Contacted or EventTypes.TestDriveRequested);
    }

    public void Dispose() => memory?.Dispose();

    /// <summary>What of the history the page goes by: favourites of what was kept or asked for, an item's page above all of that item.</summary>
    private IReadOnlyList<HistoryItem> Told(RecommendationQuestion question)
    {
        var history = question.History.Where(item => !item.Refused);
        if (question.Page == "favorites" && history.Any(Strong))
        {
            history = history.Where(Strong);
        }

        return question.ItemId is { } id ? [new HistoryItem(id, 8, 1, EventTypes.ItemViewed, clock.GetUtcNow()), .. history.Where(item => item.ItemId != id)] : [.. history];

        static bool Strong(HistoryItem item) => item.StrongestType is EventTypes.FavoriteAdded or EventTypes.Contacted or EventTypes.TestDriveRequested;
    }

    private (KeptPage Kept, bool Cached) Ranked(
        ServedRecommender served, RecommendationQuestion question, IReadOnlyList<HistoryItem> history, HashSet<string> hidden, IReadOnlyList<OperatorRule> inForce, KindShelf shelf, DateTimeOffset now)
    {
        var key = (served.Layout, question.PersonId, question.Page, question.Limit, question.Place, Print(history, hidden, inForce, question));
        if (memory is not null && memory.TryGetValue(key, out var known))
        {
            return ((KeptPage)known!, true);
        }

        var knobs = options.Recommendations;
        var taste = served.Model.TasteOf(history);
        var most = Math.Max(question.Limit * knobs.CandidatesForEach, 30);
        var isNew = taste.Items.Length == 0;
        var best = isNew ? served.Model.First(question.Entry ?? [], most, served.Live, hidden) : served.Model.Best(taste, most, served.Live, hidden, new ItemRecommender.Moment(now, question.Place));
        if (best.Length == 0)
        {
            return (new KeptPage([], []), false);
        }

        var candidates = Array.ConvertAll(best, item => new Candidate(item.Index, served.Cards[item.Index]!, item.Score));
        var pins = Pins(inForce, served, hidden);
        var placed = RankingPolicies.Apply(candidates, pins, CaseOf(question, inForce, shelf, now, (a, b) => a.Index >= 0 && b.Index >= 0 ? served.Model.Content.Cosine(a.Index, b.Index) : 0));
        var page = placed.Select(item => new RecommendedItem(item.Candidate.Card, item.Candidate.Score, isNew && item.Why != "pinned" ? Texts.Spanish["reason.first_visit"] : Reason(served, taste, history, item), item.Why, item.Propensity)).ToArray();
        var kept = new KeptPage(page, [.. candidates.Take(question.Limit).Select(item => item.Card.Snapshot.Item.Id)]);
        memory?.Set(key, kept, new MemoryCacheEntryOptions { Size = 200 * (page.Length + 1), AbsoluteExpirationRelativeToNow = options.Serving.CacheFor });
        return (kept, false);
    }

    private RecommendedItem[] Popular(RecommendationQuestion question, HashSet<string> hidden, IReadOnlyList<OperatorRule> inForce, KindShelf shelf, DateTimeOffset now)
    {
        var candidates = shelf.Popular.Where(item => !hidden.Contains(item.Card.Snapshot.Item.Id))
            .Select((item, rank) => (Candidate: new Candidate(-1, item.Card, item.Score * (IsFrom(item.Card, question.Province) ? options.Recommendations.ProvinceWeight : 1)), rank))
            .OrderByDescending(item => item.Candidate.Score).ThenByDescending(item => IsFrom(item.Candidate.Card, question.Province)).ThenBy(item => item.rank).Select(item => item.Candidate).ToList();
        var pins = inForce.Where(rule => rule.Action == RuleAction.Pin && live.TryGetCard(rule.Value, out _) && !hidden.Contains(rule.Value))
            .Select(rule => (new Candidate(-1, live.TryGetCard(rule.Value, out var card) ? card : null!, 0), rule.Place)).ToList();

        // What is popular is shown in its own order and with its own figures: only blocks, boosts and pins touch it.
        var @case = CaseOf(question with { Limit = question.Limit }, inForce, shelf, now, (_, _) => 0);
        var allowed = candidates.Where(item => RankingPolicies.Allowed(item, @case)).ToList();
        if (inForce.Any(rule => rule.Action == RuleAction.Boost))
        {
            allowed = RankingPolicies.Adjusted(allowed, @case);
        }

        var plain = @case with { Knobs = new RecommendationKnobs { SellerCap = @case.Knobs.SellerCap, Diversity = 0, ExplorationShare = 0, SellerFairness = 0 } };
        var chosen = RankingPolicies.Diverse(allowed, plain).Select(item => new Placed(item, "ranked", 1)).ToList();
        foreach (var (item, place) in pins.Where(pin => RankingPolicies.Allowed(pin.Item1, @case)))
        {
            chosen.RemoveAll(other => other.Candidate.Card.Snapshot.Item.Id == item.Card.Snapshot.Item.Id);
            chosen.Insert(Math.Min(place, chosen.Count), new Placed(item, "pinned", 1));
        }

        return [.. chosen.Take(question.Limit).Select(item => new RecommendedItem(
            item.Candidate.Card, item.Candidate.Score, Texts.Spanish[item.Why == "pinned" ? "reason.pinned" : item.Candidate.Score > 0 ? "reason.popular" : "reason.new"], item.Why, item.Propensity))];
    }

    private PolicyCase CaseOf(RecommendationQuestion question, IReadOnlyList<OperatorRule> inForce, KindShelf shelf, DateTimeOffset now, Func<Candidate, Candidate, double> likeness)
    {
        // string.GetHashCode differs from process to process; a page must not change with the host that answers.
        var seed = question.PersonId.Aggregate((int)(now.UtcTicks / TimeSpan.TicksPerHour), (sum, letter) => unchecked((sum * 31) + letter));
        return new PolicyCase(
            question.Limit, options.Recommendations, inForce, now, likeness, item => shelf.PopularityOf(item.Card.Snapshot.Item.Id), exposure.Deficit, seed, question.Page != "email");
    }

    private static string Reason(ServedRecommender served, PersonTaste taste, IReadOnlyList<HistoryItem> history, Placed item)
    {
        if (item.Why == "pinned")
        {
            return Texts.Spanish["reason.pinned"];
        }

        var gave = served.Model.Because(taste, item.Candidate.Index);
        var byId = history.GroupBy(met => met.ItemId, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.First(), StringComparer.Ordinal);
        var grounds = new List<Ground>();
        for (var n = 0; n < gave.Length; n++)
        {
            if (served.Cards[taste.Items[n]] is { } card && byId.TryGetValue(served.Model.Ids[taste.Items[n]], out var met))
            {
                grounds.Add(new Ground(met, card, gave[n]));
            }
        }

        return Reasons.Of(item.Candidate.Card, grounds);
    }

    private static List<(Candidate Item, int Place)> Pins(IReadOnlyList<OperatorRule> inForce, ServedRecommender served, HashSet<string> hidden) =>
        [.. inForce.Where(rule => rule.Action == RuleAction.Pin && !hidden.Contains(rule.Value))
            .Select(rule => (Index: served.Model.IndexOf(rule.Value), rule.Place)).Where(pin => pin.Index >= 0 && served.Cards[pin.Index] is not null)
            .Select(pin => (new Candidate(pin.Index, served.Cards[pin.Index]!, 0), pin.Place))];

    private static bool IsFrom(Card card, string? province) => province is not null && string.Equals(card.View.Place, province, StringComparison.OrdinalIgnoreCase);

    /// <summary>Tells one state of a person and the rules from another.</summary>
    private static HashCodePair Print(IReadOnlyList<HistoryItem> history, HashSet<string> hidden, IReadOnlyList<OperatorRule> inForce, RecommendationQuestion question)
    {
        var (a, b) = (new HashCode(), new HashCode());
        foreach (var item in history)
        {
            a.Add(item.ItemId, StringComparer.Ordinal);
            b.Add(item.Weight);
            b.Add(item.Events);
        }

        foreach (var rule in inForce)
        {
            b.Add(rule.Id);
        }

        a.Add(hidden.Count);
        b.Add(question.ItemId, StringComparer.Ordinal);
        foreach (var word in history.Count == 0 ? question.Entry ?? [] : [])
        {
            a.Add(word, StringComparer.Ordinal);
        }

        return new HashCodePair(a.ToHashCode(), b.ToHashCode());
    }

    /// <summary>A page as it was shown, and the first of the ranking before the policies, by which versions are compared.</summary>
    private sealed record KeptPage(IReadOnlyList<RecommendedItem> Page, IReadOnlyCollection<string> First);

    private readonly record struct HashCodePair(int First, int Second);
}
