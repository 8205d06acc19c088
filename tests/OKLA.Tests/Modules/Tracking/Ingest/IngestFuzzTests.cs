using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace OKLA.Tests.Modules.Tracking.Ingest;

/// <summary>Whatever is sent, the answer is orderly and every event that was acknowledged is in the log.</summary>
public sealed class IngestFuzzTests : HostTest
{
    protected override string[] Settings => ["--Web:RateLimits", "false", "--Tracking:RejectedPerMinute", "1000000", "--Tracking:RejectedKept", "10000000"];

    /// <summary>Bodies of a run; OKLA_FUZZ_BODIES asks for more than a build has time for.</summary>
    private static int Bodies => int.TryParse(Environment.GetEnvironmentVariable("OKLA_FUZZ_BODIES"), out var asked) ? asked : 4_000;

    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1e400", "-0", "1E-400", "123456789012345678901234567890123456789012345", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"a\\nb\"", "\"😀\"", "[]", "{}",
        "[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]", "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}}", "\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59Z\"",
        "\"2026-13-45T99:99:99Z\"", "\"00000000-0000-0000-0000-000000000000\"", "\"809-555-1234\"", "[1,\"a\",null]", "\"item_listed\"", "\"contacted\"", "{\"consent\":\"necessary\"}", "{\"ip\":\"1.2.3.4\"}",
    ];

    private static readonly string[] Names = ["id", "type", "schemaVersion", "occurredAt", "sentAt", "anonymousId", "userId", "sessionId", "itemId", "context", "properties", "x", "\\u0069d", "\\ud800", ""];

    [Test]
    public async Task No_body_brings_a_fault_and_no_good_event_is_lost()
    {
        var senders = await Task.WhenAll(Enumerable.Range(0, 8).Select(sender => Task.Run(() => SendAsync(new Random(20261121 + sender), Bodies / 8))));

        await using var command = Database.CreateCommand("select id from events.mt_events");
        await using var rows = await command.ExecuteReaderAsync();
        var stored = new HashSet<Guid>();
        while (await rows.ReadAsync()) stored.Add(rows.GetGuid(0));
        var acknowledged = senders.SelectMany(sender => sender.Acknowledged).ToHashSet();
        acknowledged.IsSubsetOf(stored).ShouldBeTrue();
        TestContext.Out.WriteLine($"{Bodies} bodies: 0 faults, {senders.Sum(sender => sender.Refused)} refused whole, {acknowledged.Count} events acknowledged and found in the log");
        acknowledged.Count.ShouldBeGreaterThan(Bodies);
    }

    private async Task<(HashSet<Guid> Acknowledged, int Refused)> SendAsync(Random random, int bodies)
    {
        var (acknowledged, refused) = (new HashSet<Guid>(), 0);
        for (var i = 0; i < bodies; i++)
        {
            // A good event before and after the broken one; in one case of three bytes are changed instead, so that the body is often no JSON.
            var (before, after) = (Guid.CreateVersion7(), Guid.CreateVersion7());
            var isWhole = random.Next(3) > 0;
            var body = isWhole ? Encoding.UTF8.GetBytes($"[{Good(before)},{Broken(random)},{Good(after)}]") : Flip(random, $"[{Good(before)},{Good(after)}]");
            using var answer = await PostAsync(body);
            ((int)answer.StatusCode).ShouldBeLessThan(500, Encoding.UTF8.GetString(body));
            if (answer.StatusCode != HttpStatusCode.Accepted)
            {
                isWhole.ShouldBeFalse(Encoding.UTF8.GetString(body));
                refused++;
                continue;
            }

            foreach (var outcome in (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("outcomes").EnumerateArray())
            {
                if (outcome.GetProperty("status").GetString() != "rejected" && Guid.TryParse(outcome.GetProperty("id").GetString(), out var id))
                {
                    acknowledged.Add(id);
                }
            }

            if (isWhole)
            {
                acknowledged.ShouldContain(before);
                acknowledged.ShouldContain(after);
            }
        }

        return (acknowledged, refused);
    }

    private static string Good(Guid id) => $$$"""{"id":"{{{id}}}","type":"item_viewed","occurredAt":"2026-01-01T00:00:00Z","anonymousId":"a","itemId":"car-1","properties":{"visibleSeconds":3}}""";

    private static string Broken(Random random)
    {
        var fields = new List<string> { $"\"id\":\"{Guid.CreateVersion7()}\"", "\"type\":\"searched\"", "\"occurredAt\":\"2026-01-01T00:00:00Z\"", "\"anonymousId\":\"a\"" };
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var field = $"\"{Names[random.Next(Names.Length)]}\":{Values[random.Next(Values.Length)]}";
            if (random.Next(2) == 0) fields.Add(field);
            else fields[random.Next(fields.Count)] = field;
        }

        if (random.Next(3) == 0) fields.Add($"\"properties\":{{\"{new[] { "query", "filters", "itemIds", "resultCount", "z" }[random.Next(5)]}\":{Values[random.Next(Values.Length)]}}}");
        return random.Next(20) == 0 ? Values[random.Next(Values.Length)] : $"{{{string.Join(",", fields)}}}";
    }

    private static byte[] Flip(Random random, string text)
    {
        var body = Encoding.UTF8.GetBytes(text);
        for (var flips = random.Next(1, 6); flips > 0; flips--) body[random.Next(body.Length)] = (byte)random.Next(256);
        return random.Next(4) == 0 ? body[..random.Next(body.Length)] : body;
    }

    private async Task<HttpResponseMessage> PostAsync(byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await Client.PostAsync("/api/events", content);
    }
}
