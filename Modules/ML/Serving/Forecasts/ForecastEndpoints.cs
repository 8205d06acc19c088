using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.ML.Models.Series;
using OKLA.Shared.Contracts;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving.Forecasts;

/// <summary>Maps what is asked of forecasts and watches: demand for dealers; campaigns and anomalies, which concern the house, for admins.</summary>
internal static class ForecastEndpoints
{
    public static void MapForecasts(this IEndpointRouteBuilder routes)
    {
        ForecastDemand.Map(routes.MapGroup("").WithTags("ML").RequireAuthorization(Policies.Dealer));
        var admin = routes.MapGroup("").WithTags("ML").RequireAuthorization(Policies.Admin);
        ForecastCpa.Map(admin);
        ReadResponseCurves.Map(admin);
        ListAnomalies.Map(admin);
    }

    internal static ProblemHttpResult NoModel(string model) =>
        TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Service Unavailable", detail: $"No version of {model} has been published yet.");
}

/// <summary>GET /api/ml/forecasts/demand: how often vehicles will be looked at, by day, with intervals.</summary>
internal static class ForecastDemand
{
    /// <summary>The demand foretold.</summary>
    /// <param name="Scopes">By scope, the largest first.</param>
    /// <param name="Coverage">Share of days that lie inside the intervals.</param>
    /// <param name="ModelVersion">Version that answered.</param>
    /// <param name="Source">model or previous.</param>
    public sealed record Response(IReadOnlyList<Scope> Scopes, double Coverage, int ModelVersion, string Source);

    /// <summary>A part of the demand.</summary>
    /// <param name="Type">Body type; null for all.</param>
    /// <param name="Band">Price band in dollars; null for all.</param>
    /// <param name="Place">Province; null for all.</param>
    /// <param name="DailyMean">Views a day over the last four weeks.</param>
    /// <param name="Method">How it was foretold.</param>
    /// <param name="Days">By day.</param>
    public sealed record Scope(string? Type, string? Band, string? Place, double DailyMean, string Method, IReadOnlyList<Day> Days);

    /// <summary>A day in Santo Domingo.</summary>
    public sealed record Day(DateOnly Date, double Views, double Low, double High);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/ml/forecasts/demand", Handle).WithName("ForecastDemand")
        .WithSummary("How often vehicles of each segment and province will be looked at, by day");

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> Handle(
        ServedArtefacts served, CancellationToken ct, [MaxLength(100)] string? type = null, [MaxLength(100)] string? band = null, [MaxLength(100)] string? place = null, [Range(1, DemandTraining.Horizon)] int days = 7)
    {
        if (await served.FindAsync(ModelNames.DemandForecaster, DemandForecasts.Load, ct) is not { } found)
        {
            return ForecastEndpoints.NoModel(ModelNames.DemandForecaster);
        }

        bool Wanted(string? wanted, string? stated) => wanted is null || string.Equals(wanted, stated, StringComparison.OrdinalIgnoreCase);
        var scopes = found.Model.Scopes.Where(one => Wanted(type, one.Scope.Type) && Wanted(band, one.Scope.Band) && Wanted(place, one.Scope.Place)).Select(one => new Scope(
            one.Scope.Type, one.Scope.Band, one.Scope.Place, one.DailyMean, one.Method,
            [.. Enumerable.Range(0, days).Select(day => new Day(found.Model.From.AddDays(day), one.Point[day], one.Low[day], one.High[day]))]));
        return TypedResults.Ok(new Response([.. scopes], found.Model.Coverage, found.Version, found.Source));
    }
}

/// <summary>GET /api/campaigns/{id}/cpa-forecast: what an application will cost in the hour after the last one that is known, by channel.</summary>
internal static class ForecastCpa
{
    /// <summary>The costs foretold.</summary>
    /// <param name="CampaignId">The campaign.</param>
    /// <param name="Channels">By channel.</param>
    /// <param name="Coverage">Share of hours that lie inside the intervals.</param>
    /// <param name="ModelVersion">Version that answered; null when none has been published and the last hour with a cost stands in.</param>
    /// <param name="Source">model, previous or last.</param>
    public sealed record Response(string CampaignId, IReadOnlyList<Channel> Channels, double? Coverage, int? ModelVersion, string Source);

