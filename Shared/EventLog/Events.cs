using System.Text.Json;
using System.Text.Json.Serialization;

namespace OKLA.Shared.EventLog;

/// <summary>An event that is about to be appended.</summary>
/// <param name="Type">Chosen snake_case name such as <c>item_viewed</c>; never a CLR name.</param>
/// <param name="Data">Body as UTF-8 JSON.</param>
public sealed record NewEvent(string Type, ReadOnlyMemory<byte> Data)
{
    /// <summary>Identity of the event: appending an id that the log already holds changes nothing.</summary>
    public Guid Id { get; init; } = Guid.CreateVersion7();

    /// <summary>Event time (UTC): when it happened in the world. The log's own clock when left out.</summary>
    public DateTimeOffset? OccurredAt { get; init; }

    /// <summary>Known-at time (UTC) for replays of a past that was known then, such as a simulation or a restored archive; otherwise the log's clock.</summary>
    public DateTimeOffset? KnownAt { get; init; }

    /// <summary>Version of the body's shape, from 1.</summary>
    public short SchemaVersion { get; init; } = 1;

    /// <summary>An event whose body is <paramref name="body"/> in the log's JSON form.</summary>
    public static NewEvent Of<T>(string type, T body, DateTimeOffset? occurredAt = null) =>
        new(type, JsonSerializer.SerializeToUtf8Bytes(body, EventJson.Options)) { OccurredAt = occurredAt };
}

/// <summary>A new event and the stream it belongs to.</summary>
public readonly record struct StreamEvent(string StreamId, NewEvent Event);

/// <summary>An event as the log holds it.</summary>
/// <param name="Position">Place in the one global order, from 1; a reader that has seen position p has missed nothing below p.</param>
/// <param name="Id">Identity given by the producer.</param>
/// <param name="StreamId">Stream the event belongs to.</param>
/// <param name="Version">Place within its stream, from 1 without gaps.</param>
/// <param name="Type">Chosen snake_case name.</param>
/// <param name="SchemaVersion">Version of the body's shape.</param>
/// <param name="Data">Body as UTF-8 JSON.</param>
/// <param name="OccurredAt">Event time (UTC).</param>
/// <param name="KnownAt">When the log learned of it (UTC).</param>
public sealed record RecordedEvent(
    long Position, Guid Id, string StreamId, long Version, string Type, short SchemaVersion, ReadOnlyMemory<byte> Data, DateTimeOffset OccurredAt, DateTimeOffset KnownAt)
{
    /// <summary>The body read as <typeparamref name="T"/>.</summary>
    /// <exception cref="JsonException">The body has another shape.</exception>
    public T Read<T>() =>
        JsonSerializer.Deserialize<T>(Data.Span, EventJson.Options) ?? throw new JsonException($"The body of event {Id} ({Type}) is null.");
}

/// <summary>The JSON form of event bodies: camelCase, enumerations as snake_case text, nulls left out.</summary>
public static class EventJson
{
    /// <summary>Options that every writer and reader of event bodies uses.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };
}

/// <summary>What the writer of a stream believes its version to be.</summary>
public readonly record struct ExpectedVersion
{
    private readonly long? version;

    private ExpectedVersion(long? version) => this.version = version;

    /// <summary>The stream may have any version, or not exist.</summary>
    public static ExpectedVersion Any => default;

    /// <summary>The stream must not exist yet.</summary>
    public static ExpectedVersion NoStream => new(0);

    /// <summary>The stream's last event must have this version.</summary>
    public static ExpectedVersion Exactly(long version) => new(version);

    internal bool Allows(long actual) => version is null || version == actual;
}

/// <summary>How an append to one stream ended.</summary>
public enum AppendStatus
{
    /// <summary>All events that were not repeats are in the log.</summary>
    Appended,

    /// <summary>The stream has another version than expected; nothing was written.</summary>
    VersionConflict,
}

/// <summary>Outcome of an append to one stream.</summary>
/// <param name="Status">Appended, or why not.</param>
/// <param name="StreamVersion">The stream's version after the append, or the one that stood in the way.</param>
/// <param name="Repeated">For each event, whether its id was in the log before.</param>
public sealed record AppendResult(AppendStatus Status, long StreamVersion, IReadOnlyList<bool> Repeated);
