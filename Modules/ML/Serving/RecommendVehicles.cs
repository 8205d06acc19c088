using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Rollout;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;
using static OKLA.ML.Serving.Shown;

namespace OKLA.ML.Serving;

/// <summary>
/// GET /api/recommendations/users/{id}: vehicles for a user or an anonymous visitor, each with its reason. Never fails for want of a model:
/// the serving version, else the one before it, else what is popular this week; the answer says which one spoke.
/// </summary>
internal static class RecommendVehicles
{
    /// <summary>Recommended vehicles.</summary>
    /// <param name="UserId">For whom.</param>
    /// <param name="Items">Best first.</param>
    /// <param name="ModelVersion">Version that answered; null for popularity.</param>
    /// <param name="Source">model, previous, popularity or, while versions are tried, rollout:{arm}.</param>
    /// <param name="GeneratedAt">When (UTC).</param>
    public sealed record Response(string UserId, IReadOnlyList<Recommendation> Items, int? ModelVersion, string Source, DateTimeOffset GeneratedAt);

    /// <summary>A recommended vehicle.</summary>
    /// <param name="ItemId">Its id.</param>
    /// <param name="Score">What it was ranked by; comparable within one answer only.</param>
    /// <param name="Reason">Why, in Spanish.</param>
    /// <param name="Item">What to show.</param>
    /// <param name="Verdict">How its price compares; null when that is not known.</param>
    public sealed record Recommendation(string ItemId, double Score, string Reason, ItemView Item, Verdict? Verdict);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/recommendations/users/{id}", Handle).WithName("RecommendVehicles");

    internal static async Task<Ok<Response>> Handle(
        [MaxLength(200)] string id, CurrentUser caller, IHostEnvironment host, LiveModels live, TriedVersions tried, IMessageBus bus, PredictionLog log, IOptions<MLOptions> options, TimeProvider clock,
        ILogger<LiveModels> logger, CancellationToken ct, [Range(1, 100)] int limit = 10)
    {
        var now = clock.GetUtcNow();
        var trusted = host.IsDevelopment() || caller.Has(Policies.Scopes.Predict);
        var history = await HistoryAsync(id, caller, trusted, now, bus, options.Value, logger, ct);
        var response = Answer(id, history, limit, live, tried, options.Value, now, logger);
        log.Write(new PredictionServed(
            ModelNames.VehicleRecommender, response.ModelVersion, response.Source, id, [.. response.Items.Select(item => item.ItemId)], [.. response.Items.Select(item => item.Score)]));
        return TypedResults.Ok(response);
    }

    /// <summary>
    /// What the person did, on every browser that turned out to be theirs. Of somebody who has signed in it tells only the person, an admin or a
    /// server with the scope; others are answered as for a stranger. An anonymous id is a secret of its browser.
    /// </summary>
    private static async Task<IReadOnlyList<HistoryItem>> HistoryAsync(
        string id, CurrentUser caller, bool trusted, DateTimeOffset now, IMessageBus bus, MLOptions options, ILogger logger, CancellationToken ct)
    {
        try
        {
            // Side by side: most people have one browser, and then nothing else is asked.
            var (asked, own) = (bus.InvokeAsync<Person>(new FindPerson(id), ct), PartAsync(id));
            await Task.WhenAll(asked, own);
            var person = await asked;
            if (person.IsUser && !trusted && !caller.MayActAs(person.Id))
            {
                return [];
            }

            var history = new List<HistoryItem>(await own);
            foreach (var other in person.AnonymousIds.Prepend(person.Id).Where(other => other != id))
            {
                history.AddRange(await PartAsync(other));
            }

            return person.AnonymousIds.Count == 0 ? history : Joined(history, options.HistoryItems);
        }
        catch (Exception outage) when (outage is NpgsqlException or TimeoutException)
        {
            Log.HistoryUnavailable(logger, outage);
            return [];
        }

        Task<IReadOnlyList<HistoryItem>> PartAsync(string part) => bus.InvokeAsync<IReadOnlyList<HistoryItem>>(new GetRecentHistory(part, now, options.HistoryItems), ct);
    }

    /// <summary>One history of several browsers, newest first.</summary>
    private static List<HistoryItem> Joined(IEnumerable<HistoryItem> parts, int most) =>
        [.. parts.GroupBy(item => item.ItemId, StringComparer.Ordinal)
            .Select(same => same.MaxBy(item => item.Weight)! with { Weight = same.Sum(item => item.Weight), Events = same.Sum(item => item.Events), LastAt = same.Max(item => item.LastAt) })
            .OrderByDescending(item => item.LastAt).Take(most)];

    private static Response Answer(
        string id, IReadOnlyList<HistoryItem> history, int limit, LiveModels live, TriedVersions tried, MLOptions options, DateTimeOffset now, ILogger logger)
    {
        var hidden = history.Where(item => Hides(item, options)).Select(item => item.ItemId).ToHashSet(StringComparer.Ordinal);
        var shelf = live.Now;
        var turn = tried.TurnOf(ModelNames.VehicleRecommender, id, shelf.Of(Models.Recommenders.ItemKind.Vehicle).Recommenders);
        foreach (var (served, source) in turn.Order)
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                var picks = served.Model.Recommend(history, limit, served.Live, hidden);
                tried.Count(turn, served.Version, source, Stopwatch.GetElapsedTime(started), failed: false);
                if (picks.Length == 0)
                {
                    break;
                }

                tried.Met(turn, id, source);
                tried.AskInShadow(turn, history, limit, hidden, [.. picks.Select(pick => served.Model.Ids[pick.Index])], default);
                var items = picks.Select(pick => Show(served.Cards[pick.Index]!, pick.Score, Reason(pick.BecauseOf, history, live))).ToList();
                return new Response(id, items, served.Version, source, now);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                tried.Count(turn, served.Version, source, Stopwatch.GetElapsedTime(started), failed: true);
                Log.PredictionFailed(logger, ModelNames.VehicleRecommender, served.Version, fault);
            }
        }

        if (turn.Popularity)
        {
            tried.Count(turn, 0, turn.Source, TimeSpan.Zero, failed: false);
            tried.Met(turn, id, turn.Source);
        }

        var popular = shelf.Of(Models.Recommenders.ItemKind.Vehicle).Popular.Where(item => !hidden.Contains(item.Card.Snapshot.Item.Id)).Take(limit)
            .Select(item => Show(item.Card, item.Score, Texts.Spanish[item.Score > 0 ? "reason.popular" : "reason.new"]));
        return new Response(id, [.. popular], null, turn.Popularity ? turn.Source : "popularity", now);
    }

    /// <summary>Whether an item of the history stays away.</summary>
    internal static bool Hides(HistoryItem item, MLOptions options) =>
        (options.HideAfterViews > 0 && item.Events >= options.HideAfterViews)
        || (options.HideContacted && item.StrongestType is EventTypes.Contacted or EventTypes.TestDriveRequested);

    private static Recommendation Show(Card card, double score, string reason) =>
        new(card.Snapshot.Item.Id, score, reason, card.View, card.VerdictBy(card.Price));

    private static string Reason(string? becauseOf, IReadOnlyList<HistoryItem> history, LiveModels live)
    {
        if (becauseOf is null || !live.TryGetCard(becauseOf, out var card))
        {
            return Texts.Spanish["reason.taste"];
        }

        var key = $"reason.{history.First(item => item.ItemId == becauseOf).StrongestType}";
        return Texts.Spanish[Texts.Spanish.Has(key) ? key : "reason.item_viewed", card.Name];
    }
}
