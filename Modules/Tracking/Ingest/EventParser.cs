using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Tracking.Privacy;
using OKLA.Tracking.Schemas;

namespace OKLA.Tracking.Ingest;

/// <summary>Why one event of a request was not taken, or what of it was not.</summary>
/// <param name="Field">The field at fault, as the producer names it.</param>
/// <param name="Reason">What is wrong with it, for the producer's developer.</param>
internal sealed record Rejection(string Field, string Reason);

/// <summary>One event of a request: ready for the log, or rejected.</summary>
/// <param name="Id">Its id as sent.</param>
/// <param name="Event">What goes to the log.</param>
/// <param name="Rejection">Why it does not.</param>
/// <param name="Remark">What of an accepted event was left out.</param>
/// <param name="Source">What is known of a rejected event, for its replay.</param>
internal readonly record struct ParsedEvent(string? Id, StreamEvent Event, Rejection? Rejection, Rejection? Remark = null, RejectedSource? Source = null);

/// <summary>A rejected event as it was sent.</summary>
/// <param name="Type">Its type, when it could be read.</param>
/// <param name="Body">Its JSON; null when its person did not agree to its being kept.</param>
internal sealed record RejectedSource(string? Type, ReadOnlyMemory<byte>? Body);

/// <summary>
/// Reads one request's JSON in one pass, without building a document: holds every event to its schema, masks personal data, applies
/// <see cref="Consent"/>, and copies what is kept into one buffer.
/// </summary>
/// <remarks>
/// It refuses what PostgreSQL's jsonb would refuse (NUL characters, lone surrogates, numbers out of range), so that one producer's
/// event can never fail the commit that it shares with others.
/// </remarks>
internal sealed partial class EventParser(ReadOnlyMemory<byte> body, Sender sender, SchemaSet schemas, TrackingOptions options, DateTimeOffset receivedAt)
{
    private const int MaxIdLength = 200;
    private static readonly SearchValues<char> SnakeCase = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");
    private static readonly DateTimeOffset Earliest = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly byte[][] Names = [.. Enum.GetNames<Name>().Select(name => Encoding.UTF8.GetBytes(JsonNamingPolicy.CamelCase.ConvertName(name)))];

    // If it grows, slices handed out before keep the old array alive and stay valid.
    private readonly ArrayBufferWriter<byte> kept = new(body.Length + 512);
    private readonly List<Edit> edits = [];

    /// <summary>The fields of an event; their order is that of <see cref="Names"/>.</summary>
    private enum Name
    {
        Id,
        Type,
        SchemaVersion,
        OccurredAt,
        SentAt,
        AnonymousId,
        UserId,
        SessionId,
        ItemId,
        Context,
        Properties,
    }

