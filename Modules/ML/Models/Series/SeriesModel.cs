using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Models.Series;

/// <summary>All that a run of a model of series may know.</summary>
/// <param name="Series">The series.</param>
/// <param name="Bus">Answers what a simulation knows.</param>
/// <param name="Options">Settings.</param>
/// <param name="Clock">The time.</param>
internal sealed record SeriesSources(SeriesStore Series, IMessageBus Bus, MLOptions Options, TimeProvider Clock);

/// <summary>A model of series: asked through an endpoint of its own, so that its artefact is only read to see that it is whole.</summary>
/// <param name="name">Its name.</param>
/// <param name="summary">What it answers, in one sentence.</param>
/// <param name="read">Reads an artefact; throws <see cref="InvalidDataException"/> when it is damaged.</param>
/// <param name="sources">Where its runs read, now.</param>
/// <param name="training">Makes a run that reads there.</param>
internal abstract class SeriesModel(string name, string summary, Func<byte[], object> read, SeriesSources sources, Func<SeriesSources, ModelTraining> training) : ModelDefinition
{
    public override string Name => name;

    public override string Summary => summary;

    public override bool MeetsRollouts => false;

    public override ModelTraining NewTraining() => training(sources);

    public override ModelTraining NewTraining(TrainingWorld world) => training(new SeriesSources(sources.Series.In(world), world, world.Options, world.Clock));

    public override IServedModel? Check(byte[] artefact)
    {
        read(artefact);
        return null;
    }
}
