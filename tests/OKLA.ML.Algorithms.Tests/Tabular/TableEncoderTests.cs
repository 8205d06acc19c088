using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Tabular;

internal sealed class TableEncoderTests
{
    private static readonly RawColumn[] Training =
    [
        new("price", ["10", "1,200.5", "NA", " 7 "]),
        new("make", ["Toyota", "Kia", "Toyota", null]),
        new("code", ["01", "01", "02", "02"]),
    ];

    [Test]
    public void Numbers_and_categories_are_told_apart_and_marks_are_missing()
    {
        var table = TableEncoder.Fit(Training, new TableEncoderOptions { MinCategoryRows = 1 }).Transform(Training);
        table["price"].Numbers.ToArray().ShouldBe([10f, 1200.5f, float.NaN, 7f]);
        table["make"].Codes.ToArray().ShouldBe([0, 1, 0, -1]);
        table["make"].Categories.ShouldBe(["Toyota", "Kia", TableEncoder.Other]);
        table["code"].IsCategorical.ShouldBeFalse();
    }

    [Test]
    public void Rare_and_unknown_categories_share_the_last_code()
    {
        var encoder = TableEncoder.Fit(Training, new TableEncoderOptions { MinCategoryRows = 2 });
        var table = encoder.Transform([new("make", ["Kia", "Lada", "Toyota", "?"])]);
        table["make"].Codes.ToArray().ShouldBe([1, 1, 0, -1]);
        table["price"].Numbers.ToArray().ShouldAllBe(v => float.IsNaN(v));
    }

    [Test]
    public void A_column_called_categorical_stays_so_although_it_looks_like_numbers()
    {
        var encoder = TableEncoder.Fit(Training, new TableEncoderOptions { Categorical = new HashSet<string> { "code" } });
        encoder.Transform(Training)["code"].Categories.ShouldBe(["01", "02", TableEncoder.Other]);
    }

    [Test]
    public void A_saved_encoder_encodes_alike_and_a_damaged_one_is_refused()
    {
        var encoder = TableEncoder.Fit(Training, new TableEncoderOptions { MinCategoryRows = 1 });
        using var stream = new MemoryStream();
        encoder.Save(stream);
        var loaded = TableEncoder.Load(new MemoryStream(stream.ToArray()));
        loaded.Transform(Training)["make"].Codes.ToArray().ShouldBe(encoder.Transform(Training)["make"].Codes.ToArray());
        var damaged = stream.ToArray();
        damaged[20] ^= 1;
        Should.Throw<InvalidDataException>(() => TableEncoder.Load(new MemoryStream(damaged)));
    }
}
