using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.ML.Models;
using OKLA.ML.Training.Runs;
using OKLA.Shared.Web;

namespace OKLA.ML.Registry;

/// <summary>Versions under /api/ml/models/{name}: one, its card, approval, tags and notes, deletion; and which of them was live when.</summary>
internal static class ManageVersions
{
    /// <summary>Consent to a version.</summary>
    /// <param name="Note">Why.</param>
    /// <param name="Publish">Whether a version that passed its gates serves from now on.</param>
    public sealed record Consent([MaxLength(2_000)] string? Note = null, bool Publish = true);

    /// <summary>What people say about a version; what is absent stays.</summary>
    public sealed record Description([MaxLength(20)] IReadOnlyList<string>? Tags = null, [MaxLength(4_000)] string? Notes = null);

    /// <summary>A version with what people said about it.</summary>
    internal sealed record Response(ModelVersion Version, IReadOnlyList<Approval> Approvals);

    /// <summary>What came of a consent.</summary>
    /// <param name="Serves">Whether the version serves now.</param>
    /// <param name="Approvals">Everybody who approved it.</param>
    internal sealed record Approved(bool Serves, IReadOnlyList<Approval> Approvals);

    /// <summary>Times during which versions served, newest first.</summary>
    internal sealed record History(IReadOnlyList<ServedTime> Served);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/{name}/versions/{version:int}", GetAsync).WithName("ReadVersion").WithSummary("A version with its gates, signature and approvals");
        routes.MapGet("/{name}/versions/{version:int}/card", CardAsync).WithName("ReadModelCard").WithSummary("A version's card, as JSON with Markdown in it");
        routes.MapPost("/{name}/versions/{version:int}/approve", ApproveAsync).WithName("ApproveVersion").WithSummary("Consent to a version");
        routes.MapPatch("/{name}/versions/{version:int}", DescribeAsync).WithName("DescribeVersion").WithSummary("Tags and notes of a version");
        routes.MapDelete("/{name}/versions/{version:int}", DeleteAsync).WithName("DeleteModelVersion").WithSummary("Delete a version that nothing serves");
        routes.MapGet("/{name}/history", HistoryAsync).WithName("ReadServingHistory").WithSummary("Which version was live when");
    }

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> GetAsync([MaxLength(60)] string name, int version, ModelRegistry registry, CancellationToken ct) =>
        await registry.VersionAsync(name, version, ct) is { } found ? TypedResults.Ok(new Response(found, await registry.ApprovalsAsync(name, version, ct))) : Missing(name, version);

    internal static async Task<Results<Ok<ModelCard>, ContentHttpResult, ProblemHttpResult>> CardAsync(
        [MaxLength(60)] string name, int version, HttpRequest request, ModelCatalog models, ModelRegistry registry, RunStore runs, CancellationToken ct)
    {
        if (await registry.VersionAsync(name, version, ct) is not { } found)
        {
            return Missing(name, version);
        }

        var model = await models.FindAsync(name, ct);
        var served = (await registry.HistoryAsync(name, 1_000, ct)).Where(time => time.Version == version).ToArray();
        var card = ModelCard.Of(model?.Summary ?? "", model?.Targets ?? [], found, found.Run is { } run ? await runs.FindAsync(run, ct) : null, served, await registry.ApprovalsAsync(name, version, ct));
        return request.Headers.Accept.ToString().Contains("text/markdown", StringComparison.OrdinalIgnoreCase) ? TypedResults.Text(card.Markdown, "text/markdown; charset=utf-8") : TypedResults.Ok(card);
    }

    internal static async Task<Results<Ok<Approved>, ProblemHttpResult>> ApproveAsync(
        [MaxLength(60)] string name, int version, Consent? consent, CurrentUser admin, ModelRegistry registry, CancellationToken ct)
    {
        if (await registry.VersionAsync(name, version, ct) is not { } found)
        {
            return Missing(name, version);
        }

        if (found.Stage == "rejected")
        {
            return Conflict($"Version {version} of {name} did not pass its gates: {found.Decision}");
        }

        await registry.ApproveAsync(name, version, admin.Actor, consent?.Note ?? "", ct);
        var serves = found.Stage == "serving";
        if (found.Stage == "candidate" && consent?.Publish != false)
        {
            await registry.PublishAsync(name, version, admin.Actor, $"Approved. {consent?.Note}".Trim(), ct);
            serves = true;
        }

        return TypedResults.Ok(new Approved(serves, await registry.ApprovalsAsync(name, version, ct)));
    }

    internal static async Task<Results<NoContent, ProblemHttpResult>> DescribeAsync([MaxLength(60)] string name, int version, Description description, ModelRegistry registry, CancellationToken ct)
    {
        if (await registry.VersionAsync(name, version, ct) is null)
        {
            return Missing(name, version);
        }

        await registry.DescribeAsync(name, version, description.Tags, description.Notes, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync([MaxLength(60)] string name, int version, ModelRegistry registry, CancellationToken ct)
    {
        if (await registry.VersionAsync(name, version, ct) is null)
        {
            return Missing(name, version);
        }

        return await registry.DeleteAsync(name, version, ct)
            ? TypedResults.NoContent()
            : Conflict($"Version {version} of {name} serves, or is the one that a rollback would bring back.");
    }

    internal static async Task<Ok<History>> HistoryAsync([MaxLength(60)] string name, ModelRegistry registry, CancellationToken ct, [Range(1, 1_000)] int limit = 100) =>
        TypedResults.Ok(new History(await registry.HistoryAsync(name, limit, ct)));

    private static ProblemHttpResult Missing(string name, int version) =>
        TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no version {version} of {name}.");

    private static ProblemHttpResult Conflict(string detail) => TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: detail);
}
