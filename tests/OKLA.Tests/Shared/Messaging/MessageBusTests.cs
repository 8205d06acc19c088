using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OKLA.Shared.Messaging;

namespace OKLA.Tests.Shared.Messaging;

public sealed class MessageBusTests
{
    private static async Task<IHost> StartAsync(Type room, Action<MessagingOptions>? configure = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(new MessagingServices.MessageTypes(room.GetNestedTypes(System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public)));
        builder.Services.AddMessageBus();
        builder.Services.AddSingleton<Seen>();
        builder.Services.AddScoped<Scoped>();
        if (configure is not null) builder.Services.Configure(configure);
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    internal sealed class Seen : ConcurrentQueue<object>
    {
        public async Task<object[]> WaitFor(int count)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            while (Count < count) await Task.Delay(5, deadline.Token);
            return [.. this];
        }
    }

    internal sealed class Scoped
    {
        public Guid Id { get; } = Guid.NewGuid();
    }

    private static class Sums
    {
        internal sealed record Add(int Left, int Right) : IQuery<int>;

        internal sealed record Slow(int Left, int Right) : IQuery<int>;

        internal sealed record Divide(int Left, int Right) : IQuery<double?>;

        internal sealed record Note(string Text) : ICommand;

        internal static class AddHandler
        {
            public static int Handle(Add query) => query.Left + query.Right;
        }

        internal sealed class SlowHandler(Seen seen)
        {
            public async Task<int> HandleAsync(Slow query, Scoped first, Scoped second, CancellationToken ct)
            {
                await Task.Yield();
                ct.ThrowIfCancellationRequested();
                first.ShouldBeSameAs(second);
                seen.Enqueue(first.Id);
                return query.Left + query.Right;
            }
        }

        internal static class DivideHandler
        {
            public static ValueTask<double?> Handle(Divide query) => new(query.Right == 0 ? null : (double)query.Left / query.Right);
        }

        internal static class NoteHandler
        {
            public static void Handle(Note note, Seen seen) => seen.Enqueue(note.Text);
        }
    }

    [Test]
    public async Task A_query_is_answered_by_its_handler_however_it_returns()
    {
        using var host = await StartAsync(typeof(Sums));
        var bus = host.Services.GetRequiredService<IMessageBus>();
        (await bus.InvokeAsync<int>(new Sums.Add(2, 3))).ShouldBe(5);
        (await bus.InvokeAsync<int>(new Sums.Slow(2, 3))).ShouldBe(5);
        (await bus.InvokeAsync<double?>(new Sums.Divide(3, 2))).ShouldBe(1.5);
        (await bus.InvokeAsync<double?>(new Sums.Divide(3, 0))).ShouldBeNull();
        await bus.InvokeAsync(new Sums.Note("read"));
        host.Services.GetRequiredService<Seen>().ShouldContain("read");
    }

    [Test]
    public async Task Each_message_has_a_scope_of_its_own()
    {
        using var host = await StartAsync(typeof(Sums));
        var bus = host.Services.GetRequiredService<IMessageBus>();
        await bus.InvokeAsync<int>(new Sums.Slow(1, 1));
        await bus.InvokeAsync<int>(new Sums.Slow(1, 1));
        host.Services.GetRequiredService<Seen>().Distinct().Count().ShouldBe(2);
    }

    [Test]
    public async Task Cancellation_and_a_wrong_answer_type_reach_the_caller()
    {
        using var host = await StartAsync(typeof(Sums));
        var bus = host.Services.GetRequiredService<IMessageBus>();
        await Should.ThrowAsync<OperationCanceledException>(() => bus.InvokeAsync<int>(new Sums.Slow(1, 1), new CancellationToken(true)));
        (await Should.ThrowAsync<InvalidOperationException>(() => bus.InvokeAsync<string>(new Sums.Add(1, 1)))).Message.ShouldContain("System.String");
        (await Should.ThrowAsync<InvalidOperationException>(() => bus.InvokeAsync("nobody's"))).Message.ShouldContain("System.String");
    }

    private static class Cascades
    {
        internal sealed record Open(string Id) : IQuery<int>;

        internal sealed record Opened(string Id);

        internal sealed record Counted(int N);

        internal sealed record Many(int N) : ICommand;

        internal static class OpenHandler
        {
            public static (int, Opened) Handle(Open open) => (open.Id.Length, new Opened(open.Id));
        }

