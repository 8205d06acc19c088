using System.Buffers;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving;

/// <summary>
/// GET /api/leads/{id}/score: how likely a contact comes to a deal, why, and what to do next; GET /api/dealers/{dealerId}/leads: a seller's newest leads,
/// each with its score. A seller sees the leads of its own items only. A lead is read as it was known a quarter of an hour after its contact,
/// as the model learned it, however late it is asked for.
/// </summary>
internal static class ScoreLeads
{
    private const int LongestDays = 90;
    private const int MostLeads = 100;

    /// <summary>A lead and its score.</summary>
    /// <param name="Id">Person and item, as <c>person|item</c>.</param>
    /// <param name="ItemId">The item.</param>
    /// <param name="Title">Its title; null when it is not known any more.</param>
    /// <param name="Channel">Way of the contact.</param>
    /// <param name="ContactedAt">When (UTC).</param>
    /// <param name="Propensity">Calibrated probability of a deal within three weeks.</param>
    /// <param name="Band">hot, warm or cold; see ML:Leads.</param>
    /// <param name="Label">The same for people.</param>
    /// <param name="NextAction">What to do now.</param>
    public sealed record Lead(string Id, string ItemId, string? Title, string? Channel, DateTimeOffset ContactedAt, double Propensity, string Band, string Label, string NextAction);

    /// <summary>A score with its reasons.</summary>
    /// <param name="Lead">The lead.</param>
    /// <param name="Reasons">What speaks for and against it, the weightiest first; empty when the model cannot tell.</param>
    /// <param name="ModelVersion">Version that answered; null for the baseline.</param>
    /// <param name="Source">model, previous, rollout:{arm} or fallback.</param>
    public sealed record Score(Lead Lead, IReadOnlyList<Reason> Reasons, int? ModelVersion, string Source);

    /// <summary>A reason.</summary>
    /// <param name="Topic">What it is about.</param>
    /// <param name="Adds">What it adds to the log-odds of a deal.</param>
    /// <param name="Text">The same in words.</param>
    public sealed record Reason(string Topic, double Adds, string Text);

