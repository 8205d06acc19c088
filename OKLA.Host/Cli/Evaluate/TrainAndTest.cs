using System.Globalization;
using OKLA.ML.Algorithms.Tabular;
using OKLA.Shared.Files;

namespace OKLA.Host.Cli.Evaluate;

/// <summary>Rows to learn from and rows to measure on, from two files: columns and targets, without the rows whose target is missing.</summary>
/// <param name="Train">Columns to learn from.</param>
/// <param name="TrainY">Their targets: numbers, or classes from 0.</param>
/// <param name="Test">Columns to measure on.</param>
/// <param name="TestY">Their targets.</param>
/// <param name="Classes">Labels by class; empty for numbers.</param>
/// <param name="TrainGroups">The group of each row to learn from; empty when none was asked for.</param>
/// <param name="TestGroups">The group of each row to measure on.</param>
/// <param name="About">What was read and what was set aside, in one line.</param>
internal sealed record TrainAndTest(
    IReadOnlyList<RawColumn> Train, float[] TrainY, IReadOnlyList<RawColumn> Test, float[] TestY, IReadOnlyList<string> Classes, IReadOnlyList<string?> TrainGroups,
    IReadOnlyList<string?> TestGroups, string About)
{
    private const int MostClasses = 1_000;

    /// <summary>The options that name the files and the target.</summary>
    public static IReadOnlyList<Option> Options { get; } =
    [
        new("--train", "FILE", "rows to learn from, with a header (comma, semicolon, tab or bar)"),
        new("--test", "FILE", "rows to measure on"),
        new("--target", "COLUMN", "what is to be predicted"),
    ];

    /// <summary>The columns to leave out.</summary>
    public static Option Drop { get; } = new("--drop", "A,B", "columns to leave out");

    /// <summary>Reads the files that the options name.</summary>
    /// <exception cref="UnreadableFileException">A file cannot be read, a column is not there, no target can be used, or there is one class only.</exception>
    public static TrainAndTest Read(Invocation invocation, bool classes, string? positive, string? group = null)
    {
        var (target, train, test) = (invocation.Required("--target"), TableFile.Read(invocation.Required("--train")), TableFile.Read(invocation.Required("--test")));
        var (trainTarget, testTarget) = (train.Column(target), test.Column(target));
        var left = (invocation.Text(Drop.Name) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(name => train.Column(name).Name).ToHashSet();
        var columns = train.Columns.Where(c => c != trainTarget && !left.Contains(c.Name)).ToList();
        var (trainGroup, testGroup) = group is null ? (null, null) : (train.Column(group), test.Column(group));
        if (columns.Count == 0)
        {
            throw new UnreadableFileException($"'{train.Path}' has no column besides '{target}' to learn from.");
        }

        IReadOnlyList<string> labels = [];
        float[] trainY, testY;
        if (classes)
        {
            var learned = Labels(trainTarget, positive, train.Path, target);
            labels = learned.Classes;
            (trainY, testY) = (Codes(learned.Read(trainTarget.Values)), Codes(learned.Read(testTarget.Values)));
        }
        else
        {
            var numbers = NumberTarget.Fit(trainTarget.Values);
            (trainY, testY) = (numbers.Read(trainTarget.Values), numbers.Read(testTarget.Values));
        }

        var (trainRows, testRows) = (Known(trainY, train.Path, target), Known(testY, test.Path, target));
        // Found by name, so that the test file's order does not matter; one that it lacks is missing in every row.
        var absent = columns.Where(c => test.Find(c.Name) is null).Select(c => c.Name).ToList();
        var notes = new List<string>
        {
            string.Create(CultureInfo.InvariantCulture, $"learned from {trainRows.Length:N0} rows of {columns.Count:N0} columns, measured on {testRows.Length:N0} rows"),
        };
        AddNote(trainY.Length - trainRows.Length + testY.Length - testRows.Length, "rows without a usable target set aside");
        AddNote(train.Unreadable + test.Unreadable, "unreadable rows left out");
        if (absent.Count > 0)
        {
            notes.Add($"not in the test file: {string.Join(", ", absent.Take(5))}{(absent.Count > 5 ? ", …" : "")}");
        }

        return new TrainAndTest(
            [.. columns.Select(c => Select(c.Name, c.Values, trainRows))], [.. trainRows.Select(r => trainY[r])],
            [.. columns.Where(c => !absent.Contains(c.Name)).Select(c => Select(c.Name, test.Find(c.Name)!.Values, testRows)).DefaultIfEmpty(new RawColumn("nothing", new string?[testRows.Length]))],
            [.. testRows.Select(r => testY[r])], labels, [.. trainRows.Where(_ => group is not null).Select(r => trainGroup!.Values[r])],
            [.. testRows.Where(_ => group is not null).Select(r => testGroup!.Values[r])], string.Join("; ", notes));

        void AddNote(int count, string what)
        {
            if (count > 0)
            {
                notes.Add(string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}"));
            }
        }
    }

    private static ClassTarget Labels(RawColumn column, string? positive, string path, string target)
    {
        ClassTarget learned;
        try
        {
            learned = ClassTarget.Fit(column.Values, positive);
        }
        catch (ArgumentException unknown)
        {
            throw new UsageException($"--positive: {unknown.Message.Split(" (Parameter")[0]}");
        }

        return learned.Classes.Count switch
        {
            0 => throw new UnreadableFileException($"'{path}' has no row with a '{target}'."),
            1 => throw new UnreadableFileException($"Every row of '{path}' has the {target} '{learned.Classes[0]}': there is nothing to tell apart."),
            > MostClasses => throw new UnreadableFileException($"'{target}' has {learned.Classes.Count} classes, of {MostClasses} at most; numbers want --task regression."),
            _ => learned,
        };
    }

    private static float[] Codes(int[] classes) => Array.ConvertAll(classes, c => c < 0 ? float.NaN : c);

    private static int[] Known(float[] y, string path, string target)
    {
        var rows = Enumerable.Range(0, y.Length).Where(r => !float.IsNaN(y[r])).ToArray();
        return rows.Length > 0 ? rows : throw new UnreadableFileException($"'{path}' has no row with a usable '{target}'; text wants --task classification.");
    }

    private static RawColumn Select(string name, IReadOnlyList<string?> values, int[] rows) =>
        rows.Length == values.Count ? new RawColumn(name, values) : new RawColumn(name, Array.ConvertAll(rows, r => values[r]));
}
