using System.Diagnostics.Metrics;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OKLA.Shared.Caching;

namespace OKLA.Tests.Shared.Caching;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class NodeCacheTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly CacheOptions _options = new() { Duration = TimeSpan.FromMinutes(1), FailSafeMaxDuration = TimeSpan.FromHours(1), MaxEntries = 100 };
    private readonly NodeCache _cache;
    private int _calls;

    public NodeCacheTests() => _cache = new(Options.Create(_options), _time, _services.GetRequiredService<IMeterFactory>(), NullLogger<NodeCache>.Instance);

    public void Dispose()
    {
        _cache.Dispose();
        _services.Dispose();
    }

    private async Task<string?> Get(string key, Func<CancellationToken, ValueTask<string?>> factory, params string[] tags) => await _cache.GetOrCreateAsync(key, factory, tags: tags);

    private Task<string?> Get(string key, string value, params string[] tags) => Get(key, _ => new($"{value}{++_calls}"), tags);

    private Task<string?> Fail(string key) => Get(key, _ => throw new IOException("the source is down"));

    private async Task Waits()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (_time.Waiting == 0) await Task.Delay(1, deadline.Token);
    }

    private static async Task Until(Func<Task<bool>> holds)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!await holds()) await Task.Delay(1, deadline.Token);
    }

    [Test]
    public async Task A_value_is_made_once_while_it_is_fresh_and_again_after()
    {
        (await Get("a", "v")).ShouldBe("v1");
        _time.Advance(TimeSpan.FromSeconds(59));
        (await Get("a", "v")).ShouldBe("v1");
        _time.Advance(TimeSpan.FromSeconds(1));
        (await Get("a", "v")).ShouldBe("v2");
    }

    [Test]
    public async Task The_callers_expiration_counts_before_the_default()
    {
        var options = new HybridCacheEntryOptions { Expiration = TimeSpan.FromSeconds(5) };
        (await _cache.GetOrCreateAsync("a", _ => new ValueTask<int>(1), options)).ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(5));
        (await _cache.GetOrCreateAsync("a", _ => new ValueTask<int>(2), options)).ShouldBe(2);
    }

    [Test]
    public async Task A_null_is_a_value_too()
    {
        (await Get("a", _ => new((string?)null))).ShouldBeNull();
        (await Get("a", "v")).ShouldBeNull();
    }

    [Test]
    public async Task Many_callers_at_once_run_one_factory()
    {
        var gate = new TaskCompletionSource<string?>();
        var calls = 0;
        var callers = Enumerable.Range(0, 50).Select(_ => Task.Run(() => Get("a", async _ =>
        {
            Interlocked.Increment(ref calls);
            return await gate.Task;
        }))).ToArray();
        await Waits();
        gate.SetResult("once");
        (await Task.WhenAll(callers)).ShouldAllBe(v => v == "once");
        calls.ShouldBe(1);
    }

    [Test]
    public async Task A_failing_source_is_bridged_by_the_value_from_before_and_not_asked_by_every_caller()
    {
        await Get("a", "v");
        _time.Advance(TimeSpan.FromMinutes(2));
        (await Fail("a")).ShouldBe("v1");
        (await Get("a", "v")).ShouldBe("v1", "the throttle holds");
        _time.Advance(_options.FailSafeThrottleDuration);
        (await Get("a", "v")).ShouldBe("v2");
    }

    [Test]
    public async Task Beyond_the_fail_safe_duration_the_failure_reaches_the_caller()
    {
        await Get("a", "v");
        _time.Advance(TimeSpan.FromHours(1));
        await Should.ThrowAsync<IOException>(() => Fail("a"));
    }

    [Test]
    public async Task Without_a_value_from_before_the_failure_reaches_every_caller_and_is_not_kept()
    {
        await Should.ThrowAsync<IOException>(() => Fail("a"));
        (await Get("a", "v")).ShouldBe("v1");
    }

    [Test]
    public async Task A_slow_source_is_bridged_after_the_soft_time_out_and_its_value_comes_later()
    {
        await Get("a", "old");
        _time.Advance(TimeSpan.FromMinutes(2));
        var source = new TaskCompletionSource<string?>();
        var caller = Get("a", async _ => await source.Task);
        await Waits();
        _time.Advance(_options.FactorySoftTimeout);
        (await caller).ShouldBe("old1");
        source.SetResult("new");
        await Until(async () => await Get("a", _ => throw new IOException("not asked again")) == "new");
    }

    [Test]
    public async Task Without_a_value_from_before_the_hard_time_out_ends_the_wait_but_not_the_factory()
    {
        var source = new TaskCompletionSource<string?>();
        var caller = Get("a", async _ => await source.Task);
        await Waits();
        _time.Advance(_options.FactoryHardTimeout);
        await Should.ThrowAsync<TimeoutException>(() => caller);
        source.SetResult("late");
        (await Get("a", "v")).ShouldBe("late");
    }

    [Test]
    public async Task One_caller_that_gives_up_does_not_stop_the_others_but_the_last_one_stops_the_factory()
    {
        var source = new TaskCompletionSource<string?>();
        CancellationToken seen = default;
        ValueTask<string?> Factory(CancellationToken ct)
        {
            seen = ct;
            return new(source.Task.WaitAsync(ct));
        }

        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var one = _cache.GetOrCreateAsync("a", Factory, cancellationToken: first.Token).AsTask();
        var two = _cache.GetOrCreateAsync("a", Factory, cancellationToken: second.Token).AsTask();
        await first.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => one);
        seen.IsCancellationRequested.ShouldBeFalse();
        await second.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => two);
        seen.IsCancellationRequested.ShouldBeTrue();
        (await Get("a", "v")).ShouldBe("v1");
    }

    [Test]
    public async Task A_removed_key_and_a_removed_tag_are_made_again()
    {
        await Get("a", "v", "x");
        await Get("b", "v", "x", "y");
        await Get("c", "v", "y");
        await _cache.RemoveAsync("a");
        (await Get("a", "v", "x")).ShouldBe("v4");
        await _cache.RemoveByTagAsync("x");
        (await Get("a", "v")).ShouldBe("v5");
        (await Get("b", "v")).ShouldBe("v6");
        (await Get("c", "v")).ShouldBe("v3");
        await _cache.RemoveByTagAsync("*");
        (await Get("c", "v")).ShouldBe("v7");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_factory_that_ran_across_a_removal_is_answered_but_not_kept(bool tag)
    {
        var source = new TaskCompletionSource<string?>();
        var before = Get("a", async _ => await source.Task, "t");
        await (tag ? _cache.RemoveByTagAsync("t") : _cache.RemoveAsync("a"));
        (await Get("a", "after", "t")).ShouldBe("after1");
        source.SetResult("before");
        (await before).ShouldBe("before");
        (await Get("a", "after", "t")).ShouldBe("after1");
    }

    [Test]
    public async Task A_set_value_replaces_what_is_there_and_its_tags()
    {
        await Get("a", "v", "x");
        await _cache.SetAsync("a", "set", tags: ["y"]);
        (await Get("a", "v")).ShouldBe("set");
        await _cache.RemoveByTagAsync("x");
        (await Get("a", "v")).ShouldBe("set");
        await _cache.RemoveByTagAsync("y");
        (await Get("a", "v")).ShouldBe("v2");
    }

    [Test]
    public async Task Values_read_longest_ago_leave_when_the_cache_is_full()
    {
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await Get($"k{i}", "v");
        }

        _time.Advance(TimeSpan.FromMilliseconds(1));
        await Get("k0", "v");
        await Get("one more", "v");
        var calls = _calls;
        await Get("k0", "v");
        await Get("k99", "v");
        _calls.ShouldBe(calls);
        await Get("k1", "v");
        _calls.ShouldBe(calls + 1);
    }

    [Test]
    public async Task After_expire_all_values_are_only_there_for_the_fail_safe()
    {
        await Get("a", "v");
        await Get("b", "v");
        _cache.ExpireAll();
        (await Fail("a")).ShouldBe("v1");
        (await Get("b", "v")).ShouldBe("v3");
    }

    [Test]
    public async Task Flags_are_kept()
    {
        HybridCacheEntryOptions Only(HybridCacheEntryFlags flags) => new() { Flags = flags };
        (await _cache.GetOrCreateAsync("a", _ => new ValueTask<string>("made"), Only(HybridCacheEntryFlags.DisableUnderlyingData))).ShouldBeNull();
        (await _cache.GetOrCreateAsync("a", _ => new ValueTask<string>("made"), Only(HybridCacheEntryFlags.DisableLocalCacheWrite))).ShouldBe("made");
        (await Get("a", "v")).ShouldBe("v1");
        (await _cache.GetOrCreateAsync("a", _ => new ValueTask<string>("again"), Only(HybridCacheEntryFlags.DisableLocalCacheRead))).ShouldBe("again");
        (await Get("a", "v")).ShouldBe("again");
    }

    [Test]
    public async Task A_key_of_another_type_is_told_and_a_key_without_a_name_refused()
    {
        await Get("a", "v");
        (await Should.ThrowAsync<InvalidOperationException>(() => _cache.GetOrCreateAsync("a", _ => new ValueTask<int>(1)).AsTask())).Message.ShouldContain("holds a String, not a Int32");
        await Should.ThrowAsync<ArgumentException>(() => Get(" ", "v"));
        await Should.ThrowAsync<ArgumentException>(() => Get(new string('k', 1025), "v"));
    }

    [Test]
    public async Task Hits_misses_and_stale_answers_are_counted()
    {
        var counts = new Dictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name == "okla.cache.requests" && instrument.Meter.Scope == _services.GetRequiredService<IMeterFactory>()) l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => counts[(string)tags[0].Value!] = counts.GetValueOrDefault((string)tags[0].Value!) + value);
        listener.Start();
        await Get("a", "v");
        await Get("a", "v");
        await Get("a", "v");
        _time.Advance(TimeSpan.FromMinutes(2));
        await Fail("a");
        counts.ShouldBe(new Dictionary<string, long> { ["miss"] = 1, ["hit"] = 2, ["stale"] = 1 }, ignoreOrder: true);
    }
}
