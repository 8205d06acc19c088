using System.Globalization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Tabular;

internal sealed class MessyColumnTests
{
    private static Dataset Encoded(RawColumn column) => TableEncoder.Fit([column]).Transform([column]);

    private static RawColumn Repeated(string name, int times, params string?[] values) => new(name, [.. Enumerable.Repeat(values, times).SelectMany(v => v)]);

    [Test]
    public void Prices_in_two_currencies_give_a_number_and_the_currency()
    {
        var table = Encoded(Repeated("price", 10, "US$ 12,500", "RD$ 850,000", "N/D"));
        table["price"].Numbers[..3].ToArray().ShouldBe([12500f, 850000f, float.NaN]);
        var unit = table["price unit"];
        unit.Codes[0].ShouldNotBe(unit.Codes[1]);
        unit.Codes[2].ShouldBe(-1);
    }

    [Test]
    public void Words_among_numbers_become_a_category_of_their_own()
    {
        var table = Encoded(Repeated("size", 10, "19", "25", "31", "varies", "small"));
        table["size"].Numbers[..5].ToArray().ShouldBe([19f, 25f, 31f, float.NaN, float.NaN]);
        table["size word"].Codes[0].ShouldBe(-1);
        table["size word"].Codes[3].ShouldNotBe(table["size word"].Codes[4]);
    }

    [Test]
    public void A_date_gives_its_parts_that_vary_and_two_dates_their_distance()
    {
        RawColumn[] columns = [Repeated("listed", 10, "2021-01-04", "2021-03-06"), Repeated("sold", 10, "14/01/2021", "16/04/2021")];
        var table = TableEncoder.Fit(columns).Transform(columns);
        table["listed days"].Numbers[0].ShouldBe(7674);
        table["listed month"].Numbers[..2].ToArray().ShouldBe([1f, 3f]);
        table["listed dayofweek"].Numbers[..2].ToArray().ShouldBe([1f, 6f]);
        table.IndexOf("listed year").ShouldBe(-1);
        table.IndexOf("listed hour").ShouldBe(-1);
        table["listed to sold"].Numbers[..2].ToArray().ShouldBe([10f, 41f]);
    }

    [Test]
    public void Yes_and_no_are_one_and_zero_in_Spanish_too()
    {
        Encoded(Repeated("first owner", 5, "Sí", "no", "SI", null))["first owner"].Numbers[..4].ToArray().ShouldBe([1f, 0f, 1f, float.NaN]);
        Encoded(Repeated("flag", 5, "TRUE", "False"))["flag"].Numbers[..2].ToArray().ShouldBe([1f, 0f]);
    }

    [Test]
    public void Case_accents_and_blanks_do_not_part_categories()
    {
        var codes = Encoded(Repeated("fuel", 5, "Híbrido", "HIBRIDO ", "  híbrido", "Gasolina", "gas  natural", "Gas Natural"))["fuel"].Codes;
        codes[0].ShouldBe(codes[1]);
        codes[0].ShouldBe(codes[2]);
        codes[4].ShouldBe(codes[5]);
        codes[0].ShouldNotBe(codes[3]);
    }

    [Test]
    public void Constants_and_ids_are_left_out_but_a_numbered_id_keeps_its_order()
    {
        var rows = Enumerable.Range(0, 100).ToArray();
        RawColumn[] columns =
        [
            new("constant", [.. rows.Select(_ => "x")]),
            new("empty", [.. rows.Select(_ => (string?)" ")]),
            new("uuid", [.. rows.Select(r => $"{unchecked((uint)(r * 2654435761)):x8}-{r * 7919 % 65536:x4}")]),
            new("invoice", [.. rows.Select(r => string.Create(CultureInfo.InvariantCulture, $"INV-{r:00000}"))]),
            new("filled or not", [.. rows.Select(r => r % 2 == 0 ? "x" : null)]),
        ];
        var table = TableEncoder.Fit(columns).Transform(columns);
        table.Columns.Select(c => c.Name).ShouldBe(["invoice number", "filled or not"]);
        table["invoice number"].Numbers[42].ShouldBe(42);
        table["filled or not"].Codes[..2].ToArray().ShouldBe([0, -1]);
    }

