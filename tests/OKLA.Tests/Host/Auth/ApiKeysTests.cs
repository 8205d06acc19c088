using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Host.Auth;
using OKLA.Shared.Web;

namespace OKLA.Tests.Host.Auth;

/// <summary>API keys from their making to their end, against PostgreSQL.</summary>
internal sealed class ApiKeysTests : DatabaseTest
{
    private AuthApp app = null!;

    private string Admin => Token("admin");

    [OneTimeSetUp]
    public async Task StartAsync() => app = await AuthApp.StartAsync("Development", AuthApp.HmacSettings, Database);

    [OneTimeTearDown]
    public async Task StopAsync() => await app.DisposeAsync();

    [Test]
    public async Task A_key_opens_what_its_scopes_name_and_nothing_else()
    {
        foreach (var scope in Policies.Scopes.All.Where(scope => scope != Policies.Scopes.Admin))
        {
            var key = await CreateAsync([scope]);
            foreach (var other in Policies.Scopes.All.Where(other => other != Policies.Scopes.Admin))
            {
                var answer = await app.SendAsync("/" + other, method: HttpMethod.Post, headers: [(ApiKeyHandler.Header, key)]);
                answer.Status.ShouldBe(other == scope ? HttpStatusCode.OK : HttpStatusCode.Forbidden, $"{scope} at {other}");
            }

            foreach (var path in (string[])["/buyer", "/dealer", "/admin", "/api/admin/api-keys"])
                (await app.SendAsync(path, headers: [(ApiKeyHandler.Header, key)])).Status.ShouldBe(HttpStatusCode.Forbidden, $"{scope} at {path}");
        }
    }

    [Test]
    public async Task A_key_of_scope_admin_opens_everything()
    {
        var key = await CreateAsync([Policies.Scopes.Admin]);
        var answer = await app.SendAsync("/admin", headers: [(ApiKeyHandler.Header, key)]);
        (answer.Status, answer["role"], answer["id"], answer["keyId"]).ShouldBe((HttpStatusCode.OK, "Admin", null, IdOf(key)));
        (await app.SendAsync("/predict", method: HttpMethod.Post, headers: [(ApiKeyHandler.Header, key)])).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Test]
    public async Task The_secret_is_shown_once_and_never_stored()
    {
        var key = await CreateAsync([Policies.Scopes.Predict], name: "Servidor de precios");
        var list = await app.SendAsync("/api/admin/api-keys", Admin);
        var item = list.Body["items"]!.AsArray().Single(item => (string?)item!["keyId"] == IdOf(key))!;
        (item["name"]!.ToString(), item["createdBy"]!.ToString(), item["kind"]!.ToString()).ShouldBe(("Servidor de precios", "user-1", "server"));
        var secret = key[^64..];
        list.Body.ToJsonString().ShouldNotContain(secret);
        (await ScalarAsync<string>("select string_agg(k::text, '') from auth.api_keys k")).ShouldNotContain(secret);
        (await ScalarAsync<long>($"select count(*) from auth.api_keys where secret_hash = sha256('\\x{secret}')")).ShouldBe(1);
    }

