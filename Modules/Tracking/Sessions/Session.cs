using System.Collections.Frozen;
using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Sessions;

/// <summary>What one event says about the visit it belongs to.</summary>
/// <param name="At">Event time (UTC).</param>
/// <param name="Position">Place in the log; breaks ties of time.</param>
/// <param name="Type">Type of the event.</param>
/// <param name="Page">Page it happened on.</param>
/// <param name="Referrer">Where the visitor came from.</param>
/// <param name="Utm">Campaign words of the address, by name without <c>utm_</c>.</param>
/// <param name="Device">mobile, tablet or desktop.</param>
/// <param name="ItemId">Item it is about.</param>
/// <param name="IsBot">Whether a program sent it.</param>
internal sealed record Visit(
    DateTimeOffset At, long Position, string Type, string? Page, string? Referrer, IReadOnlyDictionary<string, string>? Utm, string? Device, string? ItemId, bool IsBot);

/// <summary>A visit: events of one actor without 30 minutes of silence between them, at most 24 hours long (the rules of Google Analytics and PostHog).</summary>
internal sealed record Session
{
    /// <summary>Longest silence within a session.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromMinutes(30);

    /// <summary>Longest session.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    /// <summary>A session of one page, no action and less than this is a bounce.</summary>
    public static readonly TimeSpan Glance = TimeSpan.FromSeconds(10);

    private static readonly FrozenSet<string> ActionTypes =
    [
        EventTypes.Searched, EventTypes.FilterApplied, EventTypes.FavoriteAdded, EventTypes.FeedbackGiven, EventTypes.Rated, EventTypes.Contacted, EventTypes.TestDriveRequested,
        EventTypes.OfferMade, EventTypes.Shared, EventTypes.CampaignApplication, EventTypes.CampaignConversion,
    ];

    /// <summary>Time of its first event (UTC).</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Time of its last event (UTC).</summary>
    public required DateTimeOffset LastAt { get; init; }

    /// <summary>Number of events.</summary>
    public int Events { get; init; }

    /// <summary>Pages opened.</summary>
    public int Pages { get; init; }

    /// <summary>Events by which somebody wants something: searches, favourites, contacts, offers.</summary>
    public int Actions { get; init; }

    /// <summary>Looks at items.</summary>
    public int Items { get; init; }

    /// <summary>First page.</summary>
    public string? EntryPage { get; init; }

    /// <summary>Last page.</summary>
    public string? ExitPage { get; init; }

    /// <summary>Where the visitor came from.</summary>
    public string? Referrer { get; init; }

    /// <summary>Campaign words, by name without <c>utm_</c>.</summary>
    public IReadOnlyDictionary<string, string>? Utm { get; init; }

    /// <summary>mobile, tablet or desktop.</summary>
    public string? Device { get; init; }

    /// <summary>Whether any event came from a program.</summary>
    public bool IsBot { get; init; }

    /// <summary>Whether the visitor left at once.</summary>
    public bool IsBounce => Pages <= 1 && Actions == 0 && LastAt - StartedAt < Glance;

    /// <summary>The session that begins with an event.</summary>
    public static Session Of(Visit first) => new Session { StartedAt = first.At, LastAt = first.At }.With(first);

    /// <summary>Whether an event after the last one still belongs to it.</summary>
    public bool Continues(Visit next) => next.At - LastAt <= Silence && next.At - StartedAt <= Longest;

    /// <summary>The session with one more event, which lies at or after its last one.</summary>
    public Session With(Visit visit) => this with
    {
        LastAt = visit.At,
        Events = Events + 1,
        Pages = Pages + (visit.Type == EventTypes.PageViewed ? 1 : 0),
        Actions = Actions + (ActionTypes.Contains(visit.Type) ? 1 : 0),
        Items = Items + (visit.Type == EventTypes.ItemViewed ? 1 : 0),
        EntryPage = EntryPage ?? visit.Page,
        ExitPage = visit.Page ?? ExitPage,
        Referrer = Referrer ?? visit.Referrer,
        Utm = Utm ?? visit.Utm,
        Device = Device ?? visit.Device,
        IsBot = IsBot || visit.IsBot,
    };

    /// <summary>The session with a later one of the same person's.</summary>
    private Session With(Session later) => this with
    {
        LastAt = later.LastAt > LastAt ? later.LastAt : LastAt,
        Events = Events + later.Events,
        Pages = Pages + later.Pages,
        Actions = Actions + later.Actions,
        Items = Items + later.Items,
        EntryPage = EntryPage ?? later.EntryPage,
        ExitPage = later.LastAt >= LastAt ? later.ExitPage ?? ExitPage : ExitPage ?? later.ExitPage,
        Referrer = Referrer ?? later.Referrer,
        Utm = Utm ?? later.Utm,
        Device = Device ?? later.Device,
        IsBot = IsBot || later.IsBot,
    };

    /// <summary>
    /// Visits of one person on several streams, told as one list: where the next begins while one goes on, or soon after it, they are one visit.
    /// A visitor who signs in on another device has begun a visit there, of which the first one knows nothing; together they are what she did.
    /// </summary>
    public static List<Session> Join(IEnumerable<Session> sessions)
    {
        var joined = new List<Session>();
        foreach (var next in sessions.OrderBy(session => session.StartedAt).ThenBy(session => session.LastAt))
        {
            if (joined.Count > 0 && next.StartedAt - joined[^1].LastAt <= Silence && next.LastAt - joined[^1].StartedAt <= Longest)
            {
                joined[^1] = joined[^1].With(next);
            }
            else
            {
                joined.Add(next);
            }
        }

        return joined;
    }

    /// <summary>All sessions of an actor, in order of time; the order in which the events arrived does not matter.</summary>
    public static List<Session> Fold(IEnumerable<Visit> visits)
    {
        var sessions = new List<Session>();
        foreach (var visit in visits.OrderBy(visit => visit.At).ThenBy(visit => visit.Position))
        {
            if (sessions.Count > 0 && sessions[^1].Continues(visit))
            {
                sessions[^1] = sessions[^1].With(visit);
            }
            else
            {
                sessions.Add(Of(visit));
            }
        }

        return sessions;
    }
}
