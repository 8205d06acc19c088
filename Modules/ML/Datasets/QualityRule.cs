namespace OKLA.ML.Datasets;

/// <summary>What must hold of a table before anything is trained on it.</summary>
/// <param name="Rule">One of <see cref="QualityRules.Kinds"/>.</param>
/// <param name="Column">The column it is about; the drift of all columns without one.</param>
/// <param name="Min">Fewest rows, or smallest number.</param>
/// <param name="Max">Largest share of missing cells, largest number, largest stability index, or most days of age.</param>
/// <param name="Values">Values allowed.</param>
/// <param name="Severity">block or warn.</param>
internal sealed record QualityRule(string Rule, string? Column = null, double? Min = null, double? Max = null, IReadOnlyList<string>? Values = null, string Severity = QualityRules.Block);

/// <summary>What a rule made of a version.</summary>
/// <param name="Rule">The rule's kind.</param>
/// <param name="Column">The column it looked at.</param>
/// <param name="Severity">block or warn.</param>
/// <param name="Passed">Whether it holds.</param>
/// <param name="Message">What was found.</param>
internal sealed record QualityFinding(string Rule, string? Column, string Severity, bool Passed, string Message);

/// <summary>Checks rules, and what they say of a table.</summary>
internal static class QualityRules
{
    public const string Block = "block";
    public const string Warn = "warn";
    public const string Missing = "missing";
    public const string Rows = "rows";
    public const string Range = "range";
    public const string Values = "values";
    public const string Unique = "unique";
    public const string NoNewValues = "no-new-values";
    public const string Drifted = "drift";
    public const string Fresh = "fresh";

    public const int MaxRules = 500;
    private const int MaxValues = 1_000;
    private const int Named = 5;

    // Above 0.25 a distribution is usually called shifted (Siddiqi 2006).
    private const double ShiftedPsi = 0.25;

    public static IReadOnlyList<string> Kinds { get; } = [Missing, Rows, Range, Values, Unique, NoNewValues, Drifted, Fresh];

    /// <summary>What is wrong with a rule: the part at fault and why; null when nothing is.</summary>
    public static (string Part, string Message)? Fault(QualityRule rule) => rule switch
    {
        _ when !Kinds.Contains(rule.Rule) => ("rule", $"One of {string.Join(", ", Kinds)}."),
        { Severity: not (Block or Warn) } => ("severity", $"{Block} or {Warn}."),
        { Column: null } when rule.Rule is not (Rows or Drifted) => ("column", "The value is required."),
        { Column: { } name } when name.Length is 0 or > 200 || name.Contains('\0') => ("column", "Between 1 and 200 characters."),
        { Min: { } min } when !double.IsFinite(min) => ("min", "A finite number."),
        { Max: { } max } when !double.IsFinite(max) => ("max", "A finite number."),
        { Rule: Rows, Min: not > 0 } => ("min", "How many rows at least, above 0."),
        { Rule: Missing, Max: not (>= 0 and <= 1) } => ("max", "The largest share of missing cells, 0 to 1."),
        { Rule: Range, Min: null, Max: null } => ("min", "A range needs min, max or both."),
        { Rule: Range, Min: { } min, Max: { } max } when min > max => ("min", "Not above max."),
        { Rule: Fresh, Max: not > 0 } => ("max", "How many days old the newest row may be, above 0."),
        { Rule: Drifted, Max: <= 0 } => ("max", "The largest stability index, above 0."),
        { Rule: Values, Values: null or { Count: 0 or > MaxValues } } => ("values", $"Between 1 and {MaxValues:N0} values."),
        { Rule: Values, Values: { } values } when values.Any(value => value is null || value.Contains('\0')) => ("values", "Texts without U+0000."),
        _ => null,
    };

    /// <summary>Judges a table; pure.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="columns">The table's columns.</param>
    /// <param name="survey">What was found in it.</param>
    /// <param name="earlier">Statistics of the version before; null when there is none.</param>
    /// <param name="now">The time (UTC).</param>
    public static IReadOnlyList<QualityFinding> Judge(
        IReadOnlyList<QualityRule> rules, IReadOnlyList<DatasetColumn> columns, Survey survey, IReadOnlyList<ColumnStatistics>? earlier, DateTimeOffset now) =>
        [.. rules.SelectMany(rule => Judge(rule, columns, survey, earlier, now))];

    /// <summary>Whether the newest row of a table is young enough now.</summary>
    public static (bool Passed, string Message) IsFresh(QualityRule rule, ColumnStatistics seen, DateTimeOffset now)
    {
        if (seen.Max is not { } newest)
        {
            return (false, $"'{seen.Name}' holds no date.");
        }

        var age = (now - DateTimeOffset.UnixEpoch).TotalDays - newest;
        return (age <= rule.Max, FormattableString.Invariant($"The newest '{seen.Name}' is {age:0.0} days old; at most {rule.Max:0.##}."));
    }

