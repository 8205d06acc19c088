namespace OKLA.EndToEnd.Browser.Sdk;

/// <summary>What can happen to a browser between an event and the log: each event is there, once.</summary>
internal sealed class DeliveryTests : SdkTest
{
    private static readonly string[] Three = ["a", "b", "c"];

    private bool cutOff;

    [Test]
    public async Task What_happens_offline_is_in_the_log_once_when_the_connection_is_back()
    {
        var tab = await OpenTabAsync();
        var visitor = await VisitorAsync(tab);
        await Context.SetOfflineAsync(true);
        await ShareAsync(tab, Three);
        await UntilAsync(async () => await WaitingAsync(tab) == 3, () => "The events do not wait.");
        Wire.ShouldBeEmpty();

        await Context.SetOfflineAsync(false);
        EachOnce(await LogOfAsync(visitor, Three), Three);
        await UntilAsync(async () => await WaitingAsync(tab) == 0, () => "Acknowledged events still wait.");
        Wire.Select(one => one.Id).ShouldBeUnique();
    }

    [Test]
    public async Task Unsent_events_outlive_a_reload()
    {
        // The page itself has to load without a connection, as from a cache.
        var script = await BrowserSession.Host.Client.GetStringAsync("/sdk/okla.js");
        await Context.RouteAsync("**/sdk/okla.js", route => route.FulfillAsync(new() { ContentType = "text/javascript", Body = script }));
        var tab = await OpenTabAsync();
        var visitor = await VisitorAsync(tab);
        await Context.SetOfflineAsync(true);
        await ShareAsync(tab, Three);
        await tab.ReloadAsync();
        await ReadyAsync(tab);
        await ShareAsync(tab, "d");
        await UntilAsync(async () => await WaitingAsync(tab) >= 4, () => "The events of before are gone.");

        await Context.SetOfflineAsync(false);
        EachOnce(await LogOfAsync(visitor, [.. Three, "d"]), [.. Three, "d"]);
    }

    [Test]
    public async Task Events_whose_acknowledgement_is_lost_on_the_way_go_again_and_count_once()
    {
        var lost = 0;
        await Context.RouteAsync("**/api/events**", async route =>
        {
            if (Interlocked.Increment(ref lost) > 1)
            {
                await route.ContinueAsync();
                return;
            }

            await route.FetchAsync();
            await route.AbortAsync();
        });
        var tab = await OpenTabAsync();
        await ShareAsync(tab, Three);
        await UntilAsync(async () => await WaitingAsync(tab) == 0 && lost > 1, () => "Nothing was sent again.");
        Wire.Count(one => one.Type == "shared").ShouldBe(6);
        EachOnce(await LogOfAsync(await VisitorAsync(tab), Three), Three);
    }

    [Test]
    public async Task A_busy_server_is_left_alone_for_as_long_as_it_asks()
    {
        var busy = true;
        var asked = 0;
        await Context.RouteAsync("**/api/events**", async route =>
        {
            if (!busy)
            {
                await route.ContinueAsync();
                return;
            }

            Interlocked.Increment(ref asked);
            await route.FulfillAsync(new() { Status = 429, Headers = new Dictionary<string, string> { ["Retry-After"] = "20" } });
        });
        var tab = await Context.NewPageAsync();
        await tab.Clock.InstallAsync();
        await tab.GotoAsync(Site);
        await ReadyAsync(tab);
        await ShareAsync(tab, Three);
        await tab.Clock.RunForAsync(1_000);
        await UntilAsync(() => Task.FromResult(asked == 1), () => "Nothing was sent.");
        await tab.Clock.RunForAsync(18_000);
        await tab.EvaluateAsync("() => okla.flush()");
        asked.ShouldBe(1);

        busy = false;
        await UntilAsync(
            async () =>
            {
                await tab.Clock.RunForAsync(1_000);
                return await WaitingAsync(tab) == 0;
            },
            () => "Nothing was sent again.");
        EachOnce(await LogOfAsync(await VisitorAsync(tab), Three), Three);
    }

    [Test]
    public async Task Five_tabs_at_once_lose_no_event_and_send_none_twice()
    {
        var tabs = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => OpenTabAsync()));
        var visitors = await Task.WhenAll(tabs.Select(VisitorAsync));
        visitors.Distinct().Count().ShouldBe(1);
        var items = Enumerable.Range(0, 100).Select(index => $"tab-{index}").ToArray();
        await Task.WhenAll(tabs.Select((tab, index) => ShareAsync(tab, items[(index * 20)..((index + 1) * 20)])));

        EachOnce(await LogOfAsync(visitors[0], items), items);
        await UntilAsync(async () => await WaitingAsync(tabs[0]) == 0, () => "Acknowledged events still wait.");
        Wire.Select(one => one.Id).ShouldBeUnique();
    }

    [Test]
    public async Task A_closed_tab_leaves_its_events_to_another()
    {
        var other = await OpenTabAsync();
        var visitor = await VisitorAsync(other);
        var closed = await OpenTabAsync();
        await Context.SetOfflineAsync(true);
        await ShareAsync(closed, Three);
        await closed.CloseAsync();

        await Context.SetOfflineAsync(false);
        EachOnce(await LogOfAsync(visitor, Three), Three);
        await UntilAsync(async () => await WaitingAsync(other) == 0, () => "Acknowledged events still wait.");
    }

    [Test]
    public async Task A_crashed_tab_loses_and_doubles_nothing_and_the_page_it_showed_is_counted_with_its_seconds()
    {
        var tab = await Context.NewPageAsync();
        await tab.Clock.InstallAsync();
        await tab.GotoAsync($"{Site}/crash");
        await ReadyAsync(tab);
        var visitor = await VisitorAsync(tab);
        await tab.EvaluateAsync("() => okla.view('crashed-item')");
        await ShareAsync(tab, "sent");
        await tab.Clock.RunForAsync(11_000);
        await LogOfAsync(visitor, "sent");
        await CutOffAsync();
        await ShareAsync(tab, Three);

        var crashed = new TaskCompletionSource();
        tab.Crash += (_, _) => crashed.TrySetResult();
        var session = await Context.NewCDPSessionAsync(tab);
        // The renderer dies before it can answer.
        var crash = session.SendAsync("Page.crash");
        await crashed.Task.WaitAsync(TimeSpan.FromSeconds(10));
        cutOff = false;
        await OpenTabAsync();

        var log = await LogOfAsync(visitor, ["sent", "crashed-item", .. Three]);
        EachOnce(log, ["sent", "crashed-item", .. Three]);
        Seconds(log.Single(one => one.Type == "item_viewed")).ShouldBeInRange(9, 12);
        var page = await LoggedAsync(visitor, one => one.Type == "page_viewed" && one.Page == $"{Site}/crash");
        Seconds(page).ShouldBeInRange(9, 12);
        crash.IsCompletedSuccessfully.ShouldBeFalse();
    }

    // The host cannot be reached until told otherwise; the browser does not know why.
    private async Task CutOffAsync()
    {
        cutOff = true;
        await Context.RouteAsync("**/api/events**", route => cutOff ? route.AbortAsync() : route.ContinueAsync());
    }

    private static double Seconds(Logged view) => view.Properties.GetProperty("visibleSeconds").GetDouble();

    private static void EachOnce(IReadOnlyList<Logged> log, IReadOnlyList<string> items)
    {
        log.Select(one => one.Id).ShouldBeUnique();
        log.Where(one => one.ItemId is not null).Select(one => one.ItemId!).ShouldBe(items, ignoreOrder: true);
    }
}
