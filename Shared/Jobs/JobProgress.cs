using Microsoft.Extensions.Logging;
using Npgsql;
using OKLA.Shared.Contracts;

namespace OKLA.Shared.Jobs;

/// <summary>How far the running job is: a job takes it in its constructor and reports as often as it likes; the table hears at most once a second.</summary>
public sealed class JobProgress(NpgsqlDataSource database, TimeProvider time, ILogger<JobProgress> logger) : IProgress<WorkProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private long _written;
    private int _writing;

    // One reference, so that a reader never sees the share of one report with the step of another.
    private volatile Tuple<double, string>? _last;

    /// <summary>The run that this is the progress of.</summary>
    public Guid Run { get; private set; }

    /// <summary>The job's name.</summary>
    public string Job { get; private set; } = "";

    /// <summary>Why it runs: <c>schedule</c> or what the caller of <see cref="JobRuns.TriggerAsync"/> said (<c>demand</c>).</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Share done in percent, 0 to 100, and the last step's words; null before the first report.</summary>
    internal (double Percent, string Step)? Last => _last is var (percent, step) ? (percent, step) : null;

    /// <summary>Takes note; writes in the background when the last write is a second ago.</summary>
    public void Report(WorkProgress value)
    {
        _last = new(Math.Clamp(value.Fraction, 0, 1) * 100, value.Step);
        if (time.GetElapsedTime(Interlocked.Read(ref _written)) < Interval || Interlocked.Exchange(ref _writing, 1) == 1) return;
        Interlocked.Exchange(ref _written, time.GetTimestamp());
        _ = WriteAsync();
    }

    /// <summary>Share done, 0 to 1, and what is being done in a few words.</summary>
    public void Report(double fraction, string step) => Report(new WorkProgress(fraction, step));

    internal void Begin(Guid run, string job, string reason) => (Run, Job, Reason, _written) = (run, job, reason, time.GetTimestamp() - time.TimestampFrequency);

    private async Task WriteAsync()
    {
        try
        {
            var (percent, step) = Last!.Value;
            // A write that comes after the end changes nothing.
            await using var command = database.CreateCommand("update jobs.runs set percent = $2, message = $3 where id = $1 and outcome = 'running'");
            command.Parameters.AddWithValue(Run);
            command.Parameters.AddWithValue(percent);
            command.Parameters.AddWithValue(step);
            await command.ExecuteNonQueryAsync();
        }
        catch (Exception e)
        {
            // The end of the run is written with its last progress, so only the view in between suffers.
            logger.ProgressNotWritten(e, Job);
        }
        finally
        {
            Interlocked.Exchange(ref _writing, 0);
        }
    }
}
