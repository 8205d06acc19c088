using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.ML.Datasets;

/// <summary>POST /api/ml/datasets/{name}/from-frame: a training frame of the feature store becomes a version, its label in the column <c>label</c>.</summary>
internal static class DatasetFromFrame
{
    /// <summary>What is wanted.</summary>
    /// <param name="FrameId">Identity of the frame.</param>
    public sealed record Request(Guid FrameId);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/{name}/from-frame", HandleAsync).WithName("datasetFromFrame").WithSummary("Add a version from a training frame");

    internal static async Task<Results<Created<ReadDataset.Version>, Ok<ReadDataset.Version>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        string name, Request request, CurrentUser user, IMessageBus bus, DatasetStore datasets, TimeProvider clock, CancellationToken ct)
    {
        FrameTable frame;
        try
        {
            frame = await bus.InvokeAsync<FrameTable>(new ReadFrame(request.FrameId), ct);
        }
        catch (FrameRefusedException refused)
        {
            return Problems.Invalid("frameId", refused.Message);
        }

        var table = new TableRows([.. frame.Info.Features, "label"], RowsAsync(frame, ct)) { Field = "frameId", Owned = true };
        var (record, isNew) = await datasets.AddAsync(name, table, $"frame:{request.FrameId}", user.Actor, ct);
        return UploadDataset.Answer(record, isNew, clock);
    }

    private static async IAsyncEnumerable<string?[]> RowsAsync(FrameTable frame, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var line in frame.Rows)
        {
            ct.ThrowIfCancellationRequested();
            yield return [.. line.Values.Select(Text), Text(line.Label), RowOwners.Of(line.UserId)];
        }

        await Task.CompletedTask;
    }

    private static string? Text(object? value) => value switch
    {
        null or double.NaN => null,
        string text => text.Replace("\0", "", StringComparison.Ordinal),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => JsonSerializer.Serialize(value),
    };
}
