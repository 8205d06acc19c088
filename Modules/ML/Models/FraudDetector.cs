using System.Globalization;
using Microsoft.Extensions.Options;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models.Frames;
using OKLA.ML.Training;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// Whether a new listing is a swindle.
/// Entity: a listing. Label: moderators took it off with reason <see cref="ItemEnded.Fraud"/> within <see cref="HorizonDays"/> days.
/// Features: <see cref="ListingSignals"/> as they were when it came. Trainer: the platform's. Gate: the platform's.
/// </summary>
internal sealed class FraudDetector(FrameSource source, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock) : LogModel(options.Value, clock)
{
    /// <summary>Days within which moderators find one.</summary>
    public const double HorizonDays = 14;

    /// <summary>Share of the listings called swindles that must be: an honest seller who is taken for a swindler is lost.</summary>
    public const double LeastPrecision = 0.92;

    public override string Name => ModelNames.FraudDetector;

    public override string Summary => "Whether a new listing is a swindle.";

    public override IReadOnlyList<ModelTarget> Targets { get; } = [new(TableMeasures.PrecisionName, LeastPrecision)];

    // What swindlers write gives them away: that the text alone says nearly all is no leak.
    protected override TableDefinition Learning { get; } = new() { Task = "binary", Positive = Outcome.Yes, EmbargoDays = HorizonDays, Precision = LeastPrecision, Gates = new GateSettings { FoldSpread = 1, SingleColumn = 1 } };

    protected internal override string TruthIs => "ceiling: whoever knew every swindle, of which moderators find so many";

    public override async Task<LogTable> ReadAsync(CancellationToken ct)
    {
        var found = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        List<(string Id, DateTimeOffset At, string?[] Signals)> listed = [];
        var signals = new ListingSignals(rates);
        foreach (var one in await source.EventsAsync([EventTypes.ItemListed, EventTypes.ItemWithdrawn], ct))
        {
            if (one.Type == EventTypes.ItemListed && one.Read<ItemListed>().Item is { Kind: "vehicle" } item)
            {
                listed.Add((item.Id, one.OccurredAt, signals.Judge(item, one.OccurredAt)));
            }
            else if (one.Type == EventTypes.ItemWithdrawn && one.Read<ItemEnded>() is { Reason: ItemEnded.Fraud } ended)
            {
                found.TryAdd(ended.ItemId, one.OccurredAt);
            }
        }

        var old = listed.Where(one => one.At <= source.Now.AddDays(-HorizonDays)).ToArray();
        return new LogTable(new TableData(
            [
                .. ListingSignals.Columns([.. old.Select(one => one.Signals)]),
                new RawColumn(FrameSource.Label, [.. old.Select(one => Outcome.Of(found.TryGetValue(one.Id, out var at) && at <= one.At.AddDays(HorizonDays)))]),
                new RawColumn(FrameSource.At, [.. old.Select(one => one.At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture))]), new RawColumn(FrameSource.Key, [.. old.Select(one => one.Id)]),
            ],
            $"log:{Name}", 0, "", source.Now),
            async (rows, stop) => (await source.Bus.InvokeAsync<TrueProbabilities>(new GetTrueSwindleProbabilities([.. rows.Select(row => old[row].Id)]), stop)).Values);
    }
}
