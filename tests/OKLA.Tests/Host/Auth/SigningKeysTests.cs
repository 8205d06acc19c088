using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OKLA.Host.Auth;

namespace OKLA.Tests.Host.Auth;

/// <summary>Keys that change while the host runs.</summary>
internal sealed class SigningKeysTests
{
    private readonly RSA first = RSA.Create(2048);
    private readonly RSA second = RSA.Create(2048);
    private readonly ManualTime time = new();
    private string file = "";

    private JsonObject Claims => Tokens.Claims(time.GetUtcNow());

    private Dictionary<string, string?> FileSettings => new() { ["Auth:Issuer"] = Tokens.Issuer, ["Auth:JwksFile"] = file, ["Auth:FailureBurst"] = "10000" };

    private static Dictionary<string, string?> UrlSettings => new()
    {
        ["Auth:Issuer"] = Tokens.Issuer,
        ["Auth:JwksUrl"] = "https://login.okla.test/keys",
        ["Auth:FailureBurst"] = "10000",
    };

    [SetUp]
    public void CreateFile() => file = Path.GetTempFileName();

    [TearDown]
    public void DeleteFile() => File.Delete(file);

    [OneTimeTearDown]
    public void DisposeKeys()
    {
        first.Dispose();
        second.Dispose();
    }

    [Test]
    public async Task A_rotated_key_is_accepted_after_the_file_is_read_again_and_the_old_one_is_not()
    {
        Write(Tokens.Set(Tokens.Jwk(first, "1")));
        await using var app = await AuthApp.StartAsync("Production", time, FileSettings);
        await Expect(app, first, "1", HttpStatusCode.OK);
        await Expect(app, second, "2", HttpStatusCode.Unauthorized);

        Write(Tokens.Set(Tokens.Jwk(second, "2")));
        time.Advance(TimeSpan.FromSeconds(1));
        await Expect(app, second, "2", HttpStatusCode.OK);
        await Expect(app, first, "1", HttpStatusCode.Unauthorized);
    }

    [Test]
    public async Task The_last_good_keys_stay_when_the_file_is_spoilt_or_gone()
    {
        Write(Tokens.Set(Tokens.Jwk(first, "1")));
        await using var app = await AuthApp.StartAsync("Production", time, FileSettings);
        foreach (var spoilt in (string[])["{\"keys\":[", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"RSA\"}]}", "{\"keys\":{},\"keys\":[]}"])
        {
            Write(spoilt);
            time.Advance(TimeSpan.FromSeconds(5));
            await Expect(app, first, "1", HttpStatusCode.OK);
        }

        File.Delete(file);
        time.Advance(TimeSpan.FromSeconds(5));
        await Expect(app, first, "1", HttpStatusCode.OK);
        Write(Tokens.Set(Tokens.Jwk(second, "2")));
        time.Advance(TimeSpan.FromSeconds(5));
        await Expect(app, second, "2", HttpStatusCode.OK);
    }

