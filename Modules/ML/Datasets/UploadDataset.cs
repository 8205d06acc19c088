using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using OKLA.Shared.Web;

namespace OKLA.ML.Datasets;

/// <summary>
/// POST /api/ml/datasets/{name}: a table as CSV or NDJSON, packed with gzip or not, becomes a version of the data set. Delimiter and encoding are guessed where they are not
/// said. The same table again answers the version it is. Everything is taken or nothing.
/// </summary>
internal static class UploadDataset
{
    private static readonly string[] Types =
        ["text/csv", "application/x-ndjson", "application/ndjson", "application/jsonl", "application/json", "text/plain", "text/tab-separated-values", "application/gzip", "application/x-gzip", "application/octet-stream"];

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/{name}", HandleAsync).WithName("uploadDataset").WithSummary("Add a version from a file")
        .WithMetadata(new AcceptsMetadata(Types, typeof(Stream)), new DisableRequestSizeLimitAttribute())
        .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);

    internal static async Task<Results<Created<ReadDataset.Version>, Ok<ReadDataset.Version>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        string name, HttpRequest request, CurrentUser user, DatasetStore datasets, TimeProvider clock, CancellationToken ct, bool header = true, string? delimiter = null)
    {
        if (delimiter is not (null or "," or ";" or "\t" or "|"))
        {
            return Problems.Invalid("delimiter", "Comma, semicolon, tab or bar.");
        }

        var (record, isNew) = await datasets.AddAsync(name, request.Body, new Wording(request.ContentType, delimiter?[0], header), user.Actor, ct);
        return Answer(record, isNew, clock);
    }

    /// <summary>201 for a new version, 200 for one that was there.</summary>
    internal static Results<Created<ReadDataset.Version>, Ok<ReadDataset.Version>, ValidationProblem, ProblemHttpResult> Answer(DatasetRecord record, bool isNew, TimeProvider clock)
    {
        var answer = ReadDataset.Version.Of(record, isNew, clock.GetUtcNow());
        return isNew ? TypedResults.Created($"/api/ml/datasets/{answer.Dataset}/versions/{answer.Number}", answer) : TypedResults.Ok(answer);
    }
}
