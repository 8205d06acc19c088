using OKLA.ML.Models;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using static OKLA.ML.Serving.Shown;

namespace OKLA.ML.Serving;

/// <summary>Shapes that more than one answer shows.</summary>
internal static class Shown
{
    /// <summary>What a page shows of an item.</summary>
    /// <param name="Title">Title.</param>
    /// <param name="Make">Make.</param>
    /// <param name="Model">Model.</param>
    /// <param name="Year">Model year.</param>
    /// <param name="BodyType">Body type.</param>
    /// <param name="Fuel">Fuel.</param>
    /// <param name="Price">Price as stated.</param>
    /// <param name="PriceUsd">The same in dollars, at the rate of the day it was stated.</param>
    /// <param name="PriceDop">The same in pesos.</param>
    /// <param name="Place">Province or city.</param>
    /// <param name="SellerId">Seller.</param>
    /// <param name="Image">Address of the first picture.</param>
    public sealed record ItemView(
        string Title, string? Make, string? Model, int? Year, string? BodyType, string? Fuel, Money? Price, decimal? PriceUsd, decimal? PriceDop, string? Place, string? SellerId, string? Image);

    /// <summary>A verdict on a price: code <c>good</c>, <c>fair</c> or <c>high</c>, and its words.</summary>
    public sealed record Verdict(string Code, string Label);
}

/// <summary>An estimate and the version that made it.</summary>
internal sealed record PricedBy(int Version, string Source, PricePredictor.Estimate Estimate);

/// <summary>An item in the memory of a host.</summary>
internal sealed class Card(ItemSnapshot snapshot, ExchangeRates rates)
{
    private PricedBy? price;

    public ItemSnapshot Snapshot { get; } = snapshot;

    public ItemView View { get; } = new(
        snapshot.Item.Title, snapshot.Item.Text("make"), snapshot.Item.Text("model"), (int?)snapshot.Item.Number("year"), snapshot.Item.Text("bodyType"), snapshot.Item.Text("fuel"),
        snapshot.Item.Price, Round(rates.ToUsd(snapshot.Item.Price, snapshot.PricedAt)), Round(rates.ToDop(snapshot.Item.Price, snapshot.PricedAt)),
        snapshot.Item.Place, snapshot.Item.SellerId, snapshot.Item.Images.Count > 0 ? snapshot.Item.Images[0] : null);

    public PriceTraining.Ad Ad { get; } = PriceTraining.Ad.Of(snapshot, rates);

    /// <summary>Make and base model: what it is compared with.</summary>
    public string Kin => Ad.Features.Levels()[1];

    public bool Live => Snapshot.Status == "live";

    /// <summary>Whether it is of a kind.</summary>
    public bool Is(ItemKind kind) => Snapshot.Item.Kind == kind.Name;

    /// <summary>Title with the model year, unless the title says it.</summary>
    public string Name => View.Year is { } year && !View.Title.Contains(year.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)
        ? $"{View.Title} {year}" : View.Title;

    /// <summary>The last estimate of its price; set by the refresh, read by requests.</summary>
    public PricedBy? Price
    {
        get => Volatile.Read(ref price);
        set => Volatile.Write(ref price, value);
    }

    /// <summary>How the stated price compares; null without a price or an estimate with an interval.</summary>
    public Verdict? VerdictBy(PricedBy? by)
    {
        if (by is null || Ad.Usd is not { } usd || double.IsNaN(by.Estimate.Low))
        {
            return null;
        }

        var code = PricePredictor.Verdict(usd, by.Estimate);
        return new Verdict(code, Texts.Spanish[$"verdict.{code}"]);
    }

    private static decimal? Round(decimal? amount) => amount is { } value ? Math.Round(value, 2) : null;
}
