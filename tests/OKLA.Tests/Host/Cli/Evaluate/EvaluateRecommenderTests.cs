using System.Globalization;

namespace OKLA.Tests.Host.Cli.Evaluate;

public sealed class EvaluateRecommenderTests
{
    private static readonly string[] Expected = ["popularity", "item-kNN", "SAR", "EASE", "item-kNN tuned", "EASE tuned", "implicit ALS", "BPR", "automatic"];
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = EvaluationRun.Folder();

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    /// <summary>Users of three tastes; each takes most items of its own.</summary>
    private static IEnumerable<string> Events(char separator)
    {
        var random = new Random(5);
        for (var user = 0; user < 60; user++)
            for (var item = 0; item < 36; item++)
                if (random.NextDouble() < (item % 3 == user % 3 ? 0.7 : 0.05))
                    yield return string.Join(separator, user + 100, item + 1, random.Next(1, 6), (1_000_000 + random.Next(100_000)).ToString(CultureInfo.InvariantCulture));
    }

    [TestCase("user-75-25", '\t', false)]
    [TestCase("item-75-25", ',', true)]
    [TestCase("time-80-20", '\t', true)]
    public async Task Every_protocol_prints_every_algorithm_and_tastes_beat_popularity(string protocol, char separator, bool header)
    {
        var lines = header ? Events(separator).Prepend(string.Join(separator, "user", "item", "rating", "at")) : Events(separator);
        var path = EvaluationRun.Write(folder, "events.data", lines);

        var run = await EvaluationRun.OfAsync("recommender", "--data", path, "--user", "0", "--item", "1", "--rating", "2", "--time", "3", "--protocol", protocol, "--k", "5", "--budget", "1", "--json");

        var algorithms = run.Algorithms();
        algorithms.Keys.Where(name => name != "popularity now").ShouldBe(Expected);
        algorithms["automatic"]["NDCG@5"]!.Value.ShouldBeGreaterThan(1.5 * algorithms["popularity"]["NDCG@5"]!.Value);
        algorithms.Values.ShouldAllBe(metrics => metrics.Keys.SequenceEqual(new[]
        {
            "NDCG@5", "MAP@5", "precision@5", "recall@5", "hitRate@5", "MRR", "coverage", "novelty", "diversity",
        }));
        run.Error.ShouldContain("60 users, 36 items");
    }

    [Test]
    public async Task A_table_is_for_people_and_the_seed_repeats_the_figures()
    {
        var path = EvaluationRun.Write(folder, "events.csv", Events(','));
        string[] arguments = ["recommender", "--data", path, "--user=0", "--item=1", "--protocol", "user-75-25", "--budget", "1"];

        var table = await EvaluationRun.OfAsync(arguments);
        var first = (await EvaluationRun.OfAsync([.. arguments, "--json"])).Algorithms();
        var second = (await EvaluationRun.OfAsync([.. arguments, "--json"])).Algorithms();

        table.Out.ShouldContain("algorithm");
        table.Out.ShouldContain("user-75-25");
        first["item-kNN"].ShouldBe(second["item-kNN"]);
        first["EASE"].ShouldBe(second["EASE"]);
    }

    [Test]
    public async Task What_is_wrong_is_one_line()
    {
        var path = EvaluationRun.Write(folder, "events.csv", Events(','));
        var empty = EvaluationRun.Write(folder, "empty.csv", []);
        string[] columns = ["--user", "0", "--item", "1"];

        (await EvaluationRun.OfAsync(["recommender", "--data", path, .. columns, "--protocol", "user-50-50"])).ShouldFail(2, "There is: user-75-25, item-75-25, time-80-20");
        (await EvaluationRun.OfAsync(["recommender", "--data", path, .. columns, "--protocol", "time-80-20"])).ShouldFail(2, "needs --time");
        (await EvaluationRun.OfAsync("recommender", "--data", path, "--user", "0", "--item", "9", "--protocol", "user-75-25")).ShouldFail(1, "there is no column 9");
        (await EvaluationRun.OfAsync("recommender", "--data", path, "--user", "0", "--item", "-1", "--protocol", "user-75-25")).ShouldFail(2, "--item");
        (await EvaluationRun.OfAsync(["recommender", "--data", empty, .. columns, "--protocol", "user-75-25"])).ShouldFail(1, "is empty");
        (await EvaluationRun.OfAsync(["recommender", "--data", Path.Combine(folder, "none.csv"), .. columns, "--protocol", "user-75-25"])).ShouldFail(1, "cannot be read");
    }
}
