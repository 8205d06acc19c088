using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Tail;

/// <summary>Which events a viewer wants; what is null is not asked.</summary>
/// <param name="Types">Any of these types.</param>
/// <param name="Person">The user's or the anonymous id in the event.</param>
/// <param name="Item">The item in the event.</param>
internal sealed record TailFilter(IReadOnlySet<string>? Types, string? Person, string? Item)
{
    public bool Matches(RecordedEvent item)
    {
        if (Types is not null && !Types.Contains(item.Type))
        {
            return false;
        }

        if (Person is null && Item is null)
        {
            return true;
        }

        using var body = JsonDocument.Parse(item.Data);
        return body.RootElement.ValueKind == JsonValueKind.Object
            && (Person is null || Is("userId", Person) || Is("anonymousId", Person)) && (Item is null || Is("itemId", Item));

        bool Is(string name, string text) => body.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.ValueEquals(text);
    }
}

/// <summary>A line of the tail.</summary>
/// <param name="Position">Place in the log.</param>
/// <param name="Id">The event's id.</param>
/// <param name="Type">What happened.</param>
/// <param name="SchemaVersion">Version of its body.</param>
/// <param name="Stream">Stream it belongs to.</param>
/// <param name="OccurredAt">When it happened (UTC).</param>
/// <param name="KnownAt">When the log learned of it (UTC).</param>
/// <param name="Data">Its body.</param>
internal sealed record TailLine(long Position, Guid Id, string Type, short SchemaVersion, string Stream, DateTimeOffset OccurredAt, DateTimeOffset KnownAt, JsonElement Data);

/// <summary>The second that has passed.</summary>
/// <param name="EventsPerSecond">All events.</param>
/// <param name="MatchedPerSecond">Those that the filter lets through; of those looked at.</param>
/// <param name="Skipped">Matching events that were not shown, as there were too many.</param>
/// <param name="PassedOver">Events that were not looked at, as they came faster than is read.</param>
/// <param name="Types">The ten most frequent types.</param>
internal sealed record TailRate(double EventsPerSecond, double MatchedPerSecond, long Skipped, long PassedOver, IReadOnlyList<TailType> Types);

/// <summary>A type in the second that has passed.</summary>
/// <param name="Type">Its name.</param>
/// <param name="PerSecond">Events of it.</param>
internal sealed record TailType(string Type, double PerSecond);

/// <summary>GET /api/admin/events/tail: events as they happen, as server-sent events, with the rate each second.</summary>
internal static class TailEvents
{
    private const int MostCaughtUp = 1_000;

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/admin/events/tail", HandleAsync)
        .RequireAuthorization(Policies.Admin).WithTags("Event log").WithSummary("Events as they happen (server-sent events)")
        .WithDescription("""
            `event: event` is an event of the log, its position as id: a client that comes again with `Last-Event-ID` (or `since`) gets what it missed, up to 1,000 events. `event: rate` comes each second, and so is the sign of life: events a second, those that match, the ten most frequent types; `skipped` counts matching events that were not shown because they were too many, `passedOver` those that nobody looked at. Events appear with their bodies as the log keeps them, personal data in words masked.
            """);

    internal static async Task<Results<ServerSentEventsResult<object>, ProblemHttpResult>> HandleAsync(
        EventTail tail, EventLog log, TailOptions options, TimeProvider clock, IHostApplicationLifetime life, HttpContext context,
        [FromQuery] string[]? type = null, [FromQuery, MaxLength(200)] string? person = null, [FromQuery, MaxLength(200)] string? item = null, [FromQuery, Range(0, long.MaxValue)] long? since = null)
    {
        var filter = new TailFilter(type is { Length: > 0 } ? type.ToHashSet(StringComparer.Ordinal) : null, person, item);
        if (await tail.JoinAsync(filter, context.RequestAborted) is not { } viewer)
        {
            context.Response.Headers.RetryAfter = "30";
            return TypedResults.Problem($"{options.MaxViewers} views are open on this node, and that is the most.", statusCode: StatusCodes.Status429TooManyRequests, title: "Too many views");
        }

        var from = long.TryParse(context.Request.Headers["Last-Event-ID"].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var last) ? last : since;
        context.Response.RegisterForDispose(new Place(tail, viewer));
        return TypedResults.ServerSentEvents(FollowAsync(viewer, from, log, clock, CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, life.ApplicationStopping)));
    }

    private static async IAsyncEnumerable<SseItem<object>> FollowAsync(
        Viewer viewer, long? since, EventLog log, TimeProvider clock, CancellationTokenSource stop, [EnumeratorCancellation] CancellationToken ct = default)
    {
        using var ends = stop;
        if (since < viewer.Start)
        {
            var (looked, behind) = (0, since.Value);
            await foreach (var missed in log.ReadAsync(since.Value, viewer.Filter.Types, MostCaughtUp, ct))
            {
                if (missed.Position > viewer.Start)
                {
                    break;
                }

                (looked, behind) = (looked + 1, missed.Position);
                if (viewer.Filter.Matches(missed))
                {
                    yield return Line(missed);
                }
            }

            if (looked == MostCaughtUp && behind < viewer.Start)
            {
                viewer.PassOver(viewer.Start - behind);
            }
        }

        using var second = new PeriodicTimer(TimeSpan.FromSeconds(1), clock);
        var started = clock.GetTimestamp();
        var tick = second.WaitForNextTickAsync(stop.Token).AsTask();
        var line = viewer.Lines.WaitToReadAsync(stop.Token).AsTask();
        // An event may be shown again to who resumes, but only once in a view.
        var shown = since ?? 0;
        while (true)
        {
            await Task.WhenAny(tick, line);
            if (stop.IsCancellationRequested)
            {
                yield break;
            }

            if (line.IsCompleted)
            {
                while (viewer.Lines.TryRead(out var next))
                {
                    if (next.Position > shown)
                    {
                        shown = next.Position;
                        yield return Line(next);
                    }
                }

                line = viewer.Lines.WaitToReadAsync(stop.Token).AsTask();
            }

            if (tick.IsCompleted)
            {
                var seconds = Math.Max(clock.GetElapsedTime(started).TotalSeconds, 0.001);
                started = clock.GetTimestamp();
                tick = second.WaitForNextTickAsync(stop.Token).AsTask();
                yield return new SseItem<object>(viewer.TakeRate(seconds), "rate");
            }
        }
    }

    private static SseItem<object> Line(RecordedEvent item)
    {
        using var body = JsonDocument.Parse(item.Data);
        return new SseItem<object>(
            new TailLine(item.Position, item.Id, item.Type, item.SchemaVersion, item.StreamId, item.OccurredAt, item.KnownAt, body.RootElement.Clone()), "event")
        {
            EventId = item.Position.ToString(CultureInfo.InvariantCulture),
        };
    }

    public static IServiceCollection AddTail(this IServiceCollection services)
    {
        services.AddOptions<TailOptions>().BindConfiguration("Tail").ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton(provider => provider.GetRequiredService<IOptions<TailOptions>>().Value).AddSingleton<EventTail>();
    }

    /// <summary>A viewer's place, given back when the response ends, however it does.</summary>
    private sealed class Place(EventTail tail, Viewer viewer) : IDisposable
    {
        public void Dispose() => tail.Leave(viewer);
    }
}
