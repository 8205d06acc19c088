using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OKLA.Shared.Caching;

/// <summary>
/// A <see cref="HybridCache"/> in this node's memory. One factory runs for a key at a time; a value past its duration is served while its
/// factory fails or is slow; what is removed or set here is evicted on the other nodes (<see cref="CacheBackplane"/>).
/// Values are shared between callers, so they must not be changed; a factory may outlive the request that started it, so it must not
/// use services of the request's scope.
/// </summary>
internal sealed class NodeCache : HybridCache, IDisposable
{
    public const string MeterName = "OKLA.Caching";
    private const int LongestName = 1024;

    private static readonly KeyValuePair<string, object?> Hit = new("result", "hit");
    private static readonly KeyValuePair<string, object?> Miss = new("result", "miss");
    private static readonly KeyValuePair<string, object?> Stale = new("result", "stale");

    // Reads take no lock; whatever changes entries, tags and flights together holds it.
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _keysOfTag = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Flight> _flights = new(StringComparer.Ordinal);
    private readonly CacheOptions _options;
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly ILogger _logger;
    private readonly Meter _meter;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _evictions;

    public NodeCache(IOptions<CacheOptions> options, TimeProvider time, IMeterFactory meters, ILogger<NodeCache> logger)
    {
        (_options, _time, _logger, _origin) = (options.Value, time, logger, time.GetTimestamp());
        _meter = meters.Create(MeterName);
        _requests = _meter.CreateCounter<long>("okla.cache.requests", "{request}", "Values asked for: hit, miss or stale.");
        _evictions = _meter.CreateCounter<long>("okla.cache.evictions", "{entry}", "Values that left to make room.");
        _meter.CreateObservableGauge("okla.cache.entries", () => _entries.Count, "{entry}", "Values in memory.");
    }

    /// <summary>Hears what was removed or set here, for the other nodes; a tag when <c>Tag</c>, else a key.</summary>
    public event Action<(bool Tag, string Name)>? Evicted;

    private TimeSpan Now => _time.GetElapsedTime(_origin);

    public override ValueTask<T> GetOrCreateAsync<TState, T>(
        string key, TState state, Func<TState, CancellationToken, ValueTask<T>> factory, HybridCacheEntryOptions? options = null,
        IEnumerable<string>? tags = null, CancellationToken cancellationToken = default)
    {
        Check(key);
        var flags = options?.Flags ?? HybridCacheEntryFlags.None;
        Entry? entry = null;
        var now = Now;
        if (!flags.HasFlag(HybridCacheEntryFlags.DisableLocalCacheRead) && _entries.TryGetValue(key, out entry))
        {
            entry.Read = now;
            if (now < entry.Expires)
            {
                _requests.Add(1, Hit);
                return new(entry.As<T>(key));
            }

            if (now >= entry.Dies) entry = null;
        }

        return flags.HasFlag(HybridCacheEntryFlags.DisableUnderlyingData) ? new(default(T)!) : FetchAsync(key, entry, state, factory, options, tags, cancellationToken);
    }

    public override ValueTask SetAsync<T>(string key, T value, HybridCacheEntryOptions? options = null, IEnumerable<string>? tags = null, CancellationToken cancellationToken = default)
    {
        Check(key);
        lock (_lock)
        {
            Outdate(key);
            Put(key, value, options, tags?.ToArray() ?? []);
        }

        Evicted?.Invoke((false, key));
        return default;
    }

    public override ValueTask RemoveAsync(string key, CancellationToken cancellationToken = default)
    {
        Check(key);
        Evict(false, key);
        Evicted?.Invoke((false, key));
        return default;
    }

    public override ValueTask RemoveByTagAsync(string tag, CancellationToken cancellationToken = default)
    {
        Check(tag);
        Evict(true, tag);
        Evicted?.Invoke((true, tag));
        return default;
    }

    /// <summary>Removes a key, or everything under a tag (<c>*</c>: everything), on this node only. A factory that runs meanwhile is not believed.</summary>
    public void Evict(bool tag, string name)
    {
        lock (_lock)
        {
            if (!tag)
            {
                Outdate(name);
                Drop(name);
                return;
            }

            foreach (var (key, flight) in _flights.ToArray())
                if (name == "*" || flight.Tags.Contains(name)) Outdate(key);
            foreach (var key in name == "*" ? _entries.Keys : _keysOfTag.TryGetValue(name, out var keys) ? [.. keys] : (ICollection<string>)[]) Drop(key);
        }
    }

    /// <summary>Ends every value's duration: evictions may have been missed. They are still there for the fail-safe.</summary>
    public void ExpireAll()
    {
        lock (_lock)
        {
            foreach (var key in _flights.Keys.ToArray()) Outdate(key);
            foreach (var (_, entry) in _entries) entry.Expires = TimeSpan.Zero;
        }
    }

    public void Dispose() => _meter.Dispose();

