using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Schemas;

/// <summary>
/// PUT /api/events/schemas/custom/{type}: an admin registers an event type, or widens one. Each change is a version of its own; one
/// after which recorded events could be wrong is refused, so that readers may always believe the newest schema.
/// </summary>
internal static partial class PutCustomSchema
{
    private const string Prefix = "custom_";
    private const int MaxBytes = 64 << 10;
    private static readonly SearchValues<char> SnakeCase = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPut("/custom/{type}", HandleAsync)
        .WithName("putCustomEventSchema").WithSummary("Register an event type of your own by the JSON Schema of its properties")
        .WithDescription("The name starts with custom_. Understood keywords: type, properties, required, enum, minimum, maximum, maxLength, arrays of scalars, description, x-owner, x-value-tier.")
        .RequireAuthorization(Policies.Admin);

    internal static async Task<Results<Ok<ReadSchemas.Item>, Created<ReadSchemas.Item>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        string type, JsonElement schema, CurrentUser admin, NpgsqlDataSource database, CustomSchemas schemas, TimeProvider clock, CancellationToken ct)
    {
        if (!type.StartsWith(Prefix, StringComparison.Ordinal) || type.Length is <= 7 or > 100 || type.AsSpan().ContainsAnyExcept(SnakeCase))
        {
            // Only so can it never bear the name of an event that the house writes, or will write one day.
            return Problems.Invalid("type", $"Must start with {Prefix}, be snake_case and have at most 100 characters.");
        }

        var text = schema.ValueKind == JsonValueKind.Undefined ? "" : schema.GetRawText();
        if (text.Length > MaxBytes)
        {
            return Problems.Invalid("", $"At most {MaxBytes} characters.");
        }

        if (NoText().IsMatch(text))
        {
            return Problems.Invalid("", "Holds an escaped NUL or half of a surrogate pair; write characters beyond the basic plane as they are.");
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("select pg_advisory_xact_lock(hashtextextended('tracking.custom_schemas', 0))", cancellationToken: ct));
        var before = await CustomSchemas.ReadAsync(connection, type, ct);
        var (read, errors) = CustomSchemaReader.Read(type, (short)(before.Count + 1), schema);
        if (read is null)
        {
            return Problems.Invalid(errors);
        }

        if (before.LastOrDefault() is { } last)
        {
            if (IsSame(last, read))
            {
                return TypedResults.Ok(ReadSchemas.ItemOf(last, before.Count));
            }

            if (CustomSchemaReader.Narrowed(last, read) is { Count: > 0 } narrowed)
            {
                return TypedResults.Problem(
                    "Events that were right would be wrong now. Widen the type, or register another one.", statusCode: StatusCodes.Status409Conflict, title: "Incompatible change",
                    extensions: new Dictionary<string, object?> { ["errors"] = narrowed });
            }
        }

        await connection.ExecuteAsync(new CommandDefinition(
            "insert into tracking.custom_schemas (type, version, schema, created_at, created_by) values (@type, @Version, @text, @now, @Actor)",
            new { type, read.Version, text, now = clock.GetUtcNow(), admin.Actor }, cancellationToken: ct));
        await transaction.CommitAsync(ct);
        await schemas.ChangedAsync();
        return TypedResults.Created($"/api/events/schemas/{type}", ReadSchemas.ItemOf(read, before.Count + 1));
    }

    private static bool IsSame(EventSchema a, EventSchema b) =>
        (a.Description, a.Owner, a.Tier) == (b.Description, b.Owner, b.Tier) && JsonElement.DeepEquals(Of(a), Of(b));

    private static JsonElement Of(EventSchema schema) => JsonSerializer.SerializeToElement(schema.PropertiesSchema());

    [GeneratedRegex(@"\\u(?:0000|d[89a-f])", RegexOptions.IgnoreCase)]
    private static partial Regex NoText();
}
