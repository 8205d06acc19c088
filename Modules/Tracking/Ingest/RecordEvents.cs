using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;
using OKLA.Tracking.Privacy;
using OKLA.Tracking.Schemas;

namespace OKLA.Tracking.Ingest;

/// <summary>POST /api/events: takes one behaviour event or an array of them; answers when they are on disk.</summary>
internal static class RecordEvents
{
    /// <summary>An event as producers send it. Read by hand for speed; this is its documentation.</summary>
    public sealed record Event
    {
        /// <summary>Identity chosen by the producer (UUID, version 7 preferred); sending it again changes nothing.</summary>
        public required Guid Id { get; init; }

        /// <summary>What happened, snake_case, such as <c>item_viewed</c>.</summary>
        public required string Type { get; init; }

        /// <summary>Version of the type's schema; 1 when it is left out.</summary>
        public short? SchemaVersion { get; init; }

        /// <summary>When it happened, ISO 8601 with offset.</summary>
        public required DateTimeOffset OccurredAt { get; init; }

        /// <summary>When the producer sent it, by the same clock; corrects a clock that is off.</summary>
        public DateTimeOffset? SentAt { get; init; }

        /// <summary>Browser-side identity; required unless <see cref="UserId"/> is given or consent is no more than necessary.</summary>
        public string? AnonymousId { get; init; }

        /// <summary>Signed-in identity: the subject of the request's token, or any when a server sends it.</summary>
        public string? UserId { get; init; }

        /// <summary>Visit the event belongs to.</summary>
        public string? SessionId { get; init; }

        /// <summary>Catalogue item it is about.</summary>
        public string? ItemId { get; init; }

        /// <summary>Where it happened: page, referrer, device, campaign; and consent: necessary, analytics or marketing.</summary>
        public IReadOnlyDictionary<string, JsonElement>? Context { get; init; }

        /// <summary>What the type says about it.</summary>
        public IReadOnlyDictionary<string, JsonElement>? Properties { get; init; }
    }

    /// <summary>What became of a request.</summary>
    /// <param name="Accepted">Events now on disk.</param>
    /// <param name="Repeated">Events that were on disk before.</param>
    /// <param name="Rejected">Events not taken.</param>
    /// <param name="Outcomes">One for each event, in the order sent.</param>
    public sealed record Receipt(int Accepted, int Repeated, int Rejected, IReadOnlyList<Outcome> Outcomes);

