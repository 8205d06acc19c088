using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Models.Recommenders;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;
using static OKLA.ML.Serving.Shown;

namespace OKLA.ML.Serving.Recommendations;

/// <summary>
/// GET /api/recommendations/users/{id}: items of a kind for a user or an anonymous visitor, each with its reason. Never fails for want of a model:
/// the serving version, else the one before it, else what is popular this week; the answer says which one spoke.
/// </summary>
internal static class RecommendVehicles
{
    private const int MostRecent = 20;

    /// <summary>Recommended items.</summary>
    /// <param name="UserId">For whom.</param>
    /// <param name="Items">Best first.</param>
    /// <param name="ModelVersion">Version that answered; null for popularity.</param>
    /// <param name="Source">model, previous, popularity or, while versions are tried, rollout:{arm}.</param>
    /// <param name="GeneratedAt">When (UTC).</param>
    public sealed record Response(string UserId, IReadOnlyList<Recommendation> Items, int? ModelVersion, string Source, DateTimeOffset GeneratedAt);

    /// <summary>A recommended item.</summary>
    /// <param name="ItemId">Its id.</param>
    /// <param name="Score">What it was ranked by; comparable within one answer only.</param>
    /// <param name="Reason">Why, in Spanish.</param>
    /// <param name="Item">What to show.</param>
    /// <param name="Verdict">How its price compares; null when that is not known.</param>
    public sealed record Recommendation(string ItemId, double Score, string Reason, ItemView Item, Verdict? Verdict);

    /// <summary>How a visitor came, as far as the page knows it and no event tells it yet.</summary>
    /// <param name="Device">mobile, tablet or desktop.</param>
    /// <param name="Campaign">Campaign that the visitor followed.</param>
    /// <param name="Make">Make that the visitor searched for.</param>
    /// <param name="BodyType">Body type that the visitor searched for.</param>
    /// <param name="MaxPriceUsd">Highest price that the visitor searched for, in dollars.</param>
    /// <param name="Filters">What else the visitor searched for, as the search's event names it: <c>type=deporte,locality=Naco</c>.</param>
    public sealed record Came(
        [property: FromQuery(Name = "device"), OneOf(null, "mobile", "tablet", "desktop")] string? Device = null, [property: FromQuery(Name = "campaign"), MaxLength(200)] string? Campaign = null,
        [property: FromQuery(Name = "make"), MaxLength(100)] string? Make = null, [property: FromQuery(Name = "bodyType"), MaxLength(100)] string? BodyType = null,
        [property: FromQuery(Name = "maxPriceUsd"), Range(1, 1e12)] double? MaxPriceUsd = null,
        [property: FromQuery(Name = "filters"), MaxLength(500), RegularExpression("^[A-Za-z0-9_.-]{1,50}=[^,=]{1,100}(,[A-Za-z0-9_.-]{1,50}=[^,=]{1,100}){0,7}$", ErrorMessage = "Up to eight filters such as type=deporte,locality=Naco: names of up to 50 letters and digits, values of up to 100 characters.")] string? Filters = null)
    {
        /// <summary>The same in the words that first visits are learned by.</summary>
        public IEnumerable<string> Words() =>
            new[] { Word("device", Device), Word("campaign", Campaign), Word("make", Make), Word("body", BodyType), MaxPriceUsd is { } usd ? EntryWords.UpTo(usd) : null }.OfType<string>()
                .Concat(Filters is null ? [] : EntryWords.OfFilters(Filters));

        private static string? Word(string name, string? value) => value is { Length: > 0 } ? EntryWords.Of(name, value) : null;
    }

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/recommendations/users/{id}", Handle).WithName("RecommendVehicles").WithSummary("Items of a kind for a user or visitor, each with its reason");

    /// <param name="id">For whom.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="host">Where.</param>
    /// <param name="desk">Who answers.</param>
    /// <param name="bus">To the history.</param>
    /// <param name="log">Keeps what was served.</param>
    /// <param name="options">Settings.</param>
    /// <param name="clock">The time.</param>
    /// <param name="logger">Hears of outages.</param>
    /// <param name="came">How the visitor came, for who is not known yet.</param>
    /// <param name="ct">Stops it.</param>
    /// <param name="limit">Items wanted.</param>
    /// <param name="kind">Kind of items.</param>
    /// <param name="page">Page that asks: home, item, favorites or email.</param>
    /// <param name="itemId">On an item's page, the item.</param>
    /// <param name="recent">Items that the visitor opened in this visit, by commas, newest first: what they mean counts before their events have arrived.</param>
    /// <param name="province">The visitor's province, for who is not known yet.</param>
    /// <param name="latitude">Where the visitor is, in degrees.</param>
    /// <param name="longitude">Where the visitor is, in degrees.</param>
    internal static async Task<Ok<Response>> Handle(
        [MaxLength(200)] string id, CurrentUser caller, IHostEnvironment host, RecommendationDesk desk, IMessageBus bus, PredictionLog log, IOptions<MLOptions> options, TimeProvider clock,
        ILogger<RecommendationDesk> logger, [AsParameters] Came came, CancellationToken ct, [Range(1, 100)] int limit = 10, [OneOf("vehicle", "activity")] string kind = "vehicle",
        [OneOf("home", "item", "favorites", "email")] string page = "home", [MaxLength(200)] string? itemId = null, [MaxLength(4_000)] string? recent = null, [MaxLength(100)] string? province = null,
        [Range(-90, 90)] double? latitude = null, [Range(-180, 180)] double? longitude = null)
    {
        var now = clock.GetUtcNow();
        var of = ItemKind.Find(kind)!;
        var trusted = host.IsDevelopment() || caller.Has(Policies.Scopes.Predict);
        var (known, entry) = await KnownAsync(id, caller, trusted, bus, options.Value, logger, ct);
        var history = WithVisit(known, recent, now);
        var place = latitude is { } north && longitude is { } east ? new GeoPoint(north, east) : null;
        var answer = desk.Answer(new RecommendationQuestion(id, of, limit, page, history, place, province, itemId, history.Count > 0 ? null : [.. entry, .. came.Words().Except(entry)])
        {
            Counts = await Asker.WhomAsync(caller, id, bus, logger, ct) == id,
        });
        log.Write(Served(id, of, page, answer));
        return TypedResults.Ok(new Response(id, [.. answer.Items.Select(Show)], answer.Version, answer.Source, now));
    }

