using System.Collections.Frozen;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Caching.Hybrid;
using Npgsql;

namespace OKLA.Tracking.Schemas;

/// <summary>All event types that may be recorded now: the house's own and those that admins registered.</summary>
/// <param name="Custom">Registered types, all versions, oldest first.</param>
internal sealed record SchemaSet(FrozenDictionary<string, EventSchema[]> Custom)
{
    /// <summary>Only the house's own.</summary>
    public static SchemaSet BuiltIn { get; } = new(FrozenDictionary<string, EventSchema[]>.Empty);

    /// <summary>Every type with its versions.</summary>
    public IEnumerable<EventSchema[]> Types => EventCatalogue.Types.Values.Concat(Custom.Values).OrderBy(versions => versions[0].Type, StringComparer.Ordinal);

    /// <summary>The versions of a type, oldest first; empty when there is no such type.</summary>
    public EventSchema[] Versions(string type) => EventCatalogue.Types.TryGetValue(type, out var own) ? own : Custom.GetValueOrDefault(type, []);

    /// <summary>
    /// The schema that an event is held to. Without a version it is the first one, as a producer that names none was built before
    /// there were two. A registered type only ever widens, so its newest schema fits every version.
    /// </summary>
    public EventSchema? Find(string type, int? version) => Versions(type) is not { Length: > 0 } versions ? null
        : versions[0].IsCustom ? (version is null || (version >= 1 && version <= versions.Length) ? versions[^1] : null)
        : Array.Find(versions, schema => schema.Version == (version ?? 1));
}

/// <summary>Event types that admins registered: table <c>tracking.custom_schemas</c>, cached; a change reaches every node by the cache's evictions.</summary>
internal sealed class CustomSchemas(NpgsqlDataSource database, HybridCache cache)
{
    private const string CacheKey = "tracking:custom-schemas";

    /// <summary>Every type that may be recorded now.</summary>
    public ValueTask<SchemaSet> GetAsync(CancellationToken ct) => cache.GetOrCreateAsync(CacheKey, database, LoadAsync, cancellationToken: ct);

    /// <summary>Makes every node read the table again.</summary>
    public ValueTask ChangedAsync() => cache.RemoveAsync(CacheKey);

    private static async ValueTask<SchemaSet> LoadAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return new SchemaSet((await ReadAsync(connection, null, ct)).GroupBy(schema => schema.Type)
            .ToFrozenDictionary(type => type.Key, type => type.ToArray(), StringComparer.Ordinal));
    }

    /// <summary>The stored versions of one type or of all, oldest first.</summary>
    public static async Task<List<EventSchema>> ReadAsync(NpgsqlConnection connection, string? type, CancellationToken ct)
    {
        var rows = await connection.QueryAsync<(string Type, short Version, string Schema)>(new CommandDefinition(
            "select type, version, schema from tracking.custom_schemas where @type::text is null or type = @type order by type, version", new { type }, cancellationToken: ct));
        var schemas = new List<EventSchema>();
        foreach (var row in rows)
        {
            using var json = JsonDocument.Parse(row.Schema);
            var (schema, errors) = CustomSchemaReader.Read(row.Type, row.Version, json.RootElement);
            schemas.Add(schema ?? throw new InvalidOperationException($"The stored schema of {row.Type} version {row.Version} cannot be read: {errors.First().Key}"));
        }

        return schemas;
    }
}
