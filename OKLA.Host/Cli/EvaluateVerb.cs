using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Cli;

/// <summary>
/// <c>evaluate MODEL</c>: measures a model on the later part of what the log holds, beside its baseline and the ceiling; publishes nothing. <c>evaluate all</c> does so with every
/// model in turn and prints one table.
/// </summary>
internal static class EvaluateVerb
{
    private const string All = "all";

    public static Verb Verb { get; } = new(
        "evaluate", ["MODEL|all"], [new("--only", "NAMES", "of all, these alone, with commas between")],
        "measures a model on the future it has not seen, without publishing it; or all of them in turn, as one Markdown table", RunAsync) { Check = invocation => ModelsOf(invocation) };

    private static async Task<int> RunAsync(Invocation invocation, IServiceProvider services, Terminal terminal, CancellationToken ct)
    {
        var models = ModelsOf(invocation);
        await services.GetRequiredService<Subscriptions>().CatchUpAsync(ct: ct);
        var bus = services.GetRequiredService<IMessageBus>();
        if (invocation.Arguments[0] == All)
        {
            return await EvaluateAllAsync(models, bus, terminal, ct);
        }

        var report = await EvaluateAsync(models[0], bus, terminal, ct);
        Metrics.Write(terminal, report.Metrics);
        terminal.Out.WriteLine();
        foreach (var target in report.Targets.Where(_ => EvaluationTable.IsMeasured(report)))
        {
            terminal.Out.WriteLine(FormattableString.Invariant($"  {target.Source}: {target.Metric} {(target.LargerIsBetter ? "at least" : "at most")} {target.Value:0.####}: {target.Verdict(target.Of(report.Metrics))}"));
        }

        terminal.Out.WriteLine($"  {report.Model}: {report.Split}");
        if (EvaluationTable.IsMeasured(report))
        {
            terminal.Out.WriteLine(FormattableString.Invariant($"  learned from {report.RowsLearned:N0} rows, measured on {report.RowsMeasured:N0}, in {Terminal.Duration(report.Seconds)}{(report.Answers is { } took ? FormattableString.Invariant($"; an answer takes {took.MedianMs:0.00} ms, 99 of 100 at most {took.P99Ms:0.00} ms ({took.Asked} asked, one at a time)") : "")}"));
        }

        return CommandLine.Success;
    }

    private static async Task<int> EvaluateAllAsync(IReadOnlyList<string> models, IMessageBus bus, Terminal terminal, CancellationToken ct)
    {
        var reports = new List<EvaluationReport>();
        foreach (var model in models)
        {
            terminal.Error.WriteLine(model);
            try
            {
                reports.Add(await EvaluateAsync(model, bus, terminal, ct));
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                // The others took long, and what they came to would be lost with this one.
                terminal.Error.WriteLine(fault);
                reports.Add(new EvaluationReport(model, $"It failed: {fault.Message}", []));
            }
        }

        foreach (var line in EvaluationTable.Lines(reports))
        {
            terminal.Out.WriteLine(line);
        }

        return reports.Exists(EvaluationTable.IsMeasured) ? CommandLine.Success : CommandLine.Failure;
    }

    private static async Task<EvaluationReport> EvaluateAsync(string model, IMessageBus bus, Terminal terminal, CancellationToken ct)
    {
        var progress = new ProgressLine(terminal);
        try
        {
            return await bus.InvokeAsync<EvaluationReport>(new EvaluateModel(model, progress), ct);
        }
        finally
        {
            progress.Done();
        }
    }

    /// <summary>The models that are meant.</summary>
    /// <exception cref="UsageException">No model of a name, or some of one.</exception>
    private static IReadOnlyList<string> ModelsOf(Invocation invocation)
    {
        var only = invocation.Text("--only")?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (invocation.Arguments[0] != All)
        {
            return only is null ? [Metrics.ModelOf(invocation.Arguments[0])] : throw new UsageException("--only goes with 'evaluate all'.");
        }

        return only is null ? ModelNames.All : only.Length == 0 ? throw new UsageException("--only takes names of models.") : [.. only.Select(Metrics.ModelOf).Distinct()];
    }
}
