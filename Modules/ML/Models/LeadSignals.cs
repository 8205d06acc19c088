using OKLA.ML.Algorithms.Tabular;
using OKLA.Shared.Privacy;
using static OKLA.ML.Models.NumberText;

namespace OKLA.ML.Models;

/// <summary>A contact as its signals see it.</summary>
/// <param name="At">When.</param>
/// <param name="Device">The browser's identity; null when a server told the event.</param>
/// <param name="User">The signed-in user; null for an anonymous visitor.</param>
/// <param name="Item">The item.</param>
/// <param name="Seller">Its seller.</param>
/// <param name="Message">What was written; null when nothing was.</param>
internal sealed record ContactAttempt(DateTimeOffset At, string? Device, string? User, string Item, string Seller, string? Message = null);

/// <summary>
/// What stands out about a contact when it comes: haste, how many sellers at once, a device that many users share, a message that others sent word by word,
/// interest before it. Views and contacts are told one after the other in the order of time; each contact is judged by those before it alone.
/// </summary>
internal sealed class LeadSignals
{
    /// <summary>Names of the signals, in the order of <see cref="Judge"/>.</summary>
    public static readonly string[] Names =
        ["contacts_hour", "contacts_day", "sellers_hour", "sellers_day", "minutes_since_last", "users_of_device", "users_of_device_day", "devices_of_user", "looked_before", "looks", "hours_known", "message_copies", "contact_in_message", "hour"];

    private readonly Dictionary<string, History> byDevice = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> devicesOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> messages = new(StringComparer.Ordinal);

    /// <summary>Notes that somebody looked at an item.</summary>
    public void Look(string person, string item, DateTimeOffset at)
    {
        var history = Of(person, at);
        history.Looked.Add(item);
    }

    /// <summary>The signals of a contact as texts; afterwards it is one of those that others are judged by.</summary>
    public string?[] Judge(ContactAttempt contact)
    {
        var person = contact.Device ?? contact.User ?? "";
        var history = Of(person, contact.At);
        if (contact.User is { } user)
        {
            history.Users.Add((user, contact.At));
            (devicesOf.TryGetValue(user, out var devices) ? devices : devicesOf[user] = new HashSet<string>(StringComparer.Ordinal)).Add(person);
        }

        var (hour, day) = (history.Contacts.Where(one => one.At > contact.At.AddHours(-1)).ToArray(), history.Contacts.Where(one => one.At > contact.At.AddDays(-1)).ToArray());
        var text = contact.Message is { Length: > 20 } message ? string.Join(' ', PriceFeatures.WordsOf(message)) : null;
        var copies = text is null ? 0 : messages.GetValueOrDefault(text);
        if (text is not null)
        {
            messages[text] = copies + 1;
        }

        string?[] told =
        [
            Text(hour.Length), Text(day.Length), Text(hour.Select(one => one.Seller).Append(contact.Seller).Distinct().Count()), Text(day.Select(one => one.Seller).Append(contact.Seller).Distinct().Count()),
            history.Contacts.Count == 0 ? null : Text((contact.At - history.Contacts[^1].At).TotalMinutes), Text(history.Users.Select(one => one.User).Distinct().Count()),
            Text(history.Users.Where(one => one.At > contact.At.AddDays(-1)).Select(one => one.User).Distinct().Count()), Text(contact.User is null ? 0 : devicesOf[contact.User].Count), history.Looked.Contains(contact.Item) ? "1" : "0",
            Text(history.Looked.Count), Text((contact.At - history.First).TotalHours), Text(copies), contact.Message is { } said && PersonalData.Find(said).Count > 0 ? "1" : "0", Text(contact.At.ToOffset(TimeSpan.FromHours(-4)).Hour),
        ];
        history.Contacts.Add((contact.At, contact.Seller));
        return told;
    }

    /// <summary>Signals of many as columns.</summary>
    public static RawColumn[] Columns(IReadOnlyList<string?[]> judged) => RawRows.Columns(Names, judged);

    private History Of(string person, DateTimeOffset at) => byDevice.TryGetValue(person, out var known) ? known : byDevice[person] = new History(at);

    private sealed record History(DateTimeOffset First)
    {
        public HashSet<string> Looked { get; } = new(StringComparer.Ordinal);

        public List<(DateTimeOffset At, string Seller)> Contacts { get; } = [];

        public List<(string User, DateTimeOffset At)> Users { get; } = [];
    }
}