    /// <summary>A seller's leads.</summary>
    /// <param name="DealerId">The seller.</param>
    /// <param name="Days">Days looked back.</param>
    /// <param name="Leads">The most promising first.</param>
    public sealed record DealerLeads(string DealerId, int Days, IReadOnlyList<Lead> Leads);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/leads/{id}/score", GetAsync).WithName("ScoreLead").WithSummary("Score a lead, with the reasons and the next action");
        routes.MapGet("/api/dealers/{dealerId}/leads", ListAsync).WithName("ListDealerLeads").WithSummary("List a seller's newest leads, the most promising first");
    }

    internal static async Task<Results<Ok<Score>, ValidationProblem, ForbidHttpResult, ProblemHttpResult>> GetAsync(
        [MaxLength(450)] string id, CurrentUser caller, Asking asking, Explainer explainer, TimeProvider clock, CancellationToken ct)
    {
        if (id.Split('|') is not [{ Length: > 0 } person, { Length: > 0 } item])
        {
            return Problems.Invalid("id", "A person and an item, as person|item.");
        }

        var found = await asking.Bus.InvokeAsync<IReadOnlyList<LeadContact>>(new FindContacts(null, item, person, clock.GetUtcNow().AddDays(-LongestDays), 1), ct);

        // Whose lead it is must not be told to others by a different answer.
        if (found.Count == 0 || found[0].SellerId is not { } seller)
        {
            return caller.IsAdmin ? TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no lead {id} of the last {LongestDays} days.") : TypedResults.Forbid();
        }

        if (!caller.MayActForDealer(seller))
        {
            return TypedResults.Forbid();
        }

        var (answer, leads) = await asking.AskAsync(found, ct);
        if (answer.Status != AskStatus.Answered)
        {
            return PredictRows.Missing(ModelNames.LeadScorer, answer.Status);
        }

        var why = answer is { By: { } by, Version: not null } ? explainer.Explain(by, answer.Read!.Rows, ct)?[0] : null;
        return TypedResults.Ok(new Score(leads[0], why is null ? [] : LeadReasons.Of(answer.By!.Names, why), answer.Version, answer.Source));
    }

    internal static async Task<Results<Ok<DealerLeads>, ForbidHttpResult, ProblemHttpResult>> ListAsync(
        [MaxLength(200)] string dealerId, CurrentUser caller, Asking asking, TimeProvider clock, CancellationToken ct, [Range(1, LongestDays)] int days = 21, [Range(1, MostLeads)] int limit = 50)
    {
        if (!caller.MayActForDealer(dealerId))
        {
            return TypedResults.Forbid();
        }

        var found = await asking.Bus.InvokeAsync<IReadOnlyList<LeadContact>>(new FindContacts(dealerId, null, null, clock.GetUtcNow().AddDays(-days), limit), ct);
        if (found.Count == 0)
        {
            return TypedResults.Ok(new DealerLeads(dealerId, days, []));
        }

        var (answer, leads) = await asking.AskAsync(found, ct);
        return answer.Status != AskStatus.Answered
            ? PredictRows.Missing(ModelNames.LeadScorer, answer.Status)
            : TypedResults.Ok(new DealerLeads(dealerId, days, [.. leads.OrderByDescending(lead => lead.Propensity).ThenByDescending(lead => lead.ContactedAt)]));
    }

    /// <summary>Asks the model about contacts, as it learned them.</summary>
    internal sealed class Asking(IMessageBus bus, Predictor predictor, LiveModels live, IOptions<MLOptions> options, TimeProvider clock) : IDisposable
    {
        private const int MostKept = 20_000;
        private readonly MemoryCache kept = new(new MemoryCacheOptions { SizeLimit = MostKept });

        public IMessageBus Bus => bus;

        public void Dispose() => kept.Dispose();

        /// <summary>The answer and the leads, in the order of the contacts. While versions are tried, a seller keeps the one that it meets, so that its leads compare.</summary>
        public async Task<(Answer Answer, IReadOnlyList<Lead> Leads)> AskAsync(IReadOnlyList<LeadContact> contacts, CancellationToken ct)
        {
            var known = await ReadAsync(contacts, ct);
            using var rows = Rows(known);
            var answer = await predictor.AskAsync(
                new Question(ModelNames.LeadScorer, rows.RootElement.Clone(), Guid.CreateVersion7().ToString("N"), null, [.. contacts.Select(contact => $"{contact.PersonId}|{contact.ItemId}")], StickyTo: contacts[0].SellerId), ct);
            return (answer, answer.Predictions is { } said ? [.. contacts.Select((contact, i) => LeadOf(contact, said[i].Value, known[i]))] : []);
        }

        /// <summary>What is known of each contact a quarter of an hour after it: from then on it stays the same, and is kept for a while.</summary>
        private async Task<object?[][]> ReadAsync(IReadOnlyList<LeadContact> contacts, CancellationToken ct)
        {
            var known = new object?[contacts.Count][];
            var open = Enumerable.Range(0, contacts.Count).Where(i => !kept.TryGetValue(contacts[i], out known[i]!)).ToArray();
            if (open.Length == 0)
            {
                return known;
            }

            SpineRow[] rows = [.. open.Select(i => contacts[i]).Select(contact => LeadScorer.RowOf(contact.PersonId, contact.ItemId, contact.SessionId, contact.Channel, contact.At))];
            var (read, now) = (await bus.InvokeAsync<IReadOnlyList<object?[]>>(new ReadFeatures(rows, LeadScorer.Features), ct), clock.GetUtcNow());
            for (var n = 0; n < open.Length; n++)
            {
                known[open[n]] = read[n];
                if (rows[n].At < now)
                {
                    kept.Set(contacts[open[n]], read[n], new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = options.Value.Serving.CacheFor });
                }
            }

            return known;
        }

        private Lead LeadOf(LeadContact contact, double propensity, object?[] features)
        {
            var band = LeadScorer.BandOf(propensity, options.Value.Leads);
            var wantsDrive = features[Array.IndexOf(LeadScorer.Features, "lead.own_test_drives_30d")] is > 0.0;
            return new Lead(
                $"{contact.PersonId}|{contact.ItemId}", contact.ItemId, live.TryGetCard(contact.ItemId, out var card) ? card.Name : null, contact.Channel, contact.At, Math.Round(propensity, 4),
                band, Texts.Spanish[$"lead.band.{band}"], Texts.Spanish[wantsDrive ? "lead.next.test_drive" : band == "hot" && contact.Channel == "call" ? "lead.next.hot.call" : $"lead.next.{band}"]);
        }

        /// <summary>Rows that name every feature, so that none is looked up as it is now.</summary>
        private static JsonDocument Rows(IReadOnlyList<object?[]> known)
        {
            var buffer = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(buffer))
            {
                json.WriteStartArray();
                foreach (var values in known)
                {
                    json.WriteStartObject();
                    for (var f = 0; f < values.Length; f++)
                    {
                        switch (values[f])
                        {
                            case double number:
                                json.WriteNumber(LeadScorer.Features[f], number);
                                break;
                            case string text:
                                json.WriteString(LeadScorer.Features[f], text);
                                break;
                            default:
                                json.WriteNull(LeadScorer.Features[f]);
                                break;
                        }
                    }

                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            return JsonDocument.Parse(buffer.WrittenMemory);
        }
    }
}

