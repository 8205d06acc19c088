using Microsoft.Extensions.Options;
using OKLA.ML.Models.Frames;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// Whether a contact will end in a deal.
/// Entity: a lead, a person's contact about an item. Label: the item was sold to the person within <see cref="HorizonDays"/> days.
/// Features: of its person, item, seller, visit, and how they fit, as known <see cref="ReadAfterMinutes"/> minutes after the contact.
/// Trainer: boosted trees or an ensemble, calibrated. Gate: the platform's. Answer: propensity, and hot, warm or cold.
/// </summary>
internal sealed class LeadScorer(FrameSource source, IOptions<MLOptions> options, TimeProvider clock) : FrameModel(source, options.Value, clock)
{
    /// <summary>Days within which a contact must come to a deal.</summary>
    public const double HorizonDays = 21;

    /// <summary>Minutes after the contact at which a lead is read: the visit that made it is about over, and what was done right after counts, such as asking for a test drive.</summary>
    public const double ReadAfterMinutes = 15;

    private readonly LeadKnobs knobs = options.Value.Leads;

    public override string Name => ModelNames.LeadScorer;

    public override string Summary => "Whether a contact will end in a deal.";

    public override IReadOnlyList<ModelTarget> Targets { get; } = [new("F1", 0.92)];

    public override string Entity => "lead";

    protected override TableDefinition Learning { get; } = new()
    {
        Task = "binary", Positive = Outcome.Yes, EmbargoDays = HorizonDays, Columns = Features, Profile = "fast", Gates = new GateSettings { FoldSpread = 1 },
    };

    /// <summary>
    /// What is learned from of a lead: of its two hundred features those that could bear on a deal; of all of them a few thousand leads teach mostly noise (AUC .640 against .655 on
    /// simulated ones).
    /// </summary>
    public static readonly string[] Features =
    [
        .. new[]
        {
            // The seller: how well it serves.
            "dealer_rating", "dealer_mean_rating", "dealer_ratings_total", "dealer_deal_rate", "dealer_deals_total", "dealer_deals_90d", "dealer_contacts_total", "dealer_live_items",
            "dealer_sell_through", "dealer_mean_reply_minutes_30d", "dealer_reply_rate_30d",

            // The person: how much in a hurry, and whether it is settled with somebody else by now.
            "user_contacts_1d", "user_contacts_7d", "user_contacts_30d", "user_contacts_total", "user_days_since_previous_contact", "user_purchases_total", "user_days_since_last_purchase",
            "user_test_drive_rate", "user_test_drives_30d", "user_test_drives_total", "user_offers_30d", "user_offers_total", "user_visits_a_day_30d", "user_visits_7d", "user_visits_30d", "user_active_days_7d",
            "user_tenure_days", "user_favorite_rate", "user_contact_rate", "user_mean_dwell_seconds_30d", "user_price_spread_90d", "user_body_entropy_90d", "user_make_entropy_90d",
            "user_chat_messages_7d",

            // The two together: how much the person wants it.
            "own_seconds_1d", "own_views_30d", "own_favorite", "own_contacts_30d", "own_test_drives_30d", "make_match", "body_match", "model_match", "price_gap", "price_gap_spreads",
            "within_searched_price", "year_gap", "distance_km", "session_mean_dwell_seconds", "session_mean_scroll_depth", "session_views_total", "session_minutes",

            // The item and its market, and the way.
            "item_age_days", "item_mean_dwell_seconds", "item_mean_scroll_depth", "item_contact_rate", "item_favorite_rate", "item_views_total", "item_contacts_7d", "item_contacts_total", "item_offers_30d",
            "item_price_against_market", "item_market_days_to_sale", "channel", "device",
        }.Select(name => $"lead.{name}"),
    ];

    protected override async Task<IReadOnlyList<Moment>> MomentsAsync(CancellationToken ct)
    {
        var owner = await Source.OwnersAsync(ct);
        var deals = new Dictionary<(string Person, string Item), DateTimeOffset>();
        foreach (var deal in await Source.EventsAsync([EventTypes.Sold], ct))
        {
            var body = deal.Read<BehaviourEvent>();
            deals.TryAdd((owner(body.PersonId), body.ItemId!), deal.OccurredAt);
        }

        // The first contact of a day counts: a second one an hour later is the same lead.
        var moments = new List<Moment>();
        var seen = new HashSet<(string, string, DateTime)>();
        var (words, until) = (new Words(), Source.Now.AddDays(-HorizonDays));
        var contacts = await Source.EventsAsync<(DateTimeOffset At, string Person, string Item, string? Session, string? Channel)>([EventTypes.Contacted], contact =>
        {
            if (contact.OccurredAt > until)
            {
                return null;
            }

            var body = contact.Read<BehaviourEvent>();
            var channel = body.Properties is { } said && said.TryGetProperty("channel", out var way) ? way.GetString() : null;
            return (contact.OccurredAt, words.Of(body.PersonId), words.Of(body.ItemId!), words.OfAny(body.SessionId), words.OfAny(channel));
        }, ct);
        foreach (var (at, person, item, session, channel) in contacts)
        {
            var key = (owner(person), item);
            if (seen.Add((key.Item1, item, at.Date)) && !(deals.TryGetValue(key, out var sold) && sold <= at))
            {
                moments.Add(new Moment(RowOf(person, item, session, channel, at), Outcome.Of(deals.ContainsKey(key) && sold <= at.AddDays(HorizonDays)), channel));
            }
        }

        return moments;
    }

    /// <summary>The row of a contact.</summary>
    public static SpineRow RowOf(string personId, string itemId, string? sessionId, string? channel, DateTimeOffset at) => new(
        at.AddMinutes(ReadAfterMinutes), null, personId, itemId, sessionId, Request: channel is null ? null : new Dictionary<string, string> { ["channel"] = channel });

    /// <summary>hot, warm or cold.</summary>
    public static string BandOf(double propensity, LeadKnobs knobs) => propensity >= knobs.Hot ? "hot" : propensity >= knobs.Warm ? "warm" : "cold";

    /// <summary>Deals a lead in each band beside those of all.</summary>
    protected internal override IEnumerable<MetricRow> More(IReadOnlyList<double> answers, IReadOnlyList<bool> outcomes)
    {
        var all = outcomes.Average(came => came ? 1.0 : 0);
        foreach (var band in new[] { "hot", "warm", "cold" })
        {
            var rows = Enumerable.Range(0, answers.Count).Where(row => BandOf(answers[row], knobs) == band).ToArray();
            if (rows.Length > 0)
            {
                yield return new MetricRow($"deals a {band} lead ({rows.Length} leads)", rows.Average(row => outcomes[row] ? 1.0 : 0), all, "deals a lead");
            }
        }
    }

    protected override bool KnowsTruth => true;

    protected internal override string TruthIs => "ceiling: what the simulator knew at the contact, with the day on which the ad goes and deals that no event tells yet; not who would come later and be faster";

    protected override async Task<double[]> TruthAsync(IReadOnlyList<Moment> moments, CancellationToken ct) =>
        (await Source.Bus.InvokeAsync<TrueProbabilities>(
            new GetTrueDealProbabilities([.. moments.Select(moment => (moment.Row.UserId!, moment.Row.ItemId!, moment.Channel ?? "", moment.Row.At.AddMinutes(-ReadAfterMinutes)))]), ct)).Values;
}
