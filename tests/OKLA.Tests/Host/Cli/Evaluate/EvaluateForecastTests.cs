using System.Globalization;

namespace OKLA.Tests.Host.Cli.Evaluate;

public sealed class EvaluateForecastTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = EvaluationRun.Folder();

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    private static double Value(int month) => 40 + 0.3 * month + 10 * Math.Sin(2 * Math.PI * month / 12) + Math.Sin(month * month);

    private static string Row(int month) => string.Create(CultureInfo.InvariantCulture, $"{new DateTime(2015, 1, 1).AddMonths(month):yyyy-MM-dd},{Value(month):0.000}");

    [Test]
    public async Task A_shuffled_monthly_series_with_gaps_is_ordered_and_its_season_found()
    {
        var rows = Enumerable.Range(0, 96).Select(month => month % 17 == 5 ? $"{Row(month).Split(',')[0]},NA" : Row(month)).ToArray();
        new Random(3).Shuffle(rows);
        var path = EvaluationRun.Write(folder, "series.csv", rows.Prepend("date,sales"));

        var run = await EvaluationRun.OfAsync("forecast", "--data", path, "--value", "sales", "--horizon", "12", "--json");

        var algorithms = run.Algorithms();
        run.Error.ShouldContain("season 12");
        algorithms.Keys.ShouldBe(["naive", "seasonal naive", "drift", "trend+season", "Theta", "SSA", "STL+ETS", "ETS", "automatic"], ignoreOrder: true);
        algorithms["automatic"].Keys.ShouldBe(["MAPE", "sMAPE", "MASE", "MAE", "RMSE", "coverage80", "coverage95"]);
        algorithms["automatic"]["MAE"]!.Value.ShouldBeLessThan(0.6 * algorithms["seasonal naive"]["MAE"]!.Value);
    }

    [Test]
    public async Task The_naive_forecast_has_the_marks_one_finds_by_hand()
    {
        // Known 1, 3, 2, 4, then 6 and 2: forecasts 4 and 4, errors 2 and 2; steps in the past 2, 1, 2.
        var path = EvaluationRun.Write(folder, "series.csv", ["x", "1", "3", "2", "4", "6", "2"]);

        var naive = (await EvaluationRun.OfAsync("forecast", "--data", path, "--value", "x", "--horizon", "2", "--json")).Algorithms()["naive"];

        naive["MAE"]!.Value.ShouldBe(2, 1e-6);
        naive["RMSE"]!.Value.ShouldBe(2, 1e-6);
        naive["MAPE"]!.Value.ShouldBe((2.0 / 6 + 2.0 / 2) / 2, 1e-6);
        naive["sMAPE"]!.Value.ShouldBe((2 * 2.0 / 10 + 2 * 2.0 / 6) / 2, 1e-6);
        naive["MASE"]!.Value.ShouldBe(2 / (5.0 / 3), 1e-6);
    }

    [TestCase("constant")]
    [TestCase("negative")]
    [TestCase("short")]
    [TestCase("without header")]
    public async Task Odd_series_are_forecast(string kind)
    {
        string[] lines = kind switch
        {
            "constant" => ["v", .. Enumerable.Repeat("5", 40)],
            "negative" => ["v", .. Enumerable.Range(0, 40).Select(t => (-t - t % 3).ToString(CultureInfo.InvariantCulture))],
            "short" => ["v", "3", "4", "6", "5", "7"],
            _ => [.. Enumerable.Range(0, 40).Select(t => (10 + t % 4).ToString(CultureInfo.InvariantCulture))],
        };
        var path = EvaluationRun.Write(folder, "series.csv", lines);

        var algorithms = (await EvaluationRun.OfAsync("forecast", "--data", path, "--value", kind == "without header" ? "0" : "v", "--horizon", "2", "--json")).Algorithms();

        algorithms["automatic"]["MAE"].ShouldNotBeNull();
    }

    [Test]
    public async Task What_is_wrong_is_one_line()
    {
        var path = EvaluationRun.Write(folder, "series.csv", ["date,traffic", .. Enumerable.Range(0, 30).Select(Row), "2030-01-01,many"]);

        (await EvaluationRun.OfAsync("forecast", "--data", path, "--value", "trafic", "--horizon", "2")).ShouldFail(1, "Nearest: traffic");
        (await EvaluationRun.OfAsync("forecast", "--data", path, "--value", "traffic", "--horizon", "2")).ShouldFail(1, "'many' is not a number");
        (await EvaluationRun.OfAsync("forecast", "--data", path, "--value", "7", "--horizon", "2")).ShouldFail(1, "there is no column 7");
        (await EvaluationRun.OfAsync("forecast", "--data", path, "--value", "traffic")).ShouldFail(2, "needs --horizon");
        (await EvaluationRun.OfAsync("forecast", "--data", EvaluationRun.Write(folder, "two.csv", ["v", "1", "2"]), "--value", "v", "--horizon", "2")).ShouldFail(1, "too few");
    }
}
