using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OKLA.Shared.Messaging;
using OKLA.Tracking.Ingest;

namespace OKLA.Tests.Modules.Tracking.Ingest;

/// <summary>Who may send, in what wrapping, and what happens to what is turned away.</summary>
public sealed class IngestDoorTests : HostTest
{
    private const string Site = "https://okla.com.do";
    private HttpClient admin = null!;

    protected override string[] Settings => ["--Tracking:RequireKey", "true", "--Web:AllowedOrigins:0", Site, "--EventLog:QueueCapacity", "1000"];

    [OneTimeSetUp]
    public async Task SignInAsync() => admin = await SignInAsync("admin");

    [OneTimeTearDown]
    public void SignOut() => admin.Dispose();

    [Test]
    public async Task Where_a_key_is_required_nobody_writes_without_one()
    {
        using var buyer = await SignInAsync("buyer");

        (await SendAsync(Client, Event())).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await SendAsync(buyer, Event())).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(Client, Event(), key: await KeyAsync("server", "catalog:write"))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(Client, Event(), key: await KeyAsync("server", "events:write"))).StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Test]
    public async Task A_browser_s_key_writes_events_from_its_site_and_nothing_else()
    {
        var key = await KeyAsync("browser", "events:write", Site);

        (await SendAsync(Client, Event(), key: key, origin: Site)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await SendAsync(Client, Event(), key: key, origin: "https://elsewhere.do")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await SendAsync(Client, Event(), key: key)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var request = new HttpRequestMessage(HttpMethod.Put, "/api/catalog/items/x") { Content = JsonContent.Create(new { kind = "vehicle", title = "x" }) };
        request.Headers.Add("X-Api-Key", key);
        request.Headers.Add("Origin", Site);
        (await Client.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Test]
    public async Task A_beacon_brings_its_key_in_the_address_and_a_server_s_key_does_not_belong_there()
    {
        var browser = await KeyAsync("browser", "events:write", Site);
        var server = await KeyAsync("server", "events:write");

        (await SendAsync(Client, Event(), origin: Site, path: $"/api/events?key={browser}", type: "text/plain")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await SendAsync(Client, Event(), origin: Site, path: $"/api/events?key={server}", type: "text/plain")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Test]
    public async Task A_server_s_key_speaks_for_any_user_and_a_visitor_s_token_for_its_own()
    {
        var userEvent = Event().Replace("\"anonymousId\"", "\"userId\":\"u-77\",\"anonymousId\"");
        var (server, browser) = (await KeyAsync("server", "events:write"), await KeyAsync("browser", "events:write", Site));
        await SendAsync(Client, userEvent, key: server);
        (await ScalarAsync<long>("select count(*) from events.mt_events where data->>'userId' = 'u-77' and type <> 'person_linked'")).ShouldBe(1);

        using var answer = await SendAsync(Client, Event().Replace("\"anonymousId\"", "\"userId\":\"u-77\",\"anonymousId\""), key: browser, origin: Site);
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("outcomes")[0].GetProperty("field").GetString().ShouldBe("userId");
        (await ScalarAsync<long>("select count(*) from events.mt_events where data->>'userId' = 'u-77' and type <> 'person_linked'")).ShouldBe(1);
    }

    [Test]
    public async Task A_page_of_an_allowed_site_passes_the_browser_s_question_and_another_does_not()
    {
        foreach (var (origin, allowed) in new[] { (Site, true), ("https://elsewhere.do", false) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Options, "/api/events");
            request.Headers.Add("Origin", origin);
            request.Headers.Add("Access-Control-Request-Method", "POST");
            request.Headers.Add("Access-Control-Request-Headers", "content-type,x-api-key,content-encoding");
            using var answer = await Client.SendAsync(request);
            answer.Headers.Contains("Access-Control-Allow-Origin").ShouldBe(allowed);
        }
    }

    [TestCase("gzip")]
    [TestCase("br")]
    public async Task A_compressed_body_is_read_a_bomb_and_rubbish_are_refused(string encoding)
    {
        var key = await KeyAsync("server", "events:write");

        (await SendAsync(Client, Pack(encoding, Encoding.UTF8.GetBytes(Event())), key, encoding)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await SendAsync(Client, Pack(encoding, new byte[256 << 20]), key, encoding)).StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await SendAsync(Client, Encoding.UTF8.GetBytes(Event()), key, encoding)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await SendAsync(Client, Pack(encoding, Encoding.UTF8.GetBytes(Event()))[..20], key, encoding)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await SendAsync(Client, Encoding.UTF8.GetBytes(Event()), key, "zstd")).StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
    }

    [Test]
    public async Task When_the_queue_is_full_the_sender_is_told_to_wait_and_nothing_of_it_is_kept()
    {
        var key = await KeyAsync("server", "events:write");
        await using var connection = await Database.OpenConnectionAsync();
        await using var blocked = await connection.BeginTransactionAsync();
        await using (var stop = new Npgsql.NpgsqlCommand("lock table events.mt_streams in exclusive mode", connection, blocked))
        {
            await stop.ExecuteNonQueryAsync();
        }

        // Two of the three fill the queue to its last place, whichever they are.
        var sent = Enumerable.Range(0, 3).Select(_ => SendAsync(Client, Batch(500), key: key)).ToList();
        var turnedAway = await Task.WhenAny(sent).WaitAsync(TimeSpan.FromSeconds(20));
        using var answer = await turnedAway;
        answer.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        answer.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));

        await blocked.RollbackAsync();
        foreach (var answered in await Task.WhenAll(sent.Where(task => task != turnedAway))) answered.StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Test]
    public async Task A_rejected_event_is_kept_masked_and_replayed_when_its_schema_is_there()
    {
        var key = await KeyAsync("server", "events:write");
        var id = Guid.CreateVersion7();
        var sent = $$$"""[{{{Event()}}},{"id":"{{{id}}}","type":"custom_late","occurredAt":"2026-01-05T00:00:00Z","userId":"u-5","context":{"ip":"190.80.1.2"},"properties":{"note":"mi correo es ana@mail.com"}}]""";
        using (var answer = await SendAsync(Client, sent, key: key))
        {
            (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("rejected").GetInt32().ShouldBe(1);
        }

        var list = await admin.GetFromJsonAsync<JsonElement>("/api/admin/tracking/rejected?type=custom_late");
        var row = list.GetProperty("items").EnumerateArray().Single();
        row.GetProperty("field").GetString().ShouldBe("type");
        row.GetProperty("body").GetString()!.ShouldContain("[correo]");
        row.GetProperty("body").GetString()!.ShouldNotContain("ana@mail.com");
        row.GetProperty("body").GetString()!.ShouldNotContain("190.80");
        (await ReplayAsync("custom_late")).ShouldBe((0, 0, 1));

        (await admin.PutAsync("/api/events/schemas/custom/custom_late", new StringContent("""{"description":"d","properties":{"note":{"type":"string"}}}""", Encoding.UTF8, "application/json")))
            .StatusCode.ShouldBe(HttpStatusCode.Created);

        (await ReplayAsync("custom_late")).ShouldBe((1, 0, 0));
        (await ReplayAsync("custom_late")).ShouldBe((0, 0, 0));
        (await ScalarAsync<string>($"select stream_id || ' ' || (data->'properties'->>'note') from events.mt_events where id = '{id}'")).ShouldBe("user-u-5 mi correo es [correo]");
    }

    [Test]
    public async Task What_is_past_its_time_is_forgotten()
    {
        await ExecuteAsync("""
            insert into tracking.rejected_events (received_at, field, reason, bot) values (now() - interval '31 days', 'old', 'x', false), (now(), 'new', 'x', false);
            insert into tracking.address_keys (day, key) select d::date, decode(repeat('00', 32), 'hex') from generate_series(now() at time zone 'utc' - interval '5 days', now() at time zone 'utc' - interval '1 day', '1 day') d
            """);

        var report = await Service<IMessageBus>().InvokeAsync<TrimReport>(new TrimTracking());

        (report.Rejected, report.Keys).ShouldBe((1, 4));
        (await ScalarAsync<long>("select count(*) from tracking.rejected_events where field = 'new'")).ShouldBe(1);
    }

    private async Task<(int, int, int)> ReplayAsync(string type)
    {
        using var answer = await admin.PostAsync($"/api/admin/tracking/rejected/replay?type={type}", null);
        var result = await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
        return (result.GetProperty("accepted").GetInt32(), result.GetProperty("repeated").GetInt32(), result.GetProperty("stillRejected").GetInt32());
    }

    private async Task<string> KeyAsync(string kind, string scope, params string[] origins)
    {
        using var answer = await admin.PostAsJsonAsync("/api/admin/api-keys", new { name = "test", kind, scopes = new[] { scope }, origins });
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key").GetString()!;
    }

    private static string Event(Guid? id = null) => $$"""{"id":"{{id ?? Guid.CreateVersion7()}}","type":"item_viewed","occurredAt":"2026-01-01T00:00:00Z","anonymousId":"a","itemId":"car-1"}""";

    private static string Batch(int events) => $"[{string.Join(",", Enumerable.Range(0, events).Select(_ => Event()))}]";

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string body, string? key = null, string? origin = null, string path = "/api/events", string type = "application/json") =>
        SendAsync(client, Encoding.UTF8.GetBytes(body), key, null, origin, path, type);

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, byte[] body, string? key, string? encoding, string? origin = null, string path = "/api/events", string type = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        if (encoding is not null) request.Content.Headers.ContentEncoding.Add(encoding);
        if (key is not null) request.Headers.Add("X-Api-Key", key);
        if (origin is not null) request.Headers.Add("Origin", origin);
        return await client.SendAsync(request);
    }

    private static byte[] Pack(string encoding, byte[] body)
    {
        using var packed = new MemoryStream();
        using (Stream stream = encoding == "br" ? new BrotliStream(packed, CompressionLevel.Optimal, leaveOpen: true) : new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            stream.Write(body);
        }

        return packed.ToArray();
    }
}
