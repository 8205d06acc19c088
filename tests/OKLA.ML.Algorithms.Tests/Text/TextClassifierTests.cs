using OKLA.ML.Algorithms.Text;

namespace OKLA.ML.Algorithms.Tests.Text;

public class TextClassifierTests
{
    private static readonly string[] Good = ["excelente carro", "muy buen servicio", "me encanta este carro", "buen precio y excelente trato", "quedé muy contento"];
    private static readonly string[] Bad = ["pésimo servicio", "carro malo y caro", "muy mal trato", "una estafa, malo", "quedé muy enojado"];
    private static readonly string[] Ask = ["¿cuánto cuesta?", "¿qué precio tiene?", "¿dónde están ubicados?", "¿a qué hora abren?", "¿tiene financiamiento?"];

    [Test]
    public void Rows_have_length_one_and_match_the_single_text()
    {
        var (vectorizer, matrix) = TextVectorizer.FitTransform([.. Good, .. Bad]);
        for (var i = 0; i < matrix.Rows; i++)
        {
            matrix.RowValues(i).ToArray().Sum(v => (double)v * v).ShouldBe(1, 1e-5);
            var (columns, values) = vectorizer.Transform(i < 5 ? Good[i] : Bad[i - 5]);
            columns.ShouldBe(matrix.RowIndices(i).ToArray());
            values.ShouldBe(matrix.RowValues(i).ToArray());
        }
    }

    [Test]
    public void Idf_is_that_of_the_definition()
    {
        // df of "a" = 2, of "b" = 1 in 2 texts: idf 1 and ln(3/2) + 1; text 2 = (a 1·1, b 1·1.405465) / 1.724902.
        var options = new TextVectorizerOptions { Words = (1, 1), Chars = (0, 0), MinDocuments = 1 };
        var (_, matrix) = TextVectorizer.FitTransform(["a", "a b"], options);
        matrix.RowValues(0).ToArray().ShouldBe([1f]);
        var second = matrix.RowValues(1).ToArray().Order().ToArray();
        second[0].ShouldBe(0.579738f, 1e-5f);
        second[1].ShouldBe(0.814802f, 1e-5f);
    }

    [Test]
    public void Three_kinds_of_text_are_told_apart_and_survive_saving()
    {
        string[] texts = [.. Good, .. Bad, .. Ask];
        string[] labels = [.. Good.Select(_ => "bueno"), .. Bad.Select(_ => "malo"), .. Ask.Select(_ => "pregunta")];
        var classifier = TextClassifier.Fit(texts, labels, new TextClassifierOptions { Cost = 10, Vectorizer = new() { MinDocuments = 1 } });
        for (var i = 0; i < texts.Length; i++) classifier.Predict(texts[i]).Class.ShouldBe(labels[i]);
        classifier.Predict("excelente servicio, buen carro").Class.ShouldBe("bueno");
        classifier.Predict("¿qué precio?").Class.ShouldBe("pregunta");

        using var stream = new MemoryStream();
        classifier.Save(stream);
        stream.Position = 0;
        var loaded = TextClassifier.Load(stream);
        loaded.Classes.ShouldBe(classifier.Classes);
        loaded.Probabilities(texts).ShouldBe(classifier.Probabilities(texts));
        classifier.Probabilities("hola").Sum().ShouldBe(1, 1e-12);
    }

    [Test]
    public void A_damaged_file_is_refused()
    {
        using var stream = new MemoryStream();
        TextClassifier.Fit([.. Good, .. Bad], [.. Good.Select(_ => "b"), .. Bad.Select(_ => "m")]).Save(stream);
        var bytes = stream.ToArray();
        bytes[^40] ^= 1;
        Should.Throw<InvalidDataException>(() => TextClassifier.Load(new MemoryStream(bytes)));
    }

    [Test]
    public void The_number_of_threads_changes_nothing()
    {
        var texts = Enumerable.Range(0, 200).Select(i => $"carro {i % 17} rojo {i % 5} texto {i}").ToArray();
        var one = TextVectorizer.FitTransform(texts, new TextVectorizerOptions { Threads = 1 }).Matrix;
        var three = TextVectorizer.FitTransform(texts, new TextVectorizerOptions { Threads = 3 }).Matrix;
        three.Indices.ToArray().ShouldBe(one.Indices.ToArray());
        three.Values.ToArray().ShouldBe(one.Values.ToArray());
    }
}
