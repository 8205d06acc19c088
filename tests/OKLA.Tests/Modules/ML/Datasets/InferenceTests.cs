using OKLA.ML.Datasets;

namespace OKLA.Tests.Modules.ML.Datasets;

public sealed class InferenceTests
{
    [TestCase("price", "12,500|US$ 9,900|8,000|15000", "number")]
    [TestCase("km", "12.500,5|9.900,25|8.000,75", "number")]
    [TestCase("sold", "yes|no|no|yes", "boolean")]
    [TestCase("vendido", "Sí|No|No", "boolean")]
    [TestCase("flag", "0|1|1|0", "boolean")]
    [TestCase("day", "2024-01-31|2024-02-29|2023-12-01", "date")]
    [TestCase("fecha", "31/01/2024|29/02/2024|01/12/2023", "date")]
    [TestCase("fuel", "Gasolina|Diesel|Gasolina|GLP", "category")]
    [TestCase("empty", "||NA|?", "category")]
    public async Task A_column_is_taken_for_what_it_holds(string name, string values, string type) =>
        (await Of(name, values.Split('|'))).Type.ShouldBe(type);

    [TestCase("customerID", "id", "ignored")]
    [TestCase("Lead Number", "id", "ignored")]
    [TestCase("codigo", "id", "ignored")]
    [TestCase("mileage", "number", "feature")]
    public async Task Whole_numbers_that_never_repeat_are_an_id_when_they_are_named_as_one(string name, string type, string role)
    {
        var column = await Of(name, [.. Enumerable.Range(0, 100).Select(i => $"{((i * 7919) % 100_003) + 5}")]);

        (column.Type, column.Role).ShouldBe((type, role));
    }

    [Test]
    public async Task Numbers_that_count_the_rows_are_an_id_whatever_their_name() => (await Of("x", [.. Enumerable.Range(5, 100).Select(i => $"{i}")])).Type.ShouldBe("id");

    [Test]
    public async Task Single_words_that_never_repeat_are_an_id_and_sentences_are_text()
    {
        (await Of("vin", [.. Enumerable.Range(0, 60).Select(i => $"JT{i * 977:x6}Z")])).Type.ShouldBe("id");
        (await Of("note", [.. Enumerable.Range(0, 60).Select(i => $"Se vende carro número {i} en buenas condiciones")])).Type.ShouldBe("text");
    }

    [Test]
    public async Task Roles_follow_from_names_and_from_what_varies()
    {
        var table = TableTests.Table(["churn", "when", "model", "same", "nothing"],
            [.. Enumerable.Range(0, 40).Select(i => new string?[] { i % 3 == 0 ? "yes" : "no", $"2024-01-{(i % 28) + 1:00}", i % 2 == 0 ? "a" : "b", "x", null })]);

        var (columns, _) = await TableTests.SurveyAsync(table);

        columns.Select(column => column.Role).ShouldBe(["target", "time", "feature", "ignored", "ignored"]);
    }

    [Test]
    public async Task Of_two_that_could_be_the_target_none_is()
    {
        var (columns, _) = await TableTests.SurveyAsync(TableTests.Table(["target", "label"], [.. Enumerable.Range(0, 40).Select(i => new string?[] { $"{i % 2}", $"{i % 3 % 2}" })]));

        columns.ShouldAllBe(column => column.Role == "feature");
    }

    private static async Task<DatasetColumn> Of(string name, string[] values) =>
        (await TableTests.SurveyAsync(TableTests.Table([name, "other"], [.. values.Select((value, i) => new string?[] { value, $"{i % 2}" })]))).Columns[0];
}
