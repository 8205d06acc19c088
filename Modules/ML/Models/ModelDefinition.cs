using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>A model by name, of this house or brought by a user: how it is trained and how its versions answer.</summary>
internal abstract class ModelDefinition
{
    /// <summary>Name in addresses, in the registry and in job names: lower case letters, digits and dashes.</summary>
    public abstract string Name { get; }

    /// <summary>What it answers, in one sentence.</summary>
    public abstract string Summary { get; }

    /// <summary>What is asked of its figures; none where nobody asks anything.</summary>
    public virtual IReadOnlyList<ModelTarget> Targets => [];

    /// <summary>Whether a version that passed its gates waits until somebody approves it.</summary>
    public virtual bool RequiresApproval => false;

    /// <summary>Whether some may be answered by one version and others by another; false where one answer is for all, as a forecast is.</summary>
    public virtual bool MeetsRollouts => true;

    /// <summary>A new run, which holds its data until it is let go.</summary>
    public abstract ModelTraining NewTraining();

    /// <summary>The same, knowing nothing but a world that can be brought back; null where runs keep a table instead.</summary>
    public virtual ModelTraining? NewTraining(TrainingWorld world) => null;

    /// <summary>A version that answers rows; null when the model is asked through an endpoint of its own only.</summary>
    /// <exception cref="InvalidDataException">The artefact is damaged or of another model.</exception>
    public virtual IServedModel? Load(byte[] artefact) => null;

    /// <summary>Reads an artefact that came from elsewhere, whoever answers with it; null when it is not asked for rows.</summary>
    /// <exception cref="InvalidDataException">The artefact is damaged or of another model.</exception>
    public virtual IServedModel? Check(byte[] artefact) => Load(artefact);
}
