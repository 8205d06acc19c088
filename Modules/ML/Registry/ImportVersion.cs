using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using OKLA.ML.Models;
using OKLA.ML.Serving;
using OKLA.Shared.Web;

namespace OKLA.ML.Registry;

/// <summary>
/// POST /api/ml/models/{name}/import: takes in a file that <see cref="ExportVersion"/> wrote, here or elsewhere. Its artefact is read and asked once before it is kept; the
/// version waits as a candidate and serves when somebody approves it. The same artefact again is the version that it is.
/// </summary>
internal static class ImportVersion
{
    /// <summary>A version that came in.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Version">Its number here.</param>
    /// <param name="IsNew">Whether it was not here before.</param>
    /// <param name="Stage">candidate, unless it was here before.</param>
    /// <param name="From">Model and version where it was trained.</param>
    public sealed record Response(string Model, int Version, bool IsNew, string Stage, string From);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapPost("/{name}/import", HandleAsync).WithName("ImportVersion").WithSummary("Take in a version from a file")
        .WithMetadata(new AcceptsMetadata([PortableModel.ContentType, "application/octet-stream"], typeof(Stream)), new DisableRequestSizeLimitAttribute());

    internal static async Task<Results<Created<Response>, Ok<Response>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        [MaxLength(60)] string name, HttpRequest request, CurrentUser admin, ModelImport import, IOptions<MLOptions> options, CancellationToken ct)
    {
        var most = options.Value.Artefacts.MaxImportBytes;
        using var spooled = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = await request.Body.ReadAsync(buffer, ct)) > 0;)
        {
            spooled.Write(buffer, 0, read);
            if (spooled.Length > most)
            {
                return TypedResults.Problem($"The file is larger than {most:N0} bytes.", statusCode: StatusCodes.Status413PayloadTooLarge, title: "File too large");
            }
        }

        try
        {
            var answer = await import.TakeAsync(name, spooled, admin.Actor, ct);
            return answer.IsNew ? TypedResults.Created($"/api/ml/models/{name}/versions/{answer.Version}", answer) : TypedResults.Ok(answer);
        }
        catch (PortableFileException refused)
        {
            return Problems.Invalid(refused.Part, refused.Message);
        }
    }
}

/// <summary>Takes exported versions in; shared by the endpoint and the host's verb.</summary>
internal sealed class ModelImport(ModelCatalog models, ModelRegistry registry, IOptions<MLOptions> options)
{
    /// <summary>Takes a file in.</summary>
    /// <param name="name">The model that it shall be a version of; a new name brings a model of a table.</param>
    /// <param name="file">The file; it can seek.</param>
    /// <param name="by">Who brings it.</param>
    /// <param name="ct">Stops it.</param>
    /// <exception cref="PortableFileException">The file cannot be taken as it is.</exception>
    public async Task<ImportVersion.Response> TakeAsync(string name, Stream file, string by, CancellationToken ct)
    {
        if (!ModelCatalog.IsName(name))
        {
            throw new PortableFileException("name", "A name has 2 to 60 lower case letters, digits and dashes, a letter first.");
        }

        file.Position = 0;
        var packed = PortableModel.Read(file, options.Value.Artefacts.MaxImportBytes);
        var manifest = packed.Manifest;
        var known = await models.FindAsync(name, ct);
        var family = known is null or BroughtModel ? PortableModel.Table : known.Name;
        if (manifest.Family != family)
        {
            throw new PortableFileException("manifest.json", $"It is a version of {manifest.Model} ({manifest.Family}); {name} takes {family}.");
        }

        if (known is null && manifest.Definition is null)
        {
            throw new PortableFileException("manifest.json", $"{name} is new, and the file does not say what is to be learned.");
        }

        var signature = Tried(known, packed.Artefact);
        var newest = await registry.VersionsAsync(name, 1, ct) is [var last, ..] ? last.Signature : null;
        if (newest is not null && signature is not null && (newest.Task != signature.Task || !newest.Classes.SequenceEqual(signature.Classes)))
        {
            throw new PortableFileException("manifest.json", $"It answers another question: {Asked(signature)}, and {name} {Asked(newest)}.");
        }

        if (known is null)
        {
            await models.PutAsync(manifest.Definition! with { Name = name }, by, manifest.Summary, ct);
        }

        var from = string.Create(CultureInfo.InvariantCulture, $"{manifest.Model} {manifest.Version}");
        var data = JsonNode.Parse(manifest.Data.GetRawText())!.AsObject();
        data["imported"] = new JsonObject
        {
            ["model"] = manifest.Model, ["version"] = manifest.Version, ["run"] = manifest.Lineage.Run?.ToString(), ["exportedAt"] = manifest.ExportedAt.ToString("O", CultureInfo.InvariantCulture), ["by"] = by,
        };
        var trained = new TrainedModel(packed.Artefact, manifest.Parameters, data, manifest.DataUntil, manifest.Rows);
        var (version, isNew) = await registry.ImportAsync(
            name, trained, manifest.Metrics, $"Imported (version {manifest.Version} of {manifest.Model} where it was trained); waits for approval. There: {manifest.Decision}", manifest.Seconds,
            new VersionFacts(manifest.Gates, signature, null, null) { TrainedAt = manifest.TrainedAt }, ct);
        return new ImportVersion.Response(name, version, isNew, isNew ? "candidate" : (await registry.VersionAsync(name, version, ct))!.Stage, from);
    }

    /// <summary>Reads an artefact as the model does and asks it once; what cannot be read or answers no number is refused.</summary>
    private static ModelSignature? Tried(ModelDefinition? known, byte[] artefact)
    {
        const string Part = "artefact.bin";
        try
        {
            var model = known is null ? TableModel.Load(artefact) : known.Check(artefact);
            if (model is null)
            {
                return null;
            }

            string?[] row = [.. model.Signature.Inputs.Select(input => input.Example ?? (input.Categories is [var often, ..] ? often : null) ?? input.Min?.ToString("R", CultureInfo.InvariantCulture))];
            return double.IsFinite(model.Predict([row])[0].Value) ? model.Signature : throw new PortableFileException(Part, "It answers no number.");
        }
        catch (Exception unreadable) when (unreadable is not (PortableFileException or OutOfMemoryException))
        {
            // Whatever a wrong artefact makes its reader throw: it is not taken.
            throw new PortableFileException(Part, $"It cannot be read or asked: {unreadable.Message}");
        }
    }

    private static string Asked(ModelSignature signature) => signature.Classes.Count == 0 ? signature.Task : $"{signature.Task} ({string.Join(", ", signature.Classes)})";
}
