using FsCheck;
using FsCheck.Fluent;
using OKLA.Host;
using OKLA.Shared.Privacy;

namespace OKLA.Tests.Shared.Privacy;

public sealed class PersonalDataTests
{
    // Check digit by hand: 00101234565, every second digit from the right doubled and its digits added, sums to a multiple of ten.
    [TestCase("Mi cédula es 001-0123456-0", "Mi cédula es [cédula]", TestName = "The usual form, even with a wrong digit")]
    [TestCase("cédula 00101234565", "cédula [cédula]", TestName = "Eleven digits with the right check digit")]
    [TestCase("referencia 00101234566", "referencia 00101234566", TestName = "Eleven digits with a wrong check digit are a number")]
    [TestCase("RNC 1-01-01063-2", "RNC [rnc]", TestName = "The RNC of Banco Popular, from the register of the DGII")]
    [TestCase("RNC 101010632", "RNC [rnc]", TestName = "An RNC without dashes")]
    [TestCase("orden 101010633", "orden 101010633", TestName = "Nine digits with a wrong check digit are a number")]
    [TestCase("llama al 809-555-1234", "llama al [teléfono]", TestName = "A telephone number with dashes")]
    [TestCase("+1 (829) 555-1234.", "[teléfono].", TestName = "A telephone number as one dials it from abroad")]
    [TestCase("8495551234 o 18095551234", "[teléfono] o [teléfono]", TestName = "Telephone numbers without separators")]
    [TestCase("809-555-1234 / 829-555-9876", "[teléfono] / [teléfono]", TestName = "Two telephone numbers in a row")]
    [TestCase("8 0 9 5 5 5 1 2 3 4", "[teléfono]", TestName = "Digit by digit")]
    [TestCase("escribe a juan.perez+ventas@gmail.com.", "escribe a [correo].", TestName = "An e-mail address ends before the sentence does")]
    [TestCase("/contacto?email=juan%40gmail.com&x=1", "/contacto?email=[correo]&x=1", TestName = "An e-mail address in a query string")]
    [TestCase("juan arroba gmail punto com", "[correo]", TestName = "An e-mail address in words")]
    [TestCase("mi tarjeta 4111 1111 1111 1111", "mi tarjeta [tarjeta]", TestName = "A card in groups of four")]
    [TestCase("tarjeta 378282246310005", "tarjeta [tarjeta]", TestName = "A card of fifteen digits")]
    [TestCase("tarjeta 4111111111111112", "tarjeta 4111111111111112", TestName = "Sixteen digits with a wrong check digit are a number")]
    [TestCase("RD$1,250,000 o US$21,500", "RD$1,250,000 o US$21,500", TestName = "Prices stay")]
    [TestCase("Toyota Corolla 2018, 85,000 km, chasis JTDBR32E830012345", "Toyota Corolla 2018, 85,000 km, chasis JTDBR32E830012345", TestName = "Years, mileages and chassis stay")]
    [TestCase("18.4860575, -69.9312117", "18.4860575, -69.9312117", TestName = "Coordinates stay")]
    [TestCase("@okla en instagram", "@okla en instagram", TestName = "A handle is no address")]
    [TestCase("", "", TestName = "Nothing")]
    public void Personal_data_is_masked_and_the_rest_stays(string text, string masked) => PersonalData.Mask(text).ShouldBe(masked);

