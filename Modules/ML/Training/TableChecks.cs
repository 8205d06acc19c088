using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models;

namespace OKLA.ML.Training;

/// <summary>What is looked at beside figures: declared behaviour, what columns matter, and whether one gives the target away.</summary>
internal static class TableChecks
{
    private const int BehaviourRows = 300;
    private const int ImportanceRows = 1_000;
    private const int LeakRows = 3_000;
    private const int LeakColumns = 80;
    private const int Shuffles = 7;
    private const double CopyShare = 0.98;
    private const double LateShare = 0.05;

    private static readonly BoostingSettings Hasty = new(8, 10, 1, LearningRate: 0.3, Rounds: 15);

    /// <summary>The declared tests on test rows.</summary>
    public static IEnumerable<BehaviourFigure> Behaviours(TableDefinition definition, TableModel model, IReadOnlyList<RawColumn> test)
    {
        var some = test.Rows([.. Enumerable.Range(0, Math.Min(BehaviourRows, test.Count()))]);
        var before = model.Answers(some, 1);
        foreach (var invariance in definition.Invariances)
        {
            var broken = new bool[some.Count()];
            foreach (var value in invariance.Values)
            {
                var after = model.Answers(With(some, invariance.Column, _ => value), 1);
                Mark(broken, before, after, (from, to) => Math.Abs(to - from) > invariance.Tolerance * Size(model, from));
            }

            yield return new BehaviourFigure("invariance", $"{invariance.Column} does not matter", broken.Length, broken.Count(b => b));
        }

        foreach (var direction in definition.Directions)
        {
            var sign = direction.Expect == "up" ? 1 : -1;
            var after = model.Answers(With(some, direction.Column, text => Moved(text, direction.Change)), 1);
            var broken = new bool[some.Count()];
            Mark(broken, before, after, (from, to) => sign * (to - from) < -direction.Tolerance * Size(model, from));
            yield return new BehaviourFigure(
                "direction", string.Create(CultureInfo.InvariantCulture, $"{direction.Column} {direction.Change:+0.###;-0.###} moves the answer {direction.Expect}"), broken.Length, broken.Count(b => b));
        }
    }

    /// <summary>By how much the loss grows when a column is shuffled among test rows (Breiman 2001, section 10); the most important one first.</summary>
    public static ColumnImportance[] Importance(TableModel model, IReadOnlyList<RawColumn> test, float[] truth, int seed)
    {
        var rows = Enumerable.Range(0, Math.Min(ImportanceRows, truth.Length)).ToArray();
        var some = test.Rows(rows);
        var y = Array.ConvertAll(rows, r => truth[r]);
        var classes = model.Signature.Classes.Count;
        return ByShuffling(some, columns => TableMeasures.Cases(model.Answers(columns, 1), y, classes).Average(), seed);
    }

    /// <summary>By how much a loss on rows grows when one of their columns is shuffled; the most important one first.</summary>
    public static ColumnImportance[] ByShuffling(RawColumn[] some, Func<IReadOnlyList<RawColumn>, double> loss, int seed)
    {
        var whole = loss(some);
        return [.. some.Select((column, c) =>
        {
            var values = column.Values.ToArray();
            new Random(seed + c).Shuffle(values);
            return new ColumnImportance(column.Name, loss([.. some[..c], new RawColumn(column.Name, values), .. some[(c + 1)..]]) - whole);
        }).OrderByDescending(one => one.LossIncrease)];
    }

    /// <summary>Columns that give the target away, and whether a shuffled target seems to be learned; empty when all is well.</summary>
    public static List<string> Leaks(
        IReadOnlyList<RawColumn> columns, RawColumn target, RawColumn? time, TableTask task, Split split, double limit, int seed, CancellationToken ct)
    {
        var found = new List<string>();
        int[] train = Sample(split.Train, seed), test = Sample(split.Test, seed);
        var classes = task.Classes.Count;
        float[] trainY = Array.ConvertAll(train, r => task.Y[r]), testY = Array.ConvertAll(test, r => task.Y[r]);
        foreach (var column in columns.Take(LeakColumns))
        {
            ct.ThrowIfCancellationRequested();
            var copies = train.Count(r => column.Values[r]?.Trim() is { } text && string.Equals(text, target.Values[r]?.Trim(), StringComparison.OrdinalIgnoreCase));
            if (copies >= CopyShare * train.Length)
            {
                found.Add($"{column.Name} is a copy of {target.Name}");
                continue;
            }

            if (time is not null && column.Name != time.Name && Late(column, time, train) is var late && late > LateShare)
            {
                found.Add(string.Create(CultureInfo.InvariantCulture, $"{column.Name} lies after {time.Name} in {late:P0} of the rows, so it was not known then"));
                continue;
            }

            var score = Score([column], trainY, testY, train, test, classes, task.Log, seed, ct);
            if (score > limit)
            {
                found.Add(string.Create(CultureInfo.InvariantCulture, $"{column.Name} alone reaches {(classes == 0 ? "R²" : "AUC")} {score:0.###}, at most {limit:0.###} is plausible"));
            }
            else if (score >= 0.75 && column.Values.Distinct().Count() == column.Values.Count && TableSignature.Input(column).Type == "number" && Whole(column))
            {
                found.Add(string.Create(CultureInfo.InvariantCulture, $"{column.Name} looks like a number given to each row and alone reaches {score:0.###}: the rows are in the target's order"));
            }
        }

        var (random, shuffled) = (new Random(seed), (float[])trainY.Clone());
        double Shuffled()
        {
            random.Shuffle(shuffled);
            return classes > 0 && shuffled.Distinct().Count() < 2 ? double.NaN : Score(columns, shuffled, testY, train, test, classes, task.Log, seed, ct);
        }

        // Rows of the same few people are not so many cases as they are rows: one shuffle may hit their order by luck, but seven in a row do not.
        var (even, most) = classes == 0 ? (0, 0.15) : (0.5, 0.5 + 5 * Math.Sqrt(1.0 / (12 * Math.Max(1, Fewest(testY, classes)))) + 0.02);
        if ((classes == 0 || testY.Distinct().Count() > 1) && Shuffled() is var first && first > most && Enumerable.Range(1, Shuffles - 1).All(_ => Shuffled() > even))
        {
            found.Add(string.Create(CultureInfo.InvariantCulture, $"shuffled targets are predicted with {(classes == 0 ? "R²" : "AUC")} {first:0.###}: training sees what it should not"));
        }

        return found;
    }

