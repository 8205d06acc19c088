namespace OKLA.Host.Auth;

/// <summary>
/// A key set that lives elsewhere and changes: kept in memory, read again when it is old or when a token names a key it
/// lacks, never more often than the minimum interval, by one caller at a time. What cannot be read leaves the last good keys in place.
/// </summary>
/// <param name="name">The file or address, for the log.</param>
/// <param name="read">Reads the set; null when it is what it was.</param>
/// <param name="refresh">Age at which the set is read again.</param>
/// <param name="minimumInterval">Least time between two readings.</param>
/// <param name="refreshInBackground">Whether callers go on with the old keys meanwhile (slow sources) or wait for the new (quick ones).</param>
/// <param name="time">Measures ages.</param>
/// <param name="logger">Hears of every reading.</param>
internal sealed class JwksSource(
    string name,
    Func<CancellationToken, Task<JsonWebKeys.KeySet?>> read,
    TimeSpan refresh,
    TimeSpan minimumInterval,
    bool refreshInBackground,
    TimeProvider time,
    ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim oneReader = new(1);
    private volatile IReadOnlyList<VerificationKey> keys = [];
    private long lastAttempt;
    private long lastSuccess;
    private volatile bool attempted;
    private volatile bool succeeded;

    /// <summary>The keys that bear the id.</summary>
    public async ValueTask<IReadOnlyList<VerificationKey>> FindAsync(string? keyId, CancellationToken ct)
    {
        if (!succeeded) await ReadAsync(wait: true, ct);
        else if (IsOld())
        {
            if (refreshInBackground) _ = ReadAsync(wait: false, CancellationToken.None);
            else await ReadAsync(wait: true, ct);
        }

        var found = Matching(keyId);
        if (found.Count > 0) return found;
        await ReadAsync(wait: true, ct);
        return Matching(keyId);
    }

    public void Dispose() => oneReader.Dispose();

    private List<VerificationKey> Matching(string? keyId) => [.. keys.Where(key => key.Id == keyId)];

    private bool IsOld() => time.GetElapsedTime(Volatile.Read(ref lastSuccess)) >= refresh;

    private bool MayRead() => !attempted || time.GetElapsedTime(Volatile.Read(ref lastAttempt)) >= minimumInterval;

    private async Task ReadAsync(bool wait, CancellationToken ct)
    {
        if (!MayRead() && oneReader.CurrentCount > 0) return;
        if (!await oneReader.WaitAsync(wait ? Timeout.Infinite : 0, ct)) return;
        try
        {
            if (!MayRead()) return;
            Volatile.Write(ref lastAttempt, time.GetTimestamp());
            attempted = true;
            // Not the caller's token: a visitor who leaves must not cost the others the attempt.
            var set = await read(CancellationToken.None);
            Volatile.Write(ref lastSuccess, time.GetTimestamp());
            succeeded = true;
            if (set is null) return;
            keys = set.Keys;
            foreach (var sentence in set.Unfit) Log.KeyUnfit(logger, name, sentence);
            Log.KeysRead(logger, name, set.Keys.Count);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or HttpRequestException or OperationCanceledException or FormatException)
        {
            Log.KeysNotRead(logger, name, keys.Count, e);
        }
        finally
        {
            oneReader.Release();
        }
    }
}
