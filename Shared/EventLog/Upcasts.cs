using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OKLA.Shared.EventLog;

/// <summary>One step from a version of an event's body to the next; registered in the container, applied to every event that is read.</summary>
/// <param name="Type">Type of event.</param>
/// <param name="FromVersion">Version that the step reads; it makes the one after it.</param>
/// <param name="Change">Changes the body in place; must be pure, as an event may be read any number of times.</param>
public sealed record EventUpcast(string Type, short FromVersion, Action<JsonObject> Change);

/// <summary>Brings events that were stored in an old version of their body to the newest one when they are read; the log itself never changes.</summary>
public sealed class Upcasts
{
    private readonly FrozenDictionary<string, FrozenDictionary<short, EventUpcast>> steps;

    /// <summary>Sorts the steps by type and version.</summary>
    /// <exception cref="ArgumentException">Two steps start at the same version of a type.</exception>
    public Upcasts(IEnumerable<EventUpcast> all) => steps = all.GroupBy(step => step.Type)
        .ToFrozenDictionary(type => type.Key, type => type.ToFrozenDictionary(step => step.FromVersion), StringComparer.Ordinal);

    /// <summary>Knows no steps: events are read as they were stored.</summary>
    public static Upcasts None { get; } = new([]);

    /// <summary>The event in the newest version that the steps reach.</summary>
    public RecordedEvent Apply(RecordedEvent stored)
    {
        if (!steps.TryGetValue(stored.Type, out var ofType) || !ofType.TryGetValue(stored.SchemaVersion, out var step))
        {
            return stored;
        }

        var body = JsonNode.Parse(stored.Data.Span) as JsonObject ?? throw new JsonException($"The body of event {stored.Id} ({stored.Type}) is no object.");
        var version = stored.SchemaVersion;
        do
        {
            step.Change(body);
            version++;
        }
        while (ofType.TryGetValue(version, out step));
        return stored with { SchemaVersion = version, Data = JsonSerializer.SerializeToUtf8Bytes(body) };
    }
}