    private static int Fewest(float[] y, int classes) => classes == 2 ? Math.Min(y.Count(v => v == 1), y.Count(v => v == 0)) : Math.Max(5, y.Length / classes / 2);

    /// <summary>AUC (of more classes: the mean over classes against the others), or R², of hasty trees on a few columns.</summary>
    private static double Score(IReadOnlyList<RawColumn> columns, float[] trainY, float[] testY, int[] train, int[] test, int classes, bool log, int seed, CancellationToken ct)
    {
        if (classes > 0 && trainY.Distinct().Count() < 2)
        {
            return double.NaN;
        }

        var answers = BoostedTable.Fit(columns.Rows(train), trainY, classes, log, Hasty, seed, 1, ct).Predict(columns.Rows(test), 1);
        if (classes == 0)
        {
            return RegressionMetrics.R2(Array.ConvertAll(testY, v => (double)v), Array.ConvertAll(answers, v => (double)v));
        }

        var outputs = BoostedTable.Outputs(classes);
        var scores = new List<double>();
        for (var k = 0; k < outputs; k++)
        {
            var y = Array.ConvertAll(testY, v => classes == 2 ? v == 1 : v == k);
            if (y.Contains(true) && y.Contains(false))
            {
                scores.Add(BinaryMetrics.RocAuc([.. Enumerable.Range(0, y.Length).Select(r => (double)answers[r * outputs + k])], y));
            }
        }

        return scores.Count == 0 ? double.NaN : scores.Average();
    }

    private static double Late(RawColumn column, RawColumn time, int[] rows)
    {
        var (late, known) = (0, 0);
        foreach (var row in rows)
        {
            // A plain number may be seconds, dollars or a count: only what is written as a date is compared.
            if (!double.TryParse(column.Values[row], CultureInfo.InvariantCulture, out _) && TableTimes.Read(column.Values[row]) is { } at && TableTimes.Read(time.Values[row]) is { } now)
            {
                known++;
                late += at > now ? 1 : 0;
            }
        }

        return known < rows.Length / 2 ? 0 : (double)late / known;
    }

    private static bool Whole(RawColumn column) => column.Values.Take(200).All(text => long.TryParse(text, CultureInfo.InvariantCulture, out _));

    private static int[] Sample(int[] rows, int seed)
    {
        var drawn = (int[])rows.Clone();
        new Random(seed).Shuffle(drawn);
        return drawn.Length > LeakRows ? drawn[..LeakRows] : drawn;
    }

    private static double Size(TableModel model, double answer) => model.Signature.Classes.Count > 0 ? 1 : Math.Abs(answer);

    private static void Mark(bool[] broken, float[] before, float[] after, Func<double, double, bool> breaks)
    {
        var outputs = before.Length / Math.Max(1, broken.Length);
        for (var i = 0; i < before.Length; i++)
        {
            broken[i / outputs] |= breaks(before[i], after[i]);
        }
    }

    private static RawColumn[] With(IReadOnlyList<RawColumn> columns, string name, Func<string?, string?> value) =>
        [.. columns.Select(column => column.Name == name ? new RawColumn(name, [.. column.Values.Select(value)]) : column)];

    private static string? Moved(string? text, double change) =>
        double.TryParse(text, CultureInfo.InvariantCulture, out var number) ? (number + change).ToString("R", CultureInfo.InvariantCulture) : text;
}

/// <summary>Times of a column of text.</summary>
internal static class TableTimes
{
    /// <summary>A time, or a plain number as one; null where there is none.</summary>
    public static DateTimeOffset? Read(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        if (double.TryParse(text, CultureInfo.InvariantCulture, out var number) && !(text.Length == 8 && number is >= 19_000_101 and <= 21_001_231))
        {
            // A year, or seconds or milliseconds since 1970; only their order matters.
            return number is >= 1_000 and < 3_000 ? new DateTimeOffset((int)number, 1, 1, 0, 0, 0, TimeSpan.Zero).AddDays((number - Math.Floor(number)) * 365)
                : Math.Abs(number) < 1e11 ? DateTimeOffset.UnixEpoch.AddSeconds(number) : Math.Abs(number) < 1e14 ? DateTimeOffset.UnixEpoch.AddMilliseconds(number) : null;
        }

        return DateTimeOffset.TryParseExact(text, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var day) ? day
            : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : null;
    }
}