/// <summary>Reasons of a lead's score in Dominican Spanish: what the features of a topic add together.</summary>
internal static class LeadReasons
{
    /// <summary>Log-odds below which a topic is not worth a line.</summary>
    private const double Least = 0.03;

    private const int Most = 6;

    /// <summary>The topics that weigh most.</summary>
    public static IReadOnlyList<ScoreLeads.Reason> Of(IReadOnlyList<string> names, Explanation why) =>
    [
        .. names.Select((name, i) => (Topic: TopicOf(name), Adds: why.Contributions[i])).GroupBy(part => part.Topic).Select(topic => (topic.Key, Adds: topic.Sum(part => part.Adds)))
            .Where(topic => Math.Abs(topic.Adds) >= Least).OrderByDescending(topic => Math.Abs(topic.Adds)).Take(Most)
            .Select(topic => new ScoreLeads.Reason(topic.Key, Math.Round(topic.Adds, 4), Texts.Spanish[$"lead.{topic.Key}.{(topic.Adds > 0 ? "up" : "down")}"])),
    ];

    /// <summary>What a feature is about.</summary>
    internal static string TopicOf(string feature) => feature["lead.".Length..] switch
    {
        var name when name.StartsWith("dealer_", StringComparison.Ordinal) => "seller",
        var name when name.Contains("test_drive", StringComparison.Ordinal) => "test_drive",
        var name when name.Contains("purchase", StringComparison.Ordinal) => "purchases",
        var name when name.StartsWith("user_offers", StringComparison.Ordinal) || name == "item_offers_30d" => "offers",
        "own_contacts_30d" => "interest",
        var name when name.StartsWith("user_", StringComparison.Ordinal) && name.Contains("contact", StringComparison.Ordinal) => "contacts",
        var name when name.StartsWith("own_", StringComparison.Ordinal) => "interest",
        "make_match" or "body_match" or "model_match" or "year_gap" or "user_body_entropy_90d" or "user_make_entropy_90d" => "taste",
        "price_gap" or "price_gap_spreads" or "within_searched_price" or "user_price_spread_90d" => "budget",
        "distance_km" => "distance",
        var name when name.StartsWith("session_", StringComparison.Ordinal) || name == "device" => "visit",
        "item_price_against_market" => "price",
        var name when name.StartsWith("item_", StringComparison.Ordinal) => "demand",
        "channel" => "channel",
        _ => "habits",
    };
}
