using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace OKLA.ML.Datasets;

/// <summary>GET /api/ml/datasets/{name}/versions/{version} and below it <c>/profile</c>, <c>/rows</c> and <c>/data</c>: what is known of a version, and its cells.</summary>
internal static class ReadDataset
{
    /// <summary>A version.</summary>
    /// <param name="Dataset">Name of the data set.</param>
    /// <param name="Number">Its number.</param>
    /// <param name="IsNew">Whether this request made it; the same table may have been there.</param>
    /// <param name="Sha256">Checksum of its content.</param>
    /// <param name="Rows">Rows.</param>
    /// <param name="Bytes">Size as CSV.</param>
    /// <param name="Source">upload, frame:… or log:….</param>
    /// <param name="CreatedAt">When it came (UTC).</param>
    /// <param name="CreatedBy">Who brought it.</param>
    /// <param name="Columns">Its columns.</param>
    /// <param name="Quality">pass, warn or block.</param>
    /// <param name="Findings">What each rule found.</param>
    /// <param name="Models">Models that learned from it.</param>
    public sealed record Version(
        string Dataset, int Number, bool IsNew, string Sha256, long Rows, long Bytes, string Source, DateTimeOffset CreatedAt, string CreatedBy, IReadOnlyList<Column> Columns, string Quality,
        IReadOnlyList<Finding> Findings, IReadOnlyList<string> Models)
    {
        internal static Version Of(DatasetRecord record, bool isNew, DateTimeOffset now)
        {
            var (version, quality) = (record.Version, record.QualityNow(now));
            return new Version(
                version.Dataset, version.Version, isNew, version.Sha256, version.Rows, record.Bytes, record.Source, version.CreatedAt, record.By,
                [.. version.Columns.Select((column, c) => Column.Of(column, record.Inferred[c], record.Statistics[c]))], quality.Status,
                [.. quality.Findings.Select(finding => new Finding(finding.Rule, finding.Column, finding.Severity, finding.Passed, finding.Message))],
                record.Models);
        }
    }

    /// <summary>A column.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Type">number, category, text, date, boolean or id.</param>
    /// <param name="Role">feature, target, time, group, weight or ignored.</param>
    /// <param name="InferredType">What it was taken for.</param>
    /// <param name="InferredRole">What it was taken to be for.</param>
    /// <param name="Missing">Cells without a value.</param>
    /// <param name="Unreadable">Cells that are no number, or no date, in a column of them.</param>
    /// <param name="Distinct">Different values.</param>
    /// <param name="DistinctExact">Whether they were counted one by one.</param>
    /// <param name="Min">Smallest number, or earliest date.</param>
    /// <param name="Max">Largest number, or latest date.</param>
    /// <param name="Categories">Most frequent values of a category or boolean, the first hundred.</param>
    public sealed record Column(
        string Name, string Type, string Role, string InferredType, string InferredRole, long Missing, long Unreadable, long Distinct, bool DistinctExact, string? Min, string? Max,
        IReadOnlyList<string>? Categories)
    {
        private const int ShownCategories = 100;

        internal static Column Of(DatasetColumn column, DatasetColumn inferred, ColumnStatistics seen)
        {
            string? Written(double? value) => value is not { } number ? null
                : column.Type == ColumnTypes.Date ? DateTime.UnixEpoch.AddDays(number).ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture)
                : number.ToString("R", CultureInfo.InvariantCulture);
            return new Column(
                column.Name, column.Type, column.Role, inferred.Type, inferred.Role, seen.Missing, seen.Unreadable, seen.Distinct, seen.DistinctExact, Written(seen.Min), Written(seen.Max),
                column.Type is ColumnTypes.Category or ColumnTypes.Boolean ? [.. seen.Top.Take(ShownCategories).Select(entry => entry.Value)] : null);
        }
    }

    /// <summary>What a rule made of a version.</summary>
    public sealed record Finding(string Rule, string? Column, string Severity, bool Passed, string Message);

    /// <summary>Some rows.</summary>
    /// <param name="Columns">Names of the columns.</param>
    /// <param name="Offset">Place of the first row, from 0.</param>
    /// <param name="Total">Rows of the version.</param>
    /// <param name="Rows">A text a column, null where one is missing.</param>
    public sealed record RowPage(IReadOnlyList<string> Columns, long Offset, long Total, IReadOnlyList<string?[]> Rows);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var version = routes.MapGroup("/{name}/versions/{version:int}");
        version.MapGet("/", OneAsync).WithName("getDatasetVersion").WithSummary("Columns and quality of a version");
        version.MapGet("/profile", ProfileAsync).WithName("getDatasetProfile").WithSummary("Distributions, associations, leakage suspects and duplicates");
        version.MapGet("/rows", RowsAsync).WithName("getDatasetRows").WithSummary("Some rows of a version");
        version.MapGet("/data", DataAsync).WithName("downloadDataset").WithSummary("A version as CSV").Produces(StatusCodes.Status200OK, contentType: "text/csv");
    }

    internal static async Task<Results<Ok<Version>, NotFound>> OneAsync(string name, int version, DatasetStore datasets, TimeProvider clock, CancellationToken ct) =>
        await FindAsync(datasets, name, version, ct) is { } record ? TypedResults.Ok(Version.Of(record, false, clock.GetUtcNow())) : TypedResults.NotFound();

    internal static async Task<Results<Ok<TableProfile>, NotFound>> ProfileAsync(string name, int version, DatasetStore datasets, CancellationToken ct) =>
        await FindAsync(datasets, name, version, ct) is { } record ? TypedResults.Ok(record.Profile) : TypedResults.NotFound();

    internal static async Task<Results<Ok<RowPage>, NotFound>> RowsAsync(
        string name, int version, DatasetStore datasets, CancellationToken ct, [Range(0, long.MaxValue)] long offset = 0, [Range(1, 1_000)] int limit = 100)
    {
        if (await FindAsync(datasets, name, version, ct) is not { } record)
        {
            return TypedResults.NotFound();
        }

        var rows = new List<string?[]>();
        var number = -1L;
        await foreach (var row in CanonicalCsv.ReadAsync(await datasets.OpenAsync(record.Version, ct), ct))
        {
            if (number++ >= offset)
            {
                rows.Add([.. row.Select(text => text.Length == 0 ? null : text)]);
            }

            if (rows.Count == limit || offset >= record.Version.Rows)
            {
                break;
            }
        }

        return TypedResults.Ok(new RowPage([.. record.Version.Columns.Select(column => column.Name)], offset, record.Version.Rows, rows));
    }

    internal static async Task<Results<FileStreamHttpResult, NotFound>> DataAsync(string name, int version, DatasetStore datasets, CancellationToken ct) =>
        await FindAsync(datasets, name, version, ct) is { } record
            ? TypedResults.Stream(await datasets.OpenAsync(record.Version, ct), "text/csv; charset=utf-8", $"{name}-{version}.csv")
            : TypedResults.NotFound();

    internal static async Task<DatasetRecord?> FindAsync(DatasetStore datasets, string name, int version, CancellationToken ct) =>
        version < 1 || name.Contains('\0') ? null : await datasets.RecordAsync(name, version, ct);
}
