using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training.Jobs;

/// <summary>How a process is started that works on the queue and ends when nothing is left, or when its input ends.</summary>
internal sealed record TrainerStart(Func<ProcessStartInfo> Create);

/// <summary>
/// Lets a serving host work on the queue of trainings. They run in a process of their own that gets what the processor has left over: nobody who asks for a
/// prediction waits for a training's threads or for its garbage, what it allocated goes back to the machine, and if it runs out of memory nothing else ends.
/// </summary>
internal sealed class TrainingService(TrainingJobs jobs, TrainingWorker worker, IOptions<MLOptions> options, TimeProvider clock, ILogger<TrainingService> logger, TrainerStart? trainer = null)
    : WorkLoop("trainings", TimeSpan.FromSeconds(options.Value.RefreshSeconds), clock, logger)
{
    private const int UsualPolicy = 0;
    private const int IdlePolicy = 5;
    private const int CallingThread = 0;
    private const int NoPriority = 0;
    private const int MostCores = 1_024;
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ToEnd = TimeSpan.FromSeconds(20);

    /// <inheritdoc />
    public override async Task<bool> StepAsync(CancellationToken ct = default)
    {
        if (!options.Value.TrainingProcess || trainer is null)
        {
            return await worker.WorkAsync(ct);
        }

        if (!await jobs.AnyAsync(ct))
        {
            return false;
        }

        try
        {
            if (await RunAsync(trainer.Create(), options.Value.Threads, ct) is var code and not 0)
            {
                Log.TrainerEnded(logger, code);
                await Task.Delay(AfterFault, Clock, ct);
            }
        }
        catch (Win32Exception fault)
        {
            Log.TrainerNotStarted(logger, fault);
            await Task.Delay(AfterFault, Clock, ct);
        }

        return true;
    }

    /// <inheritdoc />
    protected override bool IsOutage(Exception fault) => base.IsOutage(fault) || fault is InvalidOperationException or JsonException;

    /// <summary>Runs a trainer to its end; answers its exit code.</summary>
    private static async Task<int> RunAsync(ProcessStartInfo start, int threads, CancellationToken ct)
    {
        start.RedirectStandardInput = true;

        // It sees no more cores than it is given, and would leave one of those as well.
        start.Environment["ML__TrainingThreads"] = threads.ToString(CultureInfo.InvariantCulture);
        using var process = await StartInBackgroundAsync(start, threads);
        try
        {
            await process.WaitForExitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            // The end of its input tells it to put its job back, for which it steps aside for nobody: where all cores are busy it would come to nothing in time.
            process.StandardInput.Close();
            BringForward(process);
            using var patience = new CancellationTokenSource(ToEnd);
            await process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }

            throw;
        }

        return process.ExitCode;
    }

    /// <summary>Starts a process whose every thread steps aside at once for whatever else wants to run, and leaves the cores that it may not use threads for.</summary>
    private static Task<Process> StartInBackgroundAsync(ProcessStartInfo start, int threads)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(Start) { IsBackground = true, Name = "start trainer" }.Start();
        return started.Task;

        void Start()
        {
            try
            {
                if (OperatingSystem.IsLinux())
                {
                    // A process inherits this from the thread that starts it. Being nice is not enough: a nice thread may end its turn of some milliseconds first.
                    _ = SetScheduler(CallingThread, IdlePolicy, NoPriority);
                    LeaveCores(Environment.ProcessorCount - threads);
                }

                var process = Process.Start(start)!;
                if (!OperatingSystem.IsLinux())
                {
                    process.PriorityClass = ProcessPriorityClass.Idle;
                }

                started.SetResult(process);
            }
            catch (Exception fault)
            {
                started.SetException(fault);
            }
        }
    }

    /// <summary>
    /// Keeps the calling thread, and what it starts, off the first so many of the cores that it may run on, whatever share of them a quota allows. A core on which something idle runs
    /// pulls no waiting thread over from another one, as a core with nothing to do does: one is left to do so, the same one by all hosts of a machine.
    /// </summary>
    private static void LeaveCores(int wanted)
    {
        var allowed = new ulong[MostCores / 64];
        var bytes = (nuint)(allowed.Length * sizeof(ulong));
        if (GetAffinity(CallingThread, bytes, allowed) != 0)
        {
            return;
        }

        for (var (word, left) = (0, Math.Min(wanted, allowed.Sum(BitOperations.PopCount) - 1)); left > 0; left--)
        {
            while (allowed[word] == 0)
            {
                word++;
            }

            allowed[word] &= allowed[word] - 1;
        }

        _ = SetAffinity(CallingThread, bytes, allowed);
    }

    /// <summary>Lets every thread of a process take its turn as any other's.</summary>
    private static void BringForward(Process process)
    {
        try
        {
            if (!OperatingSystem.IsLinux())
            {
                process.PriorityClass = ProcessPriorityClass.Normal;
                return;
            }

            foreach (var thread in Directory.EnumerateDirectories($"/proc/{process.Id}/task"))
            {
                _ = SetScheduler(int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture), UsualPolicy, NoPriority);
            }
        }
        catch (Exception ended) when (ended is IOException or InvalidOperationException or Win32Exception)
        {
            // It is over already.
        }
    }

    [DllImport("libc", EntryPoint = "sched_setscheduler")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetScheduler(int thread, int policy, in int priority);

    [DllImport("libc", EntryPoint = "sched_getaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetAffinity(int thread, nuint bytes, [Out] ulong[] cores);

    [DllImport("libc", EntryPoint = "sched_setaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetAffinity(int thread, nuint bytes, ulong[] cores);
}

/// <summary>Answers <see cref="TrainQueued"/>.</summary>
internal static class TrainQueuedHandler
{
    public static async Task<TrainedQueue> Handle(TrainQueued command, TrainingWorker worker, CancellationToken ct)
    {
        var done = 0;
        while (!ct.IsCancellationRequested && await worker.WorkAsync(ct))
        {
            done++;
        }

        return new TrainedQueue(done);
    }
}
