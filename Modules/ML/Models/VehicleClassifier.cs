using System.Globalization;
using Microsoft.Extensions.Options;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models.Frames;
using OKLA.ML.Training;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;
using static OKLA.ML.Models.NumberText;

namespace OKLA.ML.Models;

/// <summary>
/// What a listing does not state of its vehicle, by what its seller wrote.
/// Entity: a listing. Label: what sellers of other listings state. Features: title, description, model year and, where the label does not follow from it, the price in
/// dollars and the mileage; neither make nor model, which sellers leave out as often as the body. Trainer: the platform's. Gate: the platform's.
/// </summary>
internal abstract class ListingClassifier(FrameSource source, MLOptions options, ExchangeRates rates, TimeProvider clock) : LogModel(options, clock)
{
    // One column says nearly all there is to say: the text.
    protected override TableDefinition Learning { get; } = new() { Task = "multiclass", Gates = new GateSettings { SingleColumn = 1 } };

    public override IReadOnlyList<ModelTarget> Targets { get; } = [new("accuracy", 0.95)];

    /// <summary>The labels of listings, in their order, null where one states none.</summary>
    protected abstract IReadOnlyList<string?> Labels(IReadOnlyList<ItemSnapshot> listings);

    /// <summary>Whether the price is told.</summary>
    protected virtual bool TellsPrice => true;

    /// <summary>Whether the mileage is told.</summary>
    protected virtual bool TellsMileage => false;

    /// <summary>Price in dollars at the rate of the day it was stated; null when there is none.</summary>
    protected double? Usd(ItemSnapshot snapshot) => snapshot.Item.Price is { } price ? (double?)rates.ToUsd(price, snapshot.PricedAt) : null;

    public override async Task<LogTable> ReadAsync(CancellationToken ct)
    {
        var items = await source.Bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(source.Now), ct);
        ItemSnapshot[] all = [.. items.OrderBy(snapshot => snapshot.ListedAt).ThenBy(snapshot => snapshot.Item.Id, StringComparer.Ordinal)];
        var labels = Labels(all);
        (ItemSnapshot Snapshot, string Label)[] stated = [.. all.Zip(labels).Where(pair => pair.Second is { Length: > 0 }).Select(pair => (pair.First, pair.Second!))];
        RawColumn Column(string name, Func<ItemSnapshot, string?> of) => new(name, [.. stated.Select(one => of(one.Snapshot))]);
        var columns = new List<RawColumn>
        {
            Column("title", snapshot => snapshot.Item.Title), Column("description", snapshot => snapshot.Item.Description), Column("year", snapshot => Text(snapshot.Item.Number("year"))),
        };
        if (TellsPrice)
        {
            columns.Add(Column("price_usd", snapshot => Text(Usd(snapshot))));
        }

        if (TellsMileage)
        {
            columns.Add(Column("mileage_km", snapshot => Text(snapshot.Item.Number("mileageKm"))));
        }

        return new LogTable(new TableData(
            [
                .. columns, new RawColumn(FrameSource.Label, [.. stated.Select(one => one.Label)]), Column(FrameSource.At, snapshot => snapshot.ListedAt.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)),
                Column(FrameSource.Key, snapshot => snapshot.Item.Id),
            ],
            $"log:{Name}", 0, "", source.Now));
    }
}

/// <summary>What kind of vehicle a listing offers: its body type, where the seller states it.</summary>
internal sealed class VehicleClassifier(FrameSource source, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock) : ListingClassifier(source, options.Value, rates, clock)
{
    public override string Name => ModelNames.VehicleClassifier;

    public override string Summary => "What kind of vehicle a listing offers, by what its seller wrote.";

    protected override IReadOnlyList<string?> Labels(IReadOnlyList<ItemSnapshot> listings) => [.. listings.Select(snapshot => snapshot.Item.Text("bodyType")?.ToLowerInvariant())];
}

/// <summary>Whether a listing offers a new or a used vehicle: its condition, where the seller states it.</summary>
internal sealed class ConditionClassifier(FrameSource source, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock) : ListingClassifier(source, options.Value, rates, clock)
{
    public override string Name => ModelNames.VehicleCondition;

    public override string Summary => "Whether a listing offers a new or a used vehicle, by what its seller wrote.";

    // Two classes as a rule; a third one ("siniestrado") where listings have it.
    protected override TableDefinition Learning { get; } = new() { Gates = new GateSettings { SingleColumn = 1 } };

    protected override bool TellsMileage => true;

    protected override IReadOnlyList<string?> Labels(IReadOnlyList<ItemSnapshot> listings) => [.. listings.Select(snapshot => PriceFeatures.Plain(snapshot.Item.Text("condition")))];
}

/// <summary>Which part of the market a listing belongs to: the lower, middle or upper third of the prices of its body type. The price itself is not told.</summary>
internal sealed class SegmentClassifier(FrameSource source, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock) : ListingClassifier(source, options.Value, rates, clock)
{
    private static readonly string[] Thirds = ["economico", "medio", "alto"];

    public override string Name => ModelNames.VehicleSegment;

    public override string Summary => "Which third of its market a listing without a price belongs to, by what its seller wrote.";

    protected override bool TellsPrice => false;

    protected override bool TellsMileage => true;

    protected override IReadOnlyList<string?> Labels(IReadOnlyList<ItemSnapshot> listings)
    {
        var prices = listings.Select(Usd).ToArray();
        var bodies = listings.Select(snapshot => PriceFeatures.Plain(snapshot.Item.Text("bodyType")) ?? "").ToArray();
        var sorted = Enumerable.Range(0, prices.Length).Where(i => prices[i] > 0).GroupBy(i => bodies[i], StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Select(i => prices[i]!.Value).Order().ToArray(), StringComparer.Ordinal);
        return [.. Enumerable.Range(0, prices.Length).Select(i =>
        {
            if (prices[i] is not > 0 || sorted[bodies[i]] is not { Length: >= 30 } of)
            {
                return null;
            }

            var place = Array.BinarySearch(of, prices[i]!.Value);
            return Thirds[Math.Min(2, 3 * (place < 0 ? ~place : place) / of.Length)];
        })];
    }
}
