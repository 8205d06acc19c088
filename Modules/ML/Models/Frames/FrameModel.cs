using OKLA.ML.Serving;
using OKLA.ML.Training;

namespace OKLA.ML.Models.Frames;

/// <summary>
/// A model of this house that learns a table of moments: what the feature store knew of somebody or something at a time, and what came of it
/// afterwards. A model says which moments, what came of them and which features; all else is the same for all.
/// </summary>
internal abstract class FrameModel(FrameSource source, MLOptions options, TimeProvider clock) : ModelDefinition
{
    /// <summary>What the features describe: user, item, dealer or lead.</summary>
    public abstract string Entity { get; }

    /// <summary>How the table is learned; target, time and group are set by the house.</summary>
    protected abstract TableDefinition Learning { get; }

    protected FrameSource Source => source;

    public override ModelTraining NewTraining() => new FrameTraining(this, options, clock);

    public override IServedModel Load(byte[] artefact) => TableModel.Load(artefact);

    /// <summary>The definition of the table.</summary>
    public TableDefinition Definition => Learning with { Name = Name, Target = FrameSource.Label, Time = FrameSource.At, Group = FrameSource.Key, Entity = Entity };

    /// <summary>The moments, whose outcome is known by now: those too young to tell are left out.</summary>
    public abstract Task<IReadOnlyList<Moment>> MomentsAsync(CancellationToken ct);

    /// <summary>Names of the features to learn from.</summary>
    public virtual Task<IReadOnlyList<string>> FeaturesAsync(CancellationToken ct) => source.FeaturesAsync(Entity, ct);

    /// <summary>The true probability of each moment's outcome, where a simulation knows it; null where none does.</summary>
    public virtual Task<double[]?> TruthAsync(IReadOnlyList<Moment> moments, CancellationToken ct) => Task.FromResult<double[]?>(null);

    /// <summary>The table of all moments.</summary>
    public async Task<(TableData Table, IReadOnlyList<Moment> Moments)> ReadAsync(CancellationToken ct)
    {
        var moments = await MomentsAsync(ct);
        return (await source.TableAsync(Name, moments, await FeaturesAsync(ct), ct), moments);
    }
}
