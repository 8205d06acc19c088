using System.Globalization;

namespace OKLA.Tracking.Quality;

/// <summary>An hour's profile of a field.</summary>
/// <param name="Hour">Its beginning (UTC).</param>
/// <param name="Late">Whether its rows became known long after they happened.</param>
/// <param name="Profile">What they held.</param>
internal readonly record struct HourOf(DateTime Hour, bool Late, FieldProfile Profile);

/// <summary>What expectations are held against.</summary>
/// <param name="Now">The time (UTC).</param>
internal sealed record Evidence(DateTime Now)
{
    /// <summary>The running hour and the 24 before it, oldest first, by type and field.</summary>
    public Dictionary<(string Type, string Field), List<HourOf>> Recent { get; init; } = [];

    /// <summary>The days of the history before today as one, rows on time only, with their number.</summary>
    public Dictionary<(string Type, string Field), (FieldProfile Profile, int Days)> Usual { get; init; } = [];

    /// <summary>Rows on time by hour, over the whole history, by type.</summary>
    public Dictionary<string, Dictionary<DateTime, long>> Volumes { get; init; } = [];

    /// <summary>Rows that came while they were new, over the whole history, by type.</summary>
    public Dictionary<string, long> Arrived { get; init; } = [];

    /// <summary>Rows of all types that came within the last day while they were new.</summary>
    public long ArrivedToday { get; init; }

    /// <summary>Whether all that is in the log has been counted; if not, nothing can be said about what has not come.</summary>
    public bool IsComplete { get; init; } = true;

    /// <summary>
    /// Whether somebody sends a type, or the log as a whole, at the time at which things happen: at least a tenth of a usual day has come so. What a
    /// simulation or an import brought in tells how much there once was, and not that more is due.
    /// </summary>
    public bool IsLive(string type)
    {
        static double Daily(Dictionary<DateTime, long> hours) => hours.Values.Sum() / (double)Math.Max(1, hours.Keys.Select(hour => hour.Date).Distinct().Count());
        return (Volumes.TryGetValue(type, out var own) && Arrived.GetValueOrDefault(type) >= 0.1 * Daily(own)) || ArrivedToday >= 0.1 * Volumes.Values.Sum(Daily);
    }

    /// <summary>The running hour.</summary>
    public DateTime Hour => new(Now.Year, Now.Month, Now.Day, Now.Hour, 0, 0, DateTimeKind.Utc);
}

/// <summary>What came of holding an expectation against the evidence.</summary>
/// <param name="Expectation">The expectation.</param>
/// <param name="Passed">Whether it holds.</param>
/// <param name="Rows">Rows judged.</param>
/// <param name="Observed">What was seen: a share, a count, a PSI.</param>
/// <param name="Expected">What was expected, in the same terms.</param>
/// <param name="From">First hour of the window (UTC).</param>
/// <param name="Detail">The value or property that it is about, for people.</param>
internal sealed record Judgement(Expectation Expectation, bool Passed, long Rows, double Observed, double Expected, DateTime From, string? Detail = null)
{
    /// <summary>The value that no longer comes.</summary>
    public string? Vanished { get; init; }
}

/// <summary>Holds expectations against evidence. Pure; null where there is too little to judge by.</summary>
/// <param name="options">When data count as faulty.</param>
internal sealed class Judge(QualityOptions options)
{
    // Rows of one visit resemble each other: so many of them say as much as one that stands alone (Kish's design effect).
    private const double DesignEffect = 3;

    private static readonly int[] Windows = [1, 2, 3, 4, 6, 8, 12, 24];
    private static readonly int[] VolumeWindows = [1, 3, 6, 12, 24];

