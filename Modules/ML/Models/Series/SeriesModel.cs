using OKLA.ML.Serving;
using OKLA.ML.Training;

namespace OKLA.ML.Models.Series;

/// <summary>A model of series: asked through an endpoint of its own, so that its artefact is only read to see that it is whole.</summary>
/// <param name="name">Its name.</param>
/// <param name="summary">What it answers, in one sentence.</param>
/// <param name="read">Reads an artefact; throws <see cref="InvalidDataException"/> when it is damaged.</param>
/// <param name="training">Makes a run.</param>
internal abstract class SeriesModel(string name, string summary, Func<byte[], object> read, Func<ModelTraining> training) : ModelDefinition
{
    public override string Name => name;

    public override string Summary => summary;

    public override ModelTraining NewTraining() => training();

    public override IServedModel? Check(byte[] artefact)
    {
        read(artefact);
        return null;
    }
}
