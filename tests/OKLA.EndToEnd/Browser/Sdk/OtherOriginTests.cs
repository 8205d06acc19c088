using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Playwright;

namespace OKLA.EndToEnd.Browser.Sdk;

/// <summary>The SDK on a site of another origin than the host's, as the marketplace's is: what the browser asks first, and what it lets through.</summary>
internal sealed class OtherOriginTests : SdkTest
{
    private readonly ConcurrentQueue<IRequest> requests = [];

    [SetUp]
    public void Listen()
    {
        requests.Clear();
        Context.Request += (_, request) => requests.Enqueue(request);
    }

    [Test]
    public async Task Events_of_a_configured_origin_arrive_once_without_asking_first()
    {
        using var site = new OtherSite(BrowserSession.OtherOrigin, Page);
        var tab = await OpenTabAsync(BrowserSession.OtherOrigin + "/vehiculos");
        await ShareAsync(tab, "from-elsewhere");
        (await LogOfAsync(await VisitorAsync(tab), "from-elsewhere")).Count(one => one.ItemId == "from-elsewhere").ShouldBe(1);
        await UntilAsync(async () => await WaitingAsync(tab) == 0, () => "The page was not allowed to read the answer.");

        var sent = requests.Where(request => new Uri(request.Url).AbsolutePath == "/api/events").ToArray();
        sent.ShouldAllBe(request => request.Method == "POST");
        (await sent[0].HeaderValueAsync("origin")).ShouldBe(BrowserSession.OtherOrigin);
        Wire.Select(one => one.Id).ShouldBeUnique();
    }

    [Test]
    public async Task A_signed_in_visitor_of_a_configured_origin_may_show_the_token()
    {
        using var site = new OtherSite(BrowserSession.OtherOrigin, Page);
        var tab = await OpenTabAsync(BrowserSession.OtherOrigin + "/vehiculos");
        using var signedIn = await BrowserSession.Host.Client.PostAsync("/api/auth/demo/buyer", null);
        using var body = JsonDocument.Parse(await signedIn.Content.ReadAsStringAsync());
        await tab.EvaluateAsync("token => okla.identify('whoever', token)", body.RootElement.GetProperty("accessToken").GetString());
        await ShareAsync(tab, "signed-in-elsewhere");
        await LogOfAsync(await VisitorAsync(tab), "signed-in-elsewhere");
        await UntilAsync(async () => await WaitingAsync(tab) == 0, () => "The page was not allowed to read the answer.");
    }

    [Test]
    public async Task A_page_of_an_origin_that_is_not_configured_reads_no_answer_and_keeps_its_events()
    {
        var origin = OtherSite.FreeOrigin();
        using var site = new OtherSite(origin, Page);
        var refused = new TaskCompletionSource();
        Context.RequestFailed += (_, request) => _ = new Uri(request.Url).AbsolutePath == "/api/events" && refused.TrySetResult();
        var tab = await OpenTabAsync(origin + "/vehiculos");
        await ShareAsync(tab, "stranger");
        await refused.Task.WaitAsync(TimeSpan.FromSeconds(12));
        (await WaitingAsync(tab)).ShouldBeGreaterThan(0);
        (await tab.EvaluateAsync<bool>("url => fetch(url).then(() => true, () => false)", BrowserSession.Host.Address + "api/events/schemas")).ShouldBeFalse();
    }
}
