using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OKLA.ML.Models.Language;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving.Language;

/// <summary>
/// POST /api/search/intent: what somebody who types a query wants and which vehicle, as intent, slots and the filters of a listing. The arm of a rollout, else the serving version, else the
/// one before it, else known names and numbers alone; the answer says which one spoke. The query itself is kept nowhere.
/// </summary>
internal static class UnderstandSearch
{
    /// <summary>How far from a price that is only named ("como en 900 mil") a vehicle may be.</summary>
    private const decimal About = 0.15m;

    /// <summary>A query.</summary>
    /// <param name="Query">As it was typed.</param>
    public sealed record Request([Required, StringLength(SearchIntentModel.LongestQuery, MinimumLength = 1)] string Query);

    /// <summary>A slot.</summary>
    /// <param name="Name">make, model, year, year_min, year_max, price, price_min, price_max, body, place, use, fuel, transmission or condition.</param>
    /// <param name="Text">As it was typed.</param>
    /// <param name="Value">What it means: a name as listings have it, or a year; null when that is not known.</param>
    /// <param name="Amount">An amount of money in the currency that was meant.</param>
    public sealed record Slot(string Name, string Text, string? Value, Money? Amount);

    /// <summary>Filters of a listing; null where the query does not say.</summary>
    /// <param name="Make">Make.</param>
    /// <param name="Model">Model.</param>
    /// <param name="BodyType">Body type as listings have it.</param>
    /// <param name="Fuel">Fuel.</param>
    /// <param name="Transmission">Transmission.</param>
    /// <param name="Condition">Condition.</param>
    /// <param name="Place">Province.</param>
    /// <param name="MinYear">Oldest model year.</param>
    /// <param name="MaxYear">Newest model year.</param>
    /// <param name="MinPriceUsd">Lowest price, in dollars of today.</param>
    /// <param name="MaxPriceUsd">Highest price, in dollars of today.</param>
    public sealed record Filters(
        string? Make, string? Model, string? BodyType, string? Fuel, string? Transmission, string? Condition, string? Place, int? MinYear, int? MaxYear, decimal? MinPriceUsd, decimal? MaxPriceUsd);

    /// <summary>What was understood.</summary>
    /// <param name="Intent">search, compare, price, financing, sell, dealer, test_drive, after_sales or other.</param>
    /// <param name="Confidence">Probability of the intent; 0 when names and numbers alone spoke.</param>
    /// <param name="Slots">In the order of the query.</param>
    /// <param name="Filters">The same as a listing takes it.</param>
    /// <param name="Version">Version that answered; null for names and numbers alone.</param>
    /// <param name="Source">model, previous, rollout:{arm} or names.</param>
    public sealed record Response(string Intent, double Confidence, IReadOnlyList<Slot> Slots, Filters Filters, int? Version, string Source);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapPost("/api/search/intent", HandleAsync).WithName("UnderstandSearch").WithSummary("Understand a search");

    internal static async Task<Results<Ok<Response>, ValidationProblem>> HandleAsync(
        Request request, CurrentUser caller, TextPredictor predictor, PredictionLog log, ExchangeRates rates, IMessageBus bus, ILogger<TextPredictor> logger, TimeProvider clock, CancellationToken ct, [MaxLength(200)] string? person = null)
    {
        if (string.IsNullOrWhiteSpace(request.Query))
        {
            return Problems.Invalid("query", "The query holds no word.");
        }

        var asked = await predictor.AskAsync(
            ModelNames.SearchIntentClassifier, await Asker.WhomAsync(caller, person, bus, logger, ct), request.Query, (SearchIntentModel model) => model.Understand(request.Query),
            said => new Prediction(said.Confidence, Label: said.Intent), ct);
        var understood = asked.Answer ?? SearchIntentModel.ByNames(request.Query, StandingGazetteer.Value);
        var (version, source) = (asked.Version, asked.Source.Length > 0 ? asked.Source : "names");
        log.Write(new PredictionServed(ModelNames.SearchIntentClassifier, version, source, understood.Intent, [.. understood.Slots.Select(slot => slot.Name)], [understood.Confidence]));
        return TypedResults.Ok(new Response(
            understood.Intent, understood.Confidence, [.. understood.Slots.Select(slot => new Slot(slot.Name, slot.Text, slot.Value, slot.Amount))],
            FiltersOf(understood, StandingGazetteer.Value, rates, clock.GetUtcNow()), version, source));
    }

    private static Lazy<Gazetteer> StandingGazetteer { get; } = new(() => new Gazetteer(StandingNames.All));

    /// <summary>The filters that slots ask for. Where a name or number comes twice (as in a comparison) it narrows nothing.</summary>
    internal static Filters FiltersOf(UnderstoodQuery understood, Gazetteer gazetteer, ExchangeRates rates, DateTimeOffset at)
    {
        string? One(string slot) => understood.Slots.Where(one => one.Name == slot && one.Value is not null).Select(one => one.Value).Distinct().ToArray() is [var value] ? value : null;
        int? Year(string slot) => int.TryParse(One(slot), System.Globalization.CultureInfo.InvariantCulture, out var year) ? year : null;
        decimal? Usd(string slot) => understood.Slots.FirstOrDefault(one => one.Name == slot)?.Amount is { } amount ? rates.ToUsd(amount, at) : null;
        decimal? Rounded(decimal? usd) => usd is { } value ? Math.Round(value) : null;
        var (year, price, model) = (Year("year"), Usd("price"), One("model"));
        var (minYear, maxYear) = InOrder(Year("year_min") ?? year, Year("year_max") ?? year);
        var (minPrice, maxPrice) = InOrder(Usd("price_min") ?? price * (1 - About), Usd("price_max") ?? price * (1 + About));
        // "Carro" is any of three bodies: it narrows nothing.
        var body = One("body") is var said and not "carro" ? said : null;
        return new Filters(
            One("make") ?? (model is null ? null : gazetteer.Resolve("model", Models.PriceFeatures.Plain(model) ?? "")?.Parent), model, body, One("fuel"), One("transmission"), One("condition"), One("place"),
            minYear, maxYear, Rounded(minPrice), Rounded(maxPrice));
    }

    private static (T?, T?) InOrder<T>(T? low, T? high)
        where T : struct, IComparable<T> => low is { } a && high is { } b && a.CompareTo(b) > 0 ? (high, low) : (low, high);
}