    /// <summary>What became of one event.</summary>
    /// <param name="Id">Its id as sent.</param>
    /// <param name="Status">accepted, repeated or rejected.</param>
    /// <param name="Field">The field at fault; of an accepted event one that was left out.</param>
    /// <param name="Reason">What is wrong with it.</param>
    public sealed record Outcome(string? Id, string Status, string? Field = null, string? Reason = null);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/events", HandleAsync)
            .WithTags("Events").WithName("recordEvents").WithSummary("Record one event or an array of events")
            .WithDescription($"""
                Up to 500 events and 1 MiB, also with `Content-Encoding: gzip` or `br`; `text/plain` is read as JSON too, for beacons. Each event has its own outcome: good ones are kept beside rejected ones, and sending one again changes nothing.

                **Keys.** A browser sends its site's public write key in `X-Api-Key`, or as `?key=` where a beacon cannot set headers; a server sends its own key. Outside Development a key is required.

                **Who somebody is.** A browser may say any `anonymousId`, and as `userId` only the subject of the bearer token that travels with the request; another one is left out and the outcome says so. A server's key may speak for any user, and so may anybody where no key is required.

                **Consent.** `context.consent` is `necessary`, `analytics` or `marketing`; without analytics, or with `DNT: 1` or `Sec-GPC: 1`, an event only counts and keeps no identity, no context and no words. Cédulas, RNC, telephone numbers, e-mail addresses and cards in words are masked before storing, and addresses are kept as hashes whose key is destroyed.

                **Time.** With `sentAt` the event time is corrected by the difference between the two clocks; the time as claimed is kept beside it.

                **Versions.** `schemaVersion` names the version of the type's schema; without it the event has version 1. Every version is accepted, and readers see the newest. JSON Schemas with examples: `GET /api/events/schemas`. Properties that a schema does not name are kept unread.

                {EventCatalogue.Markdown()}
                """)
            .RequireAuthorization(routes.ServiceProvider.GetRequiredService<TrackingOptions>().AsksForKeys ? Policies.EventsWrite : Policies.Anonymous)
            .Accepts<Event[]>("application/json", "text/plain")
            .WithMetadata(new ProducesResponseTypeMetadata(StatusCodes.Status202Accepted, typeof(Receipt), ["application/json"]))
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status429TooManyRequests).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    internal static async Task<Results<ReceiptResult, ValidationProblem, ProblemHttpResult>> HandleAsync(
        HttpRequest request, HttpResponse response, CurrentUser caller, EventWriter writer, CustomSchemas schemas, AddressKeys keys, RejectedEvents rejections,
        TrackingOptions options, TimeProvider clock)
    {
        if (request.Headers.ContentEncoding.Count > 0)
        {
            // The ones that are understood are gone by now.
            return TypedResults.Problem("Understood are gzip, br and deflate, one at a time.", statusCode: StatusCodes.Status415UnsupportedMediaType, title: "Unknown content encoding");
        }

        List<ParsedEvent> events;
        bool single;
        var now = clock.GetUtcNow();
        var sender = Sender.Of(request, caller, await keys.AtAsync(now, request.HttpContext.RequestAborted), options.AsksForKeys);
        try
        {
            if (await ReadBodyAsync(request, options.MaxBodyBytes) is not { } body)
            {
                return TypedResults.Problem($"The body is larger than {options.MaxBodyBytes} bytes.", statusCode: StatusCodes.Status413PayloadTooLarge, title: "Body too large");
            }

            events = new EventParser(body, sender, await schemas.GetAsync(request.HttpContext.RequestAborted), options, now).Parse(out single);
        }
        catch (JsonException malformed)
        {
            return TypedResults.Problem(Describe(malformed), statusCode: StatusCodes.Status400BadRequest, title: "The body is not valid JSON");
        }
        catch (InvalidDataException)
        {
            return TypedResults.Problem("What was sent is not what Content-Encoding says.", statusCode: StatusCodes.Status400BadRequest, title: "The body cannot be decompressed");
        }
        catch (TooManyEventsException)
        {
            return TypedResults.Problem($"At most {options.MaxEventsPerRequest} events a request.", statusCode: StatusCodes.Status413PayloadTooLarge, title: "Too many events");
        }

        var good = new List<StreamEvent>(events.Count);
        foreach (var parsed in events)
        {
            if (parsed.Rejection is null)
            {
                good.Add(parsed.Event);
            }
        }

        var receipt = good.Count == 0 ? new WriteReceipt(WriteStatus.Written, []) : await writer.WriteAsync(good);
        switch (receipt.Status)
        {
            case WriteStatus.Written:
                await rejections.KeepAsync(events, sender, now);
                return single && events[0].Rejection is { } wrong
                    ? TypedResults.ValidationProblem(new Dictionary<string, string[]> { [wrong.Field] = [wrong.Reason] }, title: "The event was rejected")
                    : new ReceiptResult(events, receipt.Repeated);
            case WriteStatus.Busy:
                response.Headers.RetryAfter = "1";
                return TypedResults.Problem("More events arrive than the disk takes; send them again later.", statusCode: StatusCodes.Status429TooManyRequests, title: "Busy");
            case WriteStatus.Unavailable:
                response.Headers.RetryAfter = "2";
                return TypedResults.Problem("The events could not be confirmed; sending them again is safe.", statusCode: StatusCodes.Status503ServiceUnavailable, title: "The log is not available");
            default:
                return TypedResults.Problem("The log refuses one of these events.", statusCode: StatusCodes.Status422UnprocessableEntity, title: "Refused");
        }
    }

    private static string Describe(JsonException malformed) =>
        malformed.LineNumber is { } line ? $"Line {line + 1}, byte {malformed.BytePositionInLine}: {malformed.Message.Split(" LineNumber:")[0]}" : malformed.Message;

    private static async ValueTask<ReadOnlyMemory<byte>?> ReadBodyAsync(HttpRequest request, int limit)
    {
        if (request.ContentLength > limit)
        {
            return null;
        }

        var reader = request.BodyReader;
        while (true)
        {
            ReadResult read;
            try
            {
                read = await reader.ReadAsync(request.HttpContext.RequestAborted);
            }
            catch (InvalidOperationException notBrotli)
            {
                // The brotli decoder's way to say what gzip's says by InvalidDataException.
                throw new InvalidDataException(notBrotli.Message, notBrotli);
            }

            if (read.Buffer.Length > limit)
            {
                reader.AdvanceTo(read.Buffer.End);
                return null;
            }

            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>202 with the receipt, written without intermediate objects.</summary>
    internal sealed class ReceiptResult(List<ParsedEvent> events, IReadOnlyList<bool> repeated) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = StatusCodes.Status202Accepted;
            httpContext.Response.ContentType = "application/json; charset=utf-8";
            Write(httpContext.Response.BodyWriter);
            await httpContext.Response.BodyWriter.FlushAsync(httpContext.RequestAborted);
        }

        private void Write(IBufferWriter<byte> output)
        {
            var rejected = events.Count - repeated.Count;
            var repeats = repeated.Count(known => known);
            using var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
            json.WriteStartObject();
            json.WriteNumber("accepted"u8, repeated.Count - repeats);
            json.WriteNumber("repeated"u8, repeats);
            json.WriteNumber("rejected"u8, rejected);
            json.WriteStartArray("outcomes"u8);
            var next = 0;
            foreach (var parsed in events)
            {
                json.WriteStartObject();
                json.WriteString("id"u8, parsed.Id);
                if (parsed.Rejection is { } wrong)
                {
                    json.WriteString("status"u8, "rejected"u8);
                    json.WriteString("field"u8, wrong.Field);
                    json.WriteString("reason"u8, wrong.Reason);
                }
                else
                {
                    json.WriteString("status"u8, repeated[next++] ? "repeated"u8 : "accepted"u8);
                    if (parsed.Remark is { } remark)
                    {
                        json.WriteString("field"u8, remark.Field);
                        json.WriteString("reason"u8, remark.Reason);
                    }
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }
    }
}
