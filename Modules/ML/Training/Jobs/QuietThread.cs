using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace OKLA.ML.Training.Jobs;

/// <summary>
/// A thread of its own for a training, behind all others in the queue for the processor, so that requests do not wait for it: what is started on it as a task
/// goes on there after each await. On Linux .NET's priorities say nothing, so the thread is made nice; it ends with the work, since nobody can take that back.
/// </summary>
internal sealed class QuietThread : TaskScheduler, IDisposable
{
    private const int OfThread = 0;
    private const int Nice = 10;

    private readonly BlockingCollection<Task> tasks = [];
    private readonly Thread thread;

    public QuietThread(string name)
    {
        thread = new Thread(Work) { IsBackground = true, Name = name, Priority = ThreadPriority.BelowNormal };
        thread.Start();
    }

    public override int MaximumConcurrencyLevel => 1;

    /// <summary>Runs work on the thread.</summary>
    public Task<T> RunAsync<T>(Func<Task<T>> work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.None, this).Unwrap();

    public void Dispose() => tasks.CompleteAdding();

    protected override IEnumerable<Task> GetScheduledTasks() => tasks;

    protected override void QueueTask(Task task)
    {
        try
        {
            tasks.Add(task);
        }
        catch (InvalidOperationException)
        {
            // Something started on the thread without being waited for (a note of progress, say) outlived it: it ends where everything else runs.
            ThreadPool.UnsafeQueueUserWorkItem(_ => TryExecuteTask(task), null);
        }
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => Thread.CurrentThread == thread && TryExecuteTask(task);

    private void Work()
    {
        if (OperatingSystem.IsLinux())
        {
            // 0 stands for the calling thread; where the system refuses, the training runs like anything else.
            _ = SetPriority(OfThread, 0, Nice);
        }

        foreach (var task in tasks.GetConsumingEnumerable())
        {
            TryExecuteTask(task);
        }
    }

    [DllImport("libc", EntryPoint = "setpriority")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetPriority(int which, int who, int priority);
}