        internal static class ManyHandler
        {
            public static IEnumerable<Counted> Handle(Many many) => Enumerable.Range(0, many.N).Select(n => new Counted(n));
        }

        internal static class OpenedHandler
        {
            public static Counted Handle(Opened opened) => new(opened.Id.Length * 100);
        }

        internal static class CountedHandler
        {
            public static void Handle(Counted counted, Seen seen) => seen.Enqueue(counted.N);
        }
    }

    [Test]
    public async Task What_a_handler_returns_beside_the_answer_is_published()
    {
        using var host = await StartAsync(typeof(Cascades));
        var seen = host.Services.GetRequiredService<Seen>();
        (await host.Services.GetRequiredService<IMessageBus>().InvokeAsync<int>(new Cascades.Open("abc"))).ShouldBe(3);
        (await seen.WaitFor(1)).ShouldBe([300]);
    }

    [Test]
    public async Task A_returned_sequence_is_published_one_by_one()
    {
        using var host = await StartAsync(typeof(Cascades));
        var seen = host.Services.GetRequiredService<Seen>();
        await host.Services.GetRequiredService<IMessageBus>().InvokeAsync(new Cascades.Many(5));
        (await seen.WaitFor(5)).Order().ShouldBe([0, 1, 2, 3, 4]);
    }

    private static class Fans
    {
        internal sealed record Happened(int N);

        internal static class BrokenHandler
        {
            public static Task Handle(Happened happened) => throw new InvalidOperationException($"broken {happened.N}");
        }

        internal static class SecondHandler
        {
            public static void Handle(Happened happened, Seen seen) => seen.Enqueue(happened.N);
        }

        internal static class ThirdHandler
        {
            public static void Handle(Happened happened, Seen seen) => seen.Enqueue(happened.N + 1000);
        }
    }

    [Test]
    public async Task A_failing_handler_is_counted_and_stops_no_other()
    {
        var failures = 0;
        using var host = await StartAsync(typeof(Fans));
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name == "okla.messaging.handler.duration" && instrument.Meter.Scope == host.Services.GetRequiredService<IMeterFactory>()) l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            foreach (var tag in tags)
                if (tag is { Key: "outcome", Value: "failed" }) Interlocked.Increment(ref failures);
        });
        listener.Start();
        var bus = host.Services.GetRequiredService<IMessageBus>();
        await bus.PublishAsync(new Fans.Happened(1));
        await bus.PublishAsync(new Fans.Happened(2));
        (await host.Services.GetRequiredService<Seen>().WaitFor(4)).Order().ShouldBe([1, 2, 1001, 1002]);
        failures.ShouldBe(2);
    }

    [Test]
    public async Task A_message_without_handlers_may_be_published_but_not_invoked_with_two()
    {
        using var host = await StartAsync(typeof(Fans));
        var bus = host.Services.GetRequiredService<IMessageBus>();
        await bus.PublishAsync("nobody listens");
        var e = await Should.ThrowAsync<InvalidOperationException>(() => bus.InvokeAsync(new Fans.Happened(1)));
        e.Message.ShouldContain("BrokenHandler");
        e.Message.ShouldContain("ThirdHandler");
    }

    private static class Gates
    {
        internal static readonly SemaphoreSlim Gate = new(0);

        internal sealed record Wait(int N);

        internal static class WaitHandler
        {
            public static async Task Handle(Wait wait, Seen seen, CancellationToken ct)
            {
                await Gate.WaitAsync(ct);
                seen.Enqueue(wait.N);
            }
        }
    }

    [Test]
    public async Task A_full_queue_drops_after_the_time_out_and_the_stop_empties_it()
    {
        using var host = await StartAsync(typeof(Gates), o => (o.QueueCapacity, o.Workers, o.PublishTimeout) = (16, 1, TimeSpan.Zero));
        var bus = host.Services.GetRequiredService<IMessageBus>();
        for (var i = 0; i < 40; i++) await bus.PublishAsync(new Gates.Wait(i));
        var stop = host.StopAsync();
        Gates.Gate.Release(40);
        await stop;
        // One in the worker's hands at most, sixteen in the queue.
        host.Services.GetRequiredService<Seen>().Count.ShouldBeInRange(16, 17);
        await bus.PublishAsync(new Gates.Wait(99));
        host.Services.GetRequiredService<Seen>().ShouldNotContain(99);
    }
}
