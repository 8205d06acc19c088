using System.Text.Json;
using OKLA.Host.Cli;

namespace OKLA.Tests.Host.Cli.Evaluate;

/// <summary>One run of an evaluate verb on files of its own, through the whole command line.</summary>
internal sealed record EvaluationRun(int Code, string Out, string Error)
{
    private static readonly string[] Keys = ["name", "metrics", "trainSeconds", "predictMicroseconds", "rows"];

    /// <summary>A folder that is gone when the test run is.</summary>
    public static string Folder()
    {
        var folder = Path.Combine(TestContext.CurrentContext.WorkDirectory, "evaluate", Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(folder);
        return folder;
    }

    public static string Write(string folder, string name, IEnumerable<string> lines)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(path, lines);
        return path;
    }

    public static async Task<EvaluationRun> OfAsync(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        var code = await CommandLine.RunAsync(
            ["evaluate", .. arguments], (_, _) => throw new InvalidOperationException("no host is built for files"), new Terminal(output, error, false, TimeProvider.System));
        return new EvaluationRun(code, output.ToString(), error.ToString());
    }

    /// <summary>The JSON lines by algorithm; asserts their shape.</summary>
    public Dictionary<string, Dictionary<string, double?>> Algorithms()
    {
        Code.ShouldBe(0, Error);
        return Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(
            line => line.GetProperty("name").GetString()!,
            line =>
            {
                line.EnumerateObject().Select(property => property.Name).ShouldBe(Keys);
                line.GetProperty("trainSeconds").GetDouble().ShouldBeGreaterThanOrEqualTo(0);
                line.GetProperty("predictMicroseconds").GetDouble().ShouldBeGreaterThanOrEqualTo(0);
                line.GetProperty("rows").GetInt32().ShouldBeGreaterThan(0);
                return line.GetProperty("metrics").EnumerateObject().ToDictionary(
                    metric => metric.Name, metric => metric.Value.ValueKind == JsonValueKind.Null ? (double?)null : metric.Value.GetDouble());
            });
    }

    /// <summary>That it ended with a code, one line and no stack trace.</summary>
    public void ShouldFail(int code, string words)
    {
        Code.ShouldBe(code, Error);
        Error.ShouldContain(words);
        Error.ShouldNotContain("   at ");
        Out.ShouldBeEmpty();
    }
}
