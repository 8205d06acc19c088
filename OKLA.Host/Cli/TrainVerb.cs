using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Cli;

/// <summary><c>train MODEL</c>: lets the projections catch up, then trains, measures and publishes a model unless it is worse than the one that serves.</summary>
internal static class TrainVerb
{
    public static Verb Verb { get; } = new(
        "train", ["MODEL"], [], $"trains a model and publishes it unless it is worse: {string.Join(", ", ModelNames.All)}", RunAsync) { Check = invocation => Metrics.ModelOf(invocation) };

    private static async Task<int> RunAsync(Invocation invocation, IServiceProvider services, Terminal terminal, CancellationToken ct)
    {
        var model = Metrics.ModelOf(invocation);
        await services.GetRequiredService<Subscriptions>().CatchUpAsync(ct: ct);
        var progress = new ProgressLine(terminal);
        TrainingOutcome outcome;
        try
        {
            outcome = await services.GetRequiredService<IMessageBus>().InvokeAsync<TrainingOutcome>(new TrainModel(model, "demand", progress), ct);
        }
        finally
        {
            progress.Done();
        }

        Metrics.Write(terminal, outcome.Metrics);
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"  {outcome.Model} version {outcome.Version}, {(outcome.Published ? "published" : "not published")}: {outcome.Decision}");
        terminal.Out.WriteLine($"  {Terminal.Count(outcome.Rows)} rows, {Terminal.Duration(outcome.Seconds)}");
        return outcome.Version > 0 ? CommandLine.Success : CommandLine.Failure;
    }
}
