using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Rollout;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;
using static OKLA.ML.Serving.Shown;

namespace OKLA.ML.Serving.Recommendations;

/// <summary>GET /api/recommendations/items/{id}/similar: vehicles that somebody who looks at this one would look at instead, of about its price.</summary>
internal static class FindSimilar
{
    /// <summary>Similar vehicles.</summary>
    /// <param name="ItemId">To which.</param>
    /// <param name="Items">Most alike first; those within the price band before others.</param>
    /// <param name="ModelVersion">Version that answered; null for the rule.</param>
    /// <param name="Source">model, previous, rollout:{arm} or rule (same make and model, nearest price).</param>
    public sealed record Response(string ItemId, IReadOnlyList<Similar> Items, int? ModelVersion, string Source);

    /// <summary>A similar vehicle.</summary>
    /// <param name="ItemId">Its id.</param>
    /// <param name="Score">How alike; comparable within one answer only.</param>
    /// <param name="SamePrice">Whether its price lies within the band, or either has none.</param>
    /// <param name="Item">What to show.</param>
    public sealed record Similar(string ItemId, double Score, bool SamePrice, ItemView Item);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/recommendations/items/{id}/similar", Handle).WithName("FindSimilarVehicles").WithSummary("Vehicles like this one, of about its price");

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> Handle(
        [MaxLength(200)] string id, CurrentUser caller, LiveModels live, TriedVersions tried, OperatorRules rules, IMessageBus bus, PredictionLog log, IOptions<MLOptions> options, ILogger<LiveModels> logger,
        CancellationToken ct, [Range(1, 50)] int limit = 10, [MaxLength(200)] string? person = null)
    {
        if (!live.TryGetCard(id, out var card) || !card.Is(ItemKind.Vehicle))
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no vehicle {id}.");
        }

        var response = Answer(card, limit, await Asker.WhomAsync(caller, person, bus, logger, ct), live, tried, rules, options.Value, logger);
        log.Write(new PredictionServed(ModelNames.SimilarVehicles, response.ModelVersion, response.Source, id, [.. response.Items.Select(item => item.ItemId)], [.. response.Items.Select(item => item.Score)]));
        return TypedResults.Ok(response);
    }

    private static Response Answer(Card card, int limit, string? person, LiveModels live, TriedVersions tried, OperatorRules rules, MLOptions options, ILogger logger)
    {
        var id = card.Snapshot.Item.Id;
        var blocks = rules.For(ItemKind.Vehicle.Name, "item").Where(rule => rule.Action == RuleAction.Block).ToArray();
        var turn = tried.TurnOf(ModelNames.SimilarVehicles, person ?? id, live.Now.Similar);
        foreach (var (served, source) in turn.Order)
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                if (served.Model.IndexOf(id) is not (>= 0 and var item))
                {
                    continue;
                }

                var found = Find(served, item);
                tried.Count(turn, served.Version, source, Stopwatch.GetElapsedTime(started), failed: false);
                if (person is not null)
                {
                    tried.Met(turn, person, source);
                }

                tried.AskInShadow(turn, [.. found.Select(other => served.Model.Ids[other.Index])], other => other.Model.IndexOf(id) is >= 0 and var own ? Find(other, own).Select(one => other.Model.Ids[one.Index]) : []);
                return new Response(
                    id, [.. found.Select(other => new Similar(served.Model.Ids[other.Index], other.Score, served.Model.Within(item, other.Index, options.Recommender.SimilarPriceBand), served.Cards[other.Index]!.View))],
                    served.Version, source);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                tried.Count(turn, served.Version, source, Stopwatch.GetElapsedTime(started), failed: true);
                Log.PredictionFailed(logger, ModelNames.SimilarVehicles, served.Version, fault);
            }
        }

        if (turn.Popularity)
        {
            tried.Count(turn, 0, turn.Source, TimeSpan.Zero, failed: false);
            if (person is not null)
            {
                tried.Met(turn, person, turn.Source);
            }
        }

        return new Response(id, Rule(card, limit, live, blocks, options), null, turn.Popularity ? turn.Source : "rule");

        Scored[] Find(LiveModels.ServedSimilar by, int item) =>
        [
            .. by.Model.Find(item, limit + (blocks.Length > 0 ? 50 : 0), by.Live, options.Recommender.SimilarPriceBand).Where(other => !blocks.Any(block => block.Meets(by.Cards[other.Index]!))).Take(limit),
        ];
    }

    /// <summary>The rule, before a model is trained: live vehicles of the same make and model, then of the same make and body, by distance of price.</summary>
    private static Similar[] Rule(Card card, int limit, LiveModels live, OperatorRule[] blocks, MLOptions options)
    {
        var price = card.View.PriceUsd;
        return [.. live.Live(ItemKind.Vehicle)
            .Where(other => other.Snapshot.Item.Id != card.Snapshot.Item.Id && other.View.Make == card.View.Make && (other.View.Model == card.View.Model || other.View.BodyType == card.View.BodyType)
                && !blocks.Any(block => block.Meets(other)))
            .Select(other => (Card: other, Apart: price > 0 && other.View.PriceUsd > 0 ? Math.Abs(Math.Log((double)(other.View.PriceUsd.Value / price.Value))) : 1.0, Same: other.View.Model == card.View.Model))
            .OrderByDescending(other => other.Same).ThenBy(other => other.Apart).ThenBy(other => other.Card.Snapshot.Item.Id, StringComparer.Ordinal).Take(limit)
            .Select(other => new Similar(other.Card.Snapshot.Item.Id, (other.Same ? 1 : 0) - other.Apart, other.Apart <= Math.Log(1 + options.Recommender.SimilarPriceBand), other.Card.View))];
    }
}
