using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Cli;

/// <summary><c>train-queued</c>: carries through the trainings that wait in the queue; a serving host starts it for itself, and so may a machine that only trains.</summary>
internal static class TrainQueuedVerb
{
    /// <summary>The option that binds it to the process at the other end of its input.</summary>
    public const string UntilInputEnds = "--until-input-ends";

    // A training looks at its cancellation now and then; who started this one is gone and will not wait for it.
    private static readonly TimeSpan ToEnd = TimeSpan.FromSeconds(10);

    public static Verb Verb { get; } = new(
        "train-queued", [], [new(UntilInputEnds, "", "stops, its job put back, when standard input ends: whoever started it is gone")], "trains what waits in the queue, then ends", RunAsync);

    private static async Task<int> RunAsync(Invocation invocation, IServiceProvider services, Terminal terminal, CancellationToken ct)
    {
        // Not disposed: the thread below outlives this method.
        var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        if (invocation.Has(UntilInputEnds))
        {
            var input = Console.OpenStandardInput();
            new Thread(() => StopAtEnd(input, stop)) { IsBackground = true, Name = "input" }.Start();
        }

        var trained = await services.GetRequiredService<IMessageBus>().InvokeAsync<TrainedQueue>(new TrainQueued(), stop.Token);
        if (!invocation.Has(UntilInputEnds))
        {
            terminal.Out.WriteLine($"  {Terminal.Count(trained.Jobs)} trainings carried through");
        }

        return CommandLine.Success;
    }

    private static void StopAtEnd(Stream input, CancellationTokenSource stop)
    {
        var nothing = new byte[64];
        while (input.Read(nothing) > 0)
        {
            // Nobody says anything here.
        }

        stop.Cancel();
        Thread.Sleep(ToEnd);
        Environment.Exit(CommandLine.Failure);
    }
}
