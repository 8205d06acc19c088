using OKLA.ML.Rollout;
using OKLA.Shared.Contracts;

namespace OKLA.ML;

/// <summary>What ML makes of features.</summary>
internal static class MLLineage
{
    private const string Room = "ML";

    /// <summary>Declares the steps.</summary>
    public static IEnumerable<Transformation> All =>
    [
        new("ml.train-recommender", Room, ["frame:interactions", "frame:items"], ["model:recommender"],
            "Trains the recommender and publishes it unless it is worse.", "Modules/ML/Training/Recommenders/RecommenderTraining.cs"),
        new("ml.train-price", Room, ["frame:items"], ["model:price"],
            "Trains the price model and publishes it unless it is worse.", "Modules/ML/Training/PriceTraining.cs"),
        new("ml.train-days-to-sale", Room, ["event:item_listed", "event:item_sold", "event:item_withdrawn"], ["model:days-to-sale"],
            "Trains the model of days to sale and publishes it unless it is worse.", "Modules/ML/Training/DaysToSaleTraining.cs"),
        new("ml.estimate-days-to-sale", Room, ["model:days-to-sale"], ["screen:Días para vender"],
            "Estimates how long a vehicle takes to sell.", "Modules/ML/Serving/EstimateDaysToSale.cs"),
        new("ml.train-segmenter", Room, ["event:item_viewed", "feature:user.log_price_level_90d", "feature:user.mean_year_90d", "feature:user.body_shares", "feature:user.views_90d"], ["model:segmenter"],
            "Finds kinds of people by their tastes.", "Modules/ML/Models/UserSegmenter.cs"),
        new("ml.count-clusters", Room,
            ["model:segmenter", "feature:user.log_price_level_90d", "feature:user.mean_year_90d", "feature:user.body_shares", "feature:user.views_90d", "table:ml.erasures"],
            ["table:ml.cluster_members", "table:ml.cluster_sizes", "table:ml.cluster_counts"],
            "Finds everybody's learned kind and counts the kinds.", "Modules/ML/Serving/Clusters/CountClusters.cs"),
        new("ml.recommend", Room, ["model:recommender", "feature:person.history", "feature:item.popularity"], ["screen:Vehículos para ti"],
            "Chooses vehicles for a visitor.", "Modules/ML/Serving/Recommendations/RecommendVehicles.cs"),
        new("ml.train-similar", Room, ["frame:interactions", "frame:items"], ["model:similar"],
            "Trains what makes vehicles alike and publishes it unless it is worse.", "Modules/ML/Training/Recommenders/SimilarTraining.cs"),
        new("ml.train-buyers", Room, ["frame:interactions", "frame:items"], ["model:buyers"],
            "Trains who should hear of a vehicle and publishes it unless it is worse.", "Modules/ML/Training/Recommenders/BuyerTraining.cs"),
        new("ml.find-similar", Room, ["model:similar"], ["screen:Vehículos similares"],
            "Finds vehicles like one.", "Modules/ML/Serving/Recommendations/FindSimilar.cs"),
        new("ml.find-buyers", Room, ["model:buyers", "feature:person.history"], ["screen:Compradores interesados"],
            "Finds who should hear of a vehicle.", "Modules/ML/Serving/Recommendations/FindBuyers.cs"),
        new("ml.estimate-price", Room, ["model:price"], ["screen:Precio estimado"],
            "Estimates what a vehicle is worth.", "Modules/ML/Serving/EstimatePrice.cs"),
        new("ml.goals", Room, [.. new RolloutKnobs().Goals.Select(type => $"event:{type}"), "event:person_erased"], ["table:ml.goal_events", "table:ml.erasures"],
            "Keeps the events that may be goals by person.", "Modules/ML/Rollout/GoalEvents.cs"),
        new("ml.series", Room,
            [
                "event:campaign_cost_recorded.amount", "event:campaign_cost_recorded.competition", "event:campaign_impression.count", "event:campaign_click.count", "event:campaign_application.count",
                "event:campaign_conversion.count", "event:item_viewed.itemId", "event:contacted.itemId", "event:item_listed", "event:item_updated", "event:item_price_changed",
            ],
            ["table:ml.campaign_hours", "table:ml.demand_items", "table:ml.demand_hours"],
            "Keeps campaigns by channel and hour, and the demand of each segment and place by hour.", "Modules/ML/Models/Series/SeriesEvents.cs"),
        new("ml.forecast", Room, ["table:ml.campaign_hours", "table:ml.demand_hours"], ["model:demand-forecaster", "model:cpa-predictor", "model:response-curves", "model:anomaly-detector", "model:campaign-anomaly-detector"],
            "Trains the forecasts of demand and costs, the curves of channels and the watches.", "Modules/ML/Models/Series/DemandForecaster.cs"),
        new("ml.erase", Room, ["table:ml.erasures"], ["table:ml.dataset_versions", "table:ml.predictions", "table:ml.batch_parts", "table:ml.async_predictions"],
            "Takes an erased person's rows out of data sets, answers and files.", "Modules/ML/Datasets/Erasures.cs"),
        new("ml.roll-out", Room, ["table:ml.goal_events", "table:ml.exposures", "table:ml.serving_minutes"], ["table:ml.rollouts", "table:ml.rollout_steps"],
            "Lets versions in step by step and takes bad ones back.", "Modules/ML/Rollout/RolloutLoop.cs"),
        new("ml.watch", Room, ["table:ml.predictions", "table:ml.outcomes", "table:ml.goal_events", "table:ml.serving_minutes"], ["table:ml.alerts"],
            "Holds what is served against rules: errors, latency, drift and quality.", "Modules/ML/Monitoring/AlertLoop.cs"),
    ];
}