    [Test]
    public void A_long_name_gives_its_first_words_and_the_numbers_inside_it()
    {
        string[] makes = ["Toyota Corolla", "Toyota RAV4", "Kia Rio", "Honda Civic"];
        var names = Enumerable.Range(0, 200).Select(r => string.Create(CultureInfo.InvariantCulture, $"{makes[r % 4]} {2000 + r % 20} trim{(char)('a' + r % 7)}")).ToArray();
        var table = Encoded(new RawColumn("title", names));
        table["title first word"].Categories.ShouldBe(["Toyota", "Honda", "Kia", TableEncoder.Other]);
        table["title first two words"].CategoryCount.ShouldBe(5);
        TableEncoder.Fit([new RawColumn("title", names)]).TextColumns.ShouldBe(["title"]);
    }

    [Test]
    public void A_table_of_nothing_but_constants_still_has_a_column() => Encoded(Repeated("x", 9, "1")).Columns.Single().Name.ShouldBe("nothing");

    [Test]
    public void A_saved_encoder_reads_every_kind_of_column_alike()
    {
        RawColumn[] columns =
        [
            Repeated("price", 10, "US$ 1,500", "RD$ 850,000", "varies", "call", "12"), Repeated("seen", 10, "2021-01-04 10:30", "2022-03-06 11:00", null, "2021-01-05", "x"),
            Repeated("sold", 10, "4/1/2021", "31/3/2022", "5/1/2021", null, "6/1/2021"), Repeated("ok", 10, "sí", "no", "sí", "no", null),
            new("name", [.. Enumerable.Range(0, 50).Select(r => $"Kia Rio {r % 17} full {r % 5}")]),
        ];
        var encoder = TableEncoder.Fit(columns);
        using var stream = new MemoryStream();
        encoder.Save(stream);
        var loaded = TableEncoder.Load(new MemoryStream(stream.ToArray()));
        Dataset before = encoder.Transform(columns), after = loaded.Transform(columns);
        after.Columns.Select(c => c.Name).ShouldBe(before.Columns.Select(c => c.Name));
        loaded.TextColumns.ShouldBe(encoder.TextColumns);
        for (var c = 0; c < before.ColumnCount; c++)
        {
            for (var r = 0; r < before.RowCount; r++) after.Columns[c][r].ShouldBe(before.Columns[c][r]);
        }
    }

    [Test]
    public void Made_columns_never_take_the_name_of_another_column()
    {
        RawColumn[] columns = [Repeated("day", 10, "2021-01-04", "2022-03-06"), Repeated("day year", 10, "5", "7")];
        var table = TableEncoder.Fit(columns).Transform(columns);
        table["day year"].Numbers[..2].ToArray().ShouldBe([5f, 7f]);
        table["day year'"].Numbers[..2].ToArray().ShouldBe([2021f, 2022f]);
    }

    [Test]
    public void Targets_are_read_as_written_and_labels_by_what_they_mean()
    {
        NumberTarget.Fit(["US$ 1,500", "12"]).Read(["US$ 2,000", "n/a", null]).ShouldBe([2000f, float.NaN, float.NaN]);
        var labels = ClassTarget.Fit(["Yes", "no", "yes", "yes", "", null, "No", "No"], "YES");
        labels.Classes.ShouldBe(["No", "yes"]);
        labels.Read(["YES", "no", "", "maybe"]).ShouldBe([1, 0, ClassTarget.Missing, ClassTarget.Unknown]);
        ClassTarget.Fit(["10", "9", "1.0", "1"]).Classes.ShouldBe(["1", "9", "10"]);
        Should.Throw<ArgumentException>(() => ClassTarget.Fit(["a", "b"], "c")).Message.ShouldContain("There is: a, b");
    }
}
