using System.Collections.Frozen;
using OKLA.Shared.EventLog;

namespace OKLA.Tracking.Schemas;

/// <summary>Every event type that the house knows by itself; admins register further ones (<see cref="CustomSchemas"/>).</summary>
internal static class EventCatalogue
{
    /// <summary>All versions of all types, by type, oldest first.</summary>
    public static FrozenDictionary<string, EventSchema[]> Types { get; } = BrowsingEvents.All.Concat(InterestEvents.All).Concat(ReachEvents.All)
        .GroupBy(schema => schema.Type).ToFrozenDictionary(type => type.Key, type => type.OrderBy(schema => schema.Version).ToArray(), StringComparer.Ordinal);

    /// <summary>The steps that bring stored events to the newest version.</summary>
    public static IEnumerable<EventUpcast> Upcasts =>
        Types.Values.SelectMany(versions => versions).Where(schema => schema.FromVersionBefore is not null)
            .Select(schema => new EventUpcast(schema.Type, (short)(schema.Version - 1), schema.FromVersionBefore!));

    /// <summary>The catalogue as a table for the docs.</summary>
    public static string Markdown() => string.Join('\n',
    [
        "| type | version | value | owner | what happened | properties |", "|---|---|---|---|---|---|",
        .. Types.OrderBy(type => type.Key, StringComparer.Ordinal).Select(type => type.Value[^1].ToMarkdown()),
    ]);
}
