using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;

namespace OKLA.ML.Datasets;

/// <summary>GET /api/ml/datasets: every data set with its newest version; GET /api/ml/datasets/{name}: one with all its versions, newest first.</summary>
internal static class ListDatasets
{
    /// <summary>All data sets, by name.</summary>
    public sealed record Response(IReadOnlyList<Summary> Datasets);

    /// <summary>A data set.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Versions">Its versions, newest first; in the list of all, the newest only.</param>
    /// <param name="VersionCount">How many there are.</param>
    /// <param name="Rules">How many rules it has.</param>
    public sealed record Summary(string Name, IReadOnlyList<VersionSummary> Versions, int VersionCount, int Rules);

    /// <summary>A version.</summary>
    /// <param name="Number">Its number.</param>
    /// <param name="Sha256">Checksum of its content.</param>
    /// <param name="Rows">Rows.</param>
    /// <param name="Columns">Number of columns.</param>
    /// <param name="Bytes">Size as CSV.</param>
    /// <param name="Source">upload, frame:… or log:….</param>
    /// <param name="CreatedAt">When it came (UTC).</param>
    /// <param name="CreatedBy">Who brought it.</param>
    /// <param name="Models">Versions of models that learned from it.</param>
    public sealed record VersionSummary(
        int Number, string Sha256, long Rows, int Columns, long Bytes, string Source, DateTimeOffset CreatedAt, string CreatedBy, int Models);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", AllAsync).WithName("listDatasets").WithSummary("List data sets");
        routes.MapGet("/{name}", OneAsync).WithName("getDataset").WithSummary("One data set with its versions");
    }

    internal static async Task<Ok<Response>> AllAsync(NpgsqlDataSource database, CancellationToken ct) => TypedResults.Ok(new Response(await ReadAsync(database, null, ct)));

    internal static async Task<Results<Ok<Summary>, NotFound>> OneAsync(string name, NpgsqlDataSource database, CancellationToken ct) =>
        !name.Contains('\0') && await ReadAsync(database, name, ct) is [var found] ? TypedResults.Ok(found) : TypedResults.NotFound();

    private static async Task<IReadOnlyList<Summary>> ReadAsync(NpgsqlDataSource database, string? name, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var rows = await connection.QueryAsync<Row>(new CommandDefinition("""
            select d.name, jsonb_array_length(d.rules) as rules, coalesce(v.number, 0) as number, coalesce(v.versions, 0)::int as versions, v.sha256, coalesce(v.rows, 0) as rows_in,
                coalesce(v.columns, 0) as columns, coalesce(v.bytes, 0) as bytes, v.source, v.created_at, v.created_by, coalesce(v.models, 0)::int as models
            from ml.datasets d left join (
                select x.dataset, x.version as number, x.sha256, x.rows, jsonb_array_length(x.columns) as columns, b.bytes, x.source, x.created_at, x.created_by,
                    (select count(*) from ml.dataset_uses u where u.dataset = x.dataset and u.version = x.version) as models,
                    count(*) over (partition by x.dataset) as versions, row_number() over (partition by x.dataset order by x.version desc) as place
                from ml.dataset_versions x join ml.blobs b using (sha256) where @name::text is null or x.dataset = @name) v on v.dataset = d.name and (@name::text is not null or v.place = 1)
            where @name::text is null or d.name = @name order by d.name, number desc
            """, new { name }, cancellationToken: ct));
        return
        [
            .. rows.GroupBy(row => row.Name).Select(rows => new Summary(
                rows.Key,
                [.. rows.Where(row => row.Sha256 is not null).Select(row => new VersionSummary(
                    row.Number, row.Sha256!, row.RowsIn, row.Columns, row.Bytes, row.Source!, new DateTimeOffset(row.CreatedAt!.Value, TimeSpan.Zero), row.CreatedBy!, row.Models))],
                rows.First().Versions, rows.First().Rules)),
        ];
    }

    private sealed record Row(
        string Name, int Rules, int Number, int Versions, string? Sha256, long RowsIn, int Columns, long Bytes, string? Source, DateTime? CreatedAt, string? CreatedBy, int Models);
}
