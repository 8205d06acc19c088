using System.ComponentModel.DataAnnotations;

namespace OKLA.Shared.Jobs;

/// <summary>Section <c>Jobs</c>: when jobs are looked at, retried and forgotten.</summary>
public sealed class JobsOptions
{
    /// <summary>Whether this node queues jobs by their calendar; without, they run when somebody asks for them.</summary>
    public bool Scheduled { get; set; } = true;

    /// <summary>How often the cluster looks for jobs that are due. 1 second to 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan CheckInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Jobs this node runs at the same time. 1 to 64.</summary>
    [Range(1, 64)]
    public int MaxConcurrentJobs { get; set; } = 2;

    /// <summary>Times a failed run is tried again. 0 to 20.</summary>
    [Range(0, 20)]
    public int Retries { get; set; } = 3;

    /// <summary>Wait before the first retry; each further one is four times longer. 1 second to 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a job that is due rests after a run whose retries all failed. 1 second to 7 days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan RestAfterFailure { get; set; } = TimeSpan.FromHours(6);

    /// <summary>How long runs are kept in the history; the last success of a job always is. 1 hour to 10 years.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")]
    public TimeSpan KeepRuns { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How often a node says that it is alive; another takes its jobs over after two missed times. 1 second to 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan ClusterCheckin { get; set; } = TimeSpan.FromSeconds(5);
}
