using System.Collections;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OKLA.Shared.Messaging;

/// <summary>The bus and its background workers.</summary>
internal sealed class MessageBus : BackgroundService, IMessageBus
{
    public const string MeterName = "OKLA.Messaging";
    private static readonly ActivitySource Activities = new(MeterName);

    private readonly HandlerMap _map;
    private readonly IServiceScopeFactory _scopes;
    private readonly MessagingOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<(object Message, ActivityContext Parent)> _queue;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _dropped;

    public MessageBus(HandlerMap map, IServiceScopeFactory scopes, IOptions<MessagingOptions> options, TimeProvider time, IMeterFactory meters, ILogger<MessageBus> logger)
    {
        (_map, _scopes, _options, _time, _logger) = (map, scopes, options.Value, time, logger);
        _queue = Channel.CreateBounded<(object, ActivityContext)>(_options.QueueCapacity);
        var meter = meters.Create(MeterName);
        _duration = meter.CreateHistogram<double>("okla.messaging.handler.duration", "s", "Time a handler took, by message and outcome.");
        _dropped = meter.CreateCounter<long>("okla.messaging.dropped", "{message}", "Published messages that found no place in the queue.");
        meter.CreateObservableGauge("okla.messaging.queue.length", () => _queue.Reader.Count, "{message}", "Published messages that wait for a worker.");
    }

    public async Task<T> InvokeAsync<T>(object message, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        var handler = _map.One(message.GetType());
        var returned = await RunAsync(handler, message, default, ct);
        var (found, answer) = (false, default(T)!);
        var rest = new List<object>();
        foreach (var part in returned is T ? [returned] : Parts(returned))
            if (!found && part is T value) (found, answer) = (true, value);
            else rest.Add(part);

        // A null answer is an answer when the handler's signature says that it answers a T.
        if (!found && (returned is not null || !typeof(T).IsAssignableFrom(handler.Answer)))
            throw new InvalidOperationException($"{handler.Name} answered no {typeof(T).FullName}");
        await CascadeAsync(rest, ct);
        return answer;
    }

    public async Task InvokeAsync(object message, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        await CascadeAsync(Parts(await RunAsync(_map.One(message.GetType()), message, default, ct)), ct);
    }

    public ValueTask PublishAsync(object message, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (_map.For(message.GetType()).Count == 0) return ValueTask.CompletedTask;
        var item = (message, Activity.Current?.Context ?? default);
        return _queue.Writer.TryWrite(item) ? ValueTask.CompletedTask : WaitAsync(item, ct);
    }

    // A worker's own handler may publish into the full queue, so an endless wait could stop every worker: hence the time-out.
    private async ValueTask WaitAsync((object Message, ActivityContext) item, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(_options.PublishTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, ct);
        try
        {
            while (await _queue.Writer.WaitToWriteAsync(either.Token))
                if (_queue.Writer.TryWrite(item)) return;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            Drop(item.Message);
            return;
        }

        Drop(item.Message);
    }

    private void Drop(object message)
    {
        _dropped.Add(1, new KeyValuePair<string, object?>("message", NameOf(message)));
        _logger.MessageDropped(NameOf(message), _options.QueueCapacity);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _logger.HandlersFound(_map.Handlers, _map.Messages);
        return Task.WhenAll(Enumerable.Range(0, _options.Workers).Select(_ => Task.Run(() => WorkAsync(stoppingToken), CancellationToken.None)));
    }

    /// <summary>Closes the queue and lets the workers empty it within the host's shutdown time.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        if (ExecuteTask is { } work) await Task.WhenAny(work, Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken));
        await base.StopAsync(cancellationToken);
    }

    private async Task WorkAsync(CancellationToken ct)
    {
        await foreach (var (message, parent) in _queue.Reader.ReadAllAsync(ct))
            foreach (var handler in _map.For(message.GetType()))
                try
                {
                    await CascadeAsync(Parts(await RunAsync(handler, message, parent, ct)), ct);
                }
                catch (Exception e) when (!ct.IsCancellationRequested)
                {
                    _logger.HandlerFailed(e, handler.Name, NameOf(message));
                }
    }

    private async Task<object?> RunAsync(Handler handler, object message, ActivityContext parent, CancellationToken ct)
    {
        using var activity = Activities.StartActivity(NameOf(message), ActivityKind.Internal, parent);
        var start = _time.GetTimestamp();
        var outcome = "failed";
        await using var scope = _scopes.CreateAsyncScope();
        try
        {
            var returned = await handler.Run(scope.ServiceProvider, message, ct);
            outcome = "ok";
            return returned;
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
        finally
        {
            _duration.Record(_time.GetElapsedTime(start).TotalSeconds, new("message", NameOf(message)), new KeyValuePair<string, object?>("outcome", outcome));
        }
    }

    private async Task CascadeAsync(IEnumerable<object> messages, CancellationToken ct)
    {
        foreach (var message in messages) await PublishAsync(message, ct);
    }

    // The class with the slice it is nested in, as in RecordEvents+Command.
    private static string NameOf(object message) => message.GetType().FullName!.Split('.')[^1];

    private static IEnumerable<object> Parts(object? returned) => returned switch
    {
        null => [],
        ITuple tuple when returned.GetType().IsGenericType => Enumerable.Range(0, tuple.Length).SelectMany(i => Parts(tuple[i])),
        IEnumerable many and not string => many.OfType<object>(),
        _ => [returned],
    };
}