    /// <summary>Judges one expectation.</summary>
    /// <param name="item">The expectation.</param>
    /// <param name="evidence">What there is.</param>
    /// <param name="isDeclared">Whether a schema names a field.</param>
    public Judgement? Of(Expectation item, Evidence evidence, Func<string, bool> isDeclared) => !item.Enabled ? null : item.Kind switch
    {
        ExpectationKind.Completeness when !item.Required => MissingMore(item, evidence),
        ExpectationKind.Completeness => Bad(item, evidence, static profile => profile.Missing),
        ExpectationKind.Type => Bad(item, evidence, static profile => profile.Mistyped),
        ExpectationKind.Range => Bad(item, evidence, static profile => profile.OutOfRange),
        ExpectationKind.Set => Bad(item, evidence, static profile => profile.OutOfSet),
        ExpectationKind.Uniqueness => Repeating(item, evidence),
        ExpectationKind.Freshness => Silent(item, evidence),
        ExpectationKind.Volume => Volume(item, evidence),
        ExpectationKind.Schema => Names(item, evidence, isDeclared),
        _ => Drift(item, evidence),
    };

    /// <summary>Whether a breach is by comparison with all hours of the day, so that the same hours of other days should be asked too.</summary>
    public static bool IsByUsual(Expectation item) => item.Kind == ExpectationKind.Drift || (item.Kind == ExpectationKind.Completeness && !item.Required);

    private Judgement? Bad(Expectation item, Evidence evidence, Func<FieldProfile, long> count)
    {
        if (Window(item, evidence, Math.Min(20, options.MinRows), late: true) is not var (from, seen) || seen.Rows == 0)
        {
            return null;
        }

        var allowed = item.Threshold ?? options.BadShare;
        var share = count(seen) / (double)seen.Rows;
        return new Judgement(item, count(seen) < 3 || share <= allowed, seen.Rows, share, allowed, from);
    }

    private Judgement? MissingMore(Expectation item, Evidence evidence)
    {
        if (Window(item, evidence, options.MinRows) is not var (from, seen) || seen.Rows < options.MinRows || Usual(item, evidence) is not { } usual || usual.Rows < options.MinRows)
        {
            return null;
        }

        var (share, expected) = (seen.Missing / (double)seen.Rows, usual.Missing / (double)usual.Rows);
        var error = Math.Sqrt(DesignEffect * Math.Max(expected * (1 - expected), 0.01) / seen.Rows);
        var passed = share - expected <= (item.Threshold ?? options.MissingRise) || share - expected <= options.StandardErrors * error;
        return new Judgement(item, passed, seen.Rows, share, expected, from);
    }

    private Judgement? Repeating(Expectation item, Evidence evidence)
    {
        var hours = Hours(item, evidence, late: false).Where(hour => hour.Profile.Rows - hour.Profile.Missing >= options.MinRows).ToList();
        if (hours.Count == 0 || evidence.Hour - hours[^1].Hour > TimeSpan.FromHours(2))
        {
            return null;
        }

        static double Share(FieldProfile profile) => profile.Distinct / (profile.Rows - profile.Missing);
        var (seen, before) = (hours[^1], hours.SkipLast(1).Select(hour => Share(hour.Profile)).Order().ToList());
        if (item.Threshold is null && before.Count < 5)
        {
            return null;
        }

        var least = item.Threshold ?? options.DistinctDrop * before[before.Count / 2];
        return new Judgement(item, Share(seen.Profile) >= least, seen.Profile.Rows, Share(seen.Profile), least, seen.Hour);
    }

    private Judgement? Silent(Expectation item, Evidence evidence)
    {
        if (!evidence.IsComplete || !evidence.Volumes.TryGetValue(item.Type, out var hours) || hours.Count == 0)
        {
            return null;
        }

        var last = hours.Keys.Max();
        var silent = (int)Math.Min((evidence.Hour - last).TotalHours - 1, 48);
        if (item.Threshold is { } minutes)
        {
            var age = (evidence.Now - last).TotalMinutes - 60;
            return new Judgement(item, age <= minutes, hours[last], age, minutes, last.AddHours(1));
        }

        if (!evidence.IsLive(item.Type))
        {
            return null;
        }

        if (silent < 1)
        {
            return new Judgement(item, true, hours[last], 0, 0, evidence.Hour);
        }

        // By chance nothing comes where m were expected with probability exp(-m / dispersion): with 15 times the dispersion never.
        return Expected(hours, evidence.Hour, silent) is var (expected, dispersion)
            ? new Judgement(item, expected < 15 * dispersion, 0, 0, expected, last.AddHours(1)) : null;
    }

