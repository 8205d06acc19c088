using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Fairness;

/// <summary>What a decision rule does to one group. A rate without cases is NaN.</summary>
/// <param name="Group">The group's name.</param>
/// <param name="Rows">Its cases.</param>
/// <param name="Positives">Cases whose label is positive.</param>
/// <param name="TooSmall">True when it has fewer rows than a comparison asks for: measured, but judged by nothing.</param>
/// <param name="BaseRate">Share of positives, P(Y = 1).</param>
/// <param name="SelectionRate">Share called positive, P(Ŷ = 1).</param>
/// <param name="TruePositiveRate">P(Ŷ = 1 | Y = 1).</param>
/// <param name="FalsePositiveRate">P(Ŷ = 1 | Y = 0).</param>
/// <param name="Precision">P(Y = 1 | Ŷ = 1).</param>
/// <param name="Auc">Area under the ROC curve within the group.</param>
/// <param name="CalibrationError">Expected calibration error with its interval; NaN when scores are no probabilities. It is biased upwards in small groups.</param>
/// <param name="CalibrationBias">Mean score less base rate: above 0 the group is overrated.</param>
public sealed record GroupMeasures(
    string Group, int Rows, int Positives, bool TooSmall, double BaseRate, double SelectionRate, double TruePositiveRate, double FalsePositiveRate,
    double Precision, double Auc, Interval CalibrationError, double CalibrationBias);

/// <summary>The distance between the groups with the highest and the lowest value of a measure, over the groups large enough for it.</summary>
/// <param name="Size">Highest less lowest with its bootstrap interval; NaN when fewer than two groups are large enough. It is at least 0 by definition, so
/// that with several groups only the comparisons with the reference can say that there is no difference.</param>
/// <param name="Highest">The group with the highest value; empty when there is nothing to compare.</param>
/// <param name="Lowest">The group with the lowest value.</param>
/// <param name="TooSmall">Groups left out.</param>
public sealed record FairnessGap(Interval Size, string Highest, string Lowest, IReadOnlyList<string> TooSmall);

/// <summary>One group against the reference group: differences are group less reference, with intervals widened for the number of groups (Bonferroni).</summary>
/// <param name="Group">The group.</param>
/// <param name="SelectionRate">Difference of the shares called positive.</param>
/// <param name="SelectionRatio">Ratio of the shares called positive.</param>
/// <param name="TruePositiveRate">Difference of true positive rates; NaN when a side has too few positives.</param>
/// <param name="FalsePositiveRate">Difference of false positive rates; NaN when a side has too few negatives.</param>
/// <param name="CalibrationBias">Difference of mean score less base rate; NaN when scores are no probabilities.</param>
public sealed record GroupComparison(
    string Group, Interval SelectionRate, Interval SelectionRatio, Interval TruePositiveRate, Interval FalsePositiveRate, Interval CalibrationBias);

/// <summary>What the interval of the selection ratio says about the four-fifths rule.</summary>
public enum FourFifths
{
    /// <summary>Fewer than two groups are large enough to compare.</summary>
    NotJudged,

    /// <summary>The whole interval is at or above 0.8.</summary>
    Held,

    /// <summary>The whole interval is below 0.8.</summary>
    Broken,

    /// <summary>0.8 lies within the interval: more cases are needed.</summary>
    Undecided,
}

/// <summary>
/// How a score with a threshold treats groups of people: demographic parity and disparate impact (the four-fifths rule of 29 CFR 1607.4 D), equal
/// opportunity and equalised odds (Hardt, Price and Srebro 2016), calibration by group, each with bootstrap intervals over cases.
/// </summary>
public sealed record FairnessReport
{
    private const double FourFifthsRatio = 0.8;

    /// <summary>Scores at or above it are called positive.</summary>
    public required double Threshold { get; init; }

    /// <summary>The group that <see cref="Comparisons"/> compare with.</summary>
    public required string Reference { get; init; }

    /// <summary>Measures of each group, most rows first.</summary>
    public required IReadOnlyList<GroupMeasures> Groups { get; init; }

    /// <summary>Demographic parity: the gap of selection rates.</summary>
    public required FairnessGap DemographicParity { get; init; }

