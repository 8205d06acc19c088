using System.Collections.Concurrent;

namespace OKLA.ML.Serving.Forecasts;

/// <summary>
/// Answers that cost much and change slowly. Each is made once however many ask for it; one older than <see cref="Fresh"/> is given once more while another is made
/// behind it, so that nobody waits for what is known.
/// </summary>
internal sealed class KeptAnswers(TimeProvider clock)
{
    /// <summary>How long an answer is given without making another.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);

    /// <summary>How old an answer may be that is still given.</summary>
    public static readonly TimeSpan Oldest = TimeSpan.FromMinutes(5);

    private const int Most = 1_000;
    private readonly ConcurrentDictionary<object, Kept> kept = new();

    /// <summary>The answer to a question.</summary>
    /// <param name="question">Equal for equal questions.</param>
    /// <param name="make">Makes the answer; not stopped when one of those who wait goes away.</param>
    /// <param name="ct">Stops the waiting.</param>
    public async Task<T> FindAsync<T>(object question, Func<Task<T>> make, CancellationToken ct)
    {
        if (!kept.TryGetValue(question, out var known) || clock.GetElapsedTime(known.At) > Oldest)
        {
            MakeRoom();
            var made = new Kept(clock.GetTimestamp(), new Lazy<Task>(() => RunAsync(make)));
            known = known is null ? kept.GetOrAdd(question, made) : kept.TryUpdate(question, made, known) ? made : kept.GetOrAdd(question, made);
        }
        else if (clock.GetElapsedTime(known.At) > Fresh && known.TryRenew())
        {
            _ = RenewAsync(question, known, make);
        }

        try
        {
            return await ((Task<T>)known.Answer.Value).WaitAsync(ct);
        }
        catch when (known.Answer.Value.IsFaulted)
        {
            // Whoever asks next tries again.
            kept.TryRemove(new(question, known));
            throw;
        }
    }

    private async Task RenewAsync<T>(object question, Kept old, Func<Task<T>> make)
    {
        await Task.Yield();
        var renewed = new Kept(clock.GetTimestamp(), new Lazy<Task>(() => RunAsync(make)));
        await renewed.Answer.Value.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (renewed.Answer.Value.IsCompletedSuccessfully)
        {
            kept.TryUpdate(question, renewed, old);
        }
        else
        {
            // The next who asks makes it, and hears why it cannot be made.
            kept.TryRemove(new(question, old));
        }
    }

    // A failure before the first wait becomes one of the task, too.
    private static async Task<T> RunAsync<T>(Func<Task<T>> make) => await make();

    private void MakeRoom()
    {
        if (kept.Count < Most)
        {
            return;
        }

        foreach (var pair in kept.OrderBy(pair => pair.Value.At).Take(Most / 10))
        {
            kept.TryRemove(pair);
        }
    }

    private sealed record Kept(long At, Lazy<Task> Answer)
    {
        private int renewing;

        /// <summary>True for the one who is to make the next.</summary>
        public bool TryRenew() => Interlocked.Exchange(ref renewing, 1) == 0;
    }
}
