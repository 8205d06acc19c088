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
            "Trains the recommender and publishes it unless it is worse.", "Modules/ML/Training/RecommenderTraining.cs"),
        new("ml.train-price", Room, ["frame:items"], ["model:price"],
            "Trains the price model and publishes it unless it is worse.", "Modules/ML/Training/PriceTraining.cs"),
        new("ml.recommend", Room, ["model:recommender", "feature:person.history", "feature:item.popularity"], ["screen:Vehículos para ti"],
            "Chooses vehicles for a visitor.", "Modules/ML/Serving/RecommendVehicles.cs"),
        new("ml.estimate-price", Room, ["model:price"], ["screen:Precio estimado"],
            "Estimates what a vehicle is worth.", "Modules/ML/Serving/EstimatePrice.cs"),
    ];
}
