using System.Globalization;
using System.Text.Json;
using OKLA.Sdk;
using OKLA.Shared.Contracts;

namespace OKLA.Host.Cli;

/// <summary>The platform of models from the command line: the same calls as by HTTP, through the client that sites use, to a host that runs.</summary>
internal static class PlatformVerbs
{
    private static readonly Option[] Shared =
    [
        new("--host", "URL", "the host to ask (default http://localhost:5000)"),
        new("--token", "TOKEN", "an admin's bearer token (default: OKLA_TOKEN; of a host in Development, its demo admin)"),
    ];

    public static IReadOnlyList<Verb> All { get; } =
    [
        Of("datasets upload", ["NAME", "FILE"], [], "uploads a table (CSV or NDJSON, gzip or not) as a version of a data set", async (call, okla, terminal, ct) =>
        {
            await using var file = Opened(call.Arguments[1]);
            var version = await okla.UploadAsync(call.Arguments[0], file, ct);
            terminal.Out.WriteLine($"  {version.Dataset} version {version.Number}, {Terminal.Count(version.Rows)} rows");
            return CommandLine.Success;
        }),
        Of("datasets list", [], [], "lists data sets", async (call, okla, terminal, ct) =>
        {
            terminal.Table(
                ["data set", "newest", "rows", "columns", "from"],
                [.. (await okla.DatasetsAsync(ct)).Select(one => (IReadOnlyList<string>)(one.Versions is [var newest, ..]
                    ? [one.Name, Whole(newest.Number), Terminal.Count(newest.Rows), Whole(newest.Columns), newest.Source.Split(':')[0]] : [one.Name, "", "", "", ""]))]);
            return CommandLine.Success;
        }),
        Of(
            "jobs start", ["MODEL"],
            [
                new("--dataset", "NAME", "data set to learn from; needed when the model is new"), new("--target", "COLUMN", "the column to predict"), new("--positive", "LABEL", "the positive one of two labels"),
                new("--time", "COLUMN", "a column of times: the newest rows are the test"), new("--profile", "NAME", "fast, accurate or auto"), new("--budget", "SECONDS", "seconds to search, 5 to 3,600"),
                new("--wait", "", "follows it to its end"),
            ],
            "queues a training; a name that is new makes the model", StartAsync),
        Of("jobs list", [], [new("--model", "NAME", "only this model's")], "lists trainings, newest first", async (call, okla, terminal, ct) =>
        {
            terminal.Table(
                ["job", "model", "state", "done", "version", "step"],
                [.. (await okla.JobsAsync(call.Text("--model"), ct)).Select(job => (IReadOnlyList<string>)[job.Id.ToString(), job.Model, job.State, Share(job.Fraction), Whole(job.Version), job.Step])]);
            return CommandLine.Success;
        }),
        Of("jobs cancel", ["ID"], [], "stops a training", async (call, okla, terminal, ct) =>
        {
            var job = await okla.CancelAsync(Id(call), ct);
            terminal.Out.WriteLine($"  {job.Id}: {(job.State == "running" ? "stops as soon as its host hears of it" : job.State)}");
            return CommandLine.Success;
        }, call => Id(call)),
        Of("models list", [], [], "lists models with the version that serves", async (call, okla, terminal, ct) =>
        {
            terminal.Table(
                ["model", "serves", "before", "versions", "metric", "value"],
                [.. (await okla.ModelsAsync(ct)).Select(model =>
                {
                    OklaModelVersion[] shown = [.. model.Versions.Where(version => version.Number == model.ServingVersion), .. model.Versions];
                    var metric = shown is [{ Metrics: [var deciding, ..] }, ..] ? deciding : null;
                    return (IReadOnlyList<string>)
                    [
                        model.Name, Whole(model.ServingVersion), Whole(model.PreviousVersion), Whole(model.Versions.Count), metric?.Name ?? "", metric?.Model.ToString("0.####", CultureInfo.InvariantCulture) ?? "",
                    ];
                })]);
            return CommandLine.Success;
        }),
        Of("models export", ["MODEL", "VERSION", "FILE"], [], "writes a version as one file", async (call, okla, terminal, ct) =>
        {
            using var whole = new MemoryStream();
            await okla.ExportAsync(call.Arguments[0], Number(call), whole, ct);
            await File.WriteAllBytesAsync(call.Arguments[2], whole.ToArray(), ct);
            terminal.Out.WriteLine($"  {call.Arguments[2]}, {Terminal.Count(whole.Length)} bytes");
            return CommandLine.Success;
        }, call => Number(call)),
        Of("models import", ["MODEL", "FILE"], [], "takes in a version from a file; it waits until it is promoted", async (call, okla, terminal, ct) =>
        {
            await using var file = Opened(call.Arguments[1]);
            var came = await okla.ImportAsync(call.Arguments[0], file, ct);
            terminal.Out.WriteLine($"  {came.Model} version {came.Version} ({came.Stage}), from {came.From}{(came.IsNew ? "" : "; it was here already")}");
            return CommandLine.Success;
        }),
        Of("models promote", ["MODEL", "VERSION"], [new("--why", "TEXT", "kept in the history")], "puts a version in place at once", async (call, okla, terminal, ct) =>
        {
            await okla.PromoteAsync(call.Arguments[0], Number(call), call.Text("--why"), ct);
            terminal.Out.WriteLine($"  {call.Arguments[0]} version {Number(call)} serves");
            return CommandLine.Success;
        }, call => Number(call)),
        Of("models rollback", ["MODEL"], [new("--why", "TEXT", "kept in the history")], "puts the version before the serving one back in place", async (call, okla, terminal, ct) =>
        {
            try
            {
                terminal.Out.WriteLine($"  {call.Arguments[0]} version {await okla.RollBackAsync(call.Arguments[0], call.Text("--why"), ct)} serves again");
                return CommandLine.Success;
            }
            catch (InvalidOperationException none)
            {
                terminal.Error.WriteLine(none.Message);
                return CommandLine.Failure;
            }
        }),
        Of("predict", ["MODEL", "FILE"], [new("--out", "FILE", "where the answered file goes (default: beside it, with .answers before the ending)")], "answers a file of rows (CSV, or NDJSON by its ending)", PredictAsync),
    ];

