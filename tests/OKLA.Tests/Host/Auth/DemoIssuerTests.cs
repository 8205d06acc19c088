using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OKLA.Host.Auth;

namespace OKLA.Tests.Host.Auth;

internal sealed class DemoIssuerTests
{
    private string folder = "";

    private string KeyFile => Path.Combine(folder, "auth", "demo.key");

    [SetUp]
    public void CreateFolder() => folder = Directory.CreateTempSubdirectory("okla-demo-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [TestCase("buyer", "Buyer", null)]
    [TestCase("dealer", "Dealer", "demo-dealer")]
    [TestCase("admin", "Admin", null)]
    public async Task In_Development_there_is_one_account_a_role(string role, string told, string? dealer)
    {
        await using var app = await AuthApp.StartAsync("Development", []);
        var signedIn = await app.SendAsync($"/api/auth/demo/{role}", method: HttpMethod.Post);
        signedIn.Status.ShouldBe(HttpStatusCode.OK);
        signedIn["expiresIn"].ShouldBe("28800");
        signedIn.Body["user"]!["role"]!.ToString().ShouldBe(role);

        var who = await app.SendAsync("/" + role, signedIn["accessToken"]);
        (who.Status, who["id"], who["role"], who["dealerId"]).ShouldBe((HttpStatusCode.OK, "demo-" + role, told, dealer));

        app.Time.Advance(TimeSpan.FromHours(8) + TimeSpan.FromSeconds(30));
        (await app.SendAsync("/" + role, signedIn["accessToken"])).Code.ShouldBe("token_expired");
    }

    [Test]
    public async Task There_is_no_other_account()
    {
        await using var app = await AuthApp.StartAsync("Development", []);
        (await app.SendAsync("/api/auth/demo/root", method: HttpMethod.Post)).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [TestCase("Production")]
    [TestCase("Staging")]
    public async Task Outside_Development_it_does_not_exist_and_its_tokens_are_refused(string environment)
    {
        string? token;
        await using (var development = await AuthApp.StartAsync("Development", new() { ["Auth:DemoKeyFile"] = KeyFile }))
            token = (await development.SendAsync("/api/auth/demo/admin", method: HttpMethod.Post))["accessToken"];

        // The worst settings: the demo key is at hand, and the issuer bears the demo's name.
        var settings = AuthApp.HmacSettings;
        settings["Auth:DemoKeyFile"] = KeyFile;
        settings["Auth:Issuer"] = "okla-demo";
        await using var app = await AuthApp.StartAsync(environment, settings);
        foreach (var role in (string[])["buyer", "dealer", "admin"])
            (await app.SendAsync($"/api/auth/demo/{role}", method: HttpMethod.Post)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await app.SendAsync("/admin", token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        app.Services.GetService<DemoIssuer>().ShouldBeNull();
        Should.Throw<InvalidOperationException>(() => new DemoIssuer(
            app.Services.GetRequiredService<IOptions<AuthOptions>>(), app.Services.GetRequiredService<IHostEnvironment>(), app.Time, NullLogger<DemoIssuer>.Instance));
    }

    [Test]
    public async Task With_a_key_file_a_restart_leaves_people_signed_in_and_without_one_it_does_not()
    {
        foreach (var (settings, status) in ((Dictionary<string, string?>, HttpStatusCode)[])[(new() { ["Auth:DemoKeyFile"] = KeyFile }, HttpStatusCode.OK), ([], HttpStatusCode.Unauthorized)])
        {
            await using var before = await AuthApp.StartAsync("Development", settings);
            var token = (await before.SendAsync("/api/auth/demo/buyer", method: HttpMethod.Post))["accessToken"];
            await using var after = await AuthApp.StartAsync("Development", settings);
            (await after.SendAsync("/buyer", token)).Status.ShouldBe(status);
        }

        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(KeyFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.GetFiles(Path.GetDirectoryName(KeyFile)!).ShouldHaveSingleItem();
    }
}
