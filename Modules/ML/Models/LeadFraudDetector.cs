using System.Globalization;
using Microsoft.Extensions.Options;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models.Frames;
using OKLA.ML.Training;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// Whether a contact comes from somebody who contacts sellers in bulk.
/// Entity: a contact. Label: nobody marks contacts yet, so attacks are laid among the log's own contacts, two kinds in the time learned from (bursts of a new
/// device, a device shared by several users) and a third one, slower, in the time measured alone; the log's contacts count as honest. Features:
/// <see cref="LeadSignals"/> as they were when it came. Trainer: the platform's. Gate: the platform's. The figures tell how such attacks are found, not how many there are.
/// </summary>
internal sealed class LeadFraudDetector(FrameSource source, IOptions<MLOptions> options, TimeProvider clock) : LogModel(options.Value, clock)
{
    // Enough of them to measure by; how many there are among real contacts nobody knows.
    private const double AttackedShare = 0.06;
    private const int LeastContacts = 300, MostContacts = 40_000, Seed = 42;
    private readonly double holdOut = options.Value.HoldOutShare;

    public override string Name => ModelNames.LeadFraudDetector;

    public override string Summary => "Whether a contact comes from somebody who contacts sellers in bulk.";

    public override IReadOnlyList<ModelTarget> Targets { get; } = [new(TableMeasures.PrecisionName, FraudDetector.LeastPrecision)];

    protected override TableDefinition Learning { get; } = new() { Task = "binary", Positive = Outcome.Yes, Precision = FraudDetector.LeastPrecision, Gates = new GateSettings { FoldSpread = 1, SingleColumn = 1 } };

    public override async Task<LogTable> ReadAsync(CancellationToken ct)
    {
        var items = await source.Bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(source.Now), ct);
        var sellers = items.Where(snapshot => snapshot.Item.SellerId is not null).ToDictionary(snapshot => snapshot.Item.Id, snapshot => snapshot.Item.SellerId!, StringComparer.Ordinal);
        var words = new Words();
        List<(ContactAttempt Contact, bool IsLook, bool IsAttack)> told = [.. await source.EventsAsync<(ContactAttempt Contact, bool IsLook, bool IsAttack)>([EventTypes.ItemViewed, EventTypes.Contacted], one =>
        {
            var (body, isLook) = (one.Read<BehaviourEvent>(), one.Type == EventTypes.ItemViewed);
            var item = words.Of(body.ItemId ?? "");
            // What stands in a look is not read.
            var message = !isLook && body.Properties is { ValueKind: System.Text.Json.JsonValueKind.Object } said && said.TryGetProperty("message", out var text) ? text.ToString() : null;
            return (new ContactAttempt(one.OccurredAt, words.OfAny(body.AnonymousId), words.OfAny(body.UserId), item, sellers.GetValueOrDefault(item, ""), message), isLook, false);
        }, ct)];

        DateTimeOffset[] contacts = [.. told.Where(one => !one.IsLook).Select(one => one.Contact.At)];
        if (contacts.Length < LeastContacts || sellers.Count < 20)
        {
            throw new TooLittleDataException($"The log holds {contacts.Length} contacts and {sellers.Count} items with a seller; {LeastContacts} and 20 are needed to tell haste from habit.");
        }

        told.AddRange(Attacks(contacts, [.. sellers]).Select(attack => (attack.Contact, attack.IsLook, true)));
        told.Sort((a, b) => a.Contact.At.CompareTo(b.Contact.At) is not 0 and var order ? order : a.IsAttack.CompareTo(b.IsAttack));
        var signals = new LeadSignals();
        List<(ContactAttempt Contact, bool IsAttack, string?[] Signals)> judged = [];
        foreach (var (contact, isLook, isAttack) in told)
        {
            if (isLook)
            {
                signals.Look(contact.Device ?? contact.User ?? "", contact.Item, contact.At);
            }
            else
            {
                judged.Add((contact, isAttack, signals.Judge(contact)));
            }
        }

        var kept = judged.TakeLast(MostContacts).ToArray();
        return new LogTable(new TableData(
            [
                .. LeadSignals.Columns([.. kept.Select(one => one.Signals)]), new RawColumn(FrameSource.Label, [.. kept.Select(one => Outcome.Of(one.IsAttack))]),
                new RawColumn(FrameSource.At, [.. kept.Select(one => one.Contact.At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture))]),
                new RawColumn(FrameSource.Key, [.. kept.Select(one => one.Contact.Device ?? one.Contact.User)]),
            ],
            $"log:{Name}", 0, "", source.Now));
    }

    private List<(ContactAttempt Contact, bool IsLook)> Attacks(DateTimeOffset[] contacts, KeyValuePair<string, string>[] items)
    {
        var random = new Random(Seed);
        var measured = contacts[(int)((1 - holdOut) * (contacts.Length - 1))];
        var attacks = new List<(ContactAttempt Contact, bool IsLook)>();
        var wanted = Math.Max(60, (int)(AttackedShare * Math.Min(contacts.Length, MostContacts)));
        for (var hand = 0; attacks.Count(attack => !attack.IsLook) < wanted; hand++)
        {
            // Spread over the contacts of the last ones that are kept, so that both sides of the split have their share.
            var from = Math.Max(0, contacts.Length - MostContacts);
            var start = contacts[from + random.Next(contacts.Length - from)];
            var (device, late) = ($"attack-{hand}", start >= measured);
            void Contact(DateTimeOffset at, string? user)
            {
                var (item, seller) = items[random.Next(items.Length)];
                // Those in bulk look as well, most of them and at most of what they ask about.
                if (random.NextDouble() < 0.8)
                {
                    attacks.Add((new ContactAttempt(at.AddMinutes(-2 * random.NextDouble()), device, user, item, seller), true));
                }

                attacks.Add((new ContactAttempt(at, device, user, item, seller), false));
            }

            for (var n = random.Next(6); n > 0; n--)
            {
                attacks.Add((new ContactAttempt(start.AddDays(-3 * random.NextDouble()), device, null, items[random.Next(items.Length)].Key, ""), true));
            }

            if (late)
            {
                // Slower than any that was learned from: a contact every quarter to three quarters of an hour.
                var at = start;
                for (var n = 5 + random.Next(5); n > 0; n--)
                {
                    Contact(at, null);
                    at = at.AddMinutes(15 + 30 * random.NextDouble());
                }
            }
            else if (hand % 2 == 0)
            {
                for (var n = 6 + random.Next(10); n > 0; n--)
                {
                    Contact(start.AddMinutes(20 * random.NextDouble()), null);
                }
            }
            else
            {
                for (var n = 5 + random.Next(6); n > 0; n--)
                {
                    Contact(start.AddHours(8 * random.NextDouble()), $"{device}-user-{n % 4}");
                }
            }
        }

        return attacks.FindAll(attack => attack.Contact.At <= source.Now);
    }
}
