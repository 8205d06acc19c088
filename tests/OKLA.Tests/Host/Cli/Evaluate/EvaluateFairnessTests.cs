using System.Text.Json;
using OKLA.Host.Cli;

namespace OKLA.Tests.Host.Cli.Evaluate;

public sealed class EvaluateFairnessTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("okla-fairness-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task Thresholds_per_group_close_the_gap_in_true_positive_rates()
    {
        var (train, test) = (Loans("train.csv", 1500, 1), Loans("test.csv", 1500, 2));

        var (code, output, error) = await RunAsync("--train", train, "--test", test, "--target", "granted", "--positive", "yes", "--group", "zone", "--json");

        code.ShouldBe(0, error);
        error.ShouldContain("far (");
        error.ShouldContain("too small to judge: rare");
        var lines = output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        lines.Select(l => l.GetProperty("name").GetString()).ShouldBe(
            ["gradient boosting", "gradient boosting, equal opportunity", "logistic regression", "logistic regression, equal opportunity"]);
        foreach (var line in lines)
        {
            line.EnumerateObject().Select(m => m.Name).ShouldBe(["name", "metrics", "trainSeconds", "predictMicroseconds", "rows"]);
            foreach (var name in new[] { "demographicParityDifference", "disparateImpactRatio", "equalOpportunityDifference", "equalisedOddsDifference", "calibrationGap" })
            {
                Metric(line, name).ShouldBeGreaterThanOrEqualTo(0);
                Metric(line, name + "Low").ShouldBeLessThanOrEqualTo(Metric(line, name + "High"));
            }
        }

        Metric(lines[0], "equalOpportunityDifference").ShouldBeGreaterThan(0.2);
        Metric(lines[1], "equalOpportunityDifference").ShouldBeLessThan(Metric(lines[0], "equalOpportunityDifference") / 2);
        Metric(lines[3], "equalOpportunityDifference").ShouldBeLessThan(Metric(lines[2], "equalOpportunityDifference") / 2);
    }

    [Test]
    public async Task A_group_that_is_not_there_is_said_in_one_line()
    {
        var train = Loans("train.csv", 100, 1);
        var (code, _, error) = await RunAsync("--train", train, "--test", train, "--target", "granted", "--positive", "yes", "--group", "zona");
        code.ShouldBe(1);
        error.ShouldContain("has no column 'zona'. It has: zone");
        (await RunAsync("--train", train, "--test", train, "--target", "granted", "--positive", "yes")).Code.ShouldBe(2);
    }

    // One rule for all, but the far zone's incomes lie around its edge, where a model says no to more of those who would have got a yes.
    private string Loans(string name, int rows, int seed)
    {
        var random = new Random(seed);
        var path = Path.Combine(folder, name);
        File.WriteAllLines(path, Enumerable.Range(0, rows).Select(r =>
        {
            var zone = r % 100 == 0 ? "rare" : random.Next(2) == 0 ? "near" : "far";
            var income = random.Next(zone == "far" ? 60 : 100);
            var granted = income + random.Next(-40, 40) > 50;
            return $"{income},{zone},{(granted ? "yes" : "no")}";
        }).Prepend("income,zone,granted"));
        return path;
    }

    private static double Metric(JsonElement line, string name) => line.GetProperty("metrics").GetProperty(name).GetDouble();

    private static async Task<(int Code, string Out, string Error)> RunAsync(params string[] args)
    {
        var (terminal, output, error) = CommandLineTests.Screen();
        var code = await CommandLine.RunAsync(["evaluate", "fairness", .. args], (_, _) => throw new InvalidOperationException("must not be built"), terminal);
        return (code, output.ToString(), error.ToString());
    }
}
