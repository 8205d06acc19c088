using Microsoft.Extensions.Options;
using OKLA.ML.Datasets;
using OKLA.ML.Models.Frames;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// Whether somebody who looks at a vehicle will contact its seller.
/// Entity: a lead, a person's look at an item. Label: a contact about it by the same person within <see cref="HorizonDays"/> days after; three looks in a hundred have one, so what is
/// learned from is the contact or the mark as a favourite, which tell of the same want, and what that says is put right to contacts.
/// Features: <see cref="Features"/> of the lead as known at the look. Trainer: boosted trees or an ensemble, calibrated. Gate: the platform's.
/// </summary>
internal sealed class ConversionPredictor(FrameSource source, IOptions<MLOptions> options, TimeProvider clock) : FrameModel(source, options.Value, clock)
{
    /// <summary>Days within which a look must come to a contact.</summary>
    public const double HorizonDays = 7;

    /// <summary>Looks that are learned from, from all times alike: on a busy site the newest would all be of one day, and their outcomes not known yet.</summary>
    private const int MostLooks = 120_000;

    public override string Name => ModelNames.ConversionPredictor;

    public override string Summary => "Whether somebody who looks at a vehicle will contact its seller.";

    public override IReadOnlyList<ModelTarget> Targets { get; } = [new("AUC", 0.80)];

    public override string Entity => "lead";

    protected override TableDefinition Learning { get; } = new()
    {
        Task = "binary", Positive = Outcome.Yes, EmbargoDays = HorizonDays, Columns = Features, Surrogate = FrameSource.Surrogate, Profile = "fast", Gates = new GateSettings { FoldSpread = 1 },
    };

    /// <summary>
    /// What is learned from of a look: how the person and the item fit, how it looked at this one so far, and how both fare with others. Of all features of a lead a thousand contacts teach
    /// mostly noise (AUC .555 against .616 on simulated looks).
    /// </summary>
    public static readonly string[] Features =
    [
        .. new[]
        {
            "make_match", "body_match", "model_match", "price_gap", "price_gap_spreads", "within_searched_price", "year_gap", "same_make_as_visit", "tags_matching",
            "own_seconds_1d", "own_views_30d", "own_favorite",
            "user_contact_rate", "user_favorite_rate", "user_views_total", "user_mean_dwell_seconds_30d", "user_days_since_previous_contact",
            "item_mean_dwell_seconds", "item_mean_scroll_depth", "item_contact_rate", "item_favorite_rate", "item_views_total", "item_age_days", "item_price_against_market",
            "session_mean_dwell_seconds", "session_views_total",
        }.Select(name => $"lead.{name}"),
    ];

    protected override bool KnowsTruth => true;

    /// <summary>Of the look itself; that somebody comes back and asks then is not in it, so it is a little low.</summary>
    protected override async Task<double[]> TruthAsync(IReadOnlyList<Moment> moments, CancellationToken ct) =>
        (await Source.Bus.InvokeAsync<TrueProbabilities>(new GetTrueContactProbabilities([.. moments.Select(moment => (moment.Row.UserId!, moment.Row.ItemId!, moment.Row.At))]), ct)).Values;

    protected override async Task<IReadOnlyList<Moment>> MomentsAsync(CancellationToken ct)
    {
        var owner = await Source.OwnersAsync(ct);
        var (contacts, keeps) = (new Dictionary<(string, string), List<DateTimeOffset>>(), new Dictionary<(string, string), List<DateTimeOffset>>());
        var looks = new Reservoir<(SpineRow Row, (string Person, string Item) Key)>(MostLooks);
        var seen = new HashSet<(string, string, DateTime)>();
        var (words, until) = (new Words(), Source.Now.AddDays(-HorizonDays));
        var told = await Source.EventsAsync<(string Type, DateTimeOffset At, string Person, string Item, string? Session)>([EventTypes.ItemViewed, EventTypes.FavoriteAdded, EventTypes.Contacted], one =>
        {
            var isLook = one.Type == EventTypes.ItemViewed;
            if (isLook && one.OccurredAt > until)
            {
                return null;
            }

            var body = one.Read<BehaviourEvent>();
            return (one.Type, one.OccurredAt, words.Of(body.PersonId), words.Of(body.ItemId!), isLook ? words.OfAny(body.SessionId) : null);
        }, ct);
        foreach (var (type, at, person, item, session) in told)
        {
            var key = (owner(person), item);
            if (type != EventTypes.ItemViewed)
            {
                var of = type == EventTypes.Contacted ? contacts : keeps;
                (of.TryGetValue(key, out var times) ? times : of[key] = []).Add(at);
            }
            else if (seen.Add((key.Item1, item, at.Date)))
            {
                looks.Add((new SpineRow(at, null, person, item, session), key));
            }
        }

        return
        [
            .. looks.Kept.OrderBy(look => look.Row.At).ThenBy(look => look.Key.Person, StringComparer.Ordinal).ThenBy(look => look.Key.Item, StringComparer.Ordinal).Select(look =>
            {
                bool Follows(Dictionary<(string, string), List<DateTimeOffset>> of) => of.TryGetValue(look.Key, out var times) && times.Exists(at => at > look.Row.At && at <= look.Row.At.AddDays(HorizonDays));
                var contacted = Follows(contacts);
                return new Moment(look.Row, Outcome.Of(contacted), Surrogate: Outcome.Of(contacted || Follows(keeps)));
            }),
        ];
    }
}
