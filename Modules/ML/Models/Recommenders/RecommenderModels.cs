using Microsoft.Extensions.Options;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.ML.Training.Recommenders;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Models.Recommenders;

/// <summary>A recommender of a kind as a model of this house; asked through <c>GET /api/recommendations/users/{id}</c>.</summary>
internal abstract class RecommenderModel(ItemKind kind, string summary, IMessageBus bus, MLOptions options, ExchangeRates rates, TimeProvider clock) : ModelDefinition
{
    public override string Name => kind.Model;

    public override string Summary => summary;

    public override ModelTraining NewTraining() => new RecommenderTraining(kind, bus, options, rates, clock);

    public override ModelTraining NewTraining(TrainingWorld world) => new RecommenderTraining(kind, world, world.Options, world.Rates, world.Clock);

    public override IServedModel? Check(byte[] artefact)
    {
        ItemRecommender.Load(artefact, kind);
        return null;
    }
}

/// <summary>Vehicles.</summary>
internal sealed class VehicleRecommender(IMessageBus bus, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock)
    : RecommenderModel(ItemKind.Vehicle, "Which vehicles a person will want to see.", bus, options.Value, rates, clock)
{
    public override IReadOnlyList<ModelTarget> Targets { get; } = [new("AUC", 0.85), new("NDCG@10", 0.5), new("MAP@10", 0.3), new("MRR@10", 0.4)];
}

/// <summary>Activities.</summary>
internal sealed class ActivityRecommender(IMessageBus bus, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock)
    : RecommenderModel(ItemKind.Activity, "Which activities a person will want to go to.", bus, options.Value, rates, clock);

/// <summary>Similar vehicles as a model of this house; asked through <c>GET /api/recommendations/items/{id}/similar</c>.</summary>
internal sealed class SimilarVehicles(IMessageBus bus, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock) : ModelDefinition
{
    public override string Name => ModelNames.SimilarVehicles;

    public override string Summary => "Which vehicles somebody who looks at one would look at instead.";

    /// <summary>The plan does not say what is to be alike: taken is what the vehicles shown have in common with the one beside which they are shown.</summary>
    public override IReadOnlyList<ModelTarget> Targets { get; } = [new(SimilarTraining.Alikeness, 0.88)];

    public override ModelTraining NewTraining() => new SimilarTraining(bus, options.Value, rates, clock);

    public override ModelTraining NewTraining(TrainingWorld world) => new SimilarTraining(world, world.Options, world.Rates, world.Clock);

    public override IServedModel? Check(byte[] artefact)
    {
        SimilarItems.Load(artefact);
        return null;
    }
}

/// <summary>Buyers of a vehicle as a model of this house; asked through <c>GET /api/recommendations/items/{id}/buyers</c>.</summary>
internal sealed class BuyerRecommender(IMessageBus bus, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock) : ModelDefinition
{
    public override string Name => ModelNames.BuyerRecommender;

    public override string Summary => "Who should hear of a vehicle.";

    public override IReadOnlyList<ModelTarget> Targets { get; } = [new("AUC", 0.80)];

    public override ModelTraining NewTraining() => new BuyerTraining(bus, options.Value, rates, clock);

    public override ModelTraining NewTraining(TrainingWorld world) => new BuyerTraining(world, world.Options, world.Rates, world.Clock);

    public override IServedModel? Check(byte[] artefact)
    {
        BuyerFinder.Load(artefact);
        return null;
    }
}