    private static IEnumerable<QualityFinding> Judge(
        QualityRule rule, IReadOnlyList<DatasetColumn> columns, Survey survey, IReadOnlyList<ColumnStatistics>? earlier, DateTimeOffset now)
    {
        if (rule.Rule == Drifted && rule.Column is null)
        {
            return columns.Where(column => column.Role is ColumnRoles.Feature or ColumnRoles.Target && column.Type is not (ColumnTypes.Id or ColumnTypes.Text))
                .SelectMany(column => Judge(rule with { Column = column.Name }, columns, survey, earlier, now));
        }

        if (rule.Rule == Rows)
        {
            return [Finding(survey.Rows >= rule.Min, $"{survey.Rows:N0} rows; at least {rule.Min:N0}.")];
        }

        var at = columns.ToList().FindIndex(column => column.Name == rule.Column);
        if (at < 0)
        {
            return [Finding(false, $"There is no column '{rule.Column}'.")];
        }

        var (seen, sample) = (survey.Columns[at], survey.Sample[at]);
        var before = earlier?.FirstOrDefault(column => column.Name == rule.Column);
        return rule.Rule switch
        {
            Missing => [Finding((double)seen.Missing / survey.Rows <= rule.Max, FormattableString.Invariant($"{(double)seen.Missing / survey.Rows:0.0000} of '{rule.Column}' is missing; at most {rule.Max}."))],
            Range => [InRange()],
            Values => [Allowed(seen.Top.Where(entry => !rule.Values!.Contains(entry.Value)).ToList(), "not allowed")],
            Unique => [IsUnique()],
            NoNewValues => [before is null ? Finding(true, "There is no earlier version to compare with.")
                : before.Top.Count < before.Distinct ? Finding(false, $"'{rule.Column}' had {before.Distinct:N0} values before, too many to compare.")
                : Allowed(seen.Top.Where(entry => before.Top.All(known => known.Value != entry.Value)).ToList(), "new")],
            Drifted => [Shift()],
            _ => [sample.Guess.Type != ColumnTypes.Date ? Finding(false, $"'{rule.Column}' is no date.") : IsFresh(rule, seen, now) is var (passed, message) ? Finding(passed, message) : throw new InvalidOperationException()],
        };

        QualityFinding Finding(bool passed, string message) => new(rule.Rule, rule.Column, rule.Severity, passed, message);

        QualityFinding InRange()
        {
            if (sample.Guess.Type != ColumnTypes.Number)
            {
                return Finding(false, $"'{rule.Column}' is no number.");
            }

            var passed = seen.Unreadable == 0 && !(seen.Min < rule.Min) && !(seen.Max > rule.Max);
            return Finding(passed, FormattableString.Invariant($"'{rule.Column}' lies from {seen.Min} to {seen.Max}, with {seen.Unreadable} cells that are no number; allowed from {rule.Min ?? double.NegativeInfinity} to {rule.Max ?? double.PositiveInfinity}."));
        }

        QualityFinding IsUnique()
        {
            var (repeats, exact) = survey.Repeats[rule.Column!];
            return Finding(repeats == 0, $"{(exact ? "" : "About ")}{repeats:N0} cells of '{rule.Column}' repeat an earlier one{(exact ? "" : " (estimated: too many to count one by one)")}.");
        }

        QualityFinding Allowed(List<ValueCount> strange, string what)
        {
            if (strange.Count == 0 && seen.Distinct > seen.Top.Count)
            {
                return Finding(false, $"'{rule.Column}' has {seen.Distinct:N0} values, too many to compare.");
            }

            var names = string.Join(", ", strange.Take(Named).Select(entry => $"'{entry.Value}' ({entry.Count:N0})"));
            return Finding(strange.Count == 0, strange.Count == 0 ? $"No value of '{rule.Column}' is {what}." : $"{strange.Count:N0} values of '{rule.Column}' are {what}: {names}{(strange.Count > Named ? " …" : ".")}");
        }

        QualityFinding Shift()
        {
            if (before is null)
            {
                return Finding(true, "There is no earlier version to compare with.");
            }

            return Drift.Psi(before, seen, sample) is { } psi
                ? Finding(psi <= (rule.Max ?? ShiftedPsi), FormattableString.Invariant($"The stability index of '{rule.Column}' against the version before is {psi:0.000}; at most {rule.Max ?? ShiftedPsi}."))
                : Finding(before.Bins is null && seen.Bins is null, $"'{rule.Column}' cannot be compared with the version before: its type changed, or one of them is all missing.");
        }
    }
}
