using OKLA.ML.Algorithms.Text;

namespace OKLA.ML.Algorithms.Tests.Text;

public class SpanishStemmerTests
{
    // The sample vocabulary of snowballstem.org/algorithms/spanish/stemmer.html.
    [TestCase("che", "che")]
    [TestCase("checa", "chec")]
    [TestCase("checar", "chec")]
    [TestCase("checoslovaquia", "checoslovaqui")]
    [TestCase("chelo", "chel")]
    [TestCase("chemise", "chemis")]
    [TestCase("cheque", "chequ")]
    [TestCase("chequeo", "cheque")]
    [TestCase("cheques", "chequ")]
    [TestCase("chetumaleños", "chetumaleñ")]
    [TestCase("chiapaneca", "chiapanec")]
    [TestCase("chicana", "chican")]
    [TestCase("chicharrones", "chicharron")]
    [TestCase("chicles", "chicl")]
    [TestCase("torá", "tor")]
    [TestCase("tórax", "torax")]
    [TestCase("torcer", "torc")]
    [TestCase("toreado", "tor")]
    [TestCase("toreándolo", "tor")]
    [TestCase("torear", "tor")]
    [TestCase("toreara", "tor")]
    [TestCase("torearlo", "tor")]
    [TestCase("toreó", "tore")]
    [TestCase("torero", "torer")]
    [TestCase("tormentas", "torment")]
    [TestCase("tornado", "torn")]
    [TestCase("tornen", "torn")]
    [TestCase("torneo", "torne")]
    [TestCase("tornillos", "tornill")]
    [TestCase("torpedearon", "torped")]
    [TestCase("torpeza", "torpez")]
    [TestCase("torrencial", "torrencial")]
    [TestCase("torrenciales", "torrencial")]
    [TestCase("torreón", "torreon")]
    public void The_published_sample_is_stemmed_as_published(string word, string stem) => SpanishStemmer.Stem(word).ShouldBe(stem);

    [TestCase("financiamiento", "financi")]
    [TestCase("rápidamente", "rapid")]
    [TestCase("biología", "biolog")]
    [TestCase("contribución", "contribu")]
    [TestCase("experiencia", "experient")]
    [TestCase("posibilidad", "posibil")]
    [TestCase("paguen", "pag")]
    [TestCase("construyendo", "constru")]
    public void Each_rule_of_the_definition_applies(string word, string stem) => SpanishStemmer.Stem(word).ShouldBe(stem);

    [TestCase("")]
    [TestCase("a")]
    [TestCase("yo")]
    public void A_word_of_up_to_two_letters_stays(string word) => SpanishStemmer.Stem(word).ShouldBe(word);
}
