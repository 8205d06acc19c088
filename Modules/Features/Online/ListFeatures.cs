using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Features.Registry;
using OKLA.Shared.Web;

namespace OKLA.Features.Online;

/// <summary>GET /api/features: every feature with its meaning and where it comes from.</summary>
internal static class ListFeatures
{
    /// <summary>The registry.</summary>
    /// <param name="Features">In the order of their declaration.</param>
    public sealed record Response(IReadOnlyList<FeatureDescription> Features);

    /// <summary>One feature.</summary>
    /// <param name="Name">Full name, such as user.views_7d.</param>
    /// <param name="Entity">What it describes.</param>
    /// <param name="Type">number, text or shares.</param>
    /// <param name="Unit">Unit of a number; what a text or key names.</param>
    /// <param name="Window">How far back it looks; null for one that is derived or read off an item.</param>
    /// <param name="Default">Value where nothing is known.</param>
    /// <param name="Owner">Who answers for it.</param>
    /// <param name="FreshnessSeconds">How old a served value may be.</param>
    /// <param name="Computation">aggregate, of_item, derived or on_demand.</param>
    /// <param name="Description">What it means.</param>
    /// <param name="Lineage">Events and properties it comes from.</param>
    /// <param name="Inputs">Features it is computed from.</param>
    /// <param name="Version">Raised when the meaning changes.</param>
    public sealed record FeatureDescription(
        string Name, string Entity, string Type, string Unit, string? Window, object? Default, string Owner, double FreshnessSeconds, string Computation,
        string Description, IReadOnlyList<string> Lineage, IReadOnlyList<string> Inputs, int Version);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/", Handle).WithName("ListFeatures").RequireAuthorization(Policies.FeaturesRead);

    internal static Ok<Response> Handle(FeatureRegistry registry, [MaxLength(20)] string? entity = null) => TypedResults.Ok(new Response(
        [.. registry.All.Where(feature => entity is null || feature.Id.Entity.Name == entity).Select(feature => new FeatureDescription(
            feature.Id.ToString(), feature.Id.Entity.Name, feature.Type.ToString().ToLowerInvariant(), feature.Unit,
            feature.Computation is Computation.Aggregate aggregate ? aggregate.Window.Name : null, feature.Default.Plain, feature.Owner, feature.Freshness.TotalSeconds,
            feature.Computation switch { Computation.Aggregate => "aggregate", Computation.OfItem => "of_item", Computation.Derived => "derived", _ => "on_demand" },
            feature.Description, registry.LineageOf(feature), [.. FeatureRegistry.InputsOf(feature).Select(input => input.ToString())], feature.Version))]));
}
