namespace OKLA.Benchmarks;

/// <summary>
/// Settings of a host that a benchmark runs in its own process: the embedded server with its real durability, a free port, few log lines, and no job but
/// those that the benchmark starts, since the weekly trainings are all due when an empty database is first opened.
/// </summary>
internal static class BenchHost
{
    public static string[] Settings(string dataFolder) =>
    [
        "--Database:DataFolder", dataFolder, "--environment", "Development", "--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default", "Warning", "--Web:RequestsPerWindow", "10000000",
        "--Jobs:Scheduled", "false", "--DemoSeed:Enabled", "false",
    ];
}
