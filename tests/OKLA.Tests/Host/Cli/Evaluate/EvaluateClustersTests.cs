using System.Globalization;
using System.Text.Json;
using OKLA.Host.Cli;
using OKLA.Host.Cli.Evaluate;

namespace OKLA.Tests.Host.Cli.Evaluate;

public sealed class EvaluateClustersTests
{
    private string file = "";

    [SetUp]
    public void MakeFile() => file = Path.GetTempFileName();

    [TearDown]
    public void DeleteFile() => File.Delete(file);

    [Test]
    public async Task Three_heaps_are_found_by_both_algorithms_without_ids_or_constants()
    {
        var random = new Random(1);
        await File.WriteAllLinesAsync(file, Enumerable.Range(0, 150).Select(r => string.Create(
            CultureInfo.InvariantCulture, $"{r + 1},{r % 3 * 10 + random.NextDouble()},{(r % 3 == 1 ? 8 : 0) + random.NextDouble()},RD")).Prepend("id,a,b,country"));

        var (code, output, error) = await RunAsync("--data", file, "--json");

        code.ShouldBe(0, error);
        error.ShouldContain("by a, b; left out: id, country; k by silhouette, the gap statistic says 3");
        foreach (var line in output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement))
        {
            line.EnumerateObject().Select(m => m.Name).ShouldBe(["name", "metrics", "trainSeconds", "predictMicroseconds", "rows"]);
            line.GetProperty("metrics").GetProperty("k").GetInt32().ShouldBe(3);
            line.GetProperty("metrics").GetProperty("silhouette").GetDouble().ShouldBeGreaterThan(0.8);
        }
    }

    [Test]
    public void Davies_Bouldin_and_Calinski_Harabasz_agree_with_a_count_by_hand()
    {
        // Centres 1 and 11, each spread 1: (1 + 1) / 10. Between 4 · 25 over 1, within 4 over 2.
        double[][] points = [[0], [2], [10], [12]];
        EvaluateClusters.DaviesBouldin(points, [0, 0, 1, 1]).ShouldBe(0.2, 1e-12);
        EvaluateClusters.CalinskiHarabasz(points, [0, 0, 1, 1]).ShouldBe(50, 1e-12);
    }

    [Test]
    public async Task A_file_of_equal_rows_or_of_ids_only_is_refused_in_one_line()
    {
        await File.WriteAllLinesAsync(file, ["a,b", .. Enumerable.Repeat("1,2", 30)]);
        (await RunAsync("--data", file)).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(1), r => r.Error.ShouldContain("no column to cluster by"));
        await File.WriteAllLinesAsync(file, ["a,b", .. Enumerable.Range(0, 30).Select(r => $"{r % 2},{r % 2}")]);
        (await RunAsync("--data", file, "--k", "3")).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(1), r => r.Error.ShouldContain("has 2 different rows"));
        (await RunAsync("--k", "3")).Code.ShouldBe(2);
    }

    private static async Task<(int Code, string Out, string Error)> RunAsync(params string[] args)
    {
        var (terminal, output, error) = CommandLineTests.Screen();
        var code = await CommandLine.RunAsync(["evaluate", "clusters", .. args], (_, _) => throw new InvalidOperationException("must not be built"), terminal);
        return (code, output.ToString(), error.ToString());
    }
}
