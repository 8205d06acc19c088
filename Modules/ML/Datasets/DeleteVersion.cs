using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace OKLA.ML.Datasets;

/// <summary>DELETE /api/ml/datasets/{name}/versions/{version}: forgets a version that no model learned from. Its number is not given again.</summary>
internal static class DeleteVersion
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapDelete("/{name}/versions/{version:int}", HandleAsync).WithName("deleteDatasetVersion").WithSummary("Delete a version")
        .ProducesProblem(StatusCodes.Status409Conflict);

    internal static async Task<Results<NoContent, NotFound, ProblemHttpResult>> HandleAsync(string name, int version, DatasetStore datasets, CancellationToken ct)
    {
        if (await ReadDataset.FindAsync(datasets, name, version, ct) is not { } record)
        {
            return TypedResults.NotFound();
        }

        var models = await datasets.DeleteAsync(record.Version, ct);
        return models.Count == 0 ? TypedResults.NoContent() : TypedResults.Problem(
            $"Version {version} of {name} stays: {string.Join(", ", models)} learned from it.", statusCode: StatusCodes.Status409Conflict, title: "In use",
            extensions: new Dictionary<string, object?> { ["models"] = models });
    }
}
