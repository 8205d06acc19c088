using OKLA.ML.Algorithms.Tuning;

namespace OKLA.ML.Tuning;

/// <summary>Keeps the trials of a search where another host finds them.</summary>
internal interface ITrialBook
{
    /// <summary>The trials of a run that was cut off; empty at the first start.</summary>
    public IReadOnlyList<Trial> Kept { get; }

    /// <summary>Keeps all trials so far.</summary>
    public void Keep(IReadOnlyList<Trial> trials);
}
