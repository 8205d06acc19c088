using FsCheck;
using FsCheck.Fluent;
using OKLA.ML.Algorithms.Text;

namespace OKLA.ML.Algorithms.Tests.Text;

public class TokenizerTests
{
    private static readonly Tokenizer Folding = new(new TokenizerOptions { FoldAccents = true });

    private static string[] Texts(string text) => [.. new Tokenizer().Tokenize(text).Select(token => token.Text)];

    [Test]
    public void Words_are_lowered_and_elongations_and_laughter_shortened() =>
        Texts("HOLAAA buenísimoooo JAJAJAJAJ carro").ShouldBe(["hola", "buenísimo", "jaja", "carro"]);

    [Test]
    public void Doubled_letters_are_spelling_and_stay() => Texts("leer llave corolla").ShouldBe(["leer", "llave", "corolla"]);

    [Test]
    public void Accents_fold_but_the_letter_enye_stays() =>
        Folding.Tokenize("Camión año PINGÜINO").Select(token => token.Text).ShouldBe(["camion", "año", "pinguino"]);

    [Test]
    public void A_letter_with_a_combining_accent_is_the_composed_letter() => Texts("camio\u0301n").ShouldBe(["camión"]);

    [TestCase("RD$1.5M", "DOP", 1_500_000)]
    [TestCase("rd$ 1,250,000", "DOP", 1_250_000)]
    [TestCase("US$12,500", "USD", 12_500)]
    [TestCase("US$ 12k", "USD", 12_000)]
    [TestCase("$850 mil", "DOP", 850_000)]
    [TestCase("900 mil pesos", "DOP", 900_000)]
    [TestCase("2 millones de pesos", "DOP", 2_000_000)]
    [TestCase("1.250.000 pesos", "DOP", 1_250_000)]
    [TestCase("15000 dólares", "USD", 15_000)]
    [TestCase("1.2 millones de dolares", "USD", 1_200_000)]
    public void A_price_has_its_value_and_currency(string text, string currency, double value)
    {
        var token = new Tokenizer().Tokenize(text).ShouldHaveSingleItem();
        token.Kind.ShouldBe(TokenKind.Price);
        token.Currency.ShouldBe(currency);
        token.Value!.Value.ShouldBe(value, 1e-6);
    }

    [Test]
    public void A_number_inside_a_word_belongs_to_the_word() => Texts("4runner cx5 2015").ShouldBe(["4runner", "cx5", "2015"]);

    [Test]
    public void Emoji_are_whole_tokens_even_with_skin_and_joiners()
    {
        var tokens = new Tokenizer().Tokenize("dale 👍🏽👨‍👩‍👧 🇩🇴 ❤️ :)");
        tokens.Where(token => token.Kind == TokenKind.Emoji).Select(token => token.Text).ShouldBe(["👍🏽", "👨‍👩‍👧", "🇩🇴", "❤", ":)"]);
    }

    [Test]
    public void Addresses_mentions_and_mails_are_masked_and_hashtags_kept() =>
        Texts("mira https://ejemplo.do/a?b=1. @pepe juan.p@mail.com #OfertaYa").ShouldBe(["mira", "<url>", "<user>", "<email>", "#ofertaya"]);

    [Test]
    public void Chat_forms_become_standard_words() => Texts("klk, xq ta caro?").ShouldBe(["qué", "tal", "por", "qué", "está", "caro", "?"]);

    [Test]
    public void Slang_is_explained_in_the_lexicon() => DominicanLexicon.Find("yipeta")!.Standard.ShouldBe("suv");

    [Test]
    public void Every_text_is_cut_without_error_and_positions_never_go_back()
    {
        Prop.ForAll<string>(text =>
        {
            text ??= "";
            var tokens = new Tokenizer().Tokenize(text);
            return tokens.All(token => token.Length > 0 && token.Text.Length > 0) && tokens.Zip(tokens.Skip(1)).All(pair => pair.First.Start <= pair.Second.Start);
        }).QuickCheckThrowOnFailure();
    }
}