    private Judgement? Volume(Expectation item, Evidence evidence)
    {
        if (!evidence.IsComplete || !evidence.Volumes.TryGetValue(item.Type, out var hours) || !evidence.IsLive(item.Type))
        {
            return null;
        }

        var least = item.Threshold ?? options.VolumeDrop;
        foreach (var window in VolumeWindows)
        {
            // The smallest window in which a drop could be told from chance.
            if (Expected(hours, evidence.Hour, window) is not var (expected, dispersion)
                || (1 - least) * expected <= options.StandardErrors * Math.Sqrt(dispersion * expected))
            {
                continue;
            }

            var seen = Sum(hours, evidence.Hour, window);
            if (seen == 0)
            {
                // Silence is another expectation's.
                return null;
            }

            var differs = Math.Abs(seen - expected) > options.StandardErrors * Math.Sqrt(dispersion * expected);
            var low = seen < least * expected;
            var passed = !differs || !(low || seen > options.VolumeRise * expected);
            var from = evidence.Hour.AddHours(-window);
            while (!passed && low && from < evidence.Hour.AddHours(-1) && Expected(hours, from.AddHours(1), 1) is var (then, _) && Sum(hours, from.AddHours(1), 1) >= least * then)
            {
                from = from.AddHours(1);
            }

            return new Judgement(item, passed, (long)seen, seen, expected, from, low ? "menos" : "más");
        }

        return null;
    }

    private Judgement? Names(Expectation item, Evidence evidence, Func<string, bool> isDeclared)
    {
        if (Window(item, evidence, options.MinRows) is not var (from, seen) || seen.Rows < 5 || Usual(item, evidence) is not { } usual || usual.Rows < options.MinRows)
        {
            return null;
        }

        static string Field(string name) => name[..Math.Max(0, name.LastIndexOf(':'))];
        bool IsOdd(string name) => name != FieldProfile.Others && !isDeclared(Field(name));
        // A full shape cannot tell the new from those that were counted together.
        var added = usual.Shape.ContainsKey(FieldProfile.Others) ? []
            : seen.Shape.Where(name => IsOdd(name.Key) && name.Value >= Math.Max(5, 0.01 * seen.Rows) && !usual.Shape.ContainsKey(name.Key)).Select(name => name.Key).ToList();
        var gone = seen.Rows < options.MinRows ? []
            : usual.Shape.Where(name => IsOdd(name.Key) && name.Value >= 0.2 * usual.Rows && !seen.Shape.ContainsKey(name.Key)).Select(name => name.Key).ToList();
        var detail = string.Join("; ", added.Select(name => $"nuevo {name}").Concat(gone.Select(name => $"falta {name}")));
        return new Judgement(item, detail.Length == 0, seen.Rows, added.Count + gone.Count, 0, from, detail.Length == 0 ? null : detail);
    }

    private Judgement? Drift(Expectation item, Evidence evidence)
    {
        if (Window(item, evidence, options.MinDriftRows, shaped: true) is not var (from, seen) || Usual(item, evidence) is not { } usual)
        {
            return null;
        }

        var (n, m) = (seen.Shape.Values.Sum(), usual.Shape.Values.Sum());
        if (n < options.MinDriftRows || m < 2 * options.MinDriftRows)
        {
            return null;
        }

        var groups = Groups(seen.Shape, usual.Shape, numeric: usual.Numbers > 0);
        var chance = (groups.Count - 1) * ((1.0 / n) + (1.0 / m));
        var psi = Psi(groups, n, m);
        var allowed = (item.Threshold ?? options.Drift) + (3 * DesignEffect * chance);
        var vanished = usual.Numbers > 0 ? null : usual.Shape
            .Where(value => value.Value >= options.VanishedShare * m && !seen.Shape.ContainsKey(value.Key) && value.Value / (double)m * n >= 4 * options.StandardErrors)
            .OrderByDescending(value => value.Value).Select(value => value.Key).FirstOrDefault();
        return new Judgement(item, psi <= allowed && vanished is null, n, psi, allowed, from, vanished is null ? null : $"falta {vanished}") { Vanished = vanished };
    }

