using System.ComponentModel.DataAnnotations;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;

namespace OKLA.Tracking.Quality;

/// <summary>GET /api/admin/quality/results: the last judgement of each expectation in each hour, newest first.</summary>
internal static class ReadResults
{
    /// <summary>A judgement.</summary>
    /// <param name="Hour">Hour (UTC).</param>
    /// <param name="Expectation">Name of the expectation.</param>
    /// <param name="Type">Event type, or <c>item:{kind}</c>.</param>
    /// <param name="Field">Field; <c>*</c> for the record as a whole.</param>
    /// <param name="Kind">Kind of the expectation.</param>
    /// <param name="JudgedAt">When it was last judged in that hour (UTC).</param>
    /// <param name="Passed">Whether it held.</param>
    /// <param name="Rows">Rows judged.</param>
    /// <param name="Observed">What was seen: a share, a count, a PSI.</param>
    /// <param name="Expected">What was expected, in the same terms.</param>
    /// <param name="Detail">The value or property that it is about.</param>
    public sealed record Result(
        DateTimeOffset Hour, string Expectation, string Type, string Field, string Kind, DateTimeOffset JudgedAt, bool Passed, long Rows, double Observed, double Expected, string? Detail);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/results", HandleAsync).WithSummary("What came of holding the data against the expectations");

    internal static async Task<Ok<IReadOnlyList<Result>>> HandleAsync(
        NpgsqlDataSource database, CancellationToken ct, [MaxLength(200)] string? type = null, [MaxLength(200)] string? field = null, [MaxLength(50)] string? kind = null,
        bool? passed = null, [Range(1, 5_000)] int limit = 500)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var rows = await connection.QueryAsync<(DateTime Hour, string Expectation, string Type, string Field, string Kind, DateTime JudgedAt, bool Passed, long Rows, double Observed, double Expected, string? Detail)>(new CommandDefinition(
            """
            select hour, expectation, type, field, kind, judged_at, passed, rows, observed, expected, detail from tracking.quality_results
            where (@type::text is null or type = @type) and (@field::text is null or field = @field) and (@kind::text is null or kind = @kind)
                and (@passed::boolean is null or passed = @passed)
            order by hour desc, expectation limit @limit
            """,
            new { type, field, kind, passed, limit }, cancellationToken: ct));
        return TypedResults.Ok<IReadOnlyList<Result>>([.. rows.Select(row => new Result(
            row.Hour, row.Expectation, row.Type, row.Field, row.Kind, row.JudgedAt, row.Passed, row.Rows, row.Observed, row.Expected, row.Detail))]);
    }
}