    [Test]
    public void The_marked_sentences_are_masked_as_marked()
    {
        // Sentences as people write them to dealers, personal data between « and »; written for this test.
        var lines = File.ReadAllLines(Path.Combine(HostFolders.ContentRoot(), "tests/OKLA.Tests/Shared/Privacy/PersonalData.es.txt")).Where(line => line.Length > 0 && line[0] != '#').ToList();
        var (marked, found, right) = (0, 0, 0);
        foreach (var line in lines)
        {
            var parts = line.Split('«', '»');
            var text = string.Concat(parts);
            var wanted = new List<(int Start, int End)>();
            for (int i = 0, at = 0; i < parts.Length; at += parts[i++].Length)
            {
                if (i % 2 == 1) wanted.Add((at, at + parts[i].Length));
            }

            var spans = PersonalData.Find(text);
            var hits = spans.Count(span => wanted.Exists(want => span.Start < want.End && want.Start < span.Start + span.Length));
            marked += wanted.Count;
            found += spans.Count;
            right += hits;
            if (hits != wanted.Count || hits != spans.Count) TestContext.Out.WriteLine($"{line}  →  {PersonalData.Mask(text)}");
        }

        TestContext.Out.WriteLine($"{lines.Count} sentences, {marked} pieces: recall {(double)right / marked:0.000}, precision {(double)right / found:0.000}");
        lines.Count.ShouldBeGreaterThanOrEqualTo(60);
        ((double)right / marked).ShouldBeGreaterThanOrEqualTo(0.95);
        ((double)right / found).ShouldBeGreaterThanOrEqualTo(0.95);
    }

    [Test]
    public void A_number_with_a_right_check_digit_is_found_wherever_it_stands()
    {
        var numbers = from prefix in Gen.Choose(100_000, 999_999) from rest in Gen.Choose(1_000, 9_999) from before in Words from after in Words select (Digits: $"{prefix}{rest}", before, after);
        Prop.ForAll(numbers.ToArbitrary(), sample =>
        {
            var cedula = WithLuhn(sample.Digits);
            var text = $"{sample.before} {cedula} {sample.after}";
            return !PersonalData.Mask(text).Contains(cedula, StringComparison.Ordinal);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
    }

    [Test]
    public void What_is_found_lies_in_the_text_in_order_and_apart() =>
        Prop.ForAll(Hostile.ToArbitrary(), text =>
        {
            var spans = PersonalData.Find(text);
            return spans.Zip(spans.Skip(1)).All(pair => pair.First.Start + pair.First.Length <= pair.Second.Start)
                && spans.All(span => span.Start >= 0 && span.Length > 0 && span.Start + span.Length <= text.Length);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3_000));

    [Test]
    public void A_text_that_holds_something_is_never_passed_by_the_quick_look() =>
        Prop.ForAll(Hostile.ToArbitrary(), text => PersonalData.Find(text).Count == 0 || PersonalData.MayBeIn(System.Text.Encoding.UTF8.GetBytes(text)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(3_000));

    // Steps rather than seconds: the work of Find is counted by its allocation-free scans, so a megabyte of each must end at all.
    [TestCase("1")]
    [TestCase("1 ")]
    [TestCase("@")]
    [TestCase("a@")]
    [TestCase("a@b.co ")]
    [TestCase("809-555-1234 ")]
    [TestCase("arroba ")]
    [TestCase("a.b@c-")]
    [TestCase("%40")]
    [TestCase("(((")]
    [CancelAfter(20_000)]
    public void A_megabyte_of_hostile_text_is_read_in_the_end(string piece)
    {
        var text = string.Concat(Enumerable.Repeat(piece, (1 << 20) / piece.Length));

        PersonalData.Mask(text).Length.ShouldBeGreaterThan(0);
    }

    private static Gen<string> Words => Gen.Elements("hola", "mi cédula:", "llame al", "gracias", "ok", "vendo jeepeta 2018,", "");

    private static Gen<string> Hostile =>
        from parts in Gen.Elements("1", "8", "809", "00101234565", "4111111111111111", " ", "-", ".", "(", ")", "+", "@", "%40", "a", "gmail.com", "arroba", " punto com", "ñ", "😀", "$", ",", "101010632", "555", "1234").ListOf()
        select string.Concat(parts);

    private static string WithLuhn(string ten) =>
        Enumerable.Range(0, 10).Select(digit => $"{ten}{digit}").Single(number => PersonalData.HasLuhnDigit(number));
}