    [Test]
    public async Task A_key_file_that_is_a_link_moved_to_a_new_file_is_read_again()
    {
        var folder = Directory.CreateTempSubdirectory("okla-keys-").FullName;
        try
        {
            // As Kubernetes mounts a secret: keys.json -> ..data/keys.json, and ..data -> a folder of each version.
            foreach (var (version, key) in ((string, RSA)[])[("1", first), ("2", second)])
            {
                Directory.CreateDirectory(Path.Combine(folder, version));
                await File.WriteAllTextAsync(Path.Combine(folder, version, "keys.json"), Tokens.Set(Tokens.Jwk(key, version)));
                File.SetLastWriteTimeUtc(Path.Combine(folder, version, "keys.json"), DateTime.UnixEpoch.AddDays(int.Parse(version, CultureInfo.InvariantCulture)));
            }

            var data = Path.Combine(folder, "..data");
            Directory.CreateSymbolicLink(data, "1");
            File.CreateSymbolicLink(Path.Combine(folder, "keys.json"), Path.Combine("..data", "keys.json"));
            var settings = FileSettings;
            settings["Auth:JwksFile"] = Path.Combine(folder, "keys.json");
            await using var app = await AuthApp.StartAsync("Production", time, settings);
            await Expect(app, first, "1", HttpStatusCode.OK);

            Directory.Delete(data);
            Directory.CreateSymbolicLink(data, "2");
            time.Advance(TimeSpan.FromSeconds(1));
            await Expect(app, second, "2", HttpStatusCode.OK);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public async Task A_missing_or_useless_file_stops_the_start()
    {
        File.Delete(file);
        (await Should.ThrowAsync<OptionsValidationException>(() => AuthApp.StartAsync("Production", FileSettings))).Message.ShouldContain("Auth:JwksFile");
        Write(Tokens.Set(Tokens.Jwk("too short", "1")));
        (await Should.ThrowAsync<OptionsValidationException>(() => AuthApp.StartAsync("Production", FileSettings))).Message.ShouldContain("at least 32 bytes");
        using var weak = RSA.Create(1024);
        Write(Tokens.Set(Tokens.Jwk(weak, "1")));
        (await Should.ThrowAsync<OptionsValidationException>(() => AuthApp.StartAsync("Production", FileSettings))).Message.ShouldContain("2048");
    }

    [Test]
    public async Task An_unknown_key_id_makes_the_address_be_asked_again_but_not_more_often_than_the_minimum_interval()
    {
        var server = new KeyServer(Tokens.Set(Tokens.Jwk(first, "1")));
        await using var app = await AuthApp.StartAsync("Production", time, UrlSettings, services: server.Use);
        await Expect(app, first, "1", HttpStatusCode.OK);
        server.Requests.ShouldBe(1);

        server.Answer = Tokens.Set(Tokens.Jwk(first, "1"), Tokens.Jwk(second, "2"));
        for (var i = 0; i < 50; i++) await Expect(app, second, "2", HttpStatusCode.Unauthorized);
        server.Requests.ShouldBe(1);

        time.Advance(TimeSpan.FromSeconds(30));
        await Expect(app, second, "2", HttpStatusCode.OK);
        server.Requests.ShouldBe(2);
        await Expect(app, first, "1", HttpStatusCode.OK);
        server.Requests.ShouldBe(2);
    }

    [Test]
    public async Task Many_requests_with_an_unknown_key_id_ask_the_address_once()
    {
        var server = new KeyServer(Tokens.Set(Tokens.Jwk(first, "1"))) { Hold = new TaskCompletionSource() };
        await using var app = await AuthApp.StartAsync("Production", time, UrlSettings, services: server.Use);
        var requests = Enumerable.Range(0, 20).Select(_ => app.SendAsync("/buyer", Tokens.Rs256(Claims, first, "1"))).ToList();
        server.Hold.SetResult();
        foreach (var answer in await Task.WhenAll(requests)) answer.Status.ShouldBe(HttpStatusCode.OK);
        server.Requests.ShouldBe(1);
    }

    [Test]
    public async Task The_last_good_keys_stay_when_the_address_fails_and_old_keys_are_asked_for_again()
    {
        var server = new KeyServer(Tokens.Set(Tokens.Jwk(first, "1")));
        await using var app = await AuthApp.StartAsync("Production", time, UrlSettings, services: server.Use);
        await Expect(app, first, "1", HttpStatusCode.OK);

        server.Status = HttpStatusCode.InternalServerError;
        time.Advance(TimeSpan.FromHours(2));
        await Expect(app, first, "1", HttpStatusCode.OK);
        await Eventually(() => server.Requests == 2);

        // Back again without the first key: it dies when the set is read, though no unknown id asked for that.
        server.Status = HttpStatusCode.OK;
        server.Answer = Tokens.Set(Tokens.Jwk(second, "2"));
        time.Advance(TimeSpan.FromSeconds(30));
        await Eventually(async () => (await app.SendAsync("/buyer", Tokens.Rs256(Claims, first, "1"))).Status == HttpStatusCode.Unauthorized);
        await Expect(app, second, "2", HttpStatusCode.OK);
    }

    [Test]
    public async Task An_address_that_never_answered_is_no_fault_of_the_caller()
    {
        var server = new KeyServer("") { Status = HttpStatusCode.ServiceUnavailable };
        await using var app = await AuthApp.StartAsync("Production", time, UrlSettings, services: server.Use);
        await Expect(app, first, "1", HttpStatusCode.Unauthorized);
        server.Status = HttpStatusCode.OK;
        server.Answer = Tokens.Set(Tokens.Jwk(first, "1"));
        time.Advance(TimeSpan.FromSeconds(30));
        await Expect(app, first, "1", HttpStatusCode.OK);
    }

    [Test]
    public async Task A_secret_that_an_address_publishes_signs_nobody_in()
    {
        var server = new KeyServer(Tokens.Set(Tokens.Jwk(Tokens.Secret, "1"), Tokens.Jwk(first, "2")));
        await using var app = await AuthApp.StartAsync("Production", time, UrlSettings, services: server.Use);
        (await app.SendAsync("/buyer", Tokens.Hs256(Claims, "1"))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        await Expect(app, first, "2", HttpStatusCode.OK);
    }

    [Test]
    public async Task An_endless_key_set_is_not_read()
    {
        var server = new KeyServer(Tokens.Set(Tokens.Jwk(first, "1")) + new string(' ', 256 * 1024));
        await using var app = await AuthApp.StartAsync("Production", time, UrlSettings, services: server.Use);
        await Expect(app, first, "1", HttpStatusCode.Unauthorized);
    }

    private static async Task Eventually(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!await condition()) await Task.Delay(5, deadline.Token);
    }

    private static Task Eventually(Func<bool> condition) => Eventually(() => Task.FromResult(condition()));

    private async Task Expect(AuthApp app, RSA key, string keyId, HttpStatusCode status) =>
        (await app.SendAsync("/buyer", Tokens.Rs256(Claims, key, keyId))).Status.ShouldBe(status);

    // File systems keep times coarsely; the length alone may not change either, so the time is set.
    private void Write(string text)
    {
        File.WriteAllText(file, text);
        File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch.AddSeconds(++writes));
    }

    private int writes;

    private sealed class KeyServer(string answer) : HttpMessageHandler
    {
        private int requests;

        public string Answer { get; set; } = answer;

        public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

        public TaskCompletionSource? Hold { get; init; }

        public int Requests => Volatile.Read(ref requests);

        public void Use(IServiceCollection services) => services.AddHttpClient(SigningKeys.HttpClient).ConfigurePrimaryHttpMessageHandler(() => this);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref requests);
            if (Hold is not null) await Hold.Task;
            return new HttpResponseMessage(Status) { Content = new StringContent(Answer, Encoding.UTF8, "application/json") };
        }
    }
}
