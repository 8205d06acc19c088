using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Schemas;

/// <summary>GET /api/events/schemas and /api/events/schemas/{type}: what producers may send.</summary>
internal static class ReadSchemas
{
    /// <summary>Every event type in its newest version.</summary>
    /// <param name="Items">By type.</param>
    public sealed record Response(IReadOnlyList<Item> Items);

    /// <summary>A version of an event type.</summary>
    /// <param name="Type">Name, as events bear it in <c>type</c>.</param>
    /// <param name="Version">Version, as events bear it in <c>schemaVersion</c>; an event without one has version 1.</param>
    /// <param name="Versions">Number of versions; all of them are accepted.</param>
    /// <param name="Description">What happened.</param>
    /// <param name="Owner">Who answers for its meaning.</param>
    /// <param name="ValueTier">low, normal or high: producers with a full queue drop lower ones first.</param>
    /// <param name="ServerOnly">Whether only a server with an API key may send it.</param>
    /// <param name="Custom">Whether an admin registered it.</param>
    /// <param name="Schema">JSON Schema (draft 2020-12) of the whole event, with an example.</param>
    public sealed record Item(string Type, int Version, int Versions, string Description, string Owner, string ValueTier, bool ServerOnly, bool Custom, JsonElement Schema);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", ListAsync).WithName("eventSchemas").WithSummary("Every event type with its JSON Schema").RequireAuthorization(Policies.Anonymous);
        routes.MapGet("/{type}", GetAsync).WithName("eventSchema").WithSummary("One event type; version picks an older one").RequireAuthorization(Policies.Anonymous);
    }

    internal static async Task<Ok<Response>> ListAsync(CustomSchemas schemas, CancellationToken ct) =>
        TypedResults.Ok(new Response([.. (await schemas.GetAsync(ct)).Types.Select(versions => ItemOf(versions[^1], versions.Length))]));

    internal static async Task<Results<Ok<Item>, NotFound>> GetAsync(string type, CustomSchemas schemas, CancellationToken ct, int? version = null)
    {
        var versions = (await schemas.GetAsync(ct)).Versions(type);
        var found = version is null ? versions.LastOrDefault() : Array.Find(versions, schema => schema.Version == version);
        return found is null ? TypedResults.NotFound() : TypedResults.Ok(ItemOf(found, versions.Length));
    }

    internal static Item ItemOf(EventSchema schema, int versions) => new(
        schema.Type, schema.Version, versions, schema.Description, schema.Owner, JsonNamingPolicy.SnakeCaseLower.ConvertName(schema.Tier.ToString()),
        schema.ServerOnly, schema.IsCustom, JsonSerializer.SerializeToElement(schema.ToJsonSchema()));
}
