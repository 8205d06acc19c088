using Microsoft.Extensions.Options;
using OKLA.ML.Datasets;
using OKLA.ML.Models.Frames;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Models;

/// <summary>
/// Whether an active buyer or seller will stay away.
/// Entity: a person who came within <see cref="ActiveDays"/> days before a Monday, or a seller with a change of a listing by then.
/// Label: no sign of them within <see cref="HorizonDays"/> days after. Features: all of the user or the dealer as known that Monday.
/// Trainer: boosted trees or an ensemble, calibrated. Gate: the platform's.
/// </summary>
internal abstract class ChurnPredictor(FrameSource source, IOptions<MLOptions> options, TimeProvider clock) : FrameModel(source, options.Value, clock)
{
    /// <summary>Days without a sign that count as staying away.</summary>
    public const int HorizonDays = 21;

    /// <summary>Days before, within which somebody must have come to be asked about.</summary>
    public const double ActiveDays = 14;

    /// <summary>Persons' Mondays that are learned from, of all weeks alike: more cost minutes and say nothing new.</summary>
    private const int MostMoments = 60_000;

    public override IReadOnlyList<ModelTarget> Targets { get; } = [new("AUC", 0.85)];

    protected override TableDefinition Learning { get; } = new()
    {
        Task = "binary", Positive = Outcome.Yes, EmbargoDays = HorizonDays, Gates = new GateSettings { FoldSpread = 1 },
    };

    /// <summary>Types of events that are signs of life.</summary>
    protected abstract IReadOnlyCollection<string> Signs { get; }

    /// <summary>Whose sign an event is; null when nobody's.</summary>
    protected abstract string? OwnerOf(RecordedEvent sign, Func<string, string> owner);

    /// <summary>The row of somebody at a time.</summary>
    protected abstract SpineRow RowOf(string id, DateTimeOffset at);

    protected override async Task<IReadOnlyList<Moment>> MomentsAsync(CancellationToken ct)
    {
        var owner = await Source.OwnersAsync(ct);
        var signs = new Dictionary<string, List<DateTimeOffset>>(StringComparer.Ordinal);
        var words = new Words();
        foreach (var (id, at) in await Source.EventsAsync<(string Id, DateTimeOffset At)>(Signs, sign => OwnerOf(sign, owner) is { } id ? (words.Of(id), sign.OccurredAt) : null, ct))
        {
            (signs.TryGetValue(id, out var times) ? times : signs[id] = []).Add(at);
        }

        if (signs.Count == 0)
        {
            return [];
        }

        var moments = new Reservoir<Moment>(MostMoments);
        var people = signs.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToArray();
        for (var monday = FirstMonday(signs.Values.Min(times => times[0])); monday <= Source.Now.AddDays(-HorizonDays); monday = monday.AddDays(7))
        {
            foreach (var (id, times) in people)
            {
                // Times are in order: the first one after the Monday parts what was before from what comes.
                var after = times.BinarySearch(monday) is var place && place >= 0 ? place + 1 : ~place;
                if (after > 0 && times[after - 1] > monday.AddDays(-ActiveDays))
                {
                    moments.Add(new Moment(RowOf(id, monday), Outcome.Of(after == times.Count || times[after] > monday.AddDays(HorizonDays))) { LastSign = times[after - 1] });
                }
            }
        }

        return [.. moments.Kept.OrderBy(moment => moment.Row.At).ThenBy(moment => moment.Row.UserId ?? moment.Row.DealerId, StringComparer.Ordinal)];
    }

    // A Monday at four in the morning, UTC: midnight in Santo Domingo.
    private static DateTimeOffset FirstMonday(DateTimeOffset first)
    {
        var day = new DateTimeOffset(first.UtcDateTime.Date, TimeSpan.Zero).AddDays(ActiveDays).AddHours(4);
        return day.AddDays(((int)DayOfWeek.Monday - (int)day.DayOfWeek + 7) % 7);
    }
}

/// <summary>Whether an active buyer will stay away.</summary>
internal sealed class BuyerChurn(FrameSource source, IOptions<MLOptions> options, TimeProvider clock) : ChurnPredictor(source, options, clock)
{
    public override string Name => ModelNames.BuyerChurn;

    public override string Summary => "Whether an active buyer will stay away for three weeks.";

    public override string Entity => "user";

    protected override IReadOnlyCollection<string> Signs { get; } = [EventTypes.ItemViewed, EventTypes.Searched, EventTypes.PageViewed, EventTypes.FavoriteAdded, EventTypes.Contacted];

    protected override bool KnowsTruth => true;

    protected internal override string TruthIs => "ceiling: what the simulator knew that Monday of how often each of them comes and who has bought; not when they stop, nor purchases that are agreed";

    protected override async Task<double[]> TruthAsync(IReadOnlyList<Moment> moments, CancellationToken ct) =>
        (await Source.Bus.InvokeAsync<TrueProbabilities>(new GetTrueAbsences([.. moments.Select(moment => (moment.Row.UserId!, moment.LastSign!.Value, moment.Row.At))], HorizonDays), ct)).Values;

    protected override string? OwnerOf(RecordedEvent sign, Func<string, string> owner) => owner(sign.Read<BehaviourEvent>().PersonId);

    protected override SpineRow RowOf(string id, DateTimeOffset at) => new(at, null, UserId: id);
}

/// <summary>Whether a seller will stop listing.</summary>
internal sealed class DealerChurn(FrameSource source, IOptions<MLOptions> options, TimeProvider clock) : ChurnPredictor(source, options, clock)
{
    public override string Name => ModelNames.DealerChurn;

    public override string Summary => "Whether a seller will change no listing for three weeks.";

    public override string Entity => "dealer";

    protected override IReadOnlyCollection<string> Signs { get; } = [EventTypes.ItemListed, EventTypes.ItemUpdated];

    protected override string? OwnerOf(RecordedEvent sign, Func<string, string> owner) => sign.Read<ItemListed>().Item.SellerId;

    protected override SpineRow RowOf(string id, DateTimeOffset at) => new(at, null, DealerId: id);
}
