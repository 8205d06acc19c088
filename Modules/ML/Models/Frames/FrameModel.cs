namespace OKLA.ML.Models.Frames;

/// <summary>
/// A model of moments: what the feature store knew of somebody or something at a time, and what came of it afterwards.
/// </summary>
internal abstract class FrameModel(FrameSource source, MLOptions options, TimeProvider clock) : LogModel(options, clock)
{
    protected FrameSource Source => source;

    public override async Task<LogTable> ReadAsync(CancellationToken ct)
    {
        var moments = await MomentsAsync(ct);
        var features = Definition.Columns ?? await source.FeaturesAsync(Entity!, ct);
        return new LogTable(await source.TableAsync(Name, moments, features, ct), KnowsTruth ? (rows, stop) => TruthAsync([.. rows.Select(row => moments[row])], stop) : null);
    }

    /// <summary>The person or seller: moments of one are alike, whichever item they are about.</summary>
    protected internal override string UnitOf(string key) => key.Split('|')[0];

    /// <summary>The moments, whose outcome is known by now: those too young to tell are left out.</summary>
    protected abstract Task<IReadOnlyList<Moment>> MomentsAsync(CancellationToken ct);

    /// <summary>Whether a simulation knows the true probabilities of the outcomes.</summary>
    protected virtual bool KnowsTruth => false;

    /// <summary>The true probability of each moment's outcome; NaN where it is not known.</summary>
    protected virtual Task<double[]> TruthAsync(IReadOnlyList<Moment> moments, CancellationToken ct) => throw new NotSupportedException($"Nobody knows the truth about {Name}.");
}
