using Npgsql;

namespace OKLA.Shared.EventLog;

/// <summary>
/// A durable reader of the log. Its position moves in the same transaction as what it writes, so that each event takes effect
/// exactly once on its tables, whatever crashes.
/// </summary>
public abstract class Subscription
{
    /// <summary>Chosen name, stable over releases; the key of its position.</summary>
    public abstract string Name { get; }

    /// <summary>Raised by one whenever it comes to write something else of the same events; hosts then rebuild its tables by themselves.</summary>
    public virtual int Version => 1;

    /// <summary>Types it wants; null for all.</summary>
    public virtual IReadOnlyCollection<string>? EventTypes => null;

    /// <summary>Largest number of events handed over at once.</summary>
    public virtual int BatchSize => 1_000;

    /// <summary>Applies events, in order, through the transaction's connection only. Throwing rolls the batch back and retries it.</summary>
    public abstract Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct);

    /// <summary>Empties the tables it feeds; a rebuild then reads the log again from zero.</summary>
    public abstract Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct);

    /// <summary>Called after the commit: the place to wake others or drop cached values. May be lost in a crash.</summary>
    public virtual Task CommittedAsync(IReadOnlyList<RecordedEvent> events, CancellationToken ct) => Task.CompletedTask;
}

/// <summary>Where a subscription stands.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Position">Last position that took effect.</param>
/// <param name="Lag">Positions behind the end of the log.</param>
/// <param name="Parked">Events set aside because they could not be handled.</param>
/// <param name="UpdatedAt">When its position last moved (UTC).</param>
public sealed record SubscriptionStatus(string Name, long Position, long Lag, long Parked, DateTimeOffset? UpdatedAt);

/// <summary>Events that a subscription has yet to see and that are in archive files alone.</summary>
/// <param name="Subscription">Name of the subscription.</param>
/// <param name="Files">Files that hold some.</param>
/// <param name="First">First position in them.</param>
/// <param name="Last">Last position in them.</param>
public sealed record MissedEvents(string Subscription, long Files, long First, long Last);

/// <summary>A type that a subscription came to ask for after it had passed events of it.</summary>
/// <param name="Subscription">Name of the subscription.</param>
/// <param name="Type">The type.</param>
/// <param name="Since">Position up to which it has seen none of them.</param>
public sealed record TypePassedOver(string Subscription, string Type, long Since);

/// <summary>An event that a subscription could not handle.</summary>
/// <param name="Subscription">Name of the subscription.</param>
/// <param name="Position">The event's position.</param>
/// <param name="Type">The event's type.</param>
/// <param name="Reason">Message of the last failure.</param>
/// <param name="Attempts">Attempts made.</param>
/// <param name="ParkedAt">When it was set aside (UTC).</param>
public sealed record ParkedEvent(string Subscription, long Position, string Type, string Reason, int Attempts, DateTimeOffset ParkedAt);

/// <summary>A subscription whose tables an older version of it had written.</summary>
/// <param name="Subscription">Name of the subscription.</param>
/// <param name="Version">The version that wrote them.</param>
/// <param name="Refusal">Why they were not rebuilt; null when they were.</param>
public sealed record OutdatedTables(string Subscription, int Version, string? Refusal);
