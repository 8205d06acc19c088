using Microsoft.Extensions.Options;

namespace OKLA.Tests.Host.Auth;

/// <summary>Wrong settings stop the start, and say what to do.</summary>
internal sealed class AuthOptionsTests
{
    [TestCase("Production")]
    [TestCase("Staging")]
    public async Task Without_any_key_the_host_starts_in_Development_only(string environment)
    {
        await using (await AuthApp.StartAsync("Development", [])) { }
        (await Start(environment, [])).ShouldContain("set Auth:Issuer and one of Auth:JwksUrl, Auth:JwksFile or Auth:HmacKeys");
    }

    [Test]
    public async Task A_short_secret_stops_the_start()
    {
        (await Start("Production", Hmac(new string('x', 31)))).ShouldContain("Auth:HmacKeys:0:Secret must be at least 32 bytes");
        (await Start("Development", Hmac("base64:" + Convert.ToBase64String(new byte[31])))).ShouldContain("at least 32 bytes");
        (await Start("Production", Hmac("base64:not base64 however long it may be, and it is long"))).ShouldContain("at least 32 bytes");
        await using (await AuthApp.StartAsync("Production", Hmac("base64:" + Convert.ToBase64String(new byte[32])))) { }
    }

    [Test]
    public async Task Keys_without_an_issuer_stop_the_start()
    {
        var settings = AuthApp.HmacSettings;
        settings.Remove("Auth:Issuer");
        (await Start("Production", settings)).ShouldContain("Auth:Issuer");
    }

    [TestCase("Auth:JwksUrl", "http://login.okla.test/keys")]
    [TestCase("Auth:JwksUrl", "file:///etc/passwd")]
    [TestCase("Auth:JwksUrl", "/keys")]
    [TestCase("Auth:ClockSkew", "00:06:00")]
    [TestCase("Auth:ClockSkew", "-00:00:01")]
    [TestCase("Auth:Audience", "")]
    [TestCase("Auth:JwksMinimumInterval", "00:00:00")]
    [TestCase("Auth:ApiKeyCache", "01:00:00")]
    [TestCase("Auth:FailureBurst", "0")]
    [TestCase("Auth:FailuresPerMinute", "0")]
    [TestCase("Auth:RoleNames:boss", "superuser")]
    [TestCase("Auth:HmacKeys:0:Id", "")]
    public async Task A_value_out_of_range_stops_the_start(string name, string value)
    {
        var settings = AuthApp.HmacSettings;
        settings[name] = value;
        (await Start("Production", settings)).ShouldContain(name.Split(':')[1]);
    }

    [Test]
    public async Task Two_secrets_of_one_id_stop_the_start()
    {
        var settings = AuthApp.HmacSettings;
        settings["Auth:HmacKeys:1:Secret"] = Tokens.Secret;
        (await Start("Production", settings)).ShouldContain("same Id");
    }

    private static Dictionary<string, string?> Hmac(string secret) => new() { ["Auth:Issuer"] = Tokens.Issuer, ["Auth:HmacKeys:0:Secret"] = secret };

    private static async Task<string> Start(string environment, Dictionary<string, string?> settings) =>
        (await Should.ThrowAsync<OptionsValidationException>(() => AuthApp.StartAsync(environment, settings))).Message;
}
