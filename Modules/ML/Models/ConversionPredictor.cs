using Microsoft.Extensions.Options;
using OKLA.ML.Datasets;
using OKLA.ML.Models.Frames;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// Whether somebody who looks at a vehicle will contact its seller.
/// Entity: a lead, a person's look at an item. Label: a contact about it by the same person within <see cref="HorizonDays"/> days after.
/// Features: those of a lead as known at the look. Trainer: boosted trees or an ensemble, calibrated. Gate: the platform's.
/// </summary>
internal sealed class ConversionPredictor(FrameSource source, IOptions<MLOptions> options, TimeProvider clock) : FrameModel(source, options.Value, clock)
{
    /// <summary>Days within which a look must come to a contact.</summary>
    public const double HorizonDays = 7;

    /// <summary>Looks that are learned from, from all times alike: on a busy site the newest would all be of one day, and their outcomes not known yet.</summary>
    private const int MostLooks = 40_000;

    public override string Name => ModelNames.ConversionPredictor;

    public override string Summary => "Whether somebody who looks at a vehicle will contact its seller.";

    public override string Entity => "lead";

    protected override TableDefinition Learning { get; } = new()
    {
        Task = "binary", Positive = Outcome.Yes, EmbargoDays = HorizonDays, Profile = "fast", Gates = new GateSettings { FoldSpread = 1 },
    };

    protected override bool KnowsTruth => true;

    /// <summary>Of the look itself; that somebody comes back and asks then is not in it, so it is a little low.</summary>
    protected override async Task<double[]> TruthAsync(IReadOnlyList<Moment> moments, CancellationToken ct) =>
        (await Source.Bus.InvokeAsync<TrueProbabilities>(new GetTrueContactProbabilities([.. moments.Select(moment => (moment.Row.UserId!, moment.Row.ItemId!, moment.Row.At))]), ct)).Values;

    protected override async Task<IReadOnlyList<Moment>> MomentsAsync(CancellationToken ct)
    {
        var owner = await Source.OwnersAsync(ct);
        var contacts = new Dictionary<(string, string), List<DateTimeOffset>>();
        var looks = new Reservoir<(SpineRow Row, (string Person, string Item) Key)>(MostLooks);
        var seen = new HashSet<(string, string, DateTime)>();
        var (words, until) = (new Words(), Source.Now.AddDays(-HorizonDays));
        var told = await Source.EventsAsync<(bool IsLook, DateTimeOffset At, string Person, string Item, string? Session)>([EventTypes.ItemViewed, EventTypes.Contacted], one =>
        {
            var isLook = one.Type == EventTypes.ItemViewed;
            if (isLook && one.OccurredAt > until)
            {
                return null;
            }

            var body = one.Read<BehaviourEvent>();
            return (isLook, one.OccurredAt, words.Of(body.PersonId), words.Of(body.ItemId!), isLook ? words.OfAny(body.SessionId) : null);
        }, ct);
        foreach (var (isLook, at, person, item, session) in told)
        {
            var key = (owner(person), item);
            if (!isLook)
            {
                (contacts.TryGetValue(key, out var times) ? times : contacts[key] = []).Add(at);
            }
            else if (seen.Add((key.Item1, item, at.Date)))
            {
                looks.Add((new SpineRow(at, null, person, item, session), key));
            }
        }

        return [.. looks.Kept.OrderBy(look => look.Row.At).ThenBy(look => look.Key.Person, StringComparer.Ordinal).ThenBy(look => look.Key.Item, StringComparer.Ordinal).Select(look => new Moment(
            look.Row, Outcome.Of(contacts.TryGetValue(look.Key, out var times) && times.Exists(at => at > look.Row.At && at <= look.Row.At.AddDays(HorizonDays)))))];
    }
}
