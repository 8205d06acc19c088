using FsCheck;
using FsCheck.Fluent;
using OKLA.ML.Algorithms.Text;

namespace OKLA.ML.Algorithms.Tests.Text;

public class NameMatcherTests
{
    private static readonly string[] Models =
    [
        "Toyota Corolla", "Toyota Camry", "Toyota RAV4", "Toyota Hilux", "Toyota 4Runner", "Honda Civic", "Honda Accord", "Honda CR-V", "Honda Pilot", "Hyundai Sonata",
        "Hyundai Tucson", "Hyundai Santa Fe", "Kia K5", "Kia Sportage", "Nissan Sentra", "Nissan Frontier", "Jeep Cherokee", "Jeep Grand Cherokee", "Mazda 3", "Mazda 6",
        "Mazda CX-5", "Mitsubishi Montero", "Chevrolet Tahoe", "Ford Explorer", "Suzuki Vitara", "Lexus RX 350", "BMW X5", "Mercedes-Benz C300", "Volkswagen Jetta",
    ];

    private static readonly NameMatcher Matcher = new(Models);

    [TestCase("toyoya corola", "Toyota Corolla")]
    [TestCase("TOYOTA COROLLA", "Toyota Corolla")]
    [TestCase("onda sivic", "Honda Civic")]
    [TestCase("honda crv", "Honda CR-V")]
    [TestCase("jiundai sonata", "Hyundai Sonata")]
    [TestCase("hunday tuczon", "Hyundai Tucson")]
    [TestCase("nisan centra", "Nissan Sentra")]
    [TestCase("grand cheroki jeep", "Jeep Grand Cherokee")]
    [TestCase("mitsubichi montero", "Mitsubishi Montero")]
    [TestCase("chevrole taho", "Chevrolet Tahoe")]
    [TestCase("susuki bitara", "Suzuki Vitara")]
    [TestCase("bolswagen jeta", "Volkswagen Jetta")]
    [TestCase("mersedes c300", "Mercedes-Benz C300")]
    public void A_misspelt_name_is_found(string written, string name) => Matcher.Best(written, 0.6)!.Value.Name.ShouldBe(name);

    [TestCase("mazda 8")]
    [TestCase("nevera usada")]
    [TestCase("")]
    public void What_is_none_of_them_finds_nothing(string written) => Matcher.Best(written).ShouldBeNull();

    [Test]
    public void Every_name_finds_itself_first_with_score_one()
    {
        for (var i = 0; i < Models.Length; i++) Matcher.Best(Models[i])!.Value.ShouldBe(new NameMatch(i, Models[i], 1));
    }

    [Test]
    public void Names_are_found_inside_a_sentence()
    {
        var found = Matcher.FindIn("busco un toyoya corola 2015 o un onda civic, pago cash");
        found.Select(f => (f.Match.Name, f.FirstWord, f.Words)).ShouldBe([("Toyota Corolla", 2, 2), ("Honda Civic", 7, 2)]);
    }

    // Winkler (1990), table of comparisons.
    [TestCase("MARTHA", "MARHTA", 0.9611)]
    [TestCase("DWAYNE", "DUANE", 0.84)]
    [TestCase("DIXON", "DICKSONX", 0.8133)]
    [TestCase("abc", "xyz", 0)]
    [TestCase("", "", 1)]
    public void Jaro_winkler_is_as_published(string a, string b, double expected) => EditDistance.JaroWinkler(a, b).ShouldBe(expected, 1e-4);

    [TestCase("kitten", "sitting", 3)]
    [TestCase("corolla", "coroll", 1)]
    [TestCase("toyota", "toyoat", 1)]
    [TestCase("ca", "abc", 3)]
    [TestCase("", "abc", 3)]
    public void Edits_are_counted_with_swaps(string a, string b, int expected) => EditDistance.Damerau(a, b).ShouldBe(expected);

    [Test]
    public void The_band_gives_the_distance_or_says_beyond()
    {
        var words = Gen.Elements('a', 'b', 'c').ListOf().Select(letters => string.Concat(letters)).ToArbitrary();
        Prop.ForAll(words, words, Gen.Choose(0, 6).ToArbitrary(), (a, b, most) => EditDistance.Damerau(a, b, most) == Math.Min(EditDistance.Damerau(a, b), most + 1))
            .QuickCheckThrowOnFailure();
    }

    [TestCase("Honda Civic", "onda sivik")]
    [TestCase("vaca", "baka")]
    [TestCase("llave", "yabe")]
    [TestCase("Chevrolet", "chebrolet")]
    [TestCase("gente", "jente")]
    [TestCase("casas", "kasa")]
    public void Words_that_sound_alike_share_a_key(string a, string b) => SpanishPhonetics.Key(a).ShouldBe(SpanishPhonetics.Key(b));

    [TestCase("guerra", "jerra")]
    [TestCase("carro", "caño")]
    public void Words_that_sound_apart_do_not(string a, string b) => SpanishPhonetics.Key(a).ShouldNotBe(SpanishPhonetics.Key(b));
}