    /// <summary>What the log keeps of a page.</summary>
    internal static PredictionServed Served(string person, ItemKind kind, string place, RecommendationPage page) => new(
        kind.Model, page.Version, page.Source, person, [.. page.Items.Select(item => item.Card.Snapshot.Item.Id)], [.. page.Items.Select(item => item.Score)])
    {
        Page = place, Propensities = page.Items.Any(item => item.Propensity < 1) ? [.. page.Items.Select(item => item.Propensity)] : null,
    };

    /// <summary>
    /// What the person did, on every browser that turned out to be theirs; of whom did nothing yet, how they came. Of somebody who has signed in it tells only the person, an admin or a
    /// server with the scope; others are answered as for a stranger. An anonymous id is a secret of its browser.
    /// </summary>
    internal static async Task<(IReadOnlyList<HistoryItem> History, IReadOnlyList<string> Entry)> KnownAsync(
        string id, CurrentUser caller, bool trusted, IMessageBus bus, MLOptions options, ILogger logger, CancellationToken ct)
    {
        try
        {
            // Side by side: most people have one browser, and then nothing else is asked.
            var (asked, own) = (bus.InvokeAsync<Person>(new FindPerson(id), ct), PartAsync(id));
            await Task.WhenAll(asked, own);
            var person = await asked;
            if (person.IsUser && !trusted && !caller.MayActAs(person.Id))
            {
                return ([], []);
            }

            var history = new List<HistoryItem>(await own);
            foreach (var other in person.AnonymousIds.Prepend(person.Id).Where(other => other != id))
            {
                history.AddRange(await PartAsync(other));
            }

            return history.Count == 0 ? (history, await bus.InvokeAsync<IReadOnlyList<string>>(new GetEntry(id), ct))
                : (person.AnonymousIds.Count == 0 ? history : Joined(history, options.HistoryItems), []);
        }
        catch (Exception outage) when (outage is NpgsqlException or TimeoutException)
        {
            Log.HistoryUnavailable(logger, outage);
            return ([], []);
        }

        Task<IReadOnlyList<HistoryItem>> PartAsync(string part) => bus.InvokeAsync<IReadOnlyList<HistoryItem>>(new GetRecentHistory(part, Limit: options.HistoryItems), ct);
    }

    /// <summary>The history with what this visit opened and no event tells yet.</summary>
    private static IReadOnlyList<HistoryItem> WithVisit(IReadOnlyList<HistoryItem> history, string? recent, DateTimeOffset now)
    {
        var opened = recent?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.Ordinal).Take(MostRecent) ?? [];
        HistoryItem[] fresh = [.. opened.Where(id => history.All(item => item.ItemId != id)).Select(id => new HistoryItem(id, 1, 1, EventTypes.ItemViewed, now))];
        return fresh.Length == 0 ? history : [.. fresh, .. history];
    }

    /// <summary>One history of several browsers, newest first.</summary>
    private static List<HistoryItem> Joined(IEnumerable<HistoryItem> parts, int most) =>
        [.. parts.GroupBy(item => item.ItemId, StringComparer.Ordinal)
            .Select(same => same.MaxBy(item => item.Weight)! with
            {
                Weight = same.Sum(item => item.Weight), Events = same.Sum(item => item.Events), LastAt = same.Max(item => item.LastAt), Refused = same.Any(item => item.Refused),
            })
            .OrderByDescending(item => item.LastAt).Take(most)];

    internal static Recommendation Show(RecommendedItem item) => new(item.Card.Snapshot.Item.Id, item.Score, item.Reason, item.Card.View, item.Card.VerdictBy(item.Card.Price));
}

/// <summary>Answers <see cref="GetRecommendations"/>, as the home page would.</summary>
internal sealed class GetRecommendationsHandler(LiveModels live, RecommendationDesk desk, IMessageBus bus, IOptions<MLOptions> options, ILogger<RecommendationDesk> logger)
{
    public async Task<PersonalRecommendations> Handle(GetRecommendations query, CancellationToken ct)
    {
        await live.FillAsync(ct);
        var (history, entry) = await RecommendVehicles.KnownAsync(query.PersonId, CurrentUser.Nobody, trusted: true, bus, options.Value, logger, ct);
        var page = desk.Answer(new RecommendationQuestion(query.PersonId, ItemKind.Find(query.Kind) ?? ItemKind.Vehicle, query.Limit, "home", history, Entry: entry));
        return new PersonalRecommendations([.. page.Items.Select(item => (item.Card.Snapshot.Item.Id, item.Reason))], page.Version, page.Source);
    }
}
