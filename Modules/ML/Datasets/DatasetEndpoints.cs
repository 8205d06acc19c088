using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OKLA.Shared.Web;

namespace OKLA.ML.Datasets;

/// <summary><c>/api/ml/datasets</c>, for admins.</summary>
internal static class DatasetEndpoints
{
    public static void Map(RouteGroupBuilder datasets)
    {
        datasets.AddEndpointFilter(RefusalsAsync);
        UploadDataset.Map(datasets);
        DatasetFromFrame.Map(datasets);
        DatasetFromLog.Map(datasets);
        ListDatasets.Map(datasets);
        ReadDataset.Map(datasets);
        EditColumns.Map(datasets);
        PutRules.Map(datasets);
        DeleteVersion.Map(datasets);
    }

    // What is wrong with a table is found deep in a stream of rows.
    private static async ValueTask<object?> RefusalsAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (DatasetRefusedException refused)
        {
            return refused.Status == StatusCodes.Status400BadRequest
                ? Problems.Invalid(refused.Field, refused.Message)
                : TypedResults.Problem(refused.Message, statusCode: refused.Status, extensions: new Dictionary<string, object?> { ["field"] = refused.Field });
        }
    }
}
