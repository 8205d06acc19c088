using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OKLA.Shared.Telemetry;

namespace OKLA.Tests.Shared.Telemetry;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class MetricsListenerTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly Meter _meter;
    private readonly MetricsListener _metrics;

    public MetricsListenerTests()
    {
        var factory = _services.GetRequiredService<IMeterFactory>();
        _meter = factory.Create("OKLA.Tests");
        _metrics = new(factory, Options.Create(new TelemetryOptions { MaxSeriesPerMetric = 10 }), NullLogger<MetricsListener>.Instance);
        _metrics.StartAsync(default).IsCompletedSuccessfully.ShouldBeTrue();
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _services.Dispose();
    }

    private string Lines(string prefix) =>
        string.Join('\n', _metrics.Scrape().Split('\n').Where(l => l.Replace("# HELP ", "", StringComparison.Ordinal).Replace("# TYPE ", "", StringComparison.Ordinal).StartsWith(prefix, StringComparison.Ordinal)));

    private static KeyValuePair<string, object?> Tag(string key, object? value) => new(key, value);

    // The format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
    [Test]
    public void A_counter_is_written_with_help_type_unit_and_total()
    {
        var counter = _meter.CreateCounter<long>("okla.test.sent", "By", "Bytes sent\nto \\ clients.");
        counter.Add(3, Tag("route", "/a"));
        counter.Add(4, Tag("route", "/a"));
        counter.Add(1, Tag("route", "/b"));
        Lines("okla_test_sent").ShouldBe(
            """
            # HELP okla_test_sent_bytes_total Bytes sent\nto \\ clients.
            # TYPE okla_test_sent_bytes_total counter
            okla_test_sent_bytes_total{route="/a"} 7
            okla_test_sent_bytes_total{route="/b"} 1
            """);
    }

    [Test]
    public void A_histogram_has_rising_buckets_a_sum_and_a_count()
    {
        var histogram = _meter.CreateHistogram("okla.test.took", "s", "Time.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1] });
        // A value on a bound belongs to that bucket.
        foreach (var value in new[] { 0.25, 0.5, 0.75, 8 }) histogram.Record(value);
        Lines("okla_test_took").ShouldBe(
            """
            # HELP okla_test_took_seconds Time.
            # TYPE okla_test_took_seconds histogram
            okla_test_took_seconds_bucket{le="0.5"} 2
            okla_test_took_seconds_bucket{le="1"} 3
            okla_test_took_seconds_bucket{le="+Inf"} 4
            okla_test_took_seconds_sum 9.5
            okla_test_took_seconds_count 4
            """);
    }

    [Test]
    public void Up_down_counters_and_gauges_are_gauges()
    {
        var open = _meter.CreateUpDownCounter<int>("okla.test.open");
        open.Add(5);
        open.Add(-7);
        _meter.CreateGauge<double>("okla.test.share", "1").Record(0.25);
        Lines("okla_test_").ShouldBe(
            """
            # HELP okla_test_open okla.test.open
            # TYPE okla_test_open gauge
            okla_test_open -2
            # HELP okla_test_share_ratio okla.test.share
            # TYPE okla_test_share_ratio gauge
            okla_test_share_ratio 0.25
            """);
    }

    [Test]
    public void Observable_instruments_are_asked_at_each_scrape_and_what_they_no_longer_report_is_gone()
    {
        var queues = new Dictionary<string, int> { ["a"] = 1, ["b"] = 2 };
        var total = 10L;
        _meter.CreateObservableGauge("okla.test.queue", () => queues.Select(q => new Measurement<int>(q.Value, Tag("name", q.Key))));
        _meter.CreateObservableCounter("okla.test.done", () => total);
        _metrics.Scrape().ShouldContain("okla_test_queue{name=\"b\"} 2\n");
        queues.Remove("b");
        queues["a"] = 5;
        total = 12;
        var second = _metrics.Scrape();
        second.ShouldContain("okla_test_queue{name=\"a\"} 5\n");
        second.ShouldContain("okla_test_done_total 12\n");
        second.ShouldNotContain("name=\"b\"");
    }

    [Test]
    public void Label_values_are_escaped_and_names_cleaned()
    {
        var counter = _meter.CreateCounter<int>("okla.test.odd");
        counter.Add(1, Tag("http.route", "a\"b\\c\nd"), Tag("le", 2.5), Tag("1st", true), Tag("none", null));
        Lines("okla_test_odd_total{").ShouldBe("""okla_test_odd_total{_1st="true",exported_le="2.5",http_route="a\"b\\c\nd",none=""} 1""");
    }

    [Test]
    public void The_order_of_tags_and_the_type_of_their_values_make_no_second_line()
    {
        var counter = _meter.CreateCounter<int>("okla.test.order");
        counter.Add(1, Tag("a", 1), Tag("b", "x"));
        counter.Add(1, Tag("b", "x"), Tag("a", 1));
        counter.Add(1, Tag("a", "1"), Tag("b", "x"));
        Lines("okla_test_order_total{").ShouldBe("okla_test_order_total{a=\"1\",b=\"x\"} 3");
    }

    [Test]
    public void Series_beyond_the_limit_are_counted_together()
    {
        var counter = _meter.CreateCounter<int>("okla.test.users");
        for (var i = 0; i < 25; i++) counter.Add(1, Tag("user", i));
        var lines = Lines("okla_test_users_total{").Split('\n');
        lines.Length.ShouldBe(11);
        lines.ShouldContain("okla_test_users_total{otel_metric_overflow=\"true\"} 15");
    }

    [Test]
    public void Meters_of_another_host_in_this_process_are_left_out()
    {
        using var other = new ServiceCollection().AddMetrics().BuildServiceProvider();
        other.GetRequiredService<IMeterFactory>().Create("OKLA.Tests").CreateCounter<int>("okla.test.foreign").Add(1);
        _metrics.Scrape().ShouldNotContain("okla_test_foreign");
    }

    [Test]
    public void An_instrument_whose_name_is_taken_by_another_kind_is_left_out()
    {
        _meter.CreateUpDownCounter<int>("okla.test.same").Add(1);
        _meter.CreateHistogram<double>("okla.test.same").Record(5);
        Lines("okla_test_same").ShouldEndWith("okla_test_same 1");
    }

    [Test]
    public void A_failing_observable_leaves_the_others()
    {
        _meter.CreateObservableGauge<int>("okla.test.broken", int () => throw new InvalidOperationException("broken"));
        _meter.CreateObservableGauge("okla.test.whole", () => 3);
        _metrics.Scrape().ShouldContain("okla_test_whole 3\n");
    }

    [Test]
    public void The_runtimes_own_meter_is_there() => _metrics.Scrape().ShouldContain("# TYPE dotnet_process_cpu_time_seconds_total counter\n");

    [Test]
    public void Parallel_measurements_are_all_counted()
    {
        var counter = _meter.CreateCounter<int>("okla.test.parallel");
        var histogram = _meter.CreateHistogram<int>("okla.test.sizes");
        Parallel.For(0, 10_000, i =>
        {
            counter.Add(1, Tag("lane", i % 3));
            histogram.Record(i % 7);
        });
        Lines("okla_test_parallel_total{").Split('\n').Sum(l => int.Parse(l.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture)).ShouldBe(10_000);
        _metrics.Scrape().ShouldContain("okla_test_sizes_count 10000\n");
    }
}
