using System.Buffers;
using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Host.Demo;

/// <summary>One visit: its clock, its identities, and how its events are written.</summary>
internal sealed class VisitSession(SimulationRun run, int person, int device, string id, string deviceType, DateTimeOffset start)
{
    // Bodies are written by hand in the shape of BehaviourEvent: a JsonElement for each would cost more than all the rest.
    private readonly ArrayBufferWriter<byte> buffer = new(512);
    private readonly string anonymousId = run.AnonymousId(person, device);

    public DateTimeOffset Now { get; private set; } = start;

    public bool SignedIn { get; set; }

    public void Wait(double seconds) => Now = Now.AddSeconds(Math.Round(seconds, 3));

    public StreamEvent Event(ref SeededRandom random, string type, string? itemId, Action<Utf8JsonWriter>? properties)
    {
        buffer.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteString("anonymousId", anonymousId);
            if (SignedIn)
            {
                json.WriteString("userId", run.UserId(person));
            }

            json.WriteString("sessionId", id);
            if (itemId is not null)
            {
                json.WriteString("itemId", itemId);
            }

            json.WriteStartObject("context");
            json.WriteString("device", deviceType);
            json.WriteEndObject();
            json.WriteStartObject("properties");
            properties?.Invoke(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        var body = new NewEvent(type, buffer.WrittenSpan.ToArray()) { Id = random.NextId(), OccurredAt = Now, KnownAt = Now };
        Now = Now.AddMilliseconds(50);
        return new StreamEvent(BehaviourEvent.StreamOf(anonymousId, null), body);
    }
}
