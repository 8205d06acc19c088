using System.Net.Http.Json;
using System.Text.Json;
using OKLA.Sdk;

namespace OKLA.Tests.Host.Sdk;

/// <summary>The client for servers and the real host, with a real key.</summary>
public sealed class OklaClientAgainstHostTests : HostTest
{
    [Test]
    public async Task The_host_takes_what_the_client_sends_once_and_says_what_is_wrong_with_the_rest()
    {
        using var admin = await SignInAsync("admin");
        using var made = await admin.PostAsJsonAsync("/api/admin/api-keys", new { name = "Servidor", kind = "server", scopes = new[] { "events:write" } });
        var key = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key").GetString()!;
        using var http = new HttpClient();
        await using var okla = new OklaClient(http, new Uri(Client.BaseAddress!, "/api/events"), key);

        var good = new OklaEvent("contacted") { UserId = "user-7", ItemId = "car-1042", Properties = new { channel = "call" }, Context = new { consent = "analytics" } };
        var bad = new OklaEvent("contacted") { UserId = "user-7", ItemId = "car-1042", OccurredAt = new DateTimeOffset(1999, 1, 1, 0, 0, 0, TimeSpan.Zero) };
        var outcomes = await okla.SendAsync([good, bad, good]);

        outcomes.Select(outcome => (outcome.Id, outcome.Status)).ShouldBe([(good.Id, "accepted"), (bad.Id, "rejected"), (good.Id, "repeated")]);
        outcomes[1].Field.ShouldBe("occurredAt");
        (await okla.SendAsync([good])).ShouldHaveSingleItem().Status.ShouldBe("repeated");
    }
}
