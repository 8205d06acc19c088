using System.Text.Json;
using Microsoft.Playwright;

namespace OKLA.EndToEnd.Browser.Sdk;

/// <summary>What the SDK sees by itself, on a page of another site.</summary>
internal sealed class CaptureTests : SdkTest
{
    protected override string Body => """
        <style>li { height: 340px } main { height: 3000px }</style>
        <a id="away" href="http://elsewhere.invalid/listing?phone=8095550100" target="_blank">Elsewhere</a>
        <ul data-okla-list="newest"><li data-okla-item="car-1">1<li data-okla-item="car-2">2<li data-okla-item="car-3">3<li data-okla-item="car-4">4</ul>
        <main></main>
        """;

    [Test]
    public async Task Commands_given_before_the_script_is_there_are_done_when_it_is()
    {
        var tab = await Context.NewPageAsync();
        await tab.AddInitScriptAsync("window.okla = [['track', 'shared', 'early', { channel: 'link' }]]");
        await tab.GotoAsync(Site);
        await ReadyAsync(tab);
        (await LogOfAsync(await VisitorAsync(tab), "early")).ShouldHaveSingleItem();
    }

    [Test]
    public async Task The_module_does_what_the_script_does()
    {
        var tab = await Context.NewPageAsync();
        await tab.GotoAsync("/docs/");
        var visitor = await tab.EvaluateAsync<string>("""
            async () => {
              const { start } = await import('/sdk/okla.mjs');
              const okla = start({ auto: false });
              okla.track('shared', 'from-module', { channel: 'link' });
              okla.flush();
              return okla.anonymousId();
            }
            """);
        (await LogOfAsync(visitor, "from-module")).ShouldHaveSingleItem();
    }

    [Test]
    public async Task Every_page_of_a_single_page_application_is_a_view_with_its_seconds_and_depth()
    {
        var tab = await Context.NewPageAsync();
        await tab.Clock.InstallAsync();
        await tab.GotoAsync($"{Site}/first?utm_source=instagram");
        await ReadyAsync(tab);
        var visitor = await VisitorAsync(tab);
        await tab.Clock.RunForAsync(4_000);
        await tab.EvaluateAsync("() => history.replaceState({ scroll: 1 }, '')");
        await tab.EvaluateAsync("site => history.pushState(null, '', site + '/second')", Site);
        await tab.EvaluateAsync("() => new Promise(seen => { addEventListener('scroll', () => seen(), { once: true }); scrollTo(0, document.documentElement.scrollHeight); })");
        await tab.Clock.RunForAsync(2_000);
        await tab.EvaluateAsync("() => new Promise(back => { addEventListener('popstate', back, { once: true }); history.back(); })");
        await tab.Clock.RunForAsync(1_000);
        await tab.EvaluateAsync("site => history.pushState(null, '', site + '/last')", Site);
        await tab.Clock.RunForAsync(1_000);

        await LoggedAsync(visitor, view => view.Type == "page_viewed" && view.Page == $"{Site}/second");
        var views = new List<Sent>();
        await UntilAsync(
            async () =>
            {
                await tab.Clock.RunForAsync(500);
                views = [.. Wire.Where(one => one.Type == "page_viewed").DistinctBy(one => one.Id)];
                return views.Count == 3;
            },
            () => $"{views.Count} page views were sent, not 3.");
        views.Select(view => Property(view, "path").GetString()).ShouldBe([$"{Site}/first", $"{Site}/second", $"{Site}/first"]);
        Property(views[0], "visibleSeconds").GetDouble().ShouldBeInRange(4, 6);
        Property(views[0], "scrollDepth").GetDouble().ShouldBeInRange(0.1, 0.4);
        Property(views[1], "visibleSeconds").GetDouble().ShouldBeInRange(2, 4);
        Property(views[1], "scrollDepth").GetDouble().ShouldBe(1);
        views[0].Body.GetProperty("context").GetProperty("utm").GetString().ShouldBe("utm_source=instagram");
        views.ShouldAllBe(view => view.Body.GetProperty("sessionId").GetString() == views[0].Body.GetProperty("sessionId").GetString());
    }

    [Test]
    public async Task Seconds_count_only_while_the_page_is_in_sight_and_has_the_focus()
    {
        var tab = await Context.NewPageAsync();
        await tab.Clock.InstallAsync();
        await tab.GotoAsync(Site);
        await ReadyAsync(tab);
        var visitor = await VisitorAsync(tab);
        await tab.EvaluateAsync("() => okla.view('seen', { origin: 'search' })");
        await tab.Clock.RunForAsync(5_000);
        await SayAsync(tab, visible: true, focused: false);
        await tab.Clock.RunForAsync(60_000);
        await SayAsync(tab, visible: true, focused: true);
        await tab.Clock.RunForAsync(2_000);
        await SayAsync(tab, visible: false, focused: false);
        var first = await LoggedAsync(visitor, one => one.Type == "item_viewed");
        await tab.Clock.RunForAsync(60_000);
        await SayAsync(tab, visible: true, focused: true);
        await tab.Clock.RunForAsync(3_000);
        await tab.EvaluateAsync("() => okla.view(null)");
        await tab.Clock.RunForAsync(1_000);
        var second = await LoggedAsync(visitor, one => one.Type == "item_viewed" && one.Id != first.Id);

        first.Properties.GetProperty("visibleSeconds").GetDouble().ShouldBeInRange(7, 9);
        first.Properties.GetProperty("origin").GetString().ShouldBe("search");
        first.Properties.TryGetProperty("stretch", out _).ShouldBeFalse();
        second.Properties.GetProperty("visibleSeconds").GetDouble().ShouldBeInRange(3, 5);
        second.Properties.GetProperty("stretch").GetInt32().ShouldBe(2);
    }

