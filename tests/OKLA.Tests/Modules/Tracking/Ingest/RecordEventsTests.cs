using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace OKLA.Tests.Modules.Tracking.Ingest;

public sealed class RecordEventsTests : HostTest
{
    [OneTimeSetUp]
    public void BeABrowser() => Client.DefaultRequestHeaders.UserAgent.ParseAdd("Mozilla/5.0 (Linux; Android 14) Chrome/130.0 Mobile");

    [Test]
    public async Task An_event_is_on_disk_as_it_was_sent_when_it_is_acknowledged()
    {
        var id = Guid.CreateVersion7();
        using var answer = await PostAsync($$$"""
            {"id":"{{{id}}}","type":"item_viewed","occurredAt":"2026-01-05T08:00:00-04:00","anonymousId":"ana \"la\" única","sessionId":"s1",
             "itemId":"car-1","context":{"page":"/x"},"properties":{"visibleSeconds":12.5,"texto":"jeepeta 😀"}}
            """);

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await CountsAsync(answer)).ShouldBe((1, 0, 0));
        (await ScalarAsync<string>($"select stream_id || ' ' || type || ' ' || to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') from events.mt_events where id = '{id}'"))
            .ShouldBe("visitor-ana \"la\" única item_viewed 2026-01-05 12:00");
        (await ScalarAsync<bool>($$$"""
            select data #- '{context,ipHash}' = '{"anonymousId":"ana \"la\" única","sessionId":"s1","itemId":"car-1","context":{"page":"/x"},
                            "properties":{"visibleSeconds":12.5,"texto":"jeepeta 😀"}}'::jsonb from events.mt_events where id = '{{{id}}}'
            """)).ShouldBeTrue();
    }

    [Test]
    public async Task A_repeated_event_is_accepted_and_changes_nothing()
    {
        var body = $"[{Event()},{Event()}]";
        (await CountsAsync(await PostAsync(body))).ShouldBe((2, 0, 0));
        var before = await ScalarAsync<long>("select count(*) from events.mt_events");

        (await CountsAsync(await PostAsync(body))).ShouldBe((0, 2, 0));

        (await ScalarAsync<long>("select count(*) from events.mt_events")).ShouldBe(before);
    }

    [Test]
    public async Task In_a_batch_each_event_has_its_own_outcome_and_the_good_ones_are_kept()
    {
        using var answer = await PostAsync($$"""[{{Event()}},{"id":"x","type":"item_viewed","occurredAt":"2026-01-01T00:00:00Z","anonymousId":"a"},17,{{Event()}}]""");

        var receipt = await answer.Content.ReadFromJsonAsync<JsonElement>();
        (receipt.GetProperty("accepted").GetInt32(), receipt.GetProperty("rejected").GetInt32()).ShouldBe((2, 2));
        var outcomes = receipt.GetProperty("outcomes").EnumerateArray().ToList();
        outcomes.Select(outcome => outcome.GetProperty("status").GetString()).ShouldBe(["accepted", "rejected", "rejected", "accepted"]);
        outcomes[1].GetProperty("field").GetString().ShouldBe("id");
    }

    [TestCase("id", "\"not-a-uuid\"")]
    [TestCase("id", "null")]
    [TestCase("type", "\"ItemViewed\"")]
    [TestCase("type", "5")]
    [TestCase("occurredAt", "\"yesterday\"")]
    [TestCase("occurredAt", "\"2026-01-01T00:00:00\"")]
    [TestCase("occurredAt", "\"2199-01-01T00:00:00Z\"")]
    [TestCase("occurredAt", "\"0001-01-01T00:00:00Z\"")]
    [TestCase("sentAt", "{}")]
    [TestCase("anonymousId", "\"\"")]
    [TestCase("anonymousId", "null")]
    [TestCase("userId", "[1]")]
    [TestCase("itemId", "\"a\\u0000b\"")]
    [TestCase("context", "[]")]
    [TestCase("properties", "\"text\"")]
    [TestCase("properties", "{\"a\":\"\\u0000\"}")]
    [TestCase("properties", "{\"a\":\"\\ud800\"}")]
    [TestCase("properties", "{\"a\":1e99999}")]
    [TestCase("properties", "{\"a\":1e-99999}")]
    [TestCase("surprise", "1")]
    public async Task A_wrong_field_is_named_in_the_problem(string field, string value)
    {
        var fields = new Dictionary<string, string>
        {
            ["id"] = $"\"{Guid.CreateVersion7()}\"", ["type"] = "\"item_viewed\"", ["occurredAt"] = "\"2026-01-01T00:00:00Z\"", ["anonymousId"] = "\"a\"",
            ["itemId"] = "\"car-1\"",
        };
        fields[field] = value;

        using var answer = await PostAsync($"{{{string.Join(",", fields.Select(pair => $"\"{pair.Key}\":{pair.Value}"))}}}");

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").EnumerateObject().Single().Name.ShouldBe(field);
    }

    [TestCase("", HttpStatusCode.BadRequest)]
    [TestCase("17", HttpStatusCode.BadRequest)]
    [TestCase("[", HttpStatusCode.BadRequest)]
    [TestCase("[] []", HttpStatusCode.BadRequest)]
    [TestCase("{\"id\":", HttpStatusCode.BadRequest)]
    [TestCase("[]", HttpStatusCode.Accepted)]
    public async Task A_body_that_is_not_events_gets_a_clear_answer(string body, HttpStatusCode expected)
    {
        using var answer = await PostAsync(body);

        answer.StatusCode.ShouldBe(expected);
    }

    [Test]
    public async Task An_event_nested_without_end_is_rejected_and_the_one_beside_it_is_kept()
    {
        using var answer = await PostAsync($"[{Event().Replace("{}", string.Concat(Enumerable.Repeat("{\"a\":", 50_000)) + "1" + new string('}', 50_000))},{Event()}]");

        (await CountsAsync(answer)).ShouldBe((1, 0, 1));
    }

    [Test]
    public async Task Too_many_events_and_too_large_a_body_are_refused()
    {
        (await PostAsync($"[{string.Join(",", Enumerable.Range(0, 501).Select(_ => Event()))}]")).StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await PostAsync($"[{Event().Replace("{}", $"{{\"a\":\"{new string('x', 2 << 20)}\"}}")}]")).StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Test]
    public async Task A_compressed_bomb_is_refused_after_the_limit()
    {
        using var answer = await PostCompressedAsync(Encoding.UTF8.GetBytes("[" + new string(' ', 64 << 20) + "]"));

        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Test]
    public async Task A_compressed_body_is_read()
    {
        using var answer = await PostCompressedAsync(Encoding.UTF8.GetBytes($"[{Event()}]"));

        (await CountsAsync(answer)).ShouldBe((1, 0, 0));
    }

    [Test]
    public async Task A_clock_that_is_an_hour_fast_is_corrected_by_the_time_of_sending()
    {
        var id = Guid.CreateVersion7();
        var theirNow = DateTimeOffset.UtcNow.AddHours(1);
        (await PostAsync($$"""{"id":"{{id}}","type":"item_viewed","occurredAt":"{{theirNow.AddMinutes(-5):O}}","sentAt":"{{theirNow:O}}","anonymousId":"a","itemId":"car-1"}"""))
            .StatusCode.ShouldBe(HttpStatusCode.Accepted);

        (await ScalarAsync<double>($"select extract(epoch from timestamp - occurred_at)::float8 from events.mt_events where id = '{id}'")).ShouldBe(300, tolerance: 30);
        (await ScalarAsync<bool>($"select (data->>'claimedAt')::timestamptz = '{theirNow.AddMinutes(-5):O}' from events.mt_events where id = '{id}'")).ShouldBeTrue();
    }

    [Test]
    public async Task Random_bytes_never_break_the_server_nor_lose_the_good_events_beside_them()
    {
        var random = new Random(7);
        var template = Encoding.UTF8.GetBytes($"[{Event()},{Event()}]");
        var good = 0;
        for (var i = 0; i < 400; i++)
        {
            var body = (byte[])template.Clone();
            for (var flips = random.Next(1, 6); flips > 0; flips--)
            {
                body[random.Next(body.Length)] = (byte)random.Next(256);
            }

            using var answer = await PostAsync(body);
            ((int)answer.StatusCode).ShouldBeLessThan(500, Encoding.UTF8.GetString(body));
            using var beside = await PostAsync(Encoding.UTF8.GetBytes(Event()));
            good += beside.StatusCode == HttpStatusCode.Accepted ? 1 : 0;
        }

        good.ShouldBe(400);
    }

    private static string Event() => $$$"""{"id":"{{{Guid.CreateVersion7()}}}","type":"item_viewed","occurredAt":"2026-01-01T00:00:00Z","anonymousId":"a","itemId":"car-1","properties":{}}""";

    private Task<HttpResponseMessage> PostAsync(string body) => PostAsync(Encoding.UTF8.GetBytes(body));

    private async Task<HttpResponseMessage> PostAsync(byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await Client.PostAsync("/api/events", content);
    }

    private async Task<HttpResponseMessage> PostCompressedAsync(byte[] body)
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(body);
        }

        using var content = new ByteArrayContent(packed.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        content.Headers.ContentEncoding.Add("gzip");
        return await Client.PostAsync("/api/events", content);
    }

    private static async Task<(int Accepted, int Repeated, int Rejected)> CountsAsync(HttpResponseMessage answer)
    {
        var receipt = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return (receipt.GetProperty("accepted").GetInt32(), receipt.GetProperty("repeated").GetInt32(), receipt.GetProperty("rejected").GetInt32());
    }
}
