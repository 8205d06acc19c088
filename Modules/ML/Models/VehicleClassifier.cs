using System.Globalization;
using Microsoft.Extensions.Options;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models.Frames;
using OKLA.ML.Training;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// What kind of vehicle a listing offers, by what its seller wrote.
/// Entity: a listing. Label: its body type, where the seller states it. Features: title, description, model year, price in dollars; neither make nor
/// model, which sellers leave out as often as the body. Trainer: the platform's. Gate: the platform's.
/// </summary>
internal sealed class VehicleClassifier(FrameSource source, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock) : LogModel(options.Value, clock)
{
    public override string Name => ModelNames.VehicleClassifier;

    public override string Summary => "What kind of vehicle a listing offers, by what its seller wrote.";

    // One column says nearly all there is to say: the text.
    protected override TableDefinition Learning { get; } = new() { Task = "multiclass", Gates = new GateSettings { SingleColumn = 1 } };

    public override async Task<LogTable> ReadAsync(CancellationToken ct)
    {
        var items = await source.Bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(source.Now), ct);
        var stated = items.Where(snapshot => snapshot.Item.Text("bodyType") is { Length: > 0 }).OrderBy(snapshot => snapshot.ListedAt).ThenBy(snapshot => snapshot.Item.Id, StringComparer.Ordinal).ToArray();
        RawColumn Column(string name, Func<ItemSnapshot, string?> of) => new(name, [.. stated.Select(of)]);
        return new LogTable(new TableData(
            [
                Column("title", snapshot => snapshot.Item.Title), Column("description", snapshot => snapshot.Item.Description), Column("year", snapshot => Text(snapshot.Item.Number("year"))),
                Column("price_usd", snapshot => Text(snapshot.Item.Price is { } price ? (double?)rates.ToUsd(price, snapshot.PricedAt) : null)),
                Column(FrameSource.Label, snapshot => snapshot.Item.Text("bodyType")!.ToLowerInvariant()), Column(FrameSource.At, snapshot => snapshot.ListedAt.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)),
                Column(FrameSource.Key, snapshot => snapshot.Item.Id),
            ],
            $"log:{Name}", 0, "", source.Now));

        static string? Text(double? value) => value?.ToString("R", CultureInfo.InvariantCulture);
    }
}
