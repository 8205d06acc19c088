using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Registry;

/// <summary>GET /api/ml/models: every model with its versions, newest first.</summary>
internal static class ListModels
{
    /// <summary>All models.</summary>
    public sealed record Response(IReadOnlyList<Model> Models);

    /// <summary>A model.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="ServingVersion">The version that answers; null when none was published yet.</param>
    /// <param name="PreviousVersion">The one before it.</param>
    /// <param name="Versions">Versions, newest first.</param>
    /// <param name="Targets">What is asked of its figures; none where nobody asks anything.</param>
    public sealed record Model(string Name, int? ServingVersion, int? PreviousVersion, IReadOnlyList<Version> Versions, IReadOnlyList<ModelTarget> Targets);

    /// <summary>A version of a model.</summary>
    /// <param name="Number">Its number, from 1.</param>
    /// <param name="Stage">candidate, serving, retired or rejected.</param>
    /// <param name="Metrics">What it measured on the held-out future, each beside its baseline.</param>
    /// <param name="Parameters">Knobs it was trained with.</param>
    /// <param name="Data">What it learned from.</param>
    /// <param name="DataUntil">Time up to which it has seen the world (UTC).</param>
    /// <param name="Decision">Why it was published or not.</param>
    /// <param name="Reason">Why it was trained.</param>
    /// <param name="Rows">Rows learned from.</param>
    /// <param name="Seconds">Time the training took.</param>
    /// <param name="TrainedAt">When (UTC).</param>
    /// <param name="Sha256">Checksum of the artefact.</param>
    /// <param name="Bytes">Size of the artefact.</param>
    public sealed record Version(
        int Number, string Stage, IReadOnlyList<MetricRow> Metrics, JsonElement Parameters, JsonElement Data, DateTimeOffset DataUntil, string Decision, string Reason,
        int Rows, double Seconds, DateTimeOffset TrainedAt, string Sha256, int Bytes);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/", Handle).WithName("ListModels");

    internal static async Task<Ok<Response>> Handle(ModelCatalog models, ModelRegistry registry, CancellationToken ct, [Range(1, 1_000)] int versions = 50)
    {
        var serving = await registry.ServingAsync(ct);
        var answer = new List<Model>();
        foreach (var name in await models.NamesAsync(ct))
        {
            var known = await registry.VersionsAsync(name, versions, ct);
            var now = serving.TryGetValue(name, out var found) ? found : ((int Version, int? Previous)?)null;
            answer.Add(new Model(name, now?.Version, now?.Previous, [.. known.Select(v => new Version(
                v.Version, v.Stage, v.Metrics, v.Parameters, v.Data, v.DataUntil, v.Decision, v.Reason, v.Rows, v.Seconds, v.TrainedAt, v.Sha256, v.Bytes))],
                models.Find(name)?.Targets ?? []));
        }

        return TypedResults.Ok(new Response(answer));
    }
}
