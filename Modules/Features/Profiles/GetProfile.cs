using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Features.Online;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.Features.Profiles;

/// <summary>GET /api/users/{id}/profile: a person in a few words, each with what it rests on.</summary>
internal static class GetProfile
{
    /// <summary>A person.</summary>
    /// <param name="UserId">Whom it is about.</param>
    /// <param name="Known">Whether anything is known.</param>
    /// <param name="At">When it was computed (UTC).</param>
    /// <param name="Tastes">What the person likes, the strongest of each kind first.</param>
    /// <param name="Budget">What the person can pay; null when no price was looked at.</param>
    /// <param name="Stage">looking, comparing, deciding or resting.</param>
    /// <param name="Segment">The main segment.</param>
    /// <param name="Segments">All segments that hold.</param>
    /// <param name="NextNeed">What the person will likely want next, and why.</param>
    /// <param name="Cluster">The learned kind of buyer that fits best; null when too little is known or no model serves.</param>
    public sealed record Profile(
        string UserId, bool Known, DateTimeOffset At, IReadOnlyList<Taste> Tastes, Budget? Budget, string Stage, string Segment, IReadOnlyList<string> Segments, NextNeed NextNeed,
        LearnedCluster? Cluster = null);

    /// <summary>Something the person likes.</summary>
    /// <param name="Kind">make, body_type, model or place.</param>
    /// <param name="Value">Which.</param>
    /// <param name="Share">Its share of the views of 90 days.</param>
    /// <param name="Views">About how many views that were.</param>
    public sealed record Taste(string Kind, string Value, double Share, long Views);

    /// <summary>A range of prices in dollars.</summary>
    /// <param name="LowUsd">One standard deviation below the level, in logarithms.</param>
    /// <param name="LevelUsd">Geometric mean of the prices looked at.</param>
    /// <param name="HighUsd">One standard deviation above.</param>
    /// <param name="LimitUsd">What the latest search allowed at most.</param>
    public sealed record Budget(double LowUsd, double LevelUsd, double HighUsd, double? LimitUsd);

    /// <summary>What comes next.</summary>
    /// <param name="Action">see_more, compare, contact, visit_dealer, return or start.</param>
    /// <param name="Item">What for: body type or model; null when that is not known.</param>
    /// <param name="Reason">Why, in Spanish.</param>
    public sealed record NextNeed(string Action, string? Item, string Reason);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/{id}/profile", Handle).WithName("GetProfile");

    internal static async Task<Results<Ok<Profile>, ChallengeHttpResult, ForbidHttpResult>> Handle(
        [MaxLength(200)] string id, OnlineStore store, IMessageBus bus, CurrentUser caller, HttpContext http, CancellationToken ct)
    {
        if (!caller.Has(Policies.Scopes.FeaturesRead) && !caller.MayActAs(id))
        {
            return http.User.Identity?.IsAuthenticated == true ? TypedResults.Forbid() : TypedResults.Challenge();
        }

        var vector = await store.GetAsync(Entity.User, id, ct);
        var profile = Of(id, vector.Known, new DateTimeOffset(vector.At, TimeSpan.Zero), new ProfileFeatures([.. store.Registry.Of(Entity.User)], vector.Values));
        return TypedResults.Ok(profile with { Cluster = (await bus.InvokeAsync<IReadOnlyList<LearnedCluster?>>(new FindClusters([id]), ct))[0] });
    }

    /// <summary>The profile that some features make.</summary>
    internal static Profile Of(string id, bool known, DateTimeOffset at, ProfileFeatures features)
    {
        var views = features["views_90d"];
        var tastes = new[] { ("make", "make_shares"), ("body_type", "body_shares"), ("model", "model_shares"), ("place", "place_shares") }
            .SelectMany(kind => (features.Shares(kind.Item2)?.Entries ?? []).Take(3).Select(entry => new Taste(kind.Item1, entry.Key, entry.Value, (long)Math.Round(entry.Value * views)))).ToList();
        var (level, spread) = (features["log_price_level_90d"], double.IsNaN(features["price_spread_90d"]) ? 0 : features["price_spread_90d"]);
        var budget = double.IsNaN(level) ? null : new Budget(
            Math.Round(Math.Exp(level - spread)), Math.Round(Math.Exp(level)), Math.Round(Math.Exp(level + spread)), double.IsNaN(features["searched_price_limit_usd"]) ? null : features["searched_price_limit_usd"]);
        var stage = Segments.StageOf(features);
        return new Profile(
            id, known, at, tastes, budget, stage, Segments.Of(features).Name,
            [.. Segments.All.Where(segment => segment != Segments.Browsing && segment.Holds(features)).Select(segment => segment.Name)], Next(stage, features));
    }

    private static NextNeed Next(string stage, ProfileFeatures f)
    {
        var wanted = f.Text("last_searched_body_type") ?? f.Text("top_body_type");
        return (stage, f["events_total"] > 0) switch
        {
            (_, false) => new NextNeed("start", null, Texts.Next["start"]),
            ("deciding", _) when f["test_drives_30d"] > 0 => new NextNeed("visit_dealer", f.Text("top_model_30d"), Texts.Next["visit_dealer"]),
            ("deciding", _) => new NextNeed("contact", f.Text("top_model_30d"), Texts.Next["contact"]),
            ("comparing", _) => new NextNeed("compare", f.Text("top_model_30d") ?? wanted, string.Format(CultureInfo.InvariantCulture, Texts.Next["compare"], f["distinct_models_30d"])),
            ("resting", _) => new NextNeed("return", wanted, Texts.Next["return"]),
            _ => new NextNeed("see_more", wanted, Texts.Next["see_more"]),
        };
    }
}

/// <summary>What people read, in Dominican Spanish.</summary>
internal static class Texts
{
    public static readonly IReadOnlyDictionary<string, string> Next = new Dictionary<string, string>
    {
        ["start"] = "Todavía no ha visto vehículos.",
        ["visit_dealer"] = "Pidió una prueba de manejo; lo próximo es ver el vehículo en persona.",
        ["contact"] = "Ya contactó a un vendedor; necesita respuesta y opciones parecidas.",
        ["compare"] = "Está comparando {0:0} modelos; le sirve verlos uno al lado del otro.",
        ["return"] = "Lleva más de un mes sin venir; le sirve saber qué hay nuevo.",
        ["see_more"] = "Está empezando a mirar; le sirve ver más opciones.",
    };
}
