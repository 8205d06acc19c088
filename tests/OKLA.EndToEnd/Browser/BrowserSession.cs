using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Playwright;
using OKLA.EndToEnd.Browser.Sdk;

namespace OKLA.EndToEnd.Browser;

/// <summary>One host with a small catalogue and one browser for all browser tests.</summary>
[SetUpFixture]
internal sealed class BrowserSession
{
    /// <summary>Origin of a site that the host lets read its answers. Nothing listens there before a test does.</summary>
    public static string OtherOrigin { get; } = OtherSite.FreeOrigin();

    private static IPlaywright? playwright;
    private static string? folder;

    /// <summary>The running host.</summary>
    public static HostProcess Host { get; private set; } = null!;

    /// <summary>The running browser.</summary>
    public static IBrowser Browser { get; private set; } = null!;

    /// <summary>The host's data folder.</summary>
    public static string DataFolder => folder!;

    /// <summary>Titles of the vehicles in the host's catalogue by id.</summary>
    public static IReadOnlyDictionary<string, string> Catalogue { get; } = new Dictionary<string, string>
    {
        ["e2e-1"] = "Toyota Hilux SR", ["e2e-2"] = "Honda Civic EX", ["e2e-3"] = "Hyundai Tucson GL", ["e2e-4"] = "Kia Picanto LX",
    };

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        playwright = await Playwright.CreateAsync();
        Browser = await Chromium.LaunchAsync(playwright);
        folder = Directory.CreateTempSubdirectory("okla-browser-").FullName;
        Host = await HostProcess.StartAsync(folder, "--Web:AllowedOrigins:0", OtherOrigin);
        await FillCatalogueAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (Browser is not null) await Browser.DisposeAsync();
        playwright?.Dispose();
        if (Host is not null) await Host.DisposeAsync();
        if (folder is not null) Directory.Delete(folder, recursive: true);
    }

    private static async Task FillCatalogueAsync()
    {
        using var signedIn = await Host.Client.PostAsync("/api/auth/demo/admin", null);
        signedIn.EnsureSuccessStatusCode();
        var token = (await signedIn.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("accessToken").GetString();
        string[] bodies = ["camioneta", "sedan", "jeepeta", "hatchback"];
        var index = 0;
        foreach (var (id, title) in Catalogue)
        {
            var words = title.Split(' ', 2);
            using var put = new HttpRequestMessage(HttpMethod.Put, $"/api/catalog/items/{id}")
            {
                Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
                Content = JsonContent.Create(new
                {
                    kind = "vehicle",
                    title,
                    price = new { amount = 15_000 + (2_500 * index), currency = "USD" },
                    place = "Santiago",
                    attributes = new { make = words[0], model = words[1], year = 2019 + index, bodyType = bodies[index], fuel = "gasolina", mileageKm = 40_000 },
                }),
            };
            using var answer = await Host.Client.SendAsync(put);
            answer.EnsureSuccessStatusCode();
            index++;
        }
    }
}