    /// <summary>A channel.</summary>
    /// <param name="Name">Name.</param>
    /// <param name="Hour">Beginning of the hour (UTC).</param>
    /// <param name="Usd">Dollars an application; null when nothing is known.</param>
    /// <param name="Low">Lower end of the interval.</param>
    /// <param name="High">Upper end of the interval.</param>
    /// <param name="LastUsd">Dollars an application in the last hour that had one.</param>
    public sealed record Channel(string Name, DateTimeOffset Hour, double? Usd, double? Low, double? High, double? LastUsd);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/campaigns/{id}/cpa-forecast", Handle).WithName("ForecastCpa")
        .WithSummary("What an application will cost in the next hour, by channel");

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> Handle(
        [MaxLength(200)] string id, ServedArtefacts served, SeriesStore store, KeptAnswers kept, TimeProvider clock, CancellationToken ct)
    {
        var found = await served.FindAsync(ModelNames.CpaPredictor, CpaPredictor.Load, ct);
        return await kept.FindAsync((typeof(ForecastCpa), id, found?.Version), () => ForetellAsync(id, found, store, clock.GetUtcNow()), ct) is { } response
            ? TypedResults.Ok(response)
            : TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"Campaign {id} has reported nothing within 15 days.");
    }

    private static async Task<Response?> ForetellAsync(string id, ServedArtefact<CpaPredictor>? found, SeriesStore store, DateTimeOffset now)
    {
        var series = await store.CampaignsAsync(now, now.AddDays(-15), id, default);
        if (series.Count == 0)
        {
            return null;
        }

        var told = series.Where(one => one.Length >= CpaPredictor.LeastHours).ToList();
        var answers = found?.Model.Predict(series, [.. told.Select(one => (one, one.Length))]);
        var channels = series.Select(one =>
        {
            var at = told.IndexOf(one);
            CpaPredictor.Answer? answer = at >= 0 && answers is not null ? answers[at] : null;
            var last = Enumerable.Range(0, one.Length).Select(hour => new CpaPredictor.Case(one, hour).Cpa).LastOrDefault(double.IsFinite, double.NaN);
            double? lastUsd = double.IsFinite(last) ? Math.Round(last, 2) : null;
            return new Channel(one.Channel, one.At(one.Length), answer is { } a ? Math.Round(a.Usd, 2) : lastUsd, answer is { } l ? Math.Round(l.Low, 2) : null, answer is { } h ? Math.Round(h.High, 2) : null, lastUsd);
        });
        return new Response(id, [.. channels], found is null ? null : CpaPredictor.Coverage, found?.Version, found?.Source ?? "last");
    }
}

/// <summary>GET /api/campaigns/response-curves: what each channel brings for how much money a day, what the next dollar brings, and how a budget is best split.</summary>
internal static class ReadResponseCurves
{
    /// <summary>The curves.</summary>
    /// <param name="Channels">By channel.</param>
    /// <param name="BudgetUsd">Dollars a day that are split: those asked about, else what a campaign spends now on all of them.</param>
    /// <param name="Applications">Applications a day of the best split.</param>
    /// <param name="PresentApplications">Applications a day of the same money split as it is now.</param>
    /// <param name="ModelVersion">Version that answered.</param>
    /// <param name="Source">model or previous.</param>
    public sealed record Response(IReadOnlyList<Channel> Channels, double BudgetUsd, double Applications, double PresentApplications, int ModelVersion, string Source);

    /// <summary>A channel.</summary>
    /// <param name="Name">Name.</param>
    /// <param name="PresentUsd">Dollars a day of a campaign now.</param>
    /// <param name="NextApplicationUsd">Dollars that one more application costs now.</param>
    /// <param name="BestUsd">Dollars a day of the best split.</param>
    /// <param name="BestApplications">Applications a day that those bring.</param>
    /// <param name="SeenUpToUsd">Dollars a day up to which the curve rests on what was spent; beyond it is a guess.</param>
    /// <param name="Points">The curve.</param>
    public sealed record Channel(string Name, double PresentUsd, double? NextApplicationUsd, double BestUsd, double BestApplications, double SeenUpToUsd, IReadOnlyList<Point> Points);

    /// <summary>Applications a day for dollars a day, with an interval that holds eight of ten.</summary>
    public sealed record Point(double Usd, double Applications, double Low, double High);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/campaigns/response-curves", Handle).WithName("ReadResponseCurves")
        .WithSummary("What each channel brings for how much money, and how a budget is best split");

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> Handle(ServedArtefacts served, KeptAnswers kept, CancellationToken ct, [Range(1, 1_000_000)] double? budgetUsd = null)
    {
        if (await served.FindAsync(ModelNames.ResponseCurves, ResponseCurves.Read, ct) is not { Model.Count: > 0 } found)
        {
            return ForecastEndpoints.NoModel(ModelNames.ResponseCurves);
        }

        return TypedResults.Ok(await kept.FindAsync((typeof(ReadResponseCurves), budgetUsd, found.Version), () => Task.FromResult(Split(found, budgetUsd)), ct));
    }