    /// <summary>Disparate impact: the lowest over the highest selection rate; NaN when nothing can be compared or nobody is selected.</summary>
    public required Interval DisparateImpact { get; init; }

    /// <summary>Equal opportunity: the gap of true positive rates.</summary>
    public required FairnessGap EqualOpportunity { get; init; }

    /// <summary>The gap of false positive rates.</summary>
    public required FairnessGap FalsePositives { get; init; }

    /// <summary>Equalised odds: the larger of the gaps of true and of false positive rates, over groups large enough for both.</summary>
    public required FairnessGap EqualisedOdds { get; init; }

    /// <summary>The gap of calibration errors; NaN when scores are no probabilities.</summary>
    public required FairnessGap Calibration { get; init; }

    /// <summary>Each group large enough against the reference group.</summary>
    public required IReadOnlyList<GroupComparison> Comparisons { get; init; }

    /// <summary>Groups with too few rows to be judged.</summary>
    public IReadOnlyList<string> TooSmall => [.. Groups.Where(g => g.TooSmall).Select(g => g.Group)];

    /// <summary>The four-fifths rule, judged by the interval of <see cref="DisparateImpact"/>.</summary>
    public FourFifths FourFifthsRule =>
        double.IsNaN(DisparateImpact.Estimate) || double.IsNaN(DisparateImpact.Lower) ? FourFifths.NotJudged
        : DisparateImpact.Lower >= FourFifthsRatio ? FourFifths.Held
        : DisparateImpact.Upper < FourFifthsRatio ? FourFifths.Broken
        : FourFifths.Undecided;

    /// <summary>Measures <paramref name="scores"/> (called positive from <paramref name="threshold"/> on) against <paramref name="labels"/> by <paramref name="groups"/>, one of each a case.</summary>
    /// <exception cref="ArgumentException">Lengths differ, there are no cases, a score is NaN, the reference is no group, or an option is out of range.</exception>
    public static FairnessReport Measure(bool[] labels, double[] scores, double threshold, IReadOnlyList<string> groups, FairnessOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(groups);
        options ??= new FairnessOptions();
        options.Validate();
        var cases = new GroupedCases(labels, scores, threshold, groups, options);
        var reference = options.Reference is null ? 0 : cases.Names.IndexOf(options.Reference);
        if (reference < 0) throw new ArgumentException($"No case belongs to the reference group {options.Reference}.", nameof(options));

        var measured = new GroupMeasures[cases.Names.Count];
        var compared = cases.With(Rate.Selection).Where(g => g != reference && cases.Rows[reference].Length >= options.MinRows).ToArray();
        var comparisons = new GroupComparison[compared.Length];
        FairnessGap? parity = null, opportunity = null, falsePositives = null, odds = null, calibration = null;
        var impact = new Interval(double.NaN, double.NaN, double.NaN);
        // Each part is seeded alone, so that their order does not matter.
        Action[] parts =
        [
            () => parity = cases.Gap(cases.With(Rate.Selection), [Rate.Selection]),
            () => impact = cases.Ratio(cases.With(Rate.Selection), options.Level),
            () => opportunity = cases.Gap(cases.With(Rate.TruePositive), [Rate.TruePositive]),
            () => falsePositives = cases.Gap(cases.With(Rate.FalsePositive), [Rate.FalsePositive]),
            () => odds = cases.Gap([.. cases.With(Rate.TruePositive).Intersect(cases.With(Rate.FalsePositive))], [Rate.TruePositive, Rate.FalsePositive]),
            () => calibration = cases.CalibrationGap(cases.With(Rate.Selection)),
            .. Enumerable.Range(0, measured.Length).Select(g => (Action)(() => measured[g] = cases.Measures(g))),
            .. Enumerable.Range(0, compared.Length).Select(i => (Action)(() => comparisons[i] = cases.Compare(compared[i], reference, compared.Length))),
        ];
        Workers.For(options.Threads, parts.Length, i => parts[i]());
        return new FairnessReport
        {
            Threshold = threshold, Reference = cases.Names[reference], Groups = measured, DemographicParity = parity!, DisparateImpact = impact,
            EqualOpportunity = opportunity!, FalsePositives = falsePositives!, EqualisedOdds = odds!, Calibration = calibration!, Comparisons = comparisons,
        };
    }
}
