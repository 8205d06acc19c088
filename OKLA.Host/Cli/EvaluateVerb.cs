using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Cli;

/// <summary><c>evaluate MODEL</c>: measures a model on the later part of what the log holds, beside its baseline and the ceiling; publishes nothing.</summary>
internal static class EvaluateVerb
{
    public static Verb Verb { get; } = new("evaluate", ["MODEL"], [], "measures a model on the future it has not seen, without publishing it", RunAsync) { Check = invocation => Metrics.ModelOf(invocation) };

    private static async Task<int> RunAsync(Invocation invocation, IServiceProvider services, Terminal terminal, CancellationToken ct)
    {
        var model = Metrics.ModelOf(invocation);
        await services.GetRequiredService<Subscriptions>().CatchUpAsync(ct: ct);
        var progress = new ProgressLine(terminal);
        EvaluationReport report;
        try
        {
            report = await services.GetRequiredService<IMessageBus>().InvokeAsync<EvaluationReport>(new EvaluateModel(model, progress), ct);
        }
        finally
        {
            progress.Done();
        }

        Metrics.Write(terminal, report.Metrics);
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"  {report.Model}: {report.Split}");
        return CommandLine.Success;
    }
}
