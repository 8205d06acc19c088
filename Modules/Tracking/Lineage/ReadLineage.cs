using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using OKLA.Shared.Contracts;
using OKLA.Shared.Web;
using OKLA.Tracking.Schemas;

namespace OKLA.Tracking.Lineage;

/// <summary><c>/api/lineage</c>: how data becomes features, models and screens, what breaks if a field goes, and what a thing is made from.</summary>
internal static class ReadLineage
{
    // What every event may carry beside its type's own properties.
    private static readonly string[] Envelope = ["anonymousId", "userId", "sessionId", "itemId", "context"];

    /// <summary>The whole graph.</summary>
    /// <param name="Nodes">Things, by name.</param>
    /// <param name="Transformations">Named steps between them, by name.</param>
    public sealed record Graph(IReadOnlyList<Node> Nodes, IReadOnlyList<Transformation> Transformations);

    /// <summary>A thing.</summary>
    /// <param name="Id">Its name with its kind, such as <c>event:item_viewed.origin</c>.</param>
    /// <param name="Kind">event, table, feature, model, screen, …</param>
    /// <param name="Description">What it is, where that is known.</param>
    /// <param name="PartOf">The thing that it is a part of.</param>
    public sealed record Node(string Id, string Kind, string? Description, string? PartOf);

    /// <summary>An answer to a question about one thing.</summary>
    /// <param name="Node">The thing.</param>
    /// <param name="Things">What hangs on it, or what it hangs on, nearest first.</param>
    /// <param name="Owners">Modules concerned.</param>
    public sealed record Answer(string Node, IReadOnlyList<Step> Things, IReadOnlyList<string> Owners);

    /// <summary>A thing with the way to it.</summary>
    /// <param name="Node">The thing.</param>
    /// <param name="Owner">Module of the nearest transformation.</param>
    /// <param name="Path">Things and, between them, transformations, in the direction in which data flows.</param>
    public sealed record Step(string Node, string Owner, IReadOnlyList<string> Path);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/lineage").WithTags("Lineage").RequireAuthorization(Policies.FeaturesRead);
        group.MapGet("/", GetAsync).WithSummary("Named transformations from events to features, models and screens");
        group.MapGet("/impact", ImpactAsync).WithSummary("What breaks if a thing goes");
        group.MapGet("/origin", OriginAsync).WithSummary("What a thing is made from");
    }

    internal static async Task<Ok<Graph>> GetAsync(
        CustomSchemas schemas, IEnumerable<Transformation> declared, IEnumerable<ILineageSource> sources, CancellationToken ct)
    {
        var graph = await BuildAsync(declared, sources, ct);
        var nodes = graph.Nodes(Described(await schemas.GetAsync(ct))).Select(node => new Node(node.Id, node.Kind, node.Description, node.PartOf));
        return TypedResults.Ok(new Graph([.. nodes], graph.Transformations));
    }

    internal static async Task<Results<Ok<Answer>, NotFound<ProblemDetails>>> ImpactAsync(
        [MaxLength(300)] string node, CustomSchemas schemas, IEnumerable<Transformation> declared, IEnumerable<ILineageSource> sources, CancellationToken ct) =>
        Answered(node, await schemas.GetAsync(ct), await BuildAsync(declared, sources, ct), static (graph, thing) => graph.Impact(thing));

    internal static async Task<Results<Ok<Answer>, NotFound<ProblemDetails>>> OriginAsync(
        [MaxLength(300)] string node, CustomSchemas schemas, IEnumerable<Transformation> declared, IEnumerable<ILineageSource> sources, CancellationToken ct) =>
        Answered(node, await schemas.GetAsync(ct), await BuildAsync(declared, sources, ct), static (graph, thing) => graph.Origin(thing));

    /// <summary>The graph as it now is.</summary>
    internal static async Task<LineageGraph> BuildAsync(IEnumerable<Transformation> declared, IEnumerable<ILineageSource> sources, CancellationToken ct)
    {
        var all = declared.ToList();
        foreach (var source in sources)
        {
            all.AddRange(await source.ReadAsync(ct));
        }

        return new LineageGraph(all);
    }

    /// <summary>The event types with their properties.</summary>
    internal static IEnumerable<LineageNode> Described(SchemaSet schemas)
    {
        foreach (var schema in schemas.Types.Select(versions => versions[^1]))
        {
            var type = $"event:{schema.Type}";
            yield return new LineageNode(type, "event", schema.Description, null);
            foreach (var name in Envelope)
            {
                yield return new LineageNode($"{type}.{name}", "event", null, type);
            }

            foreach (var field in schema.Fields)
            {
                yield return new LineageNode($"{type}.{field.Name}", "event", field.Description, type);
            }
        }
    }

    private static Results<Ok<Answer>, NotFound<ProblemDetails>> Answered(
        string node, SchemaSet schemas, LineageGraph graph, Func<LineageGraph, string, IReadOnlyList<LineageStep>> ask)
    {
        var thing = LineageGraph.Normalise(node);
        if (graph.Nodes(Described(schemas)).All(known => known.Id != thing))
        {
            return TypedResults.NotFound(new ProblemDetails { Title = "Unknown node", Detail = "GET /api/lineage lists the nodes.", Status = StatusCodes.Status404NotFound });
        }

        var steps = ask(graph, thing);
        return TypedResults.Ok(new Answer(
            thing, [.. steps.Select(step => new Step(step.Node, step.Owner, step.Path))], [.. steps.Select(step => step.Owner).Distinct().Order(StringComparer.Ordinal)]));
    }
}
