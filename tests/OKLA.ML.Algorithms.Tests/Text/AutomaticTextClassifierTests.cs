using OKLA.ML.Algorithms.Text;

namespace OKLA.ML.Algorithms.Tests.Text;

public class AutomaticTextClassifierTests
{
    [Test]
    public void Words_are_learned_and_the_probabilities_add_up()
    {
        string[] good = ["excelente", "bueno", "genial"], bad = ["malo", "horrible", "pésimo"], things = ["carro", "motor", "precio"];
        var texts = Enumerable.Range(0, 60).Select(i => $"{(i % 2 == 0 ? good : bad)[i % 3]} {things[i / 3 % 3]} {things[i % 3]}").ToArray();
        var labels = Enumerable.Range(0, 60).Select(i => i % 2 == 0 ? "P" : "N").ToArray();

        var model = AutomaticTextClassifier.Fit(texts, labels);
        double[] p = model.Probabilities(["excelente motor", "pésimo precio"]);

        model.Classes.ShouldBe(["N", "P"]);
        (p[0] + p[1]).ShouldBe(1, 1e-9);
        p[1].ShouldBeGreaterThan(0.8);
        p[2].ShouldBeGreaterThan(0.8);
        Should.Throw<ArgumentException>(() => AutomaticTextClassifier.Fit(["a", "b"], ["x", "x"]));
    }

    [Test]
    public void A_pool_sharpens_what_is_too_timid_and_leaves_out_what_is_noise()
    {
        var random = new Random(9);
        int[] labels = [.. Enumerable.Range(0, 2000).Select(_ => random.Next(2))];
        // Right in nine of ten cases but saying 0.6: the weight that says 0.9 instead is ln 9 / ln 1.5.
        double[] timid = [.. labels.SelectMany((label, i) => (i % 10 == 0 ? 1 - label : label) == 1 ? (double[])[0.4, 0.6] : [0.6, 0.4])];
        double[] noise = [.. labels.SelectMany(_ => random.NextDouble() < 0.5 ? (double[])[0.2, 0.8] : [0.8, 0.2])];

        LogPool.Fit([timid], labels, 2)[0].ShouldBe(Math.Log(9) / Math.Log(1.5), 0.01);
        double[] weights = LogPool.Fit([timid, noise], labels, 2);
        weights[1].ShouldBeLessThan(0.1);
        LogPool.Loss(LogPool.Join([timid, noise], weights, 2), labels, 2).ShouldBeLessThan(LogPool.Loss(timid, labels, 2));
    }
}
