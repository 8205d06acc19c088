using System.Globalization;
using System.Text;
using System.Text.Json;
using OKLA.Host.Cli;

namespace OKLA.Tests.Host.Cli.Evaluate;

public sealed class EvaluateTabularTests
{
    private static readonly string[] Members = ["name", "metrics", "trainSeconds", "predictMicroseconds", "rows"];
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("okla-evaluate-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task Numbers_are_learned_from_messy_columns_and_each_line_has_its_members()
    {
        Cars("train.csv", 300, 1, "km,make,listed,price,note,km");
        Cars("test.csv", 100, 2, "\uFEFFlisted,price,make,km");

        var (code, output, error) = await RunAsync("--train", File("train.csv"), "--test", File("test.csv"), "--target", "PRICE", "--task", "regression", "--budget", "1", "--json");

        code.ShouldBe(0, error);
        error.ShouldContain("learned from 297 rows of 5 columns, measured on 99 rows; 4 rows without a usable target set aside; not in the test file: note, km (2)");
        var lines = Lines(output);
        // Between the four that always stand and the ensemble come as many as the time allows.
        var names = lines.Select(l => l.GetProperty("name").GetString()).ToList();
        names[..4].ShouldBe(["baseline", "linear", "extra trees", "gradient boosting"]);
        names[^1].ShouldBe("automatic");
        foreach (var line in lines)
        {
            line.EnumerateObject().Select(m => m.Name).ShouldBe(Members);
            line.GetProperty("metrics").EnumerateObject().Select(m => m.Name).ShouldBe(["R2", "MAE", "RMSE", "MdAPE", "MAPE"]);
            line.GetProperty("rows").GetInt32().ShouldBe(99);
            line.GetProperty("trainSeconds").GetDouble().ShouldBeGreaterThan(0);
            line.GetProperty("predictMicroseconds").GetDouble().ShouldBeGreaterThan(0);
        }

        Metric(lines[0], "R2").ShouldBeLessThan(0.05);
        Metric(lines[^1], "R2").ShouldBeGreaterThan(0.9);
    }

    [Test]
    public async Task Two_classes_are_learned_with_the_positive_one_named_and_a_table_says_the_thresholds()
    {
        Write("train.csv", "x;label", Enumerable.Range(0, 200).Select(r => $"{r % 50};{(r % 50 > 30 ? "Yes" : "no")}"));
        Write("test.csv", "label;x", Enumerable.Range(0, 50).Select(r => $"{(r > 30 ? "Yes" : r == 3 ? "perhaps" : "NO")};{r}"));

        var (code, output, error) = await RunAsync("--train", File("train.csv"), "--test", File("test.csv"), "--target", "label", "--task", "classification", "--positive", "no", "--budget", "1");

        code.ShouldBe(0, error);
        output.ShouldContain("positive is 'no', F1 and accuracy at 0.5");
        output.ShouldContain("1 rows without a usable target set aside");
        output.Split(Environment.NewLine)[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .ShouldBe(["algorithm", "AUC", "PR-AUC", "F1", "accuracy", "logLoss", "Brier", "ECE", "F1chosen", "threshold", "train", "s", "predict", "us"]);
    }

    [Test]
    public async Task Several_classes_get_accuracy_macro_F1_and_log_loss()
    {
        var rows = Enumerable.Range(0, 240).Select(r => $"{r % 60}\t{(r % 60 < 20 ? "low" : r % 60 < 40 ? "mid" : "high")}").ToList();
        Write("train.tsv", "x\tlevel", rows);

        var (code, output, _) = await RunAsync("--train", File("train.tsv"), "--test", File("train.tsv"), "--target", "level", "--task", "classification", "--budget", "1", "--json");

        code.ShouldBe(0);
        var boosted = Lines(output)[3];
        boosted.GetProperty("metrics").EnumerateObject().Select(m => m.Name).ShouldBe(["accuracy", "macroF1", "logLoss"]);
        Metric(boosted, "accuracy").ShouldBeGreaterThan(0.95);
    }

    [Test]
    public async Task Semicolons_part_fields_beside_decimal_commas_and_UTF_16_is_read()
    {
        var lines = Enumerable.Range(0, 60).Select(r => $"\"{r},5\";RD$ 1.{r:000},25;año {r % 4}").Prepend("x;precio;versión").ToArray();
        System.IO.File.WriteAllLines(File("train.csv"), lines, Encoding.Unicode);
        System.IO.File.WriteAllLines(File("test.csv"), lines, Encoding.Latin1);

        var (code, output, error) = await RunAsync("--train", File("train.csv"), "--test", File("test.csv"), "--target", "precio", "--task", "regression", "--budget", "1", "--json");

        code.ShouldBe(0, error);
        error.ShouldContain("learned from 60 rows of 2 columns, measured on 60 rows; automatic");
        Metric(Lines(output)[0], "MAE").ShouldBeInRange(10, 20);
        Metric(Lines(output)[1], "R2").ShouldBeGreaterThan(0.99);
    }

    [Test]
    public async Task What_cannot_be_done_is_said_in_one_line()
    {
        Write("train.csv", "make,price,sold", Enumerable.Range(0, 30).Select(r => $"m{r % 3},{r},no"));
        Write("empty.csv", "", []);
        Write("header.csv", "make,price,sold", []);

        (await FailureAsync(1, "--train", File("none.csv"), "--target", "price", "--task", "regression")).ShouldContain("none.csv");
        (await FailureAsync(1, "--train", File("empty.csv"), "--target", "price", "--task", "regression")).ShouldContain("is empty");
        (await FailureAsync(1, "--train", File("header.csv"), "--target", "price", "--task", "regression")).ShouldContain("no rows");
        (await FailureAsync(1, "--train", File("train.csv"), "--target", "prise", "--task", "regression")).ShouldContain("has no column 'prise'. It has: price");
        (await FailureAsync(1, "--train", File("train.csv"), "--target", "make", "--task", "regression")).ShouldContain("text wants --task classification");
        (await FailureAsync(1, "--train", File("train.csv"), "--target", "sold", "--task", "classification")).ShouldContain("nothing to tell apart");
        (await FailureAsync(1, "--train", File("train.csv"), "--target", "price", "--task", "regression", "--drop", "colour")).ShouldContain("no column 'colour'");
        (await FailureAsync(2, "--train", File("train.csv"), "--target", "make", "--task", "classification", "--positive", "m9")).ShouldContain("No row has 'm9'. There is: m0, m1, m2.");
        (await FailureAsync(2, "--train", File("train.csv"), "--target", "price", "--task", "ranking")).ShouldContain("not 'ranking'");
        (await FailureAsync(2, "--train", File("train.csv"), "--task", "regression")).ShouldContain("needs --target");
    }

    private async Task<string> FailureAsync(int expected, params string[] args)
    {
        var (code, output, error) = await RunAsync([.. args, "--test", File("train.csv")]);
        code.ShouldBe(expected, error);
        output.ShouldBeEmpty();
        error.ShouldNotContain("   at ");
        error.TrimEnd().Split('\n').Length.ShouldBe(expected);
        return error;
    }

    // Prices by kilometres with their unit, make and date; some without a price.
    private void Cars(string name, int rows, int seed, string header)
    {
        var random = new Random(seed);
        var lines = Enumerable.Range(0, rows).Select(r =>
        {
            var (km, make, days) = (random.Next(1000, 200_000), random.Next(5), random.Next(2000));
            var price = 20000 + 2000 * make - km / 20 + 4 * days;
            return string.Join(',', header.Trim('\uFEFF').Split(',').Select((column, at) => column switch
            {
                "km" when at == 0 || !header.StartsWith("km", StringComparison.Ordinal) => string.Create(CultureInfo.InvariantCulture, $"\"{km:N0} km\""),
                "make" => $"make {make}",
                "listed" => new DateTime(2019, 1, 1, 0, 0, 0, DateTimeKind.Unspecified).AddDays(days).ToString("dd/MM/yyyy", CultureInfo.InvariantCulture),
                "price" => r % 100 == 7 ? "N/D" : string.Create(CultureInfo.InvariantCulture, $"\"US$ {price:N0}\""),
                _ => r % 2 == 0 ? "" : "x",
            }));
        });
        Write(name, header, lines);
    }

    private void Write(string name, string header, IEnumerable<string> lines) => System.IO.File.WriteAllLines(File(name), header.Length == 0 ? [] : lines.Prepend(header), new UTF8Encoding(false));

    private string File(string name) => Path.Combine(folder, name);

    private static List<JsonElement> Lines(string output) => [.. output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    private static double Metric(JsonElement line, string name) => line.GetProperty("metrics").GetProperty(name).GetDouble();

    private static async Task<(int Code, string Out, string Error)> RunAsync(params string[] args)
    {
        var (terminal, output, error) = CommandLineTests.Screen();
        var code = await CommandLine.RunAsync(["evaluate", "tabular", .. args], (_, _) => throw new InvalidOperationException("must not be built"), terminal);
        return (code, output.ToString(), error.ToString());
    }
}
