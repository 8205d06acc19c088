using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OKLA.ML.Datasets;
using OKLA.ML.Models;
using OKLA.ML.Models.Frames;
using OKLA.ML.Models.Language;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Models.Series;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Serving.Clusters;
using OKLA.ML.Serving.Forecasts;
using OKLA.ML.Serving.Language;
using OKLA.ML.Serving.Recommendations;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;

namespace OKLA.ML;

/// <summary>The ML room: what it registers and serves.</summary>
public static class MLModule
{
    /// <summary>Adds the room's services.</summary>
    /// <param name="services">Of the host.</param>
    /// <param name="serve">False for command-line verbs, which hold no models in memory.</param>
    /// <param name="trainer">How a process is started that answers <see cref="TrainQueued"/> and ends, at the latest when its input does; null to train in this one.</param>
    public static IServiceCollection AddML(this IServiceCollection services, bool serve = true, Func<ProcessStartInfo>? trainer = null)
    {
        services.AddValidation();
        services.AddOptions<MLOptions>().BindConfiguration("ML").ValidateDataAnnotations().ValidateOnStart()
            .Validate(options => InRange(options.Recommender) && InRange(options.Recommendations), "A setting of ML:Recommender or ML:Recommendations is out of range.")
            .Validate(options => InRange(options.Price), "A setting of ML:Price is out of range.")
            .Validate(options => InRange(options.Leads) && options.Leads.Warm <= options.Leads.Hot, "A setting of ML:Leads is out of range, or Warm is above Hot.")
            .Validate(options => InRange(options.Datasets), "A setting of ML:Datasets is out of range.")
            .Validate(options => InRange(options.Artefacts), "A setting of ML:Artefacts is out of range.")
            .Validate(options => InRange(options.Serving) && InRange(options.Rollout) && InRange(options.Monitoring), "A setting of ML:Serving, ML:Rollout or ML:Monitoring is out of range.");
        services.AddOptions<MoneyOptions>().BindConfiguration("Money").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(provider => new ExchangeRates(provider.GetRequiredService<IOptions<MoneyOptions>>().Value));
        services.AddSingleton<ModelRegistry>().AddSingleton<ModelImport>().AddSingleton<PredictionLog>().AddSingleton<LiveModels>();
        services.AddRecommendations();
        services.AddClusters();
        services.AddSingleton<BlobStore>().AddSingleton<DatasetStore>().AddSingleton<Erasures>().AddSingleton<ILineageSource, DatasetLineage>();
        services.AddTraining(serve, trainer);
        services.AddServing(serve);
        services.AddTransformations(MLLineage.All);
        services.AddSingleton<ModelCatalog>().AddModel<VehicleRecommender>(ModelNames.VehicleRecommender).AddModel<ActivityRecommender>(ModelNames.ActivityRecommender)
            .AddModel<SimilarVehicles>(ModelNames.SimilarVehicles).AddModel<BuyerRecommender>(ModelNames.BuyerRecommender).AddModel<PriceModel>(ModelNames.PricePredictor)
            .AddModel<DaysToSalePredictor>(ModelNames.DaysToSalePredictor).AddModel<LeadScorer>(ModelNames.LeadScorer).AddModel<ConversionPredictor>(ModelNames.ConversionPredictor)
            .AddModel<BuyerChurn>(ModelNames.BuyerChurn).AddModel<DealerChurn>(ModelNames.DealerChurn)
            .AddModel<SentimentAnalyzer>(ModelNames.SentimentAnalyzer).AddModel<VehicleClassifier>(ModelNames.VehicleClassifier)
            .AddModel<ConditionClassifier>(ModelNames.VehicleCondition).AddModel<SegmentClassifier>(ModelNames.VehicleSegment).AddModel<FraudDetector>(ModelNames.FraudDetector)
            .AddModel<LeadFraudDetector>(ModelNames.LeadFraudDetector)
            .AddModel<SearchIntentClassifier>(ModelNames.SearchIntentClassifier).AddModel<DescriptionAnalyzer>(ModelNames.DescriptionAnalyzer)
            .AddModel<DemandForecaster>(ModelNames.DemandForecaster).AddModel<AnomalyDetector>(ModelNames.AnomalyDetector).AddModel<CpaModel>(ModelNames.CpaPredictor)
            .AddModel<ResponseCurves>(ModelNames.ResponseCurves).AddModel<CampaignAnomalyDetector>(ModelNames.CampaignAnomalyDetector).AddModel<UserSegmenter>(ModelNames.UserSegmenter);
        services.AddSingleton<SeriesStore>().AddSingleton<ServedArtefacts>().AddSingleton<KeptAnswers>().AddSubscription<SeriesEvents>();
        services.AddSingleton<FrameSource>();
        return serve
            ? services.AddHostedService(provider => provider.GetRequiredService<LiveModels>()).AddHostedService(provider => provider.GetRequiredService<Erasures>())
            : services;
    }

    /// <summary>Maps the room's endpoints.</summary>
    public static IEndpointRouteBuilder MapML(this IEndpointRouteBuilder routes)
    {
        var open = routes.MapGroup("").WithTags("ML").RequireAuthorization(Policies.Anonymous);
        EstimatePrice.Map(open);
        routes.MapRecommendations();
        UnderstandSearch.Map(open);
        AnalyzeListing.Map(open);
        AnalyzeSentiment.Map(open);
        EstimateDaysToSale.Map(open);
        routes.MapClusters();
        ScoreLeads.Map(routes.MapGroup("").WithTags("ML").RequireAuthorization(Policies.Dealer));
        routes.MapServing();
        var admin = routes.MapGroup("/api/ml/models").WithTags("ML").RequireAuthorization(Policies.Admin);
        ListModels.Map(admin);
        TrainOnDemand.Map(admin);
        routes.MapForecasts();
        DatasetEndpoints.Map(routes.MapGroup("/api/ml/datasets").WithTags("Datasets").RequireAuthorization(Policies.Admin));
        routes.MapTraining();
        return routes;
    }

    /// <summary>Validation by attributes stops at the top object; this one goes into a part of it.</summary>
    private static bool InRange(object part) => Validator.TryValidateObject(part, new ValidationContext(part), null, validateAllProperties: true);
}
