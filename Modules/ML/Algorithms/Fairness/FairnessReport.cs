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
/// <param name="CalibrationError">Expected calibration error (bins of equal width) with its interval; NaN when scores are no probabilities. Both lean
/// upwards in small groups.</param>
/// <param name="CalibrationBias">Mean score less base rate: above 0 the group is overrated.</param>
public sealed record GroupMeasures(
    string Group, int Rows, int Positives, bool TooSmall, double BaseRate, double SelectionRate, double TruePositiveRate, double FalsePositiveRate,
    double Precision, double Auc, Interval CalibrationError, double CalibrationBias);

/// <summary>The distance between the groups with the highest and the lowest value of a measure, over the groups large enough for it.</summary>
/// <param name="Size">Highest less lowest with an interval that allows for the choice among all pairs of groups: a lower end of 0 means that no
/// difference is shown.
/// NaN when fewer than two groups are large enough.</param>
/// <param name="Highest">The group with the highest value; empty when there is nothing to compare.</param>
/// <param name="Lowest">The group with the lowest value.</param>
/// <param name="TooSmall">Groups left out.</param>
public sealed record FairnessGap(Interval Size, string Highest, string Lowest, IReadOnlyList<string> TooSmall);

/// <summary>
/// One group against the reference group: differences are group less reference, with intervals widened for the number of groups (Bonferroni).
/// </summary>
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
/// opportunity and equalised odds (Hardt, Price and Srebro 2016), calibration by group, each with bootstrap intervals (cases are drawn anew within each
/// group).
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

    /// <summary>
    /// Disparate impact: the lowest over the highest selection rate, with an interval over all pairs; NaN when nothing can be compared or nobody is
    /// selected.
    /// </summary>
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

    /// <summary>
    /// Measures <paramref name="scores"/> (called positive from <paramref name="threshold"/> on) against <paramref name="labels"/> by
    /// <paramref name="groups"/>, one of each a case.
    /// </summary>
    /// <exception cref="ArgumentException">Lengths differ, there are no cases, a score is NaN, the reference is no group, or an option is out of
    /// range.</exception>
    public static FairnessReport Measure(bool[] labels, double[] scores, double threshold, IReadOnlyList<string> groups, FairnessOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(groups);
        options ??= new FairnessOptions();
        options.Validate();
        if (labels.Length == 0 || scores.Length != labels.Length || groups.Count != labels.Length)
            throw new ArgumentException($"{labels.Length} labels, {scores.Length} scores and {groups.Count} groups.", nameof(labels));
        if (scores.Any(double.IsNaN) || double.IsNaN(threshold)) throw new ArgumentException("A score is not a number.", nameof(scores));

        var probabilities = scores.All(s => s is >= 0 and <= 1);
        var members = Enumerable.Range(0, labels.Length).GroupBy(i => groups[i], StringComparer.Ordinal)
            .OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).Select(g => (Name: g.Key, Rows: g.ToArray())).ToArray();
        var cases = new GroupCases[members.Length];
        Workers.For(options.Threads, cases.Length, g => cases[g] = new GroupCases(
            members[g].Name, g, [.. members[g].Rows.Select(r => labels[r])], [.. members[g].Rows.Select(r => scores[r])], threshold, probabilities, options));

        var reference = options.Reference is null ? cases[0] : cases.FirstOrDefault(g => g.Name == options.Reference)
            ?? throw new ArgumentException($"No case belongs to the reference group {options.Reference}.", nameof(options));
        var error = 1 - options.Level;
        GroupCases[] compared = [.. cases.Where(g => g != reference && g.IsLargeEnough(Quantity.SelectionRate) && reference.IsLargeEnough(Quantity.SelectionRate))];
        var shared = error / Math.Max(1, compared.Length);
        return new FairnessReport
        {
            Threshold = threshold,
            Reference = reference.Name,
            Groups = [.. cases.Select(g => g.Measures())],
            DemographicParity = Intervals.Gap(cases, error, Quantity.SelectionRate),
            DisparateImpact = Intervals.DisparateImpact(cases, error),
            EqualOpportunity = Intervals.Gap(cases, error, Quantity.TruePositiveRate),
            FalsePositives = Intervals.Gap(cases, error, Quantity.FalsePositiveRate),
            EqualisedOdds = Intervals.Gap(cases, error, Quantity.TruePositiveRate, Quantity.FalsePositiveRate),
            Calibration = Intervals.Gap(cases, error, Quantity.CalibrationError),
            Comparisons = [.. compared.Select(g => new GroupComparison(
                g.Name, Intervals.Difference(g, reference, Quantity.SelectionRate, shared), Intervals.SelectionRatio(g, reference, shared),
                Intervals.Difference(g, reference, Quantity.TruePositiveRate, shared), Intervals.Difference(g, reference, Quantity.FalsePositiveRate, shared),
                Intervals.Difference(g, reference, Quantity.CalibrationBias, shared)))],
        };
    }
}
