using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Catalog;

/// <summary><c>/api/catalog/kinds</c>: what attributes items of a kind have. Read afresh for every write of the catalogue, so that all nodes hold to the same.</summary>
internal static class Kinds
{
    private const int MaxKinds = 200;
    private const int MaxAttributes = 100;
    private const int MaxValues = 500;
    private const int MaxText = 200;

    /// <summary>The schema that items of a kind are held to from now on; items that are there already stay as they are.</summary>
    /// <param name="Description">What an item of the kind is, in one sentence.</param>
    /// <param name="Attributes">Attributes by camelCase name.</param>
    /// <param name="Closed">Whether other attributes are refused.</param>
    public sealed record PutRequest(string? Description, Dictionary<string, AttributeSchema?>? Attributes, bool Closed = false);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var kinds = routes.MapGroup("/api/catalog/kinds").WithTags("Catalogue");
        kinds.MapGet("/", ListAsync).RequireAuthorization(Policies.Anonymous);
        kinds.MapGet("/{kind}", GetAsync).RequireAuthorization(Policies.Anonymous);
        kinds.MapPut("/{kind}", PutAsync).RequireAuthorization(Policies.CatalogWrite);
    }

    /// <summary>The schema that holds for a kind; null for a kind that has none, whose attributes may be any.</summary>
    public static async Task<KindSchema?> FindAsync(NpgsqlDataSource database, string kind, CancellationToken ct)
    {
        if (!ItemBody.IsStorable(kind))
        {
            return null;
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        var stored = await connection.QuerySingleOrDefaultAsync<string>(new CommandDefinition(
            "select schema::text from tracking.kinds where kind = @kind order by version desc limit 1", new { kind }, cancellationToken: ct));
        return stored is null ? KindSchema.BuiltIn.FirstOrDefault(schema => schema.Kind == kind) : Read(stored);
    }

    internal static async Task<Ok<IReadOnlyList<KindSchema>>> ListAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var stored = (await connection.QueryAsync<string>(new CommandDefinition(
            "select distinct on (kind) schema::text from tracking.kinds order by kind, version desc", cancellationToken: ct))).Select(Read).ToList();
        return TypedResults.Ok<IReadOnlyList<KindSchema>>(
            [.. KindSchema.BuiltIn.ExceptBy(stored.Select(schema => schema.Kind), schema => schema.Kind).Concat(stored).OrderBy(schema => schema.Kind, StringComparer.Ordinal)]);
    }

    internal static async Task<Results<Ok<KindSchema>, NotFound>> GetAsync(string kind, NpgsqlDataSource database, CancellationToken ct) =>
        await FindAsync(database, kind, ct) is { } schema ? TypedResults.Ok(schema) : TypedResults.NotFound();

    internal static async Task<Results<Ok<KindSchema>, ValidationProblem>> PutAsync(
        string kind, PutRequest request, CurrentUser user, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        if (Check(kind, request) is { Count: > 0 } errors)
        {
            return TypedResults.ValidationProblem(errors);
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("lock table tracking.kinds in exclusive mode", cancellationToken: ct));
        var (version, known) = await connection.QuerySingleAsync<(int, int)>(new CommandDefinition(
            "select coalesce(max(version) filter (where kind = @kind), 0), count(distinct kind) from tracking.kinds", new { kind }, cancellationToken: ct));
        if (version == 0 && known >= MaxKinds)
        {
            return Problems.Invalid("kind", $"At most {MaxKinds} kinds.");
        }

        var schema = new KindSchema(kind, version + 1, request.Description!, request.Attributes!.ToDictionary(pair => pair.Key, pair => pair.Value!), request.Closed);
        await connection.ExecuteAsync(new CommandDefinition(
            "insert into tracking.kinds (kind, version, schema, created_at, created_by) values (@kind, @Version, @json::json, @now, @Actor)",
            new { kind, schema.Version, json = JsonSerializer.Serialize(schema, EventJson.Options), now = clock.GetUtcNow(), user.Actor }, cancellationToken: ct));
        await transaction.CommitAsync(ct);
        return TypedResults.Ok(schema);
    }

    /// <summary>What is wrong with a schema, by field; empty when nothing is.</summary>
    internal static Dictionary<string, string[]> Check(string kind, PutRequest request)
    {
        var errors = new Dictionary<string, string[]>();
        void Require(bool right, string field, string message)
        {
            if (!right)
            {
                errors.TryAdd(field, [message]);
            }
        }

        bool Fits(string? text) => !string.IsNullOrWhiteSpace(text) && text.Length <= MaxText && !text.Contains('\0');
        Require(Fits(kind), "kind", $"Between 1 and {MaxText} characters.");
        Require(Fits(request.Description), "description", $"Between 1 and {MaxText} characters.");
        Require(request.Attributes is { Count: <= MaxAttributes }, "attributes", $"Between 0 and {MaxAttributes} attributes by name.");
        foreach (var (name, attribute) in (request.Attributes ?? []).Take(MaxAttributes))
        {
            var field = $"attributes.{name}";
            Require(Fits(name), "attributes", $"Names of 1 to {MaxText} characters.");
            Require(attribute?.Type is "text" or "number" or "boolean", $"{field}.type", "text, number or boolean.");
            if (attribute is null)
            {
                continue;
            }

            Require(attribute.Values is null || (attribute.Type == "text" && attribute.Values is { Count: > 0 and <= MaxValues } && attribute.Values.All(Fits)),
                $"{field}.values", $"Between 1 and {MaxValues} texts, for a text only.");
            Require(attribute is { Min: null, Max: null } || attribute.Type == "number", $"{field}.min", "For a number only.");
            Require(!(attribute.Min > attribute.Max), $"{field}.max", "Not below min.");
            Require(attribute.Unit is null || Fits(attribute.Unit), $"{field}.unit", $"At most {MaxText} characters.");
            Require(attribute.Description is null || Fits(attribute.Description), $"{field}.description", $"At most {MaxText} characters.");
        }

        return errors;
    }

    private static KindSchema Read(string json) => JsonSerializer.Deserialize<KindSchema>(json, EventJson.Options)!;
}
