using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Serving;

/// <summary>
/// GET /api/vehicles/{id}/days-to-sale: how long the vehicle will still take to sell at its price, and at others; POST the same for a price that is thought of.
/// The serving version, else the one before it.
/// </summary>
internal static class EstimateDaysToSale
{
    private const double LongAgoDays = 3_650;

    /// <summary>Prices of the curve, as shares of the price asked about.</summary>
    private static readonly double[] Shares = [0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15];

    /// <summary>A price that is thought of.</summary>
    /// <param name="Price">The price.</param>
    public sealed record Request([Required] WantedPrice Price);

    /// <summary>An amount of money.</summary>
    /// <param name="Amount">Amount, above 0.</param>
    /// <param name="Currency">DOP or USD.</param>
    public sealed record WantedPrice([Range(1.0, 1e10)] decimal Amount, [Required, AllowedValues("DOP", "USD")] string Currency);

    /// <summary>How long it takes.</summary>
    /// <param name="ItemId">The vehicle.</param>
    /// <param name="DaysOnline">Days that it has been on offer; what follows takes them into account.</param>
    /// <param name="AtPrice">At the price asked about.</param>
    /// <param name="Prices">At other prices, the lowest first; null when no price is known.</param>
    /// <param name="Text">The same in words.</param>
    /// <param name="ModelVersion">Version that answered.</param>
    public sealed record Response(string ItemId, double DaysOnline, Outlook AtPrice, IReadOnlyList<Outlook>? Prices, string Text, int ModelVersion);

    /// <summary>Days from now until the sale.</summary>
    /// <param name="PriceUsd">The price; null when none is stated.</param>
    /// <param name="PriceDop">The same in pesos.</param>
    /// <param name="Days">The median: as likely sooner as later.</param>
    /// <param name="Low">One in ten sells sooner.</param>
    /// <param name="High">One in ten takes longer.</param>
    /// <param name="Sold30">Probability of a sale within 30 days.</param>
    /// <param name="Sold60">Within 60 days.</param>
    /// <param name="Sold90">Within 90 days.</param>
    public sealed record Outlook(decimal? PriceUsd, decimal? PriceDop, double Days, double Low, double High, double Sold30, double Sold60, double Sold90);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/vehicles/{id}/days-to-sale", GetAsync).WithName("EstimateDaysToSale").WithSummary("Estimate how long a vehicle will take to sell, at its price and at others");
        routes.MapPost("/api/vehicles/{id}/days-to-sale", AskAsync).WithName("EstimateDaysToSaleAtPrice").WithSummary("Estimate how long a vehicle would take to sell at a price that is thought of");
    }

    internal static Task<Results<Ok<Response>, ProblemHttpResult>> GetAsync(
        [MaxLength(200)] string id, LiveModels live, ServedModels served, IMessageBus bus, PredictionLog log, ExchangeRates rates, TimeProvider clock, CancellationToken ct) =>
        AnswerAsync(id, null, live, served, bus, log, rates, clock, ct);

    internal static Task<Results<Ok<Response>, ProblemHttpResult>> AskAsync(
        [MaxLength(200)] string id, Request request, LiveModels live, ServedModels served, IMessageBus bus, PredictionLog log, ExchangeRates rates, TimeProvider clock, CancellationToken ct) =>
        AnswerAsync(id, new Money(request.Price.Amount, request.Price.Currency), live, served, bus, log, rates, clock, ct);

    private static async Task<Results<Ok<Response>, ProblemHttpResult>> AnswerAsync(
        string id, Money? price, LiveModels live, ServedModels served, IMessageBus bus, PredictionLog log, ExchangeRates rates, TimeProvider clock, CancellationToken ct)
    {
        if (!live.TryGetCard(id, out var card) || !card.Is(Models.Recommenders.ItemKind.Vehicle))
        {
            var found = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItems([id]), ct);
            if (found.Count == 0 || found[0].Item.Kind != Models.Recommenders.ItemKind.Vehicle.Name)
            {
                return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no vehicle {id}.");
            }

            card = new Card(found[0], rates);
        }

        if (!card.Live)
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: $"The vehicle {id} is no longer on offer.");
        }

        if (await served.BestAsync(ModelNames.DaysToSalePredictor) is not { Answers: DaysToSalePredictor.Served { Model: var model } } by)
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Service Unavailable", detail: "No version of the model of days to sale serves yet.");
        }

        var (now, rate) = (clock.GetUtcNow(), rates.DopPerUsd(card.Snapshot.PricedAt));
        var online = Math.Clamp((now - card.Snapshot.ListedAt).TotalDays, 0, LongAgoDays);
        var usd = (double?)rates.ToUsd(price, now) ?? card.Ad.Usd ?? double.NaN;
        var features = card.Ad.Features with { At = now };
        var at = OutlookOf(model, features, usd, online, rate);
        log.Write(new PredictionServed(ModelNames.DaysToSalePredictor, by.Version, "model", id, [id], [at.Days, at.Low, at.High]));
        return TypedResults.Ok(new Response(
            id, Math.Round(online, 1), at, double.IsNaN(usd) ? null : [.. Shares.Select(share => OutlookOf(model, features, usd * share, online, rate))],
            Words(model, features, usd, online, at), by.Version));
    }

    private static Outlook OutlookOf(DaysToSale model, PriceFeatures features, double usd, double online, decimal rate)
    {
        var ad = new DaysToSale.Ad(features, usd);
        var days = model.Remaining(ad, online, 0.1, 0.5, 0.9);
        double Within(double ahead) => Math.Round(model.SoldWithin(ad, online, ahead), 4);
        decimal? money = double.IsNaN(usd) ? null : Math.Round((decimal)usd, 2);
        return new Outlook(money, money is { } known ? Math.Round(known * rate, 2) : null, Math.Round(days[1], 1), Math.Round(days[0], 1), Math.Round(days[2], 1), Within(30), Within(60), Within(90));
    }

    /// <summary>The outlook in words, with what a price five percent lower would save where it would save a day.</summary>
    private static string Words(DaysToSale model, PriceFeatures features, double usd, double online, Outlook at)
    {
        var text = Texts.Spanish["days.outlook", Math.Max(1, Math.Round(at.Days)), Math.Max(1, Math.Round(at.Low)), Math.Max(1, Math.Round(at.High)), at.Sold30];
        if (double.IsNaN(usd))
        {
            return text;
        }

        var saved = at.Days - model.Remaining(new DaysToSale.Ad(features, usd * 0.95), online, 0.5)[0];
        return saved >= 1 ? $"{text} {Texts.Spanish["days.cheaper", Math.Round(saved)]}" : text;
    }
}
