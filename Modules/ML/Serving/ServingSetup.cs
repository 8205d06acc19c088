using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OKLA.ML.Monitoring;
using OKLA.ML.Rollout;
using OKLA.ML.Serving.Batch;
using OKLA.Shared.EventLog;
using OKLA.Shared.Jobs;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving;

/// <summary>Serving, rollout and monitoring: what they register and map.</summary>
internal static class ServingSetup
{
    /// <summary>Adds the services; their loops only in a host that serves.</summary>
    public static IServiceCollection AddServing(this IServiceCollection services, bool serve)
    {
        services.AddSingleton<EntityFeatures>().AddSingleton<PredictionCache>().AddSingleton<Predictor>().AddSingleton<Explainer>().AddSingleton<TriedVersions>().AddSingleton<RolloutStart>().AddSingleton<ScoreLeads.Asking>().AddSingleton<EstimateDaysToSale.Desk>().AddSingleton<TextPredictor>();
        services.AddLoop<ServedModels>(serve).AddLoop<FirstAnswers>(serve).AddLoop<ServingMeter>(serve).AddLoop<PredictionStore>(serve).AddLoop<BatchWorker>(serve).AddLoop<AsyncWorker>(serve);
        services.AddLoop<Exposures>(serve).AddLoop<ShadowAnswers>(serve).AddLoop<RolloutLoop>(serve);
        services.AddSingleton<AlertChannels>().AddLoop<AlertLoop>(serve);
        services.AddHttpClient(AsyncWorker.HttpClientName, client => client.Timeout = TimeSpan.FromSeconds(10))
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false });
        services.AddSubscription<GoalEvents>();
        return services.AddJob(
            "trim-ml", "Forgets answers, counts and results that are past their time", JobSchedule.Daily(new TimeOnly(3, 45)), progress => new TrimML(progress));
    }

    /// <summary>Maps the endpoints. Models are asked by keys of scope <c>predict</c> and by admins; in Development by anybody, as the demo's pages do.</summary>
    public static void MapServing(this IEndpointRouteBuilder routes)
    {
        var open = routes.ServiceProvider.GetRequiredService<IHostEnvironment>().IsDevelopment();
        var ask = routes.MapGroup("/api/ml/models").WithTags("ML").RequireAuthorization(open ? Policies.Anonymous : Policies.Predict);
        PredictRows.Map(ask);
        ExplainRows.Map(ask);
        ReadSignature.Map(ask);
        FindCounterfactuals.Map(ask);
        var files = routes.MapGroup("").WithTags("ML").RequireAuthorization(open ? Policies.Anonymous : Policies.Predict);
        BatchFiles.Map(files);
        AsyncPredictions.Map(files);
        var admin = routes.MapGroup("").WithTags("ML").RequireAuthorization(Policies.Admin);
        ReadPredictions.Map(admin);
        DailyReport.Map(admin);
        AlertEndpoints.Map(admin.MapGroup("/api/ml/alerts"));
        var models = admin.MapGroup("/api/ml/models");
        RolloutEndpoints.Map(models);
        ReadMonitoring.Map(models);
        RecordOutcomes.Map(ask, models);
    }

    private static IServiceCollection AddLoop<T>(this IServiceCollection services, bool run)
        where T : BackgroundService
    {
        services.AddSingleton<T>();
        return run ? services.AddHostedService(provider => provider.GetRequiredService<T>()) : services;
    }
}
