using Microsoft.Extensions.Options;
using OKLA.ML.Models.Frames;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// Whether a contact will end in a deal.
/// Entity: a lead, a person's contact about an item. Label: the item was sold to the person within <see cref="HorizonDays"/> days.
/// Features: all numbers and short texts of a lead (of its person, item, seller, visit, and how they fit) as known at the contact.
/// Trainer: boosted trees or an ensemble, calibrated. Gate: the platform's. Answer: propensity, and hot, warm or cold.
/// </summary>
internal sealed class LeadScorer(FrameSource source, IOptions<MLOptions> options, TimeProvider clock) : FrameModel(source, options.Value, clock)
{
    /// <summary>Days within which a contact must come to a deal.</summary>
    public const double HorizonDays = 21;

    public override string Name => ModelNames.LeadScorer;

    public override string Summary => "Whether a contact will end in a deal.";

    public override string Entity => "lead";

    protected override TableDefinition Learning { get; } = new()
    {
        Task = "binary", Positive = Outcome.Yes, EmbargoDays = HorizonDays, Gates = new GateSettings { FoldSpread = 1 },
    };

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
        foreach (var contact in await Source.EventsAsync([EventTypes.Contacted], ct))
        {
            var body = contact.Read<BehaviourEvent>();
            var key = (Person: owner(body.PersonId), Item: body.ItemId!);
            if (contact.OccurredAt > Source.Now.AddDays(-HorizonDays) || !seen.Add((key.Person, key.Item, contact.OccurredAt.Date)) || (deals.TryGetValue(key, out var at) && at <= contact.OccurredAt))
            {
                continue;
            }

            var channel = body.Properties is { } said && said.TryGetProperty("channel", out var way) ? way.GetString() : null;
            var request = channel is null ? null : new Dictionary<string, string> { ["channel"] = channel };
            moments.Add(new Moment(
                new SpineRow(contact.OccurredAt, null, body.PersonId, body.ItemId, body.SessionId, Request: request),
                Outcome.Of(deals.TryGetValue(key, out var sold) && sold <= contact.OccurredAt.AddDays(HorizonDays)), channel));
        }

        return moments;
    }

    protected override bool KnowsTruth => true;

    protected override async Task<double[]> TruthAsync(IReadOnlyList<Moment> moments, CancellationToken ct) =>
        (await Source.Bus.InvokeAsync<TrueProbabilities>(
            new GetTrueDealProbabilities([.. moments.Select(moment => (moment.Row.UserId!, moment.Row.ItemId!, moment.Channel ?? "", moment.Row.At))]), ct)).Values;
}
