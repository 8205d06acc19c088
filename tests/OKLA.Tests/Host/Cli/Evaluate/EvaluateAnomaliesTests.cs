using System.Globalization;

namespace OKLA.Tests.Host.Cli.Evaluate;

public sealed class EvaluateAnomaliesTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = EvaluationRun.Folder();

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    private string Data()
    {
        var random = new Random(8);
        for (var file = 0; file < 2; file++)
        {
            var spike = 400 + 100 * file;
            EvaluationRun.Write(folder, $"kind/s{file}.csv", Enumerable.Range(0, 800)
                .Select(t => string.Create(CultureInfo.InvariantCulture, $"{Time(t)},{10 + random.NextDouble() + (t >= spike && t < spike + 5 ? 30 : 0):0.000}"))
                .Prepend("timestamp,value"));
        }

        return EvaluationRun.Write(folder, "windows.json",
        [
            $$"""{"kind/s0.csv": [["{{Time(390)}}.000000", "{{Time(420)}}.000000"]], "kind/s1.csv": [["{{Time(490)}}.000000", "{{Time(520)}}.000000"]], "absent/x.csv": []}""",
        ]);
    }

    private static string Time(int t) => new DateTime(2020, 1, 1).AddMinutes(5 * t).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    [Test]
    public async Task Plain_spikes_are_found_by_every_detector_that_looks_at_values()
    {
        var run = await EvaluationRun.OfAsync("anomalies", "--data", folder, "--windows", Data(), "--json");

        var algorithms = run.Algorithms();
        run.Error.ShouldContain("2 of 3 labelled files found");
        algorithms.Keys.ShouldContain("windowed Gaussian");
        algorithms["combined"].Keys.ShouldBe(["NAB", "NAB low-FP", "NAB low-FN", "precision", "recall", "falseAlarms", "threshold"]);
        // A spike ten places into a window of 31 scores a little less than one at its start.
        algorithms["combined"]["NAB"]!.Value.ShouldBeGreaterThan(85);
        algorithms["combined"]["recall"].ShouldBe(1);
        algorithms["seasonal residual"]["recall"].ShouldBe(1);
    }

    [Test]
    public async Task What_is_wrong_is_one_line()
    {
        var windows = Data();

        (await EvaluationRun.OfAsync("anomalies", "--data", Path.Combine(folder, "nowhere"), "--windows", windows)).ShouldFail(1, "There is no folder");
        (await EvaluationRun.OfAsync("anomalies", "--data", Path.Combine(folder, "kind"), "--windows", windows)).ShouldFail(1, "holds none of the 3 files");
        (await EvaluationRun.OfAsync("anomalies", "--data", folder, "--windows", Path.Combine(folder, "kind/s0.csv"))).ShouldFail(1, "cannot be read as windows");
        (await EvaluationRun.OfAsync("anomalies", "--data", folder)).ShouldFail(2, "needs --windows");
    }
}
