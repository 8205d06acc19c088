using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Tabular;

internal sealed class DatasetTests
{
    [Test]
    public void Rows_read_back_as_numbers_with_missing_as_NaN()
    {
        var table = new Dataset([Column.Numeric("a", [1.5f, float.NaN]), Column.Categorical("b", [2, -1])]);
        var row = new float[2];
        table.CopyRow(0, row);
        row.ShouldBe([1.5f, 2f]);
        table.CopyRow(1, row);
        row.ShouldBe([float.NaN, float.NaN]);
        table["b"].CategoryCount.ShouldBe(3);
    }

    [Test]
    public void Selected_rows_keep_their_order_and_kinds()
    {
        var table = new Dataset([Column.Numeric("a", [1, 2, 3]), Column.Categorical("b", [0, 1, 0], ["x", "y"])]).Select([2, 0]);
        table["a"].Numbers.ToArray().ShouldBe([3f, 1f]);
        table["b"].Codes.ToArray().ShouldBe([0, 0]);
        table["b"].Categories.ShouldBe(["x", "y"]);
    }

    [Test]
    public void Unequal_lengths_repeated_names_and_codes_out_of_range_are_refused()
    {
        Should.Throw<ArgumentException>(() => new Dataset([Column.Numeric("a", [1]), Column.Numeric("b", [1, 2])]));
        Should.Throw<ArgumentException>(() => new Dataset([Column.Numeric("a", [1]), Column.Numeric("a", [1])]));
        Should.Throw<ArgumentException>(() => Column.Categorical("a", [-2]));
        Should.Throw<ArgumentException>(() => Column.Categorical("a", [2], ["x", "y"]));
    }

    [Test]
    public void Row_major_numbers_become_columns()
    {
        var table = Dataset.FromRowMajor([1, 2, 3, 4, 5, 6], 2);
        table.RowCount.ShouldBe(3);
        table["x1"].Numbers.ToArray().ShouldBe([2f, 4f, 6f]);
    }
}
