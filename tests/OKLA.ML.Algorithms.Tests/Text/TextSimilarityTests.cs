using OKLA.ML.Algorithms.Text;

namespace OKLA.ML.Algorithms.Tests.Text;

public class TextSimilarityTests
{
    private static readonly string[] Texts = ["vendo carro rojo", "vendo carro azul", "busco casa en santiago", "precio de la yipeta", "carro rojo barato"];

    [Test]
    public void The_same_text_has_cosine_one_and_a_foreign_one_zero()
    {
        var similarity = new TextSimilarity(TextVectorizer.Fit(Texts, new TextVectorizerOptions { MinDocuments = 1 }));
        similarity.Cosine(Texts[0], Texts[0]).ShouldBe(1, 1e-6);
        similarity.Cosine(Texts[0], "zzz qqq").ShouldBe(0);
        similarity.Cosine(Texts[0], Texts[1]).ShouldBeGreaterThan(similarity.Cosine(Texts[0], Texts[2]));
    }

    [Test]
    public void Jaccard_counts_words() => TextSimilarity.Jaccard("vendo carro rojo", "carro ROJO barato").ShouldBe(0.5, 1e-12);

    [Test]
    public void Soft_similarity_forgives_misspelt_words()
    {
        TextSimilarity.Jaccard("toyota corolla", "toyoya corola").ShouldBe(0);
        TextSimilarity.Soft("toyota corolla", "toyoya corola").ShouldBeGreaterThan(0.9);
        TextSimilarity.Soft("toyota corolla", "casa grande").ShouldBe(0);
    }
}