    [Test]
    public async Task A_revoked_key_is_refused_at_once_and_stays_in_the_list()
    {
        var key = await CreateAsync([Policies.Scopes.Predict]);
        (string, string)[] header = [(ApiKeyHandler.Header, key)];
        (await app.SendAsync("/predict", method: HttpMethod.Post, headers: header)).Status.ShouldBe(HttpStatusCode.OK);
        (await app.SendAsync("/api/admin/api-keys/" + IdOf(key), Admin, HttpMethod.Delete)).Status.ShouldBe(HttpStatusCode.NoContent);

        var refused = await app.SendAsync("/predict", method: HttpMethod.Post, headers: header);
        (refused.Status, refused.Code, refused.Reason).ShouldBe((HttpStatusCode.Unauthorized, "key_invalid", nameof(Refusal.KeyRevoked)));
        var revokedAt = await ScalarAsync<DateTime>($"select revoked_at from auth.api_keys where key_id = '{IdOf(key)}'");
        (await app.SendAsync("/api/admin/api-keys/" + IdOf(key), Admin, HttpMethod.Delete)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await ScalarAsync<DateTime>($"select revoked_at from auth.api_keys where key_id = '{IdOf(key)}'")).ShouldBe(revokedAt);
        (await app.SendAsync("/api/admin/api-keys/0000000000000000", Admin, HttpMethod.Delete)).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task A_key_revoked_on_another_host_dies_here_when_the_cache_is_over()
    {
        var key = await CreateAsync([Policies.Scopes.Predict]);
        (string, string)[] header = [(ApiKeyHandler.Header, key)];
        (await app.SendAsync("/predict", method: HttpMethod.Post, headers: header)).Status.ShouldBe(HttpStatusCode.OK);
        await using (var other = await AuthApp.StartAsync("Development", AuthApp.HmacSettings, Database))
            (await other.SendAsync("/api/admin/api-keys/" + IdOf(key), Admin, HttpMethod.Delete)).Status.ShouldBe(HttpStatusCode.NoContent);

        (await app.SendAsync("/predict", method: HttpMethod.Post, headers: header)).Status.ShouldBe(HttpStatusCode.OK, "still remembered");
        app.Time.Advance(TimeSpan.FromSeconds(30));
        (await app.SendAsync("/predict", method: HttpMethod.Post, headers: header)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Test]
    public async Task A_wrong_secret_an_unknown_id_and_a_misspelt_key_are_refused_alike()
    {
        var key = await CreateAsync([Policies.Scopes.Predict]);
        var wrongSecret = key[..^1] + (key[^1] == '0' ? '1' : '0');
        foreach (var (sent, reason) in ((string, Refusal)[])
                 [
                     (wrongSecret, Refusal.KeyWrongSecret), (ApiKey.Generate().Text, Refusal.KeyUnknown), (key.ToUpperInvariant(), Refusal.KeyMalformed),
                     (key + "0", Refusal.KeyMalformed), (key.Replace("okla", "alko", StringComparison.Ordinal), Refusal.KeyMalformed),
                 ])
        {
            var answer = await app.SendAsync("/predict", method: HttpMethod.Post, headers: [(ApiKeyHandler.Header, sent)]);
            (answer.Status, answer.Code, answer.Reason).ShouldBe((HttpStatusCode.Unauthorized, "key_invalid", reason.ToString()), sent);
        }
    }

    [Test]
    public async Task Any_flipped_character_of_a_key_is_refused()
    {
        var key = await CreateAsync([Policies.Scopes.Predict]);
        for (var i = 0; i < key.Length; i++)
        {
            var flipped = key[..i] + (key[i] == 'a' ? 'b' : 'a') + key[(i + 1)..];
            (await app.StatusAsync("/anonymous", ApiKeyHandler.Header, flipped)).ShouldBe(401, $"character {i}");
        }
    }

    [Test]
    public async Task A_browser_key_writes_events_from_its_own_pages_only()
    {
        var key = await CreateAsync([Policies.Scopes.EventsWrite], ApiKey.Browser, ["https://okla.com.do", "http://localhost:5173/"]);
        foreach (var (origin, status) in ((string?, HttpStatusCode)[])
                 [
                     ("https://okla.com.do", HttpStatusCode.OK), ("http://localhost:5173", HttpStatusCode.OK),
                     ("https://evil.test", HttpStatusCode.Unauthorized), ("http://okla.com.do", HttpStatusCode.Unauthorized),
                     ("https://okla.com.do.evil.test", HttpStatusCode.Unauthorized), ("null", HttpStatusCode.Unauthorized), (null, HttpStatusCode.Unauthorized),
                 ])
        {
            (string, string)[] headers = origin is null ? [(ApiKeyHandler.Header, key)] : [(ApiKeyHandler.Header, key), ("Origin", origin)];
            (await app.SendAsync("/events:write", method: HttpMethod.Post, headers: headers)).Status.ShouldBe(status, origin);
            if (status == HttpStatusCode.OK)
                (await app.SendAsync("/predict", method: HttpMethod.Post, headers: headers)).Status.ShouldBe(HttpStatusCode.Forbidden);
        }
    }

    [Test]
    public async Task A_key_and_a_token_together_are_both_or_neither()
    {
        var key = await CreateAsync([Policies.Scopes.EventsWrite]);
        var both = await app.SendAsync("/events:write", Token("buyer"), HttpMethod.Post, [(ApiKeyHandler.Header, key)]);
        (both.Status, both["id"], both["role"], both["keyId"]).ShouldBe((HttpStatusCode.OK, "user-1", "Buyer", IdOf(key)));
        (await app.SendAsync("/events:write", "x.y.z", HttpMethod.Post, [(ApiKeyHandler.Header, key)])).Code.ShouldBe("token_invalid");
        (await app.SendAsync("/buyer", Token("buyer"), headers: [(ApiKeyHandler.Header, "okla_")])).Code.ShouldBe("key_invalid");
    }

    [Test]
    public async Task The_last_use_is_noted_once_a_minute_and_a_refused_use_is_none()
    {
        var key = await CreateAsync([Policies.Scopes.Predict]);
        var last = $"select coalesce(extract(epoch from last_used_at), 0)::bigint from auth.api_keys where key_id = '{IdOf(key)}'";
        await app.SendAsync("/anonymous", headers: [(ApiKeyHandler.Header, key[..^1] + (key[^1] == '0' ? '1' : '0'))]);
        (await ScalarAsync<long>(last)).ShouldBe(0);

        var first = app.Time.GetUtcNow().ToUnixTimeSeconds();
        await app.SendAsync("/anonymous", headers: [(ApiKeyHandler.Header, key)]);
        (await ScalarAsync<long>(last)).ShouldBe(first);
        app.Time.Advance(TimeSpan.FromSeconds(40));
        await app.SendAsync("/anonymous", headers: [(ApiKeyHandler.Header, key)]);
        (await ScalarAsync<long>(last)).ShouldBe(first);
        app.Time.Advance(TimeSpan.FromSeconds(20));
        await app.SendAsync("/anonymous", headers: [(ApiKeyHandler.Header, key)]);
        (await ScalarAsync<long>(last)).ShouldBe(first + 60);
    }

    [Test]
    public async Task Only_an_admin_manages_keys()
    {
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
        {
            (await app.SendAsync("/api/admin/api-keys", method: method)).Status.ShouldBe(HttpStatusCode.Unauthorized);
            (await app.SendAsync("/api/admin/api-keys", Token("dealer"), method)).Status.ShouldBe(HttpStatusCode.Forbidden);
        }

        (await app.SendAsync("/api/admin/api-keys/0000000000000000", Token("buyer"), HttpMethod.Delete)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [TestCase("""{}""", "name kind scopes")]
    [TestCase("""{"name":" ","kind":"server","scopes":["predict"]}""", "name")]
    [TestCase("""{"name":"a\u0000b","kind":"server","scopes":["predict"]}""", "name")]
    [TestCase("""{"name":"x","kind":"robot","scopes":["predict"]}""", "kind")]
    [TestCase("""{"name":"x","kind":"server","scopes":[]}""", "scopes")]
    [TestCase("""{"name":"x","kind":"server","scopes":["everything"]}""", "scopes")]
    [TestCase("""{"name":"x","kind":"server","scopes":[null]}""", "scopes")]
    [TestCase("""{"name":"x","kind":"server","scopes":["predict"],"origins":["https://okla.com.do"]}""", "origins")]
    [TestCase("""{"name":"x","kind":"browser","scopes":["events:write","predict"],"origins":["https://okla.com.do"]}""", "scopes")]
    [TestCase("""{"name":"x","kind":"browser","scopes":["admin"],"origins":["https://okla.com.do"]}""", "scopes")]
    [TestCase("""{"name":"x","kind":"browser","scopes":["events:write"]}""", "origins")]
    [TestCase("""{"name":"x","kind":"browser","scopes":["events:write"],"origins":["*"]}""", "origins")]
    [TestCase("""{"name":"x","kind":"browser","scopes":["events:write"],"origins":[null]}""", "origins")]
    public async Task A_wish_that_makes_no_sense_is_answered_with_its_fields(string wish, string fields)
    {
        var answer = await app.SendAsync("/api/admin/api-keys", Admin, HttpMethod.Post, body: JsonNode.Parse(wish));
        answer.Status.ShouldBe(HttpStatusCode.BadRequest);
        answer.Body["errors"]!.AsObject().Select(error => error.Key).ShouldBe(fields.Split(' '));
    }

    [Test]
    public async Task Requests_that_arrive_together_ask_the_database_once()
    {
        var key = await CreateAsync([Policies.Scopes.Predict]);
        app.Time.Advance(TimeSpan.FromHours(1));
        var keys = app.Services.GetRequiredService<ApiKeys>();
        var found = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => keys.FindAsync(IdOf(key)))));
        // One answer of the database is one object.
        found.Distinct(ReferenceEqualityComparer.Instance).ShouldHaveSingleItem().ShouldNotBeNull();
    }

    private static string IdOf(string key) => key.Split('_')[1];

    private string Token(string role)
    {
        var claims = Tokens.Claims(app.Time.GetUtcNow());
        claims["role"] = role;
        return Tokens.Hs256(claims);
    }

    private async Task<string> CreateAsync(string[] scopes, string kind = ApiKey.Server, string[]? origins = null, string name = "prueba")
    {
        var answer = await app.SendAsync("/api/admin/api-keys", Admin, HttpMethod.Post, body: new { name, kind, scopes, origins });
        answer.Status.ShouldBe(HttpStatusCode.Created, answer.Body.ToJsonString());
        return answer["key"]!;
    }
}
