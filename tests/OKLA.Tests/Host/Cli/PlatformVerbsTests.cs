using System.Globalization;
using System.Text;
using OKLA.Host.Cli;

namespace OKLA.Tests.Host.Cli;

/// <summary>The platform's verbs against a host that runs.</summary>
public sealed class PlatformVerbsTests : HostTest
{
    private string folder = "";

    [OneTimeSetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("okla-verbs-").FullName;

    [OneTimeTearDown]
    public void DeleteFiles() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task A_table_goes_up_is_trained_listed_taken_out_and_in_promoted_rolled_back_and_asked()
    {
        var table = Path.Combine(folder, "soil.csv");
        await File.WriteAllTextAsync(table, Soil(400));

        (await RunAsync($"datasets upload soil {table}")).ShouldBe((0, "  soil version 1, 400 rows", ""));
        (await RunAsync("datasets list")).Out.ShouldContain("soil");
        var trained = await RunAsync("jobs start soil-yield --dataset soil --target yield --profile fast --budget 5 --wait");
        (trained.Code, trained.Out).ShouldSatisfyAllConditions(done => done.Code.ShouldBe(0, trained.Error), done => done.Out.ShouldContain("soil-yield version 1, published"));
        (await RunAsync("jobs list --model soil-yield")).Out.ShouldContain("succeeded");
        (await RunAsync("models list")).Out.ShouldContain("soil-yield");

        var packed = Path.Combine(folder, "soil.okla.zip");
        (await RunAsync($"models export soil-yield 1 {packed}")).Code.ShouldBe(0);
        (await RunAsync($"models import soil-yield {packed}")).Out.ShouldContain("it was here already");
        (await RunAsync($"models import soil-copy {packed}")).ShouldBe((0, "  soil-copy version 1 (candidate), from soil-yield 1", ""));
        (await RunAsync("models promote soil-copy 1 --why=Seen.")).ShouldBe((0, "  soil-copy version 1 serves", ""));
        (await RunAsync("models rollback soil-copy")).ShouldBe((1, "", "soil-copy has no version to go back to."));

        (await RunAsync($"predict soil-copy {table}")).Out.ShouldContain("400 rows");
        var lines = await File.ReadAllLinesAsync(Path.Combine(folder, "soil.answers.csv"));
        (lines.Length, lines[0]).ShouldBe((401, "rain,crop,yield,prediction,low,high,label,error"));
    }

    [Test]
    public async Task A_waiting_training_is_cancelled_and_one_that_is_over_is_not()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "later.csv"), Soil(100));
        await RunAsync($"datasets upload later {Path.Combine(folder, "later.csv")}");
        var id = (await RunAsync("jobs start later-yield --dataset later --target yield --profile fast --budget 5")).Out.Trim();

        var cancelled = await RunAsync($"jobs cancel {id}");

        cancelled.Code.ShouldBe(0, cancelled.Error);
        for (var deadline = Environment.TickCount64 + 30_000; !(await RunAsync("jobs list --model later-yield")).Out.Contains("cancelled", StringComparison.Ordinal); await Task.Delay(50))
        {
            Environment.TickCount64.ShouldBeLessThan(deadline);
        }

        (await RunAsync($"jobs cancel {id}")).ShouldSatisfyAllConditions(again => again.Code.ShouldBe(1), again => again.Error.ShouldContain("is over"));
    }

    [TestCase("datasets upload", "needs NAME FILE")]
    [TestCase("datasets upload soil nowhere.csv", "no file nowhere.csv")]
    [TestCase("jobs cancel seven", "ID is a job's id")]
    [TestCase("models export soil one out.zip", "VERSION is a whole number")]
    [TestCase("jobs start x --budget 1", "from 5 to 3,600")]
    [TestCase("models list --host nowhere", "--host takes an address")]
    public async Task What_is_not_understood_ends_with_2_and_says_why(string line, string expected)
    {
        var (code, _, error) = await RunAsync(line);

        code.ShouldBe(2, error);
        error.ShouldContain(expected);
    }

    [TestCase("models export nobody 1 out.zip", "no version 1 of nobody")]
    [TestCase("jobs start No-Name --dataset soil", "model:")]
    [TestCase("jobs cancel 00000000-0000-0000-0000-000000000000", "no training")]
    [TestCase("models list --token wrong", "")]
    public async Task What_the_host_refuses_ends_with_1_and_its_words(string line, string expected)
    {
        var (code, _, error) = await RunAsync(line);

        code.ShouldBe(1, error);
        error.ShouldContain(expected);
    }

    private static string Soil(int rows)
    {
        var random = new Random(3);
        var csv = new StringBuilder("rain,crop,yield\n");
        for (var row = 0; row < rows; row++)
        {
            var (rain, cassava) = (random.Next(100), random.Next(2) == 0);
            csv.AppendLine(CultureInfo.InvariantCulture, $"{rain},{(cassava ? "yuca" : "maíz")},{(3 * rain) + (cassava ? 50 : 0) + (5 * (random.NextDouble() - 0.5) * 2):0.0}");
        }

        return csv.ToString();
    }

    private async Task<(int Code, string Out, string Error)> RunAsync(string line)
    {
        var (terminal, output, error) = CommandLineTests.Screen(clock: new TerminalTests.SteppedClock());
        string[] host = line.Contains("--host", StringComparison.Ordinal) ? [] : ["--host", Client.BaseAddress!.ToString()];
        var code = await CommandLine.RunAsync([.. line.Split(' '), .. host], (_, _) => throw new InvalidOperationException("must not be built"), terminal);
        var said = error.ToString();
        return (code, output.ToString().TrimEnd(), code == 0 ? "" : said.TrimEnd());
    }
}