    private static Response Split(ServedArtefact<IReadOnlyList<ResponseCurve>> found, double? budgetUsd)
    {
        var curves = found.Model;
        var present = curves.Sum(curve => curve.DailyUsd);
        var budget = budgetUsd ?? present;
        var split = BudgetSplit.Best([.. curves.Select(curve => (Func<double, double>)curve.Daily)], budget);
        var channels = curves.Select((curve, i) =>
        {
            var seen = curve.MostHourlyUsd * 24;
            var marginal = curve.Marginal(curve.DailyUsd);
            return new Channel(
                curve.Channel, Math.Round(curve.DailyUsd, 2), marginal > 1e-9 ? Math.Round(1 / marginal, 2) : null, Math.Round(split[i], 2), Math.Round(curve.Daily(split[i]), 2), Math.Round(seen, 2),
                [.. Enumerable.Range(0, 13).Select(step => seen * step / 10).Select(usd => (usd, curve.DailyInterval(usd))).Select(pair => new Point(
                    Math.Round(pair.usd, 2), Math.Round(curve.Daily(pair.usd), 3), Math.Round(pair.Item2.Low, 3), Math.Round(pair.Item2.High, 3)))]);
        }).ToList();
        var now = curves.Sum(curve => curve.Daily(present > 0 ? budget * curve.DailyUsd / present : budget / curves.Count));
        return new Response(channels, Math.Round(budget, 2), Math.Round(curves.Select((curve, i) => curve.Daily(split[i])).Sum(), 2), Math.Round(now, 2), found.Version, found.Source);
    }
}

/// <summary>GET /api/ml/anomalies: hours of the last days in which demand or a campaign was not as usual, newest first.</summary>
internal static class ListAnomalies
{
    // What a score looks back on, and the scale of scores behind that.
    private const int Before = 3 * UsualHours.Days;

    /// <summary>What was unusual.</summary>
    /// <param name="Anomalies">Newest first.</param>
    /// <param name="DemandVersion">Version that watched demand; null when none has been published.</param>
    /// <param name="CampaignVersion">Version that watched campaigns; null when none has been published.</param>
    public sealed record Response(IReadOnlyList<Anomaly> Anomalies, int? DemandVersion, int? CampaignVersion);

    /// <summary>Hours in a row.</summary>
    /// <param name="Kind">demand or campaign.</param>
    /// <param name="Subject">The scope, or the campaign.</param>
    /// <param name="Channel">Channel of a campaign.</param>
    /// <param name="What">views, cost, clicks or applications.</param>
    /// <param name="IsMore">Whether there was more than usual.</param>
    /// <param name="From">First hour (UTC).</param>
    /// <param name="Until">End of the last hour (UTC).</param>
    /// <param name="Score">How unusual its most unusual hour was, in units of what raises an alarm: 1 or more.</param>
    public sealed record Anomaly(string Kind, string Subject, string? Channel, string What, bool IsMore, DateTimeOffset From, DateTimeOffset Until, double Score);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/ml/anomalies", Handle).WithName("ListAnomalies")
        .WithSummary("Hours of the last days in which demand or a campaign was not as usual");

    internal static async Task<Ok<Response>> Handle(ServedArtefacts served, SeriesStore store, KeptAnswers kept, TimeProvider clock, CancellationToken ct, [Range(1, 31)] int days = 7)
    {
        var demand = await served.FindAsync(ModelNames.AnomalyDetector, WatchSettings.Load, ct);
        var campaigns = await served.FindAsync(ModelNames.CampaignAnomalyDetector, WatchSettings.Load, ct);
        return TypedResults.Ok(await kept.FindAsync((typeof(ListAnomalies), days, demand?.Version, campaigns?.Version), () => ReadAsync(demand, campaigns, store, clock.GetUtcNow(), days), ct));
    }

    private static async Task<Response> ReadAsync(ServedArtefact<WatchSettings>? demand, ServedArtefact<WatchSettings>? campaigns, SeriesStore store, DateTimeOffset now, int days)
    {
        var since = now.AddDays(-days);
        var found = new List<Anomaly>();
        if (demand is not null)
        {
            foreach (var one in await HourlyDemand.ReadAsync(store, since.AddDays(-Before), now, default))
            {
                found.AddRange(Found([HourlyDemand.Score(one.Views)], ["views"], demand.Model, one.Start, since, "demand", one.Scope.ToString(), null));
            }
        }

        if (campaigns is not null)
        {
            foreach (var one in await store.CampaignsAsync(now, since.AddDays(-Before), null, default))
            {
                found.AddRange(Found(CampaignWatch.Score(one), CampaignWatch.Streams, campaigns.Model, one.Start, since, "campaign", one.Campaign, one.Channel));
            }
        }

        return new Response([.. found.OrderByDescending(one => one.From).ThenByDescending(one => one.Score).Take(500)], demand?.Version, campaigns?.Version);
    }

    private static IEnumerable<Anomaly> Found(
        double[][] streams, string[] names, WatchSettings settings, DateTimeOffset start, DateTimeOffset since, string kind, string subject, string? channel)
    {
        var scores = settings.Together(streams);
        foreach (var episode in Alarms.Episodes(scores, 1).Where(episode => start.AddHours(episode.Last + 1) > since))
        {
            var peak = Enumerable.Range(episode.First, episode.Last - episode.First + 1).MaxBy(hour => scores[hour]);
            var loudest = Enumerable.Range(0, streams.Length).MaxBy(i => Math.Abs(streams[i][peak]) / settings.Thresholds[i]);
            yield return new Anomaly(
                kind, subject, channel, names[loudest], streams[loudest][peak] > 0, start.AddHours(episode.First), start.AddHours(episode.Last + 1), Math.Round(scores[peak], 2));
        }
    }
}