    /// <summary>Reads a body of one event or an array of events.</summary>
    /// <param name="single">Whether the body is one event rather than an array.</param>
    /// <exception cref="JsonException">The body is not JSON, or is neither an object nor an array.</exception>
    /// <exception cref="TooManyEventsException">The array is longer than <see cref="TrackingOptions.MaxEventsPerRequest"/>.</exception>
    public List<ParsedEvent> Parse(out bool single)
    {
        var isUtf8 = System.Text.Unicode.Utf8.IsValid(body.Span);
        // Depth is no danger to a reader without recursion; an event that is too deep is rejected alone.
        var reader = new Utf8JsonReader(body.Span, new JsonReaderOptions { MaxDepth = int.MaxValue });
        var events = new List<ParsedEvent>();
        reader.Read();
        single = reader.TokenType == JsonTokenType.StartObject;
        if (single)
        {
            events.Add(ReadEvent(ref reader, isUtf8));
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
                    events.Add(ReadEvent(ref reader, isUtf8));
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

    private ParsedEvent ReadEvent(ref Utf8JsonReader reader, bool isUtf8)
    {
        var draft = default(Draft);
        var start = (int)reader.TokenStartIndex;
        edits.Clear();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            ReadField(ref reader, ref draft);
        }

        var sent = body[start..(int)reader.BytesConsumed];
        if (!isUtf8 && !System.Text.Unicode.Utf8.IsValid(sent.Span))
        {
            draft.Rejection = new Rejection("", "Holds bytes that are not UTF-8.");
        }

        draft.Rejection ??= Check(ref draft);
        var consent = sender.Objects ? Consent.Necessary : draft.Consent ?? (options.ConsentWhenUnsaid == UnsaidConsent.Analytics ? Consent.Analytics : Consent.Necessary);
        var follows = consent.HasFlag(Consent.Analytics);
        Rejection? remark = null;
        if (draft.UserId is { } user && follows && !sender.MaySpeakFor(user))
        {
            remark = new Rejection("userId", "Not kept: it must be the one that the visitor's token proves, or come from a server.");
            draft.UserId = null;
        }

        if (draft.Rejection is null && follows && draft.Schema!.NeedsPerson && !(draft.Schema.IsReported && sender.IsBelieved) && draft.AnonymousId is null && draft.UserId is null)
        {
            draft.Rejection = remark ?? new Rejection("anonymousId", "Required unless userId is given.");
        }

        var happened = Correct(draft.OccurredAt ?? receivedAt, draft.SentAt);
        if (draft.Rejection is null && (happened is null || happened > receivedAt.AddMinutes(options.MaxMinutesAhead) || happened < Earliest))
        {
            draft.Rejection = new Rejection("occurredAt", "The time lies in the future or before the year 2000.");
        }

        if (draft.Rejection is not null)
        {
            // Who is not followed leaves no body behind, and one whose consent could not be read is taken not to have given it.
            return new ParsedEvent(draft.IdText, default, draft.Rejection, null, new RejectedSource(draft.Type, follows && !draft.ConsentUnread ? sent : (ReadOnlyMemory<byte>?)null));
        }

        var from = kept.WrittenCount;
        Write(ref draft, follows);
        var stream = (follows ? (draft.AnonymousId, draft.UserId) : default) switch
        {
            (null, null) => string.Create(CultureInfo.InvariantCulture, $"unidentified-{happened:yyyyMMdd}"),
            var (anonymousId, userId) => BehaviourEvent.StreamOf(anonymousId, userId),
        };
        var item = new NewEvent(draft.Type!, kept.WrittenMemory[from..]) { Id = draft.Id, OccurredAt = happened, SchemaVersion = draft.Schema!.Version };
        return new ParsedEvent(draft.IdText, new StreamEvent(stream, item), null, remark);
    }

    private void ReadField(ref Utf8JsonReader reader, ref Draft draft)
    {
        var name = reader.ValueSpan;
        if (reader.ValueIsEscaped)
        {
            name = TryGetText(ref reader, out var text) ? Encoding.UTF8.GetBytes(text) : default;
        }

        var index = -1;
        for (var i = 0; i < Names.Length; i++)
        {
            if (name.SequenceEqual(Names[i]))
            {
                index = i;
                break;
            }
        }

        reader.Read();
        if (index < 0)
        {
            draft.Rejection ??= new Rejection(name.Length <= 100 ? Encoding.UTF8.GetString(name) : "", "Unknown field; the producer's own data belongs in properties.");
            reader.Skip();
            return;
        }

        if ((draft.Seen & (1 << index)) != 0)
        {
            draft.Rejection ??= new Rejection(JsonNamingPolicy.CamelCase.ConvertName(((Name)index).ToString()), "Given twice.");
            reader.Skip();
            return;
        }

        draft.Seen |= 1 << index;
        switch ((Name)index)
        {
            case Name.Id:
                draft.IdText = ReadText(ref reader, "id", 64, ref draft);
                draft.Id = Guid.TryParse(draft.IdText, out var id) ? id : Guid.Empty;
                break;
            case Name.Type:
                draft.Type = ReadText(ref reader, "type", 100, ref draft);
                break;
            case Name.SchemaVersion:
                draft.Version = ReadVersion(ref reader, ref draft);
                break;
            case Name.OccurredAt:
                draft.OccurredAt = ReadTime(ref reader, "occurredAt", ref draft);
                break;
            case Name.SentAt:
                draft.SentAt = ReadTime(ref reader, "sentAt", ref draft);
                break;
            case Name.AnonymousId:
                draft.AnonymousId = ReadText(ref reader, "anonymousId", MaxIdLength, ref draft);
                break;
            case Name.UserId:
                draft.UserId = ReadText(ref reader, "userId", MaxIdLength, ref draft);
                break;
            case Name.SessionId:
                draft.SessionId = ReadText(ref reader, "sessionId", MaxIdLength, ref draft);
                break;
            case Name.ItemId:
                draft.ItemId = ReadText(ref reader, "itemId", MaxIdLength, ref draft);
                break;
            case Name.Context:
                draft.Context = ReadContext(ref reader, ref draft);
                break;
            default:
                ReadProperties(ref reader, ref draft);
                break;
        }
    }

    /// <summary>Checks that need the whole event.</summary>
    private Rejection? Check(ref Draft draft)
    {
        if (draft.Id == Guid.Empty)
        {
            return new Rejection("id", "A UUID is required.");
        }

        if (draft.Type is not { } type)
        {
            return new Rejection("type", "Required.");
        }

        if (type[0] is < 'a' or > 'z' || type.AsSpan().ContainsAnyExcept(SnakeCase))
        {
            return new Rejection("type", "Must be snake_case: a-z, 0-9 and _, starting with a letter.");
        }

        draft.Schema ??= schemas.Find(type, draft.Version);
        if (draft.Schema is not { } schema)
        {
            return schemas.Versions(type).Length == 0
                ? new Rejection("type", "No such type; GET /api/events/schemas lists them.")
                : new Rejection("schemaVersion", "No such version of this type.");
        }

        if (schema.ServerOnly && !sender.IsBelieved)
        {
            return new Rejection("type", "Only servers with an API key send this.");
        }

        if (draft.OccurredAt is null)
        {
            return new Rejection("occurredAt", "Required: ISO 8601 with an offset.");
        }

        if (schema.NeedsItem && draft.ItemId is null)
        {
            return new Rejection("itemId", "Required for this type.");
        }

        if (draft.PropertiesWait)
        {
            CheckWaiting(ref draft);
        }
        else if (draft.Properties.Length == 0 && schema.RequiredCount > 0)
        {
            draft.Rejection = Missing(schema, 0);
        }

        return draft.Rejection;
    }

    /// <summary>A producer's clock may be off: the time between happening and sending is right even then. Null when no such time exists.</summary>
    private DateTimeOffset? Correct(DateTimeOffset occurredAt, DateTimeOffset? sentAt)
    {
        var happened = receivedAt.UtcTicks - ((sentAt ?? receivedAt).UtcTicks - occurredAt.UtcTicks);
        return happened < DateTimeOffset.MinValue.Ticks || happened > DateTimeOffset.MaxValue.Ticks ? null : new DateTimeOffset(happened, TimeSpan.Zero);
    }

    private void Write(ref Draft draft, bool follows)
    {
        var writer = new EventBody(kept, body, edits);
        var separator = EventBody.Open;
        if (!follows)
        {
            writer.Text("itemId"u8, draft.ItemId, ref separator);
            writer.CountedContext(sender.IsBot, ref separator);
            writer.PlainProperties(draft.Properties, draft.Schema!, ref separator);
        }
        else
        {
            writer.Text("anonymousId"u8, draft.AnonymousId, ref separator);
            writer.Text("userId"u8, draft.UserId, ref separator);
            writer.Text("sessionId"u8, draft.SessionId, ref separator);
            writer.Text("itemId"u8, draft.ItemId, ref separator);
            if (draft.SentAt is not null)
            {
                writer.Text("claimedAt"u8, draft.OccurredAt!.Value.ToString("O", CultureInfo.InvariantCulture), ref separator);
            }

            writer.Context(draft.Context, draft.AddressHash ?? sender.AddressHash, sender.IsBot, ref separator);
            writer.Part("properties"u8, draft.Properties, ref separator);
        }

        kept.Write(separator == EventBody.Open ? "{}"u8 : "}"u8);
    }

    /// <summary>What has been read of one event.</summary>
    private struct Draft
    {
        public Rejection? Rejection;
        public int Seen;
        public string? IdText, Type, AnonymousId, UserId, SessionId, ItemId, AddressHash;
        public Guid Id;
        public int? Version;
        public DateTimeOffset? OccurredAt, SentAt;
        public (int Start, int Length) Context, Properties;
        public bool PropertiesWait, ConsentUnread;
        public EventSchema? Schema;
        public Consent? Consent;
    }
}

/// <summary>A request holds more events than it may.</summary>
internal sealed class TooManyEventsException : Exception;
