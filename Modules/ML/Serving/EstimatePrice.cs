using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;
using static OKLA.ML.Serving.Shown;

namespace OKLA.ML.Serving;

/// <summary>
/// GET /api/vehicles/{id}/price-estimate: what the vehicle should ask, with an interval, and how its price compares. The arm of a rollout that the person
/// meets (the vehicle, where nobody is known: then all see one estimate of it), the serving version, else the one before it, else the median of its make,
/// model and year (without interval); the answer says which one spoke.
/// </summary>
internal static class EstimatePrice
{
    /// <summary>An amount in both currencies.</summary>
    public sealed record Amount(decimal Usd, decimal Dop);

    /// <summary>A price estimate.</summary>
    /// <param name="ItemId">The vehicle.</param>
    /// <param name="Estimate">What it should ask.</param>
    /// <param name="Low">Lower end of the interval; null when only a median is known.</param>
    /// <param name="High">Upper end of the interval; null when only a median is known.</param>
    /// <param name="Coverage">Share of vehicles whose price lies inside; null when there is no interval.</param>
    /// <param name="Verdict">How the stated price compares; null when that is not known.</param>
    /// <param name="Listed">The stated price; null when there is none.</param>
    /// <param name="ModelVersion">Version that answered; null for the median and for a mean of versions.</param>
    /// <param name="Source">model, previous, median or, while versions are tried, rollout:{arm}.</param>
    /// <param name="Market">Where the stated price stands among comparable vehicles on offer; null without a price or with fewer than five of them.</param>
    /// <param name="Reasons">What raises or lowers the estimate, the weightiest first; null unless asked for, and without a model.</param>
    public sealed record Response(
        string ItemId, Amount Estimate, Amount? Low, Amount? High, double? Coverage, Verdict? Verdict, Money? Listed, int? ModelVersion, string Source,
        PriceMarket.Position? Market = null, PriceMarket.Why? Reasons = null);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/vehicles/{id}/price-estimate", Handle).WithName("EstimatePrice")
        .WithSummary("Estimate what a vehicle should ask, where its price stands in its market, and why");

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> Handle(
        [MaxLength(200)] string id, [FromQuery] bool? explain, CurrentUser caller, LiveModels live, Predictor predictor, IMessageBus bus, PredictionLog log, IOptions<MLOptions> options, ExchangeRates rates,
        ILogger<LiveModels> logger, CancellationToken ct, [MaxLength(200)] string? person = null)
    {
        if (!live.TryGetCard(id, out var card) || !card.Is(Models.Recommenders.ItemKind.Vehicle))
        {
            // Listed less than a refresh ago, perhaps.
            var found = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItems([id]), ct);
            if (found.Count == 0 || found[0].Item.Kind != Models.Recommenders.ItemKind.Vehicle.Name)
            {
                return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no vehicle {id}.");
            }

            card = new Card(found[0], rates);
        }

        var answer = await AskAsync(card, await Asker.WhomAsync(caller, person, bus, logger, ct), predictor, ct);
        if ((Answered(answer) ?? Estimate(card, live.Now, logger)) is not { } by)
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Service Unavailable", detail: "No vehicle has a price yet.");
        }

        var e = by.Estimate;
        log.Write(new PredictionServed(ModelNames.PricePredictor, by.Version == 0 ? null : by.Version, by.Source, id, [id], [e.Usd, Known(e.Low) ?? e.Usd, Known(e.High) ?? e.Usd]));
        var rate = rates.DopPerUsd(card.Snapshot.PricedAt);
        return TypedResults.Ok(new Response(
            id, In(e.Usd, rate)!, In(e.Low, rate), In(e.High, rate), double.IsNaN(e.Low) ? null : options.Value.Price.Coverage,
            card.VerdictBy(by), card.Snapshot.Item.Price, by.Version == 0 ? null : by.Version, by.Source,
            PriceMarket.PositionOf(card, live), explain == true ? PriceMarket.Explain(card, by, ModelOf(by, answer, live.Now), live, rates, logger) : null));
    }

    /// <summary>Asks as anybody asks for rows, so that rollouts are met and every answer is counted and written down.</summary>
    private static async Task<Answer> AskAsync(Card card, string? person, Predictor predictor, CancellationToken ct)
    {
        var id = card.Snapshot.Item.Id;
        var row = PriceModel.Asked.Inputs.Zip(PriceModel.RowOf(card.Snapshot)).ToDictionary(pair => pair.First.Name, pair => pair.Second);
        return await predictor.AskAsync(
            new Question(ModelNames.PricePredictor, JsonSerializer.SerializeToElement(new[] { row }), Guid.CreateVersion7().ToString("N"), person, [id], id), ct);
    }

    private static PricedBy? Answered(Answer answer) => answer is { Status: AskStatus.Answered, Predictions: [var said] }
        ? new PricedBy(answer.Version ?? 0, answer.Source, new PricePredictor.Estimate(said.Value, said.Low ?? double.NaN, said.High ?? double.NaN)) : null;

    private static PricePredictor? ModelOf(PricedBy by, Answer answer, LiveModels.Shelf shelf) =>
        by.Version == 0 ? null : (answer.By?.Answers as PriceModel.Served)?.Model ?? shelf.Prices.FirstOrDefault(served => served.Version == by.Version)?.Model;

    /// <summary>What this host's memory says, for ads that do not say enough to be a row.</summary>
    internal static PricedBy? Estimate(Card card, LiveModels.Shelf shelf, ILogger logger)
    {
        if (shelf.Prices.Count > 0 && card.Price is { } known && known.Version == shelf.Prices[0].Version)
        {
            return known;
        }

        for (var i = 0; i < shelf.Prices.Count; i++)
        {
            try
            {
                return new PricedBy(shelf.Prices[i].Version, shelf.Prices[i].Source, shelf.Prices[i].Model.Predict([card.Ad.Features])[0]);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                Log.PredictionFailed(logger, ModelNames.PricePredictor, shelf.Prices[i].Version, fault);
            }
        }

        return shelf.Medians is { } medians ? new PricedBy(0, "median", new PricePredictor.Estimate(medians.Predict(card.Ad), double.NaN, double.NaN)) : null;
    }

    internal static double? Known(double value) => double.IsNaN(value) ? null : value;

    internal static Amount? In(double usd, decimal rate) =>
        double.IsNaN(usd) ? null : new Amount(Math.Round((decimal)usd, 2), Math.Round((decimal)usd * rate, 2));
}

/// <summary>Answers <see cref="GetPriceEstimate"/>.</summary>
internal sealed class GetPriceEstimateHandler(LiveModels live, ExchangeRates rates, ILogger<LiveModels> logger)
{
    public async Task<PriceEstimate?> Handle(GetPriceEstimate query, CancellationToken ct)
    {
        await live.FillAsync(ct);
        if (!live.TryGetCard(query.ItemId, out var card) || !card.Is(Models.Recommenders.ItemKind.Vehicle) || EstimatePrice.Estimate(card, live.Now, logger) is not { } by)
        {
            return null;
        }

        var model = live.Now.Prices.FirstOrDefault(served => served.Version == by.Version)?.Model;
        var why = PriceMarket.Explain(card, by, model, live, rates, logger);
        return new PriceEstimate(
            by.Estimate.Usd, EstimatePrice.Known(by.Estimate.Low), EstimatePrice.Known(by.Estimate.High), card.VerdictBy(by)?.Label, PriceMarket.PositionOf(card, live)?.Text,
            why is null ? [] : [.. why.Parts.Select(part => part.Text).OfType<string>()], by.Version == 0 ? null : by.Version);
    }
}