    private static void Check(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, LongestName, nameof(name));
    }

    private async ValueTask<T> FetchAsync<TState, T>(
        string key, Entry? stale, TState state, Func<TState, CancellationToken, ValueTask<T>> factory, HybridCacheEntryOptions? options,
        IEnumerable<string>? tags, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var (flight, started) = Join(key, tags);
        // Beside a stale value even a factory that blocks must not hold its caller.
        if (started) _ = stale is null ? RunAsync(flight, key, state, factory, options) : Task.Run(() => RunAsync(flight, key, state, factory, options), CancellationToken.None);
        Outcome outcome;
        try
        {
            outcome = await flight.Done.Task.WaitAsync(stale is null ? _options.FactoryHardTimeout : _options.FactorySoftTimeout, _time, ct);
        }
        catch (TimeoutException)
        {
            flight.Late = true;
            _requests.Add(1, stale is null ? Miss : Stale);
            if (stale is null) throw;
            return stale.As<T>(key);
        }
        catch (OperationCanceledException)
        {
            Leave(key, flight);
            throw;
        }

        if (outcome.Error is null)
        {
            _requests.Add(1, Miss);
            return new Entry(outcome.Value).As<T>(key);
        }

        _requests.Add(1, stale is null ? Miss : Stale);
        if (stale is null) ExceptionDispatchInfo.Throw(outcome.Error);
        return stale.As<T>(key);
    }

    private (Flight Flight, bool Started) Join(string key, IEnumerable<string>? tags)
    {
        lock (_lock)
        {
            if (_flights.TryGetValue(key, out var flight))
            {
                flight.Waiting++;
                return (flight, false);
            }

            return (_flights[key] = new([.. tags ?? []]), true);
        }
    }

    // The last caller to give up stops the factory; one that was given a stale value still wants the result.
    private void Leave(string key, Flight flight)
    {
        lock (_lock)
        {
            if (--flight.Waiting > 0) return;
            Outdate(key, flight);
        }

        flight.Stop.Cancel();
    }

    private async Task RunAsync<TState, T>(Flight flight, string key, TState state, Func<TState, CancellationToken, ValueTask<T>> factory, HybridCacheEntryOptions? options)
    {
        try
        {
            var value = await factory(state, flight.Stop.Token);
            lock (_lock)
            {
                if (!flight.Outdated && options?.Flags?.HasFlag(HybridCacheEntryFlags.DisableLocalCacheWrite) != true) Put(key, value, options, flight.Tags);
                Outdate(key, flight);
            }

            flight.Done.SetResult(new(value, null));
        }
        catch (Exception e)
        {
            lock (_lock)
            {
                Outdate(key, flight);
                if (_entries.TryGetValue(key, out var entry) && Now < entry.Dies)
                {
                    entry.Expires = Now + _options.FailSafeThrottleDuration;
                    _logger.StaleServed(e, key);
                }
                else if (flight.Late)
                {
                    _logger.LateFailure(e, key);
                }
            }

            flight.Done.SetResult(new(null, e));
        }
    }

    // The methods below are called with the lock held.
    private void Outdate(string key, Flight? only = null)
    {
        if (!_flights.TryGetValue(key, out var flight) || (only is not null && only != flight)) return;
        flight.Outdated = true;
        _flights.Remove(key);
    }

    private void Put(string key, object? value, HybridCacheEntryOptions? options, string[] tags)
    {
        Drop(key);
        var now = Now;
        var expires = now + (options?.LocalCacheExpiration ?? options?.Expiration ?? _options.Duration);
        var dies = _options.IsFailSafeEnabled && now + _options.FailSafeMaxDuration > expires ? now + _options.FailSafeMaxDuration : expires;
        _entries[key] = new(value) { Expires = expires, Dies = dies, Read = now, Tags = tags };
        foreach (var tag in tags)
            if (_keysOfTag.TryGetValue(tag, out var keys)) keys.Add(key);
            else _keysOfTag[tag] = new(StringComparer.Ordinal) { key };
        if (_entries.Count > _options.MaxEntries) MakeRoom(now);
    }

    private void Drop(string key)
    {
        if (!_entries.TryRemove(key, out var entry)) return;
        foreach (var tag in entry.Tags)
            if (_keysOfTag.TryGetValue(tag, out var keys) && keys.Remove(key) && keys.Count == 0) _keysOfTag.Remove(tag);
    }

    // A twentieth at a time, so that the search is paid once in that many values.
    private void MakeRoom(TimeSpan now)
    {
        var room = Math.Max(1, _options.MaxEntries / 20);
        var leaving = _entries.OrderBy(e => e.Value.Dies <= now ? TimeSpan.MinValue : e.Value.Read).Take(room).Select(e => e.Key).ToArray();
        foreach (var key in leaving) Drop(key);
        _evictions.Add(leaving.Length);
    }

    private readonly record struct Outcome(object? Value, Exception? Error);

    private sealed class Entry(object? value)
    {
        public TimeSpan Expires { get; set; }

        public TimeSpan Dies { get; init; }

        public TimeSpan Read { get; set; }

        public string[] Tags { get; init; } = [];

        public T As<T>(string key) => value switch
        {
            T typed => typed,
            null when default(T) is null => default!,
            _ => throw new InvalidOperationException($"Cache key {key} holds a {value?.GetType().Name ?? "null"}, not a {typeof(T).Name}."),
        };
    }

    /// <summary>A running factory and who waits for it.</summary>
    private sealed class Flight(string[] tags)
    {
        public TaskCompletionSource<Outcome> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationTokenSource Stop { get; } = new();

        public string[] Tags => tags;

        public int Waiting { get; set; } = 1;

        public bool Outdated { get; set; }

        public bool Late { get; set; }
    }
}
