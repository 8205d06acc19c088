namespace OKLA.ML.Algorithms.Fairness;

/// <summary>The knobs of <see cref="FairnessReport.Measure"/>.</summary>
public sealed record FairnessOptions
{
    /// <summary>Least rows of a group for its selection rate and calibration to be compared.</summary>
    public int MinRows { get; init; } = 50;

    /// <summary>Least positive (negative) rows of a group for its true (false) positive rate to be compared.</summary>
    public int MinOutcomes { get; init; } = 20;

    /// <summary>The group the others are compared with; the one with most rows when null.</summary>
    public string? Reference { get; init; }

    /// <summary>Bins of equal width of the calibration error.</summary>
    public int Bins { get; init; } = 10;

    /// <summary>Level of the intervals.</summary>
    public double Level { get; init; } = 0.95;

    /// <summary>Bootstrap resamples of each group.</summary>
    public int Resamples { get; init; } = 2000;

    /// <summary>Seed of the resampling.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Most threads; the report is the same for any number. 0 takes every core.</summary>
    public int Threads { get; init; }

    internal void Validate()
    {
        if (MinRows < 1 || MinOutcomes < 1 || Bins < 1 || Resamples < 20 || !(Level is > 0 and < 1))
            throw new ArgumentException("Fairness options: a value is out of range.");
    }
}