    /// <summary>Runs a verb against the host that its options name.</summary>
    public static async Task<int> RunAsync(Invocation call, Func<Invocation, OklaModels, Terminal, CancellationToken, Task<int>> ask, Terminal terminal)
    {
        using var stop = new CancellationTokenSource();
        ConsoleCancelEventHandler onCancel = (_, pressed) =>
        {
            pressed.Cancel = true;
            stop.Cancel();
        };
        Console.CancelKeyPress += onCancel;
        try
        {
            using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
            var address = Address(call);
            var token = call.Text("--token") ?? Environment.GetEnvironmentVariable("OKLA_TOKEN") ?? await DemoTokenAsync(http, address, stop.Token);
            return await ask(call, new OklaModels(http, address, token), terminal, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            terminal.Error.WriteLine("Stopped; what the host is at goes on there.");
            return CommandLine.Interrupted;
        }
        finally
        {
            Console.CancelKeyPress -= onCancel;
        }
    }

    private static Verb Of(
        string name, IReadOnlyList<string> arguments, IReadOnlyList<Option> options, string help, Func<Invocation, OklaModels, Terminal, CancellationToken, Task<int>> ask, Action<Invocation>? check = null) =>
        new(name, arguments, [.. options, .. Shared], help, null)
        {
            AskAsync = ask,
            Check = call =>
            {
                Address(call);
                check?.Invoke(call);
            },
        };

    private static async Task<int> StartAsync(Invocation call, OklaModels okla, Terminal terminal, CancellationToken ct)
    {
        var job = await okla.TrainAsync(
            new OklaTraining(call.Arguments[0])
            {
                Dataset = call.Text("--dataset"), Target = call.Text("--target"), Positive = call.Text("--positive"), Time = call.Text("--time"), Profile = call.Text("--profile"),
                BudgetSeconds = call.Text("--budget") is null ? null : call.Number("--budget", 60, 5, 3_600),
            },
            ct);
        if (!call.Has("--wait"))
        {
            terminal.Out.WriteLine($"  {job}");
            return CommandLine.Success;
        }

        var progress = new ProgressLine(terminal);
        var done = await okla.WaitAsync(job, now => progress.Report(new WorkProgress(now.Fraction, now.Step)), ct);
        progress.Done();
        terminal.Out.WriteLine($"  {done.Model}{(done.Version is { } version ? $" version {version}, {(done.Published == true ? "published" : "not published")}" : $" {done.State}")}: {done.Message}");
        return done.State == "succeeded" ? CommandLine.Success : CommandLine.Failure;
    }

    private static async Task<int> PredictAsync(Invocation call, OklaModels okla, Terminal terminal, CancellationToken ct)
    {
        var path = call.Arguments[1];
        var target = call.Text("--out") ?? Path.ChangeExtension(path, ".answers" + Path.GetExtension(path));
        var progress = new ProgressLine(terminal);
        await using var file = Opened(path);
        using var answered = new MemoryStream();
        var batch = await okla.PredictFileAsync(
            call.Arguments[0], file, answered, Path.GetExtension(path) is ".ndjson" or ".jsonl", now => progress.Report(new WorkProgress(now.Progress, now.State)), ct);
        progress.Done();
        if (batch.State != "done")
        {
            terminal.Error.WriteLine($"{batch.State}: {batch.Error}");
            return CommandLine.Failure;
        }

        await File.WriteAllBytesAsync(target, answered.ToArray(), ct);
        terminal.Out.WriteLine($"  {target}, {Terminal.Count(batch.Rows)} rows{(batch.Failed > 0 ? $", {Terminal.Count(batch.Failed)} of them not answered; the file says why" : "")}");
        return CommandLine.Success;
    }

    private static async Task<string> DemoTokenAsync(HttpClient http, Uri address, CancellationToken ct)
    {
        using var answer = await http.PostAsync(new Uri(address, "api/auth/demo/admin"), null, ct);
        return answer.IsSuccessStatusCode
            ? (await answer.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("accessToken").GetString()!
            : throw new UsageException("This host has no demo admin: give --token, or set OKLA_TOKEN.");
    }

    private static Uri Address(Invocation call) => Uri.TryCreate(call.Text("--host") ?? "http://localhost:5000", UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
        ? address : throw new UsageException($"--host takes an address such as http://localhost:5000, not '{call.Text("--host")}'.");

    private static FileStream Opened(string path) => File.Exists(path) ? File.OpenRead(path) : throw new UsageException($"There is no file {path}.");

    private static int Number(Invocation call) => int.TryParse(call.Arguments[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
        ? number : throw new UsageException($"VERSION is a whole number from 1, not '{call.Arguments[1]}'.");

    private static Guid Id(Invocation call) => Guid.TryParse(call.Arguments[0], out var id) ? id : throw new UsageException($"ID is a job's id as jobs list shows it, not '{call.Arguments[0]}'.");

    private static string Whole(int? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string Share(double share) => share.ToString("P0", CultureInfo.InvariantCulture);
}
