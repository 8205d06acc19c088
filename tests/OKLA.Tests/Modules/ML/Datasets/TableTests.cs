using System.Globalization;
using System.Text;
using OKLA.ML.Datasets;

namespace OKLA.Tests.Modules.ML.Datasets;

/// <summary>From a table to what is known of it, without a database.</summary>
public sealed class TableTests
{
    [Test]
    public async Task Statistics_are_those_of_the_cells()
    {
        var (columns, survey) = await SurveyAsync(Table(["n", "c"], [["1", "a"], ["2", "b"], ["3", "a"], ["10", null], [null, "a"], ["1", "a"]]));

        columns.Select(column => column.Type).ShouldBe(["number", "category"]);
        var (n, c) = (survey.Columns[0], survey.Columns[1]);
        (n.Missing, n.Distinct, n.Min, n.Max, n.Mean).ShouldBe((1L, 4L, 1.0, 10.0, 3.4));
        n.Deviation!.Value.ShouldBe(Math.Sqrt(57.2 / 4), 1e-12);
        (c.Missing, c.Distinct, c.DistinctExact).ShouldBe((1L, 2L, true));
        c.Top.ShouldBe([new ValueCount("a", 4), new ValueCount("b", 1)]);
        (survey.Rows, survey.DuplicateRows).ShouldBe((6L, 1L));
    }

    [Test]
    public async Task Repeats_are_counted_with_and_without_ids()
    {
        var (_, survey) = await SurveyAsync(Table(["id", "a"], [.. Enumerable.Range(0, 50).Select(i => new string?[] { $"{i}", $"{i % 5}" })]));

        (survey.DuplicateRows, survey.DuplicatesWithoutIds, survey.DuplicatesExact).ShouldBe((0L, 45L, true));
    }

    [Test]
    public async Task Cells_of_a_column_of_numbers_that_are_none_are_counted()
    {
        var (columns, survey) = await SurveyAsync(Table(["n"], [.. Enumerable.Range(0, 99).Select(i => new string?[] { $"{i * i}" }), ["dozen"]]));

        columns[0].Type.ShouldBe("number");
        survey.Columns[0].Unreadable.ShouldBe(1);
    }

    [TestCase(100)]
    [TestCase(20_000)]
    [TestCase(300_000)]
    public void Different_things_are_estimated_within_three_standard_errors(int things)
    {
        var count = new DistinctCount(12);
        for (var i = 0; i < 2 * things; i++)
        {
            count.Add(StableHash.Of($"thing {i % things}"));
        }

        ((double)count.Estimate()).ShouldBe(things, 3 * count.Error * things);
    }

    [Test]
    public void Repeats_beyond_what_fits_are_estimated_and_said_to_be()
    {
        var count = new RepeatCount(mostExact: 1_000);
        for (var i = 0; i < 40_000; i++)
        {
            count.Add(StableHash.Of($"{i % 20_000}"));
        }

        count.Exact.ShouldBeFalse();
        ((double)count.Repeats()).ShouldBe(20_000, 1_000);
    }

    [Test]
    public void Every_thing_is_as_likely_to_be_kept()
    {
        var kept = new Reservoir<int>(1_000);
        for (var i = 0; i < 100_000; i++)
        {
            if (kept.Place() is >= 0 and var place)
            {
                kept.Put(place, i);
            }
        }

        kept.Kept.Count.ShouldBe(1_000);
        // The mean of a uniform sample of 1,000 of 0 … 99,999 has a standard error of 913.
        kept.Kept.Average().ShouldBe(49_999.5, 3 * 913);
    }

    [Test]
    public async Task Any_text_survives_the_kept_form()
    {
        string?[][] rows = [["a,b", "say \"hi\"", "two\nlines"], ["\r", " spaced ", "ñandú 🚗"], [null, "", "\"\""], ["\uFEFFmark", "x", "y"]];
        var path = Path.GetTempFileName();
        var written = await CanonicalCsv.WriteAsync(Table(["p", "q", "r,s"], rows), path, default);

        var read = new List<string[]>();
        await foreach (var row in CanonicalCsv.ReadAsync(File.OpenRead(path), default))
        {
            read.Add([.. row]);
        }

        File.Delete(path);
        written.Rows.ShouldBe(4);
        read[0].ShouldBe(["p", "q", "r,s"]);
        read.Skip(1).Zip(rows).ShouldAllBe(pair => pair.First.SequenceEqual(pair.Second.Select(text => text ?? "")));
    }

    [Test]
    public async Task Missing_cells_of_a_single_column_keep_their_rows()
    {
        var (_, survey) = await SurveyAsync(Table(["n"], [["1"], [null], ["3"], [null]]));

        (survey.Rows, survey.Columns[0].Missing).ShouldBe((4L, 2L));
    }

    [Test]
    public async Task A_path_into_an_event_has_names_and_places()
    {
        DatasetFromLog.Parse("$.a.b[2].c").ShouldBe(["a", "b", 2, "c"]);
        DatasetFromLog.Parse("price").ShouldBe(["price"]);
        foreach (var wrong in new[] { "", "$.", "a..b", "a[", "a[x]", "a[-1]", "[0]", null })
        {
            DatasetFromLog.Parse(wrong).ShouldBeNull(wrong);
        }

        await Task.CompletedTask;
    }

    internal static TableRows Table(string[] names, string?[][] rows) => new(names, rows.ToAsyncEnumerable());

    /// <summary>A table drawn by a seed, whose columns are functions of the row and of chance.</summary>
    internal static TableRows Drawn(int rows, int seed, params (string Name, Func<int, Random, object?> Cell)[] columns)
    {
        var random = new Random(seed);
        return Table([.. columns.Select(column => column.Name)],
            [.. Enumerable.Range(0, rows).Select(row => columns.Select(column => Convert.ToString(column.Cell(row, random), CultureInfo.InvariantCulture) is { Length: > 0 } text ? text : null).ToArray())]);
    }

    internal static async Task<(IReadOnlyList<DatasetColumn> Columns, Survey Survey)> SurveyAsync(TableRows table, params string[] unique)
    {
        var path = Path.GetTempFileName();
        try
        {
            var written = await CanonicalCsv.WriteAsync(table, path, default);
            var guesses = Inference.Guess(written.Names, written.Sample);
            var survey = await Survey.TakeAsync(CanonicalCsv.ReadAsync(File.OpenRead(path), default), guesses, unique.ToHashSet(), default);
            return (Inference.Columns(guesses, survey), survey);
        }
        finally
        {
            File.Delete(path);
        }
    }

    internal static MemoryStream Utf8(string text) => new(Encoding.UTF8.GetBytes(text));
}
