namespace OKLA.Tests.Host.Cli.Evaluate;

public sealed class EvaluateTextTests
{
    private static readonly string[] Good = ["excelente", "me encanta", "muy bueno 😀", "genial", "nítido"], Bad = ["malísimo", "no sirve", "horrible 😡", "pésimo", "qué asco"];
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = EvaluationRun.Folder();

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    private static IEnumerable<string> Rows(int count, int seed)
    {
        var random = new Random(seed);
        string[] things = ["carro", "motor", "servicio", "precio", "vendedor"];
        for (var i = 0; i < count; i++)
        {
            var good = random.Next(2) == 0;
            yield return $"\"{(good ? Good : Bad)[random.Next(5)]}, el {things[random.Next(5)]} de {things[random.Next(5)]}\",{(good ? "P" : "N")}";
        }
    }

    [Test]
    public async Task Every_algorithm_is_measured_and_the_words_are_learned()
    {
        string train = EvaluationRun.Write(folder, "a.csv", Rows(120, 1).Prepend("texto,clase")), test = EvaluationRun.Write(folder, "b.csv", Rows(60, 2).Prepend("texto,clase"));

        var algorithms = (await EvaluationRun.OfAsync("text", "--train", train, "--test", test, "--text", "texto", "--label", "clase", "--json")).Algorithms();

        algorithms.Keys.ShouldBe(["majority class", "naive Bayes", "linear", "linear tuned", "NB-SVM", "automatic"]);
        algorithms["automatic"].Keys.ShouldBe(["accuracy", "macroF1", "logLoss", "AUC"]);
        foreach (var name in algorithms.Keys.Skip(1)) algorithms[name]["accuracy"]!.Value.ShouldBeGreaterThan(0.95, name);
        algorithms["automatic"]["logLoss"]!.Value.ShouldBeLessThan(0.1);
        algorithms["majority class"]["accuracy"]!.Value.ShouldBeLessThan(0.75);
        algorithms["majority class"]["AUC"]!.Value.ShouldBe(0.5, 1e-6);
    }

    [Test]
    public async Task A_class_that_the_training_lacks_counts_as_missed()
    {
        string train = EvaluationRun.Write(folder, "a.csv", Rows(80, 1).Prepend("texto,clase")), test = EvaluationRun.Write(folder, "b.csv", ["texto,clase", "excelente,P", "más o menos,NEU"]);

        var run = await EvaluationRun.OfAsync("text", "--train", train, "--test", test, "--text", "texto", "--label", "clase", "--json");

        run.Algorithms()["automatic"]["accuracy"].ShouldBe(0.5);
        run.Error.ShouldContain("1 that the training lacks");
    }

    [Test]
    public async Task What_is_wrong_is_one_line()
    {
        string train = EvaluationRun.Write(folder, "a.csv", Rows(20, 1).Prepend("texto,clase")), empty = EvaluationRun.Write(folder, "empty.csv", ["texto,clase"]);

        (await EvaluationRun.OfAsync("text", "--train", train, "--test", train, "--text", "text", "--label", "clase")).ShouldFail(1, "has no column 'text'. Nearest: texto");
        (await EvaluationRun.OfAsync("text", "--train", train, "--test", empty, "--text", "texto", "--label", "clase")).ShouldFail(1, "no row with a class");
        (await EvaluationRun.OfAsync("text", "--train", train, "--test", train, "--text", "texto")).ShouldFail(2, "needs --label");
    }
}
