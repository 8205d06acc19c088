using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Logging;
using Npgsql;
using OKLA.Shared.Privacy;

namespace OKLA.Tracking.Ingest;

/// <summary>Keeps rejected events with their reason, personal data masked, so that they can be replayed when a schema was at fault.</summary>
internal sealed class RejectedEvents(NpgsqlDataSource database, TrackingOptions options, ILogger<RejectedEvents> logger)
{
    /// <summary>Longest body that is kept, in bytes; of a longer one only the reason is.</summary>
    public const int MaxBody = 16 << 10;

    private static readonly Meter Meter = new("OKLA.Tracking");
    private static readonly Counter<long> Rejected = Meter.CreateCounter<long>("okla.tracking.rejected", "{event}", "Events rejected at ingest.");
    private static readonly Counter<long> NotKept = Meter.CreateCounter<long>("okla.tracking.rejected.not_kept", "{event}", "Rejected events of which not even the reason could be kept.");
    private readonly Lock gate = new();
    private long minute;
    private int keptInMinute;

    /// <summary>Keeps what of a request was rejected. Never fails: the answer to the good events does not depend on it.</summary>
    public async Task KeepAsync(IReadOnlyList<ParsedEvent> events, Sender sender, DateTimeOffset receivedAt)
    {
        var rejected = events.Where(parsed => parsed.Rejection is not null).ToList();
        if (rejected.Count == 0)
        {
            return;
        }

        Rejected.Add(rejected.Count);
        var room = TakeRoom(rejected.Count, receivedAt);
        NotKept.Add(rejected.Count - room);
        if (room == 0)
        {
            return;
        }

        try
        {
            await using var connection = await database.OpenConnectionAsync();
            var kept = rejected[..room];
            await connection.ExecuteAsync(
                """
                insert into tracking.rejected_events (received_at, event_id, type, field, reason, body, trusted_as, bot)
                select @receivedAt, e.event_id, e.type, e.field, e.reason, e.body, @TrustedAs, @IsBot
                from unnest(@ids::text[], @types::text[], @fields::text[], @reasons::text[], @bodies::text[]) as e (event_id, type, field, reason, body)
                """,
                new
                {
                    receivedAt = receivedAt.UtcDateTime,
                    ids = kept.Select(parsed => parsed.Id).ToArray(),
                    types = kept.Select(parsed => parsed.Source?.Type).ToArray(),
                    fields = kept.Select(parsed => Storable(parsed.Rejection!.Field)).ToArray(),
                    reasons = kept.Select(parsed => parsed.Rejection!.Reason).ToArray(),
                    bodies = kept.Select(parsed => parsed.Source?.Body is { Length: <= MaxBody } body ? MaskedJson(body) : null).ToArray(),
                    // A person who objects leaves no name behind, not even as the one who was refused.
                    TrustedAs = sender.Objects && !sender.IsServer ? null : sender.TrustedAs,
                    sender.IsBot,
                });
        }
        catch (NpgsqlException outage)
        {
            NotKept.Add(room);
            Log.RejectedNotKept(logger, room, outage);
        }
    }

    /// <summary>An event's JSON with personal data masked in every string except its own identities, and without an address.</summary>
    public static string MaskedJson(ReadOnlyMemory<byte> json)
    {
        var edits = new List<Edit>();
        var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = int.MaxValue });
        var (outer, inner) = ("", "");
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName))
            {
                if (inner is "ip" or "ipHash" && outer == "context" && reader.CurrentDepth == 2 && reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                {
                    var start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    edits.Add(new Edit(start, (int)reader.BytesConsumed - start, null));
                }

                continue;
            }

            var isText = TryGetText(ref reader, out var text);
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth <= 2)
            {
                (outer, inner) = reader.CurrentDepth == 1 ? (text, "") : (outer, text);
            }

            var isOwn = reader.CurrentDepth == 1 && outer is "id" or "type" or "anonymousId" or "userId" or "sessionId" or "itemId";
            var isAddress = reader.TokenType == JsonTokenType.String && reader.CurrentDepth == 2 && outer == "context" && inner is "ip" or "ipHash";
            if (isAddress)
            {
                edits.Add(new Edit((int)reader.TokenStartIndex, reader.ValueSpan.Length + 2, null));
            }
            else if (!isText)
            {
                // What is no text cannot be searched, so it cannot stay.
                edits.Add(new Edit((int)reader.TokenStartIndex, reader.ValueSpan.Length + 2, "\uFFFD"));
            }
            else
            {
                var masked = isOwn || reader.TokenType == JsonTokenType.PropertyName ? text : PersonalData.Mask(text);
                if (reader.ValueIsEscaped || !ReferenceEquals(masked, text))
                {
                    // Written without escapes, so that an erasure finds whom it looks for.
                    edits.Add(new Edit((int)reader.TokenStartIndex, reader.ValueSpan.Length + 2, masked));
                }
            }
        }

        var output = new ArrayBufferWriter<byte>(json.Length + 64);
        new EventBody(output, json, edits).Copy(0, json.Length);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static bool TryGetText(ref Utf8JsonReader reader, out string text)
    {
        try
        {
            text = reader.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            text = "";
            return false;
        }
    }

    private static string Storable(string text) => PersonalData.Mask(text.Replace("\0", "", StringComparison.Ordinal));

    private int TakeRoom(int wanted, DateTimeOffset now)
    {
        lock (gate)
        {
            var current = now.UtcTicks / TimeSpan.TicksPerMinute;
            (minute, keptInMinute) = current == minute ? (minute, keptInMinute) : (current, 0);
            var room = Math.Clamp(options.RejectedPerMinute - keptInMinute, 0, wanted);
            keptInMinute += room;
            return room;
        }
    }
}
