using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Quality;

/// <summary><c>/api/admin/quality/expectations</c>: those that follow from the schemas and those that admins put, beside them or in their place.</summary>
internal static class Expectations
{
    private const int MaxOwn = 1_000;

    /// <summary>What an admin expects. One expectation a field and kind: it stands in the place of the one that follows from the schema.</summary>
    public sealed record Request
    {
        /// <summary>Event type, or <c>item:{kind}</c>.</summary>
        [Required, MaxLength(100)]
        public required string Type { get; init; }

        /// <summary>Property, <c>userId</c> and its like, <c>context.…</c>, an item's <c>attributes.…</c>; <c>*</c> for the record as a whole.</summary>
        [Required, MaxLength(100)]
        public required string Field { get; init; }

        /// <summary>completeness, type, range, set, uniqueness, freshness, volume, schema or drift.</summary>
        [Required, MaxLength(20)]
        public required string Kind { get; init; }

        /// <summary>info, warning or error.</summary>
        [MaxLength(20)]
        public string Severity { get; init; } = "warning";

        /// <summary>Share of bad rows, rise of the missing share, least share of different values, minutes of silence, least part of the usual volume, or PSI.</summary>
        [Range(0, 1e9)]
        public double? Threshold { get; init; }

        /// <summary>Least number of a range.</summary>
        public double? Min { get; init; }

        /// <summary>Greatest number of a range.</summary>
        public double? Max { get; init; }

        /// <summary>Texts of a set.</summary>
        [MaxLength(200)]
        public IReadOnlyList<string>? Values { get; init; }

        /// <summary>Of completeness: whether the value must always be there.</summary>
        public bool Required { get; init; }

        /// <summary>Whether it is judged.</summary>
        public bool Enabled { get; init; } = true;
    }

    /// <summary>An expectation.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Custom">Whether an admin put it.</param>
    /// <param name="Body">What is expected.</param>
    public sealed record Answer(string Name, bool Custom, Request Body);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/expectations", ListAsync).WithSummary("What is expected of the data");
        routes.MapPut("/expectations/{name}", PutAsync).WithSummary("Expect something of your own");
        routes.MapDelete("/expectations/{name}", DeleteAsync).WithSummary("Take back an expectation of your own");
    }

    internal static async Task<Ok<IReadOnlyList<Answer>>> ListAsync(NpgsqlDataSource database, CancellationToken ct, [MaxLength(100)] string? type = null)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var watch = await Watch.LoadAsync(connection, ct);
        return TypedResults.Ok<IReadOnlyList<Answer>>([.. watch.Expectations.Where(item => type is null || item.Type == type).Select(AnswerOf)]);
    }

    internal static async Task<Results<Ok<Answer>, ValidationProblem, ProblemHttpResult>> PutAsync(
        [MaxLength(200)] string name, Request request, CurrentUser admin, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var watch = await Watch.LoadAsync(connection, ct);
        var errors = new Dictionary<string, string[]>();
        void Demand(bool right, string field, string message)
        {
            if (!right)
            {
                errors.TryAdd(field, [message]);
            }
        }

        Demand(!$"{name}{request.Field}".Contains('\0', StringComparison.Ordinal), "name", "The character U+0000 cannot be stored.");
        Demand(watch.Knows(request.Type), "type", "No event type, and no item:{kind}, of that name.");
        Demand(TryRead(request.Kind, out ExpectationKind kind), "kind", "completeness, type, range, set, uniqueness, freshness, volume, schema or drift.");
        Demand(TryRead(request.Severity, out Severity severity), "severity", "info, warning or error.");
        var isWhole = kind is ExpectationKind.Freshness or ExpectationKind.Volume or ExpectationKind.Schema;
        Demand(isWhole == (request.Field == Watch.Whole), "field", isWhole ? "Must be *: it is about the record as a whole." : "Must be one field.");
        Demand(kind != ExpectationKind.Range || request.Min <= request.Max || request.Min is null != (request.Max is null), "min", "A range has a min, a max or both, in order.");
        Demand(kind != ExpectationKind.Set || request.Values is { Count: > 0 }, "values", "A set has values.");
        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var item = new Expectation(name, request.Type, request.Field, kind, severity)
        {
            Threshold = request.Threshold, Min = request.Min, Max = request.Max, Values = request.Values, Required = request.Required, Enabled = request.Enabled, Custom = true,
        };
        if (watch.Expectations.Any(other => other.Name == name && (other.Type, other.Field, other.Kind) != (item.Type, item.Field, item.Kind))
            || watch.Expectations.Any(other => other.Custom && other.Name != name && (other.Type, other.Field, other.Kind) == (item.Type, item.Field, item.Kind)))
        {
            return Taken("The name, or the field with this kind, belongs to another expectation.");
        }

        if (watch.Expectations.Count(other => other.Custom) >= MaxOwn)
        {
            return Taken($"At most {MaxOwn} expectations of your own.");
        }

        await connection.ExecuteAsync(new CommandDefinition("""
            insert into tracking.quality_expectations (name, type, field, kind, body, changed_at, changed_by) values (@name, @Type, @Field, @kind, @body::jsonb, @now, @Actor)
            on conflict (name) do update set body = excluded.body, changed_at = excluded.changed_at, changed_by = excluded.changed_by
            """,
            new { name, item.Type, item.Field, kind = Expectation.Word(kind), body = JsonSerializer.Serialize(item, EventJson.Options), now = clock.GetUtcNow().UtcDateTime, admin.Actor },
            cancellationToken: ct));
        return TypedResults.Ok(AnswerOf(item));
    }

    internal static async Task<Results<NoContent, NotFound>> DeleteAsync(string name, NpgsqlDataSource database, CancellationToken ct)
    {
        if (name.Contains('\0', StringComparison.Ordinal))
        {
            return TypedResults.NotFound();
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteAsync(new CommandDefinition("delete from tracking.quality_expectations where name = @name", new { name }, cancellationToken: ct)) == 1
            ? TypedResults.NoContent() : TypedResults.NotFound();
    }

    private static ProblemHttpResult Taken(string detail) => TypedResults.Problem(detail, statusCode: StatusCodes.Status409Conflict, title: "Conflict");

    private static bool TryRead<T>(string word, out T value)
        where T : struct, Enum
    {
        value = Enum.GetValues<T>().FirstOrDefault(one => Expectation.Word(one) == word);
        return Expectation.Word(value) == word;
    }

    private static Answer AnswerOf(Expectation item) => new(item.Name, item.Custom, new Request
    {
        Type = item.Type, Field = item.Field, Kind = Expectation.Word(item.Kind), Severity = Expectation.Word(item.Severity), Threshold = item.Threshold,
        Min = item.Min, Max = item.Max, Values = item.Values, Required = item.Required, Enabled = item.Enabled,
    });
}
