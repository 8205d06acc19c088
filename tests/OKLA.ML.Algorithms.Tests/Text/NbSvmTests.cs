using OKLA.ML.Algorithms.Text;

namespace OKLA.ML.Algorithms.Tests.Text;

public class NbSvmTests
{
    private static readonly string[] Texts =
    [
        "excelente carro", "muy buen servicio", "buen precio excelente trato", "me encanta", "pésimo servicio", "carro malo", "muy mal trato", "una estafa malo",
        "cuánto cuesta", "qué precio tiene", "dónde están", "a qué hora abren",
    ];

    [Test]
    public void Two_classes_and_three_are_told_apart_and_survive_saving([Values(8, 12)] int count)
    {
        var texts = Texts[..count];
        string[] labels = [.. texts.Select((_, i) => i < 4 ? "bueno" : i < 8 ? "malo" : "pregunta")];
        var model = NbSvm.Fit(texts, labels);
        for (var i = 0; i < count; i++) model.Predict(texts[i]).Class.ShouldBe(labels[i]);
        model.Predict("excelente trato").Class.ShouldBe("bueno");

        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        var loaded = NbSvm.Load(stream);
        foreach (var text in texts) loaded.Predict(text).ShouldBe(model.Predict(text));
    }

    [Test]
    public void One_class_is_refused() => Should.Throw<ArgumentException>(() => NbSvm.Fit(["a", "b"], ["x", "x"]));
}