    /// <summary>Population stability index: Σ (p − q) ln(p / q) over groups, with half a row added to each.</summary>
    internal static double Psi(IReadOnlyList<(long Seen, long Usual)> groups, long n, long m) => groups.Sum(group =>
    {
        var p = (group.Seen + 0.5) / (n + (0.5 * groups.Count));
        var q = (group.Usual + 0.5) / (m + (0.5 * groups.Count));
        return (p - q) * Math.Log(p / q);
    });

    /// <summary>Values with their counts; numbers in at most about ten groups of equal usual mass.</summary>
    internal static List<(long Seen, long Usual)> Groups(Dictionary<string, long> seen, Dictionary<string, long> usual, bool numeric)
    {
        var keys = seen.Keys.Union(usual.Keys);
        var counts = (numeric ? keys.OrderBy(key => int.TryParse(key, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var place) ? place : int.MaxValue) : keys.Order(StringComparer.Ordinal))
            .Select(key => (Seen: seen.GetValueOrDefault(key), Usual: usual.GetValueOrDefault(key))).ToList();
        if (!numeric)
        {
            return counts;
        }

        var (groups, tenth, open) = (new List<(long Seen, long Usual)>(), usual.Values.Sum() / 10.0, (Seen: 0L, Usual: 0L));
        foreach (var count in counts)
        {
            open = (open.Seen + count.Seen, open.Usual + count.Usual);
            if (open.Usual >= tenth)
            {
                groups.Add(open);
                open = (0, 0);
            }
        }

        return open == (0, 0) ? groups : [.. groups, open];
    }

    /// <summary>
    /// What would have come in the hours before one, by the same weekday and hour of the weeks before or, until there are two of them, by the
    /// days before: the median, and how much more than by chance it varies (variance over mean, at least 2).
    /// </summary>
    internal (double Expected, double Dispersion)? Expected(Dictionary<DateTime, long> hours, DateTime end, int window)
    {
        var first = hours.Keys.Min();
        IEnumerable<double> Before(int step, int most) => Enumerable.Range(1, most).Select(i => end.AddDays(-i * step))
            .Where(then => then.AddHours(-window) >= first && then >= end.AddDays(-options.HistoryDays)).Select(then => Sum(hours, then, window));
        var past = Before(7, 8).ToList();
        past = past.Count >= 2 ? past : [.. Before(1, 7)];
        if (past.Count < 2 || end.AddDays(-options.LearningDays) < first)
        {
            return null;
        }

        past.Sort();
        var (median, mean) = ((past[(past.Count - 1) / 2] + past[past.Count / 2]) / 2, past.Average());
        var variance = past.Sum(value => (value - mean) * (value - mean)) / (past.Count - 1);
        return (median, Math.Max(2, mean > 0 ? variance / mean : 2));
    }

    private static double Sum(Dictionary<DateTime, long> hours, DateTime end, int window) =>
        Enumerable.Range(1, window).Sum(i => (double)hours.GetValueOrDefault(end.AddHours(-i)));

    private FieldProfile? Usual(Expectation item, Evidence evidence) =>
        evidence.Usual.TryGetValue((item.Type, item.Field), out var usual) && usual.Days >= options.LearningDays ? usual.Profile : null;

    private static IEnumerable<HourOf> Hours(Expectation item, Evidence evidence, bool late) =>
        evidence.Recent.TryGetValue((item.Type, item.Field), out var hours) ? hours.Where(hour => late || !hour.Late) : [];

    /// <summary>The latest hours as one: as few as hold enough rows, or all 24.</summary>
    private static (DateTime From, FieldProfile Seen)? Window(Expectation item, Evidence evidence, int minRows, bool late = false, bool shaped = false)
    {
        var hours = Hours(item, evidence, late).ToList();
        foreach (var window in Windows)
        {
            var from = evidence.Hour.AddHours(1 - window);
            var within = hours.Where(hour => hour.Hour >= from).ToList();
            if (window == Windows[^1] || within.Sum(hour => shaped ? hour.Profile.Shape.Values.Sum() : hour.Profile.Rows) >= minRows)
            {
                var whole = new FieldProfile();
                within.ForEach(hour => whole.Merge(hour.Profile));
                return (from, whole);
            }
        }

        return null;
    }
}
