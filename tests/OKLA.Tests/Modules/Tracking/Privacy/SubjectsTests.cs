using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OKLA.Shared.EventLog;

namespace OKLA.Tests.Modules.Tracking.Privacy;

public sealed class SubjectsTests : HostTest
{
    private const string Her = "maría-\"77\"";
    private const string Phone = "telefono-de-ella";
    private const string Words = "quiero la roja de la esquina";

    [Test]
    public async Task An_erased_person_is_in_no_table_any_more_and_the_counts_stay()
    {
        using var admin = await SignInAsync("admin");
        var shared = Event("otro", "car-1", anonymous: "computadora-de-casa").Replace(Words, "otra cosa");
        foreach (var body in new[]
        {
            Event(null, "car-1", anonymous: Phone), Event(Her, "car-1", anonymous: Phone), Event(Her, "car-2", anonymous: null), Event(Her, "car-2", anonymous: "computadora-de-casa"), shared,
        })
        {
            (await PostAsync(admin, body)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        }

        // One that was rejected, written in escapes, and what a model said of her.
        (await PostAsync(admin, Event(Her, "car-1", Phone).Replace("maría", "mar\\u00eda").Replace("\"chat\"", "\"paloma\""))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        await Service<EventLog>().AppendAsync("prediction-x", ExpectedVersion.Any, [NewEvent.Of("prediction_served", new { subject = Her, items = new[] { "car-1" } })]);
        await Service<Subscriptions>().CatchUpAsync();
        (await TablesWithAsync("maría", Phone, Words)).ShouldContain("features.interactions");

        var export = await admin.GetFromJsonAsync<JsonElement>($"/api/privacy/subjects/{Uri.EscapeDataString(Her)}");
        // What she did, and the two links to the browsers that she signed in on.
        export.GetProperty("events").GetArrayLength().ShouldBe(6);
        export.GetRawText().ShouldContain(Words);

        using var answer = await admin.DeleteAsync($"/api/privacy/subjects/{Uri.EscapeDataString(Her)}");
        var receipt = await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
        await Service<Subscriptions>().CatchUpAsync();

        (await TablesWithAsync("maría", "mar\\u00eda", Phone, Words)).ShouldBeEmpty();
        (receipt.GetProperty("ownEvents").GetInt32(), receipt.GetProperty("mentions").GetInt32(), receipt.GetProperty("rejected").GetInt32()).ShouldBe((6, 1, 1));
        receipt.GetProperty("hash").GetString().ShouldBe(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(receipt.GetProperty("salt").GetString() + Her))));
        (await ScalarAsync<long>("select count(*) from tracking.erasures")).ShouldBe(1);
        (await ScalarAsync<long>("select count(*) from events.mt_events where type = 'contacted'")).ShouldBe(5);
        (await ScalarAsync<long>("select count(*) from events.mt_streams s where s.version <> (select count(*) from events.mt_events e where e.stream_id = s.id)")).ShouldBe(0);
        // The other user of the shared computer keeps what is his.
        (await ScalarAsync<string>("select string_agg(data->'properties'->>'comment', ',') from events.mt_events where data->>'userId' = 'otro'")).ShouldBe("otra cosa");

        // A rebuild reads the log without her as well.
        foreach (var projection in new[] { "features.behaviour", "tracking.identity", "tracking.sessions" })
        {
            await Service<Subscriptions>().RebuildAsync(projection);
        }

        await Service<Subscriptions>().CatchUpAsync();
        (await TablesWithAsync("maría", Phone, Words)).ShouldBeEmpty();
    }

    [Test]
    public async Task Only_the_person_and_an_admin_see_or_erase_her()
    {
        using var buyer = await SignInAsync("buyer");
        (await Client.GetAsync("/api/privacy/subjects/ana")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await buyer.GetAsync("/api/privacy/subjects/ana")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await buyer.DeleteAsync("/api/privacy/subjects/ana")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var signedIn = await Client.PostAsync("/api/auth/demo/buyer", null);
        var self = (await signedIn.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("user").GetProperty("id").GetString();
        (await buyer.GetAsync($"/api/privacy/subjects/{self}")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static string Event(string? user, string item, string? anonymous) => JsonSerializer.Serialize(new Dictionary<string, object?>
    {
        ["id"] = Guid.CreateVersion7(), ["type"] = "contacted", ["occurredAt"] = "2026-01-01T00:00:00Z", ["anonymousId"] = anonymous, ["userId"] = user, ["itemId"] = item,
        ["properties"] = new Dictionary<string, object> { ["channel"] = "chat", ["comment"] = Words },
    }, Plain);

    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string body) => client.PostAsync("/api/events", new StringContent(body, Encoding.UTF8, "application/json"));

    /// <summary>Every table of the database in which one of the texts stands anywhere.</summary>
    private async Task<List<string>> TablesWithAsync(params string[] texts)
    {
        var tables = new List<string>();
        await using (var command = Database.CreateCommand("select table_schema || '.' || table_name from information_schema.tables where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')"))
        await using (var rows = await command.ExecuteReaderAsync())
        {
            while (await rows.ReadAsync()) tables.Add(rows.GetString(0));
        }

        var found = new List<string>();
        foreach (var table in tables)
        {
            await using var search = Database.CreateCommand($"select count(*) from {table} t where exists (select 1 from unnest($1) as x where position(x in t::text) > 0)");
            search.Parameters.Add(new Npgsql.NpgsqlParameter { Value = texts });
            if ((long)(await search.ExecuteScalarAsync())! > 0) found.Add(table);
        }

        return found;
    }
}
