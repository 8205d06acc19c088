using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.ML.Models;
using OKLA.ML.Training.Runs;

namespace OKLA.ML.Registry;

/// <summary>GET /api/ml/models/{name}/versions/{version}/export: a version as one file that another host can import, see <see cref="PortableModel"/>.</summary>
internal static class ExportVersion
{
    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/{name}/versions/{version:int}/export", HandleAsync).WithName("ExportVersion")
        .WithSummary("A version as one file").Produces<byte[]>(StatusCodes.Status200OK, PortableModel.ContentType);

    internal static async Task<Results<FileContentHttpResult, ProblemHttpResult>> HandleAsync(
        [MaxLength(60)] string name, int version, ModelCatalog models, ModelRegistry registry, RunStore runs, TimeProvider clock, CancellationToken ct)
    {
        if (await PackAsync(name, version, models, registry, runs, clock, ct) is not { } packed)
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no version {version} of {name}.");
        }

        return TypedResults.File(packed.Save(), PortableModel.ContentType, $"{name}-{version}.okla.zip");
    }

    /// <summary>A version ready to leave; null when there is none.</summary>
    /// <exception cref="InvalidDataException">Its artefact is damaged.</exception>
    public static async Task<PortableModel?> PackAsync(string name, int version, ModelCatalog models, ModelRegistry registry, RunStore runs, TimeProvider clock, CancellationToken ct)
    {
        if (await models.FindAsync(name, ct) is not { } model || await registry.VersionAsync(name, version, ct) is not { } found)
        {
            return null;
        }

        var run = found.Run is { } id ? await runs.FindAsync(id, ct) : null;
        var served = (await registry.HistoryAsync(name, 1_000, ct)).Where(time => time.Version == version).ToArray();
        var card = ModelCard.Of(model.Summary, model.Targets, found, run, served, await registry.ApprovalsAsync(name, version, ct));
        var data = await registry.DataAsync(name, version, ct);
        string? Text(string part) => data.TryGetProperty(part, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        var lineage = new PortableLineage(
            Text("dataset"), data.TryGetProperty("version", out var number) && number.TryGetInt32(out var of) ? of : null, Text("sha256"), found.Parent, found.Run, run?.Environment);
        var manifest = new PortableManifest(
            PortableModel.Kind, PortableModel.Format, name, model is BroughtModel ? PortableModel.Table : name, version, model.Summary, found.Sha256, found.Bytes, found.Signature,
            (model as BroughtModel)?.Definition, found.Metrics, run?.Evaluation, found.Gates, found.Parameters, data, lineage, found.DataUntil, found.Decision, found.Rows, found.Seconds,
            found.TrainedAt, clock.GetUtcNow());
        return new PortableModel(manifest, card.Markdown, await registry.ArtefactAsync(name, version, ct));
    }
}
