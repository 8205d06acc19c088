using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OKLA.Shared.Telemetry;

/// <summary>
/// Keeps every measurement of this process since the start and writes it as Prometheus text. Meters of another host in the same
/// process (their factory is not ours) are left out.
/// </summary>
internal sealed class MetricsListener : IHostedService, IDisposable
{
    private static readonly double[] Seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
    private static readonly double[] Plain = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];
    private static readonly KeyValuePair<string, object?>[] Overflow = [new("otel.metric.overflow", true)];

    private readonly ConcurrentDictionary<string, Family> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();
    private readonly Lock _scraping = new();
    private readonly IMeterFactory _meters;
    private readonly int _limit;
    private readonly ILogger _logger;
    private int _scrape;

    public MetricsListener(IMeterFactory meters, IOptions<TelemetryOptions> options, ILogger<MetricsListener> logger)
    {
        (_meters, _limit, _logger) = (meters, options.Value.MaxSeriesPerMetric, logger);
        _listener.InstrumentPublished = Publish;
        _listener.SetMeasurementEventCallback<double>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<float>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<decimal>((_, value, tags, state) => Record((double)value, tags, state));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<short>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<byte>((_, value, tags, state) => Record(value, tags, state));
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listener.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _listener.Dispose();

    /// <summary>Asks the observable instruments, and writes all metrics by name.</summary>
    public string Scrape()
    {
        lock (_scraping)
        {
            _scrape++;
            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (Exception e)
            {
                // Thrown after all instruments were asked.
                _logger.ObservationFailed(e);
            }

            var text = new StringBuilder(16 * 1024);
            foreach (var (_, family) in _families.OrderBy(f => f.Key, StringComparer.Ordinal)) family.Write(text, _scrape);
            return text.ToString();
        }
    }

    private void Publish(Instrument instrument, MeterListener listener)
    {
        if (instrument.Meter.Scope is IMeterFactory other && !ReferenceEquals(other, _meters)) return;
        var kind = instrument.GetType() is { IsGenericType: true } type ? type.GetGenericTypeDefinition() : null;
        var observable = instrument.IsObservable;
        var counter = kind == typeof(Counter<>) || kind == typeof(ObservableCounter<>);
        var histogram = kind == typeof(Histogram<>);
        var adds = kind == typeof(Counter<>) || kind == typeof(UpDownCounter<>) || histogram;
        var name = PrometheusNames.Metric(instrument.Name, instrument.Unit, counter, gauge: !counter && !histogram);
        var family = _families.GetOrAdd(name, _ => new(
            name, instrument.Description is { Length: > 0 } help ? help : instrument.Name, counter ? "counter" : histogram ? "histogram" : "gauge",
            histogram ? Bounds(instrument) : null, adds, observable, _limit));
        if (family.Type == (counter ? "counter" : histogram ? "histogram" : "gauge") && family.Adds == adds && family.Observable == observable)
            listener.EnableMeasurementEvents(instrument, family);
        else
            _logger.NameTaken(instrument.Name, instrument.Meter.Name, name);
    }

    private static double[] Bounds(Instrument histogram)
    {
        var advised = histogram switch
        {
            Histogram<double> { Advice.HistogramBucketBoundaries: { } b } => b.ToArray(),
            Histogram<float> { Advice.HistogramBucketBoundaries: { } b } => [.. b.Select(x => (double)x)],
            Histogram<long> { Advice.HistogramBucketBoundaries: { } b } => [.. b.Select(x => (double)x)],
            Histogram<int> { Advice.HistogramBucketBoundaries: { } b } => [.. b.Select(x => (double)x)],
            _ => Array.Empty<double>(),
        };
        return advised.Length > 0 ? advised : histogram.Unit == "s" ? Seconds : Plain;
    }

    private void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) => ((Family)state!).Record(value, tags, _scrape);

    /// <summary>All series of one name.</summary>
    private sealed class Family(string name, string help, string type, double[]? bounds, bool adds, bool observable, int limit)
    {
        private readonly ConcurrentDictionary<KeyValuePair<string, object?>[], Series> _byTags = new(TagsComparer.Instance);

        // Tags that differ (200 and "200") may be written alike, and a line must not come twice.
        private readonly ConcurrentDictionary<string, Series> _byLabels = new(StringComparer.Ordinal);
        private readonly Lock _growing = new();

        public string Type => type;

        public bool Adds => adds;

        public bool Observable => observable;

        public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, int scrape)
        {
            if (!_byTags.GetAlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>>().TryGetValue(tags, out var series))
                series = Grow(tags, scrape);
            if (adds) series.Add(value);
            else series.Set(value);
            if (observable) series.Scrape = scrape;
        }

        public void Write(StringBuilder text, int scrape)
        {
            var seen = _byLabels.Where(s => !observable || s.Value.Scrape == scrape).OrderBy(s => s.Key, StringComparer.Ordinal).ToArray();
            if (seen.Length == 0) return;
            text.Append("# HELP ").Append(name).Append(' ').Append(PrometheusNames.Help(help)).Append('\n');
            text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
            foreach (var (_, series) in seen) series.Write(text, name);
        }

        private Series Grow(ReadOnlySpan<KeyValuePair<string, object?>> tags, int scrape)
        {
            lock (_growing)
            {
                if (_byTags.Count >= limit && observable) Forget(scrape);
                if (_byTags.Count >= limit) return Of(Overflow);
                var key = tags.ToArray();
                return _byTags.GetOrAdd(key, Of);
            }
        }

        private Series Of(KeyValuePair<string, object?>[] tags) => _byLabels.GetOrAdd(PrometheusNames.Labels(tags), labels => new(labels, bounds));

        // What an observable instrument no longer reports makes room.
        private void Forget(int scrape)
        {
            foreach (var (tags, series) in _byTags)
                if (series.Scrape < scrape - 1) _byTags.TryRemove(tags, out _);
            foreach (var (labels, series) in _byLabels)
                if (series.Scrape < scrape - 1) _byLabels.TryRemove(labels, out _);
        }
    }
}
