using Microsoft.Extensions.Options;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Models;

/// <summary><see cref="VehicleRecommender"/> as a model of this house; asked through <c>GET /api/recommendations/users/{id}</c>.</summary>
internal sealed class VehicleRecommenderModel(IMessageBus bus, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock) : ModelDefinition
{
    public override string Name => ModelNames.VehicleRecommender;

    public override string Summary => "Which vehicles a person will want to see.";

    public override ModelTraining NewTraining() => new RecommenderTraining(bus, options.Value, rates, clock);

    public override IServedModel? Check(byte[] artefact)
    {
        VehicleRecommender.Load(artefact);
        return null;
    }
}