    [Test]
    public async Task A_link_away_is_told_with_the_item_and_the_page_but_not_what_it_carries()
    {
        var tab = await Context.NewPageAsync();
        await tab.Clock.InstallAsync();
        await Context.RouteAsync("http://elsewhere.invalid/**", route => route.FulfillAsync(new() { Body = "gone" }));
        await tab.GotoAsync(Site);
        await ReadyAsync(tab);
        var visitor = await VisitorAsync(tab);
        await tab.EvaluateAsync("() => okla.view('left-from')");
        await tab.Clock.RunForAsync(2_000);
        await Context.RunAndWaitForPageAsync(() => tab.ClickAsync("#away"));
        await tab.EvaluateAsync("() => okla.view(null)");
        await tab.EvaluateAsync("site => history.pushState(null, '', site + '/next')", Site);
        await tab.Clock.RunForAsync(1_000);

        foreach (var type in (string[])["item_viewed", "page_viewed"])
        {
            var view = await LoggedAsync(visitor, one => one.Type == type);
            view.Properties.GetProperty("outboundClick").GetBoolean().ShouldBeTrue();
            view.Properties.GetProperty("outboundTo").GetString().ShouldBe("elsewhere.invalid");
        }

        Wire.ShouldAllBe(one => !one.Body.GetRawText().Contains("8095550100", StringComparison.Ordinal));
    }

    [Test]
    public async Task Items_at_least_half_in_sight_for_a_second_are_told_once_a_page_view_with_their_places()
    {
        var tab = await OpenTabAsync();
        var visitor = await VisitorAsync(tab);
        // 800 pixels show two items and a quarter of the third.
        var first = await LoggedAsync(visitor, one => one.Type == "list_viewed");
        Places(first.Properties).ShouldBe([("car-1", 0), ("car-2", 1)]);
        first.Properties.GetProperty("list").GetString().ShouldBe("newest");

        await tab.EvaluateAsync("() => scrollTo(0, 700)");
        var second = await LoggedAsync(visitor, one => one.Type == "list_viewed" && one.Id != first.Id);
        Places(second.Properties).ShouldBe([("car-3", 2), ("car-4", 3)]);

        await tab.EvaluateAsync("site => { scrollTo(0, 0); history.pushState(null, '', site + '/again'); }", Site);
        var third = await LoggedAsync(visitor, one => one.Type == "list_viewed" && one.Page == $"{Site}/again");
        Places(third.Properties).ShouldBe([("car-1", 0), ("car-2", 1)]);
    }

    [Test]
    public async Task Leaving_the_page_sends_what_there_is()
    {
        var tab = await Context.NewPageAsync();
        await tab.Clock.InstallAsync();
        await tab.GotoAsync(Site);
        await ReadyAsync(tab);
        var visitor = await VisitorAsync(tab);
        await ShareAsync(tab, "at-the-last-moment");
        // Its clock stands still, so nothing but leaving can send; the page it goes to has no SDK.
        await tab.GotoAsync("/docs/");
        var log = await LogOfAsync(visitor, "at-the-last-moment");
        log.Count(one => one.Type == "page_viewed").ShouldBe(1);
    }

    // Playwright switches the browser's own memory of pages off, so the page is told what the browser would tell it.
    [Test]
    public async Task A_page_that_comes_back_from_the_browsers_memory_is_another_view_and_the_time_away_counts_for_none()
    {
        var tab = await Context.NewPageAsync();
        await tab.Clock.InstallAsync();
        await tab.GotoAsync($"{Site}/remembered");
        await ReadyAsync(tab);
        var visitor = await VisitorAsync(tab);
        await tab.Clock.RunForAsync(3_000);
        await tab.EvaluateAsync("() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))");
        var first = await LoggedAsync(visitor, one => one.Type == "page_viewed");
        await UntilAsync(async () => await WaitingAsync(tab) == 0, () => "Acknowledged events still wait.");
        await tab.Clock.RunForAsync(120_000);
        await tab.EvaluateAsync("() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
        await tab.Clock.RunForAsync(2_000);
        await ShareAsync(tab, "after-coming-back");
        await tab.EvaluateAsync("() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: false }))");
        var second = await LoggedAsync(visitor, one => one.Type == "page_viewed" && one.Id != first.Id);

        first.Properties.GetProperty("visibleSeconds").GetDouble().ShouldBeInRange(3, 5);
        second.Properties.GetProperty("visibleSeconds").GetDouble().ShouldBeInRange(2, 4);
        (await LogOfAsync(visitor, "after-coming-back")).Count(one => one.Type == "page_viewed").ShouldBe(2);
        Wire.Select(one => one.Id).ShouldBeUnique();
    }

    private static List<(string, int)> Places(JsonElement properties) =>
        [.. properties.GetProperty("itemIds").EnumerateArray().Select(id => id.GetString()!).Zip(properties.GetProperty("positions").EnumerateArray().Select(place => place.GetInt32()))];

    private static JsonElement Property(Sent one, string name) => one.Body.GetProperty("properties").GetProperty(name);

    // Headless pages are always in sight and have the focus: the page is told otherwise, and that it changed.
    private static async Task SayAsync(IPage tab, bool visible, bool focused) => await tab.EvaluateAsync(
        """
        ([visible, focused]) => {
          Object.defineProperty(document, 'visibilityState', { value: visible ? 'visible' : 'hidden', configurable: true });
          document.hasFocus = () => focused;
          window.dispatchEvent(new Event(focused ? 'focus' : 'blur'));
          document.dispatchEvent(new Event('visibilitychange'));
        }
        """,
        new[] { visible, focused });
}
