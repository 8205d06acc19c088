using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving;

/// <summary>
/// GET /api/vehicles/{id}/days-to-sale: how long the vehicle will still take to sell at its price, and at others; POST the same for a price that is thought of.
/// The arm of a rollout that the person meets (the vehicle, where nobody is known), the serving version, else the one before it; the answer says which one spoke.
/// What is written down is the days from listing to sale, as the model learned them; what is told of it takes the days into account that are over.
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
    public sealed record WantedPrice([Range(1.0, 1e10)] decimal Amount, [Required, OneOf("DOP", "USD")] string Currency);

    /// <summary>How long it takes.</summary>
    /// <param name="ItemId">The vehicle.</param>
    /// <param name="DaysOnline">Days that it has been on offer; what follows takes them into account.</param>
    /// <param name="AtPrice">At the price asked about.</param>
    /// <param name="Prices">At other prices, the lowest first; null when no price is known.</param>
    /// <param name="Text">The same in words.</param>
    /// <param name="ModelVersion">Version that answered; null for a mean of versions.</param>
    /// <param name="Source">model, previous or, while versions are tried, rollout:{arm}.</param>
    public sealed record Response(string ItemId, double DaysOnline, Outlook AtPrice, IReadOnlyList<Outlook>? Prices, string Text, int? ModelVersion, string Source);

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

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> GetAsync(
        [MaxLength(200)] string id, CurrentUser caller, Desk desk, IMessageBus bus, ILogger<Desk> logger, CancellationToken ct, [MaxLength(200)] string? person = null) =>
        await desk.AnswerAsync(id, null, await Asker.WhomAsync(caller, person, bus, logger, ct), ct);

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> AskAsync(
        [MaxLength(200)] string id, Request request, CurrentUser caller, Desk desk, IMessageBus bus, ILogger<Desk> logger, CancellationToken ct, [MaxLength(200)] string? person = null) =>
        await desk.AnswerAsync(id, new Money(request.Price.Amount, request.Price.Currency), await Asker.WhomAsync(caller, person, bus, logger, ct), ct);

    /// <summary>Answers both.</summary>
    internal sealed class Desk(LiveModels live, ServedModels served, Predictor predictor, IMessageBus bus, PredictionLog log, ExchangeRates rates, TimeProvider clock)
    {
        /// <summary>The outlook of a vehicle at its price or at another.</summary>
        /// <param name="id">The vehicle.</param>
        /// <param name="price">A price that is thought of; null for its own.</param>
        /// <param name="person">Whom it is for.</param>
        /// <param name="ct">Stops it.</param>
        public async Task<Results<Ok<Response>, ProblemHttpResult>> AnswerAsync(string id, Money? price, string? person, CancellationToken ct)
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

            var now = clock.GetUtcNow();
            var usd = (double?)rates.ToUsd(price, now) ?? card.Ad.Usd ?? double.NaN;
            var features = card.Ad.Features with { At = now };
            if (await AskAsync(id, new DaysToSale.Ad(features, usd), person, ct) is not { } by)
            {
                return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Service Unavailable", detail: "No version of the model of days to sale serves yet.");
            }

            var (online, rate) = (Math.Clamp((now - card.Snapshot.ListedAt).TotalDays, 0, LongAgoDays), rates.DopPerUsd(card.Snapshot.PricedAt));
            var at = OutlookOf(by.Models, features, usd, online, rate);
            log.Write(new PredictionServed(ModelNames.DaysToSalePredictor, by.Version, by.Source, id, [id], [at.Days, at.Low, at.High]));
            return TypedResults.Ok(new Response(
                id, Math.Round(online, 1), at, double.IsNaN(usd) ? null : [.. Shares.Select(share => OutlookOf(by.Models, features, usd * share, online, rate))],
                Words(by.Models, features, usd, online, at), by.Version, by.Source));
        }

        /// <summary>Asks as anybody asks for rows, so that rollouts are met and every answer is counted and written down; an ad that does not say enough to be a row is left to what serves.</summary>
        private async Task<Told?> AskAsync(string id, DaysToSale.Ad ad, string? person, CancellationToken ct)
        {
            var row = DaysToSalePredictor.Asked.Inputs.Zip(DaysToSalePredictor.RowOf(ad)).ToDictionary(pair => pair.First.Name, pair => pair.Second);
            var answer = await predictor.AskAsync(
                new Question(ModelNames.DaysToSalePredictor, JsonSerializer.SerializeToElement(new[] { row }), Guid.CreateVersion7().ToString("N"), person, [id], id), ct);
            Member[] models = answer.Status != AskStatus.Answered ? []
                : [.. answer.Members.Select(member => member.By.Answers is DaysToSalePredictor.Served { Model: var model } ? new Member(model, member.Weight) : null).OfType<Member>()];
            return models.Length > 0 ? new Told(models, answer.Version, answer.Source)
                : await served.BestAsync(ModelNames.DaysToSalePredictor) is { Answers: DaysToSalePredictor.Served { Model: var best } } by ? new Told([new Member(best, 1)], by.Version, "model")
                : null;
        }
    }

    /// <summary>A model and its part in a weighted mean.</summary>
    private sealed record Member(DaysToSale Model, double Weight);

    /// <summary>Who answers.</summary>
    private sealed record Told(Member[] Models, int? Version, string Source);

    private static double Mean(Member[] models, Func<DaysToSale, double> of) => models is [var one] ? of(one.Model) : models.Sum(member => member.Weight * of(member.Model)) / models.Sum(member => member.Weight);

    private static Outlook OutlookOf(Member[] models, PriceFeatures features, double usd, double online, decimal rate)
    {
        var ad = new DaysToSale.Ad(features, usd);
        double[][] days = [.. models.Select(member => member.Model.Remaining(ad, online, 0.1, 0.5, 0.9))];
        double Days(int quantile) => Math.Round(days.Length == 1 ? days[0][quantile] : days.Select((own, m) => models[m].Weight * own[quantile]).Sum() / models.Sum(member => member.Weight), 1);
        double Within(double ahead) => Math.Round(Mean(models, model => model.SoldWithin(ad, online, ahead)), 4);
        decimal? money = double.IsNaN(usd) ? null : Math.Round((decimal)usd, 2);
        return new Outlook(money, money is { } known ? Math.Round(known * rate, 2) : null, Days(1), Days(0), Days(2), Within(30), Within(60), Within(90));
    }

    /// <summary>The outlook in words, with what a price five percent lower would save where it would save a day.</summary>
    private static string Words(Member[] models, PriceFeatures features, double usd, double online, Outlook at)
    {
        var text = Texts.Spanish["days.outlook", Math.Max(1, Math.Round(at.Days)), Math.Max(1, Math.Round(at.Low)), Math.Max(1, Math.Round(at.High)), at.Sold30];
        if (double.IsNaN(usd))
        {
            return text;
        }

        var saved = at.Days - Mean(models, model => model.Remaining(new DaysToSale.Ad(features, usd * 0.95), online, 0.5)[0]);
        return saved >= 1 ? $"{text} {Texts.Spanish["days.cheaper", Math.Round(saved)]}" : text;
    }
}
