using System.Globalization;
using Microsoft.Extensions.Logging;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Serving;

/// <summary>Where a price stands in its market, and why a vehicle is worth what it is.</summary>
internal static class PriceMarket
{
    private const int LeastPeers = 5;
    private const int YearsApart = 2, MostYearsApart = 4;
    private const int MostReferences = 8;

    /// <summary>Effects below half a percent are not worth a line.</summary>
    private const double LeastEffect = 0.005;

    /// <summary>How far base and parts may miss the estimate, as a share of it.</summary>
    private const double Slack = 1e-4;

    /// <summary>
    /// Place among comparable vehicles on offer: same make and base model, no other body type, at most two model years apart, or four where there are fewer than five of those.
    /// </summary>
    /// <param name="Percentile">Share of them that ask less, equal prices counted half; 0 is the cheapest.</param>
    /// <param name="Comparables">How many there are.</param>
    /// <param name="MedianUsd">What the middle one asks.</param>
    /// <param name="Text">The same in words.</param>
    public sealed record Position(double Percentile, int Comparables, decimal MedianUsd, string Text);

    /// <summary>How the estimate comes about: the base and the parts add up to it.</summary>
    /// <param name="Base">What the vehicles that it is compared with are worth.</param>
    /// <param name="ComparedWith">comparables, or market where there are none.</param>
    /// <param name="Parts">What each trait adds, the weightiest first.</param>
    public sealed record Why(EstimatePrice.Amount Base, string ComparedWith, IReadOnlyList<Part> Parts);

    /// <summary>A trait's part.</summary>
    /// <param name="Input">model, year, bodyType, fuel, condition, transmission, mileageKm or title.</param>
    /// <param name="Value">What the ad says; null when it does not.</param>
    /// <param name="Adds">What it adds.</param>
    /// <param name="Effect">The same as a share of the price: 0.1 makes it a tenth dearer.</param>
    /// <param name="Text">The same in words; null when it hardly matters.</param>
    public sealed record Part(string Input, string? Value, EstimatePrice.Amount Adds, double Effect, string? Text);

    /// <summary>The place of a card's price; null without a price or enough others.</summary>
    public static Position? PositionOf(Card card, LiveModels live)
    {
        if (card.Ad.Usd is not > 0)
        {
            return null;
        }

        var peers = Comparables(card, live, MostYearsApart);
        if (peers.Count < LeastPeers)
        {
            return null;
        }

        var (usd, prices) = (card.Ad.Usd.Value, peers.Select(peer => peer.Ad.Usd!.Value).Order().ToArray());
        var below = prices.Count(price => price < usd) + (0.5 * prices.Count(price => price == usd));
        var share = below / prices.Length;
        var text = share <= 0.5 ? Texts.Spanish[share == 0 ? "price.cheapest" : "price.cheaper", 1 - share, prices.Length] : Texts.Spanish[share == 1 ? "price.dearest" : "price.dearer", share, prices.Length];
        return new Position(Math.Round(share, 4), prices.Length, Math.Round((decimal)((prices[(prices.Length - 1) / 2] + prices[prices.Length / 2]) / 2), 2), text);
    }

    /// <summary>Why the estimate is what it is, against comparable vehicles; null when no model made it, or when the parts do not make the whole.</summary>
    public static Why? Explain(Card card, PricedBy by, PricePredictor? model, LiveModels live, ExchangeRates rates, ILogger logger)
    {
        if (model is null)
        {
            return null;
        }

        var features = card.Ad.Features;
        PriceFeatures[] against = [.. Comparables(card, live, double.PositiveInfinity).Take(MostReferences).Select(peer => peer.Ad.Features)];
        var parts = model.Explain(features, against);
        var sum = Math.Exp(parts.Base) + parts.Adds.Sum(add => PriceReasons.Usd(parts, add));
        if (!(Math.Abs(sum - by.Estimate.Usd) <= Slack * by.Estimate.Usd))
        {
            Log.ExplanationDoesNotAddUp(logger, ModelNames.PricePredictor, by.Version, sum, by.Estimate.Usd);
            return null;
        }

        var rate = rates.DopPerUsd(card.Snapshot.PricedAt);
        return new Why(
            EstimatePrice.In(Math.Exp(parts.Base), rate)!, against.Length > 0 ? "comparables" : "market",
            [
                .. PriceReasons.Inputs.Select((input, i) => PartOf(card, input, ValueOf(card, input), PriceReasons.Usd(parts, parts.Adds[i]), Math.Exp(parts.Adds[i]) - 1, rate))
                    .Where(part => part.Effect != 0).OrderByDescending(part => Math.Abs(part.Effect)),
            ]);
    }

    /// <summary>A trait's part and, where it matters, its words.</summary>
    internal static Part PartOf(Card card, string input, string? value, double usd, double effect, decimal rate)
    {
        // Of a new vehicle nobody expects a mileage.
        var silent = Math.Abs(effect) < LeastEffect || (input == "mileageKm" && value is null && card.Ad.Features.Condition == "nuevo");
        var what = value is null ? Texts.Spanish[$"price.unsaid.{input}"] : Texts.Spanish[$"price.{input}", Texts.Spanish.Value(value)];
        return new Part(input, value, EstimatePrice.In(usd, rate)!, Math.Round(effect, 6), silent ? null : Texts.Spanish[effect > 0 ? "price.up" : "price.down", what, Math.Abs(effect)]);
    }

    /// <summary>Comparable vehicles, the nearest in years first: those at most two model years apart, those at most <paramref name="mostApart"/> where there are fewer than five of them.</summary>
    private static List<Card> Comparables(Card card, LiveModels live, double mostApart)
    {
        // A name may be that of several vehicles (Corolla, Corolla Cross): the body type tells them apart.
        var kin = live.PeersOf(card).Where(peer => peer.Ad.Features.Body == card.Ad.Features.Body || peer.Ad.Features.Body is null || card.Ad.Features.Body is null)
            .Select(peer => (Card: peer, Apart: Math.Abs(peer.Ad.Features.Year - card.Ad.Features.Year))).Select(peer => double.IsNaN(peer.Apart) ? (peer.Card, Apart: MostYearsApart) : peer)
            .OrderBy(peer => peer.Apart).ThenBy(peer => peer.Card.Snapshot.Item.Id, StringComparer.Ordinal).ToList();
        var close = kin.Count(peer => peer.Apart <= YearsApart);
        return [.. kin.Where(peer => peer.Apart <= (close >= LeastPeers ? YearsApart : mostApart)).Select(peer => peer.Card)];
    }

    private static string? ValueOf(Card card, string input)
    {
        var item = card.Snapshot.Item;
        return input switch
        {
            "model" => string.Join(' ', new[] { item.Text("make"), item.Text("model") }.Where(text => !string.IsNullOrWhiteSpace(text))) is { Length: > 0 } name ? name : null,
            "year" => item.Number("year")?.ToString("0", CultureInfo.InvariantCulture),
            "mileageKm" => item.Number("mileageKm")?.ToString("N0", CultureInfo.GetCultureInfo("es-DO")),
            "title" => item.Title,
            _ => item.Text(input),
        };
    }
}
