using System.Globalization;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models;
using OKLA.ML.Monitoring;
using OKLA.ML.Serving;
using OKLA.Tests.Modules.ML.Training;

namespace OKLA.Tests.Modules.ML.Models;

public sealed class AnonymousTests
{
    private static readonly ModelInput[] Inputs = [new("wage", "number"), new("born", "date"), new("name", "category"), new("town", "category"), new("remark", "text")];

    [Test]
    public void Numbers_and_dates_are_means_of_five_and_rare_words_are_gone()
    {
        var people = People(50);

        var shared = Anonymous.Shared(people, Inputs);

        // 1,000 to 1,004 have the mean 1,002, and so on: ten parts of five.
        shared[0].Values.Distinct().Select(text => double.Parse(text!, CultureInfo.InvariantCulture)).Order().ShouldBe(Enumerable.Range(0, 10).Select(part => 1_002.0 + (5 * part)));
        foreach (var column in shared[..2])
        {
            column.Values.GroupBy(value => value).ShouldAllBe(same => same.Count() == 5);
        }

        shared[2].Values.ShouldAllBe(value => value == ReferenceSample.Rare);
        shared[3].Values.Distinct().ShouldBe(["Azua", "Baní"], ignoreOrder: true);
        shared[4].Values.ShouldAllBe(value => value!.Trim('·', ' ').Length == 0);
    }

    [Test]
    public void Few_rows_leave_nothing_that_is_one_persons_own()
    {
        var shared = Anonymous.Shared(People(4), Inputs);

        shared.ShouldAllBe(column => column.Values.All(value => value == ReferenceSample.Rare));
        Anonymous.Rows(shared, [0, 1, 2, 3], 24, 1).ShouldHaveSingleItem().ShouldAllBe(value => value == null);
    }

    [Test]
    public void Rows_of_a_part_keep_what_goes_together_and_are_no_row_of_the_table()
    {
        var cars = SmallTables.Cars(400, 5);
        RawColumn[] columns = [.. cars.Where(column => column.Name is "age" or "km" or "price")];
        ModelInput[] inputs = [.. columns.Select(column => new ModelInput(column.Name, "number"))];
        int[] order = [.. Enumerable.Range(0, 400).OrderBy(row => double.Parse(columns[2].Values[row]!, CultureInfo.InvariantCulture))];

        var rows = Anonymous.Rows(Anonymous.Shared(columns, inputs), order, 24, 7);

        rows.Length.ShouldBe(24);
        var known = Enumerable.Range(0, 400).Select(row => string.Join('|', columns.Select(column => column.Values[row]))).ToHashSet();
        rows.ShouldAllBe(row => !known.Contains(string.Join('|', row)));
        // Old cars are cheap here too.
        var (young, old) = (rows.Skip(12).Average(row => double.Parse(row[0]!, CultureInfo.InvariantCulture)), rows.Take(12).Average(row => double.Parse(row[0]!, CultureInfo.InvariantCulture)));
        young.ShouldBeLessThan(old - 3);
    }

    [Test]
    public async Task A_version_carries_no_value_that_only_one_row_had()
    {
        var people = People(200);
        var random = new Random(3);
        RawColumn[] table = [.. people, new RawColumn("left", [.. Enumerable.Range(0, 200).Select(row => random.NextDouble() < (row < 100 ? 0.8 : 0.2) ? "yes" : "no")])];
        var training = SmallTables.Training(new TableDefinition { Target = "left", Profile = "fast", BudgetSeconds = 1, SelectColumns = false }, table);
        await training.EvaluateAsync(null, null, default);

        var trained = training.Refit(null, default);

        var carried = System.Text.Json.JsonSerializer.Serialize(trained.Data) + string.Join('|', TableModel.Load(trained.Artefact).Background.SelectMany(row => row))
            + string.Join('|', TableModel.Load(trained.Artefact).Signature.Inputs.Select(input => $"{input.Example} {string.Join(',', input.Categories ?? [])}"));
        foreach (var row in Enumerable.Range(0, 200))
        {
            carried.ShouldNotContain($"\"{people[2].Values[row]}\"");
            carried.ShouldNotContain(people[4].Values[row]!);
        }

        System.Text.Json.JsonSerializer.SerializeToElement(trained.Data).GetProperty("reference").GetProperty("inputs").GetProperty("town").GetArrayLength().ShouldBe(200);
    }

    [Test]
    public void A_sample_that_is_shared_tells_no_drift_where_there_is_none()
    {
        var (before, now) = (People(1_000), People(1_000));
        foreach (var (column, c) in Anonymous.Shuffled(Anonymous.Shared(before, Inputs), 4).Select((column, c) => (column, c)))
        {
            DriftWatch.Judge(column.Name, Inputs[c].Type, [.. column.Values], [.. now[c].Values], 0.25).Drifted.ShouldBeFalse(column.Name);
        }

        var moved = now[0].Values.Select(text => (double.Parse(text!, CultureInfo.InvariantCulture) + 500).ToString(CultureInfo.InvariantCulture)).ToArray();
        DriftWatch.Judge("wage", "number", [.. Anonymous.Shared(before, Inputs)[0].Values], moved, 0.25).Drifted.ShouldBeTrue();
    }

    /// <summary>People who differ in wage, birthday, name and remark, and live in two towns.</summary>
    private static RawColumn[] People(int count) => RawRows.Columns(
        [.. Inputs.Select(input => input.Name)],
        [
            .. Enumerable.Range(0, count).Select(n => new[]
            {
                (1_000 + n).ToString(CultureInfo.InvariantCulture), new DateTime(1980, 1, 1).AddDays(n).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), $"persona-{n}", n % 2 == 0 ? "Azua" : "Baní",
                $"la persona {n} dijo {string.Join(' ', Enumerable.Repeat("mucho", n % 7))} y se fue",
            }),
        ]);
}
