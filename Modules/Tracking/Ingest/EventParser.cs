using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tracking.Ingest;

/// <summary>Why one event of a request was not taken.</summary>
/// <param name="Field">The field at fault, as the producer names it.</param>
/// <param name="Reason">What is wrong with it, for the producer's developer.</param>
internal sealed record Rejection(string Field, string Reason);

/// <summary>One event of a request: ready for the log, or rejected.</summary>
internal readonly record struct ParsedEvent(string? Id, StreamEvent Event, Rejection? Rejection);

/// <summary>
/// Reads producers' JSON in one pass, without building a document: checks every field and copies what is kept into one buffer.
/// </summary>
/// <remarks>
/// It refuses what PostgreSQL's jsonb would refuse (NUL characters, lone surrogates, numbers out of range), so that one producer's
/// event can never fail the commit that it shares with others.
/// </remarks>
internal sealed class EventParser(TimeProvider clock, TrackingOptions options)
{
    private const int MaxIdLength = 200;
    private const int MaxDepth = 12;
    private static readonly SearchValues<char> SnakeCase = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");
    private static readonly DateTimeOffset Earliest = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Reads a body of one event or an array of events.</summary>
    /// <param name="body">UTF-8 JSON.</param>
    /// <param name="single">Whether the body is one event rather than an array.</param>
    /// <exception cref="JsonException">The body is not JSON, is nested too deep, or is neither an object nor an array.</exception>
    /// <exception cref="TooManyEventsException">The array is longer than <see cref="TrackingOptions.MaxEventsPerRequest"/>.</exception>
    public List<ParsedEvent> Parse(ReadOnlySpan<byte> body, out bool single)
    {
        if (!System.Text.Unicode.Utf8.IsValid(body))
        {
            throw new JsonException("The body is not valid UTF-8.");
        }

        var now = clock.GetUtcNow();
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaxDepth });
        // If it grows, slices handed out before keep the old array alive and stay valid.
        var kept = new ArrayBufferWriter<byte>(body.Length + 256);
        var events = new List<ParsedEvent>();
        reader.Read();
        single = reader.TokenType == JsonTokenType.StartObject;
        if (single)
        {
            events.Add(ReadEvent(ref reader, body, kept, now));
        }
        else if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (events.Count == options.MaxEventsPerRequest)
                {
                    throw new TooManyEventsException();
                }

                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    events.Add(ReadEvent(ref reader, body, kept, now));
                }
                else
                {
                    reader.Skip();
                    events.Add(new ParsedEvent(null, default, new Rejection("", "An event must be an object.")));
                }
            }
        }
        else
        {
            throw new JsonException("The body must be an event or an array of events.");
        }

        if (reader.Read())
        {
            throw new JsonException("There is something after the events.");
        }

        return events;
    }

    private ParsedEvent ReadEvent(ref Utf8JsonReader reader, ReadOnlySpan<byte> body, ArrayBufferWriter<byte> kept, DateTimeOffset now)
    {
        Rejection? rejection = null;
        Guid? id = null;
        string? idText = null, type = null, anonymousId = null, userId = null, sessionId = null, itemId = null;
        DateTimeOffset? occurredAt = null, sentAt = null;
        (int Start, int Length) context = default, properties = default;

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("id"u8))
            {
                reader.Read();
                idText = ReadText(ref reader, "id", 64, ref rejection);
                id = Guid.TryParse(idText, out var parsed) ? parsed : null;
            }
            else if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                type = ReadText(ref reader, "type", 100, ref rejection);
            }
            else if (reader.ValueTextEquals("occurredAt"u8))
            {
                reader.Read();
                occurredAt = ReadTime(ref reader, "occurredAt", ref rejection);
            }
            else if (reader.ValueTextEquals("sentAt"u8))
            {
                reader.Read();
                sentAt = ReadTime(ref reader, "sentAt", ref rejection);
            }
            else if (reader.ValueTextEquals("anonymousId"u8))
            {
                reader.Read();
                anonymousId = ReadText(ref reader, "anonymousId", MaxIdLength, ref rejection);
            }
            else if (reader.ValueTextEquals("userId"u8))
            {
                reader.Read();
                userId = ReadText(ref reader, "userId", MaxIdLength, ref rejection);
            }
            else if (reader.ValueTextEquals("sessionId"u8))
            {
                reader.Read();
                sessionId = ReadText(ref reader, "sessionId", MaxIdLength, ref rejection);
            }
            else if (reader.ValueTextEquals("itemId"u8))
            {
                reader.Read();
                itemId = ReadText(ref reader, "itemId", MaxIdLength, ref rejection);
            }
            else if (reader.ValueTextEquals("context"u8))
            {
                reader.Read();
                context = ReadObject(ref reader, "context", ref rejection);
            }
            else if (reader.ValueTextEquals("properties"u8))
            {
                reader.Read();
                properties = ReadObject(ref reader, "properties", ref rejection);
            }
            else
            {
                var name = reader.GetString();
                rejection ??= new Rejection(name is { Length: <= 100 } ? name : "", "Unknown field; the producer's own data belongs in properties.");
                reader.Read();
                reader.Skip();
            }
        }

        rejection ??= Check(id, type, anonymousId, userId, occurredAt);
        var happened = Correct(occurredAt ?? now, sentAt, now);
        if (rejection is null && (happened > now.AddMinutes(options.MaxMinutesAhead) || happened < Earliest))
        {
            rejection = new Rejection("occurredAt", "The time lies in the future or before the year 2000.");
        }

        if (rejection is not null)
        {
            return new ParsedEvent(idText, default, rejection);
        }

        var start = kept.WrittenCount;
        WriteBody(kept, body, anonymousId, userId, sessionId, itemId, context, properties);
        var data = kept.WrittenMemory[start..];
        return new ParsedEvent(idText, new StreamEvent(BehaviourEvent.StreamOf(anonymousId, userId), new NewEvent(type!, data) { Id = id!.Value, OccurredAt = happened }), null);
    }

    private static Rejection? Check(Guid? id, string? type, string? anonymousId, string? userId, DateTimeOffset? occurredAt) =>
        id is null || id == Guid.Empty ? new Rejection("id", "A UUID is required.")
        : type is null ? new Rejection("type", "Required.")
        : !IsSnakeCase(type) ? new Rejection("type", "Must be snake_case: a-z, 0-9 and _, starting with a letter.")
        : occurredAt is null ? new Rejection("occurredAt", "Required: ISO 8601 with an offset.")
        : anonymousId is null && userId is null ? new Rejection("anonymousId", "Required unless userId is given.")
        : null;

    /// <summary>A producer's clock may be off: the time between happening and sending is right even then.</summary>
    private static DateTimeOffset Correct(DateTimeOffset occurredAt, DateTimeOffset? sentAt, DateTimeOffset now) =>
        (sentAt is { } sent ? now - (sent - occurredAt) : occurredAt).ToUniversalTime();

    private static bool IsSnakeCase(string type) =>
        type[0] is >= 'a' and <= 'z' && type.AsSpan().IndexOfAnyExcept(SnakeCase) < 0;

    private static string? ReadText(ref Utf8JsonReader reader, string field, int maxLength, ref Rejection? rejection)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType != JsonTokenType.String)
        {
            rejection ??= new Rejection(field, "Must be text.");
            reader.Skip();
            return null;
        }

        if (reader.ValueSpan.Length > maxLength * 6 || !TryGetText(ref reader, out var text) || text.Length is 0 || text.Length > maxLength || text.AsSpan().ContainsAnyInRange('\0', '\x1f'))
        {
            rejection ??= new Rejection(field, $"Must have 1 to {maxLength} characters, none of them a control character.");
            return null;
        }

        return text;
    }

    private static DateTimeOffset? ReadTime(ref Utf8JsonReader reader, string field, ref Rejection? rejection)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var time) && HasOffset(reader.ValueSpan))
        {
            return time;
        }

        rejection ??= new Rejection(field, "Must be a time in ISO 8601 with an offset, such as 2026-11-21T10:00:00Z.");
        reader.Skip();
        return null;
    }

    /// <summary>Without an offset the time would be read in the server's own zone.</summary>
    private static bool HasOffset(ReadOnlySpan<byte> time) => time.Length > 11 && (time[^1] == 'Z' || time[11..].IndexOfAny((byte)'+', (byte)'-') >= 0);

    private static (int Start, int Length) ReadObject(ref Utf8JsonReader reader, string field, ref Rejection? rejection)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return default;
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            rejection ??= new Rejection(field, "Must be an object.");
            reader.Skip();
            return default;
        }

        var start = (int)reader.TokenStartIndex;
        var depth = reader.CurrentDepth;
        while (reader.Read() && !(reader.TokenType == JsonTokenType.EndObject && reader.CurrentDepth == depth))
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
            {
                if (reader.ValueIsEscaped && (!TryGetText(ref reader, out var text) || text.Contains('\0', StringComparison.Ordinal)))
                {
                    rejection ??= new Rejection(field, "Holds text that is not valid Unicode, or a NUL character.");
                }
            }
            else if (reader.TokenType == JsonTokenType.Number && !IsStorable(reader.ValueSpan))
            {
                rejection ??= new Rejection(field, "Holds a number that is too long or out of range.");
            }
        }

        return (start, (int)reader.BytesConsumed - start);
    }

    private static bool IsStorable(ReadOnlySpan<byte> number) =>
        number.Length <= 40 && double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
        && (number.IndexOfAny((byte)'e', (byte)'E') is var e && (e < 0 || (int.TryParse(number[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power) && Math.Abs(power) <= 308)));

    private static bool TryGetText(ref Utf8JsonReader reader, out string text)
    {
        try
        {
            text = reader.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate written as an escape.
            text = "";
            return false;
        }
    }

    private static void WriteBody(
        ArrayBufferWriter<byte> kept, ReadOnlySpan<byte> body, string? anonymousId, string? userId, string? sessionId, string? itemId,
        (int Start, int Length) context, (int Start, int Length) properties)
    {
        var separator = (byte)'{';
        WriteText(kept, "anonymousId"u8, anonymousId, ref separator);
        WriteText(kept, "userId"u8, userId, ref separator);
        WriteText(kept, "sessionId"u8, sessionId, ref separator);
        WriteText(kept, "itemId"u8, itemId, ref separator);
        WriteRaw(kept, "context"u8, body.Slice(context.Start, context.Length), ref separator);
        WriteRaw(kept, "properties"u8, body.Slice(properties.Start, properties.Length), ref separator);
        kept.Write("}"u8);
    }

    private static void WriteText(ArrayBufferWriter<byte> kept, ReadOnlySpan<byte> name, string? value, ref byte separator)
    {
        if (value is null)
        {
            return;
        }

        WriteName(kept, name, ref separator);
        kept.Write("\""u8);
        if (value.AsSpan().IndexOfAny('"', '\\') >= 0)
        {
            kept.Write(JsonEncodedText.Encode(value, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        }
        else
        {
            Encoding.UTF8.GetBytes(value, kept);
        }

        kept.Write("\""u8);
    }

    private static void WriteRaw(ArrayBufferWriter<byte> kept, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, ref byte separator)
    {
        if (json.Length > 0)
        {
            WriteName(kept, name, ref separator);
            kept.Write(json);
        }
    }

    private static void WriteName(ArrayBufferWriter<byte> kept, ReadOnlySpan<byte> name, ref byte separator)
    {
        kept.Write([separator, (byte)'"']);
        kept.Write(name);
        kept.Write("\":"u8);
        separator = (byte)',';
    }
}

/// <summary>A request holds more events than it may.</summary>
internal sealed class TooManyEventsException : Exception;
