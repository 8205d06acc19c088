using OKLA.ML.Models.Language;

namespace OKLA.Tests.Modules.ML.Models.Language;

public sealed class AspectReaderTests
{
    [TestCase("Buen precio, aunque el traspaso se tardó mucho.", "price+ paperwork-")]
    [TestCase("Excelente trato, el carro estaba tal cual las fotos.", "service+ honesty+")]
    [TestCase("No está caro.", "price+")]
    [TestCase("El motor se calienta y el vendedor nunca contesta.", "condition- service-")]
    [TestCase("Fui el martes.", "")]
    [TestCase("", "")]
    public void Each_thing_has_the_tone_of_its_clause(string text, string expected) =>
        string.Join(' ', AspectReader.Read(text).Select(one => one.Aspect + (one.IsPraise ? "+" : "-"))).ShouldBe(expected);

    [Test]
    public void Reviews_written_by_hand_are_told_as_well_as_the_goal_asks()
    {
        var figures = AspectFigures.Of(WrittenReviews.Final);

        figures.Tone.ShouldBeGreaterThan(0.88);
        figures.F1.ShouldBeGreaterThan(0.88);
        figures.F1.ShouldBeGreaterThan(figures.MajorityF1);
    }

    [Test]
    public void Texts_of_any_shape_are_cut_without_losing_words()
    {
        foreach (var text in new[] { " pero ", "pero pero pero", "bueno y y y malo", new string('y', 5_000), "café́ pero té", "a. b; c" })
        {
            string.Join(' ', AspectReader.Clauses(text)).Length.ShouldBeLessThanOrEqualTo(text.Length + 1);
        }
    }
}
