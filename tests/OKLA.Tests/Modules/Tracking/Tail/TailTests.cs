using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using OKLA.Host;
using OKLA.Shared.EventLog;
using OKLA.Tests.Host.Demo;
using OKLA.Tracking.Tail;

namespace OKLA.Tests.Modules.Tracking.Tail;

public sealed class TailTests : HostTest
{
    private const int Limit = 5;
    private static readonly DateTimeOffset At = new(2026, 1, 5, 12, 0, 0, TimeSpan.Zero);

    protected override string[] Settings => ["--Tail:EventsPerSecond", $"{Limit}", "--Tail:MaxViewers", "3"];

    [SetUp]
    public Task WaitForFreePlacesAsync() => UntilNobodyLooksAsync();

    [Test]
    public async Task An_event_appears_with_its_position_and_only_what_was_asked_for()
    {
        using var admin = await SignInAsync("admin");
        await using var view = await View.OpenAsync(admin, "?type=item_viewed&type=searched&person=ana&item=car-1");
        await view.RateAsync();
        await AppendAsync(Room.View("otra", "car-1", At), Room.View("ana", "car-2", At), Room.Behaviour("contacted", "ana", null, "car-1", At), Room.Behaviour("searched", null, "ana", "car-1", At));

        var line = await view.NextAsync("event");

        (line.Data.GetProperty("type").GetString(), line.Data.GetProperty("stream").GetString()).ShouldBe(("searched", "user-ana"));
        line.EventId.ShouldBe(line.Data.GetProperty("position").GetInt64().ToString(System.Globalization.CultureInfo.InvariantCulture));
        line.Data.GetProperty("data").GetProperty("itemId").GetString().ShouldBe("car-1");
        line.Data.GetProperty("occurredAt").GetDateTimeOffset().ShouldBe(At);
        var rate = await view.RateAsync();
        rate.GetProperty("eventsPerSecond").GetDouble().ShouldBeGreaterThan(rate.GetProperty("matchedPerSecond").GetDouble());
        rate.GetProperty("types").EnumerateArray().Select(type => type.GetProperty("type").GetString()).ShouldBe(["item_viewed", "contacted", "searched"]);
        // Nothing happens, and the sign of life comes all the same.
        (await view.RateAsync()).GetProperty("eventsPerSecond").GetDouble().ShouldBe(0);
    }

    [Test]
    public async Task Who_comes_again_gets_what_was_missed()
    {
        using var admin = await SignInAsync("admin");
        await AppendAsync(Room.View("a", "car-1", At), Room.View("b", "car-1", At), Room.View("c", "car-1", At));
        var end = await Service<EventLog>().HighWaterMarkAsync();
        admin.DefaultRequestHeaders.Add("Last-Event-ID", $"{end - 2}");

        await using var view = await View.OpenAsync(admin, "?type=item_viewed&since=0");

        (await view.NextAsync("event")).EventId.ShouldBe($"{end - 1}");
        (await view.NextAsync("event")).EventId.ShouldBe($"{end}");
        await AppendAsync(Room.View("d", "car-1", At));
        (await view.NextAsync("event")).EventId.ShouldBe($"{end + 1}");
    }

    [Test]
    public async Task Of_a_burst_a_few_lines_are_shown_and_the_rest_is_counted()
    {
        using var admin = await SignInAsync("admin");
        await using var view = await View.OpenAsync(admin, "?type=item_viewed");
        await view.RateAsync();

        await AppendAsync([.. Enumerable.Range(0, 400).Select(i => Room.View($"v{i}", "car-1", At))]);

        var (lines, counted) = (0, 0L);
        while (lines + counted < 400)
        {
            var next = await view.NextAsync();
            lines += next.EventType == "event" ? 1 : 0;
            counted += next.EventType == "rate" ? next.Data.GetProperty("skipped").GetInt64() : 0;
        }

        (lines + counted).ShouldBe(400);
        lines.ShouldBeInRange(1, 4 * Limit);
    }

    [Test]
    public async Task Viewers_share_one_reading_and_only_so_many_may_look()
    {
        using var admin = await SignInAsync("admin");
        var before = Service<EventTail>().Readings;
        var views = new List<View>();
        for (var i = 0; i < 3; i++)
        {
            views.Add(await View.OpenAsync(admin, ""));
        }

        Service<EventTail>().Readings.ShouldBe(before + 1);
        using (var refused = await admin.GetAsync("/api/admin/events/tail"))
        {
            refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        }

        foreach (var view in views)
        {
            await view.DisposeAsync();
        }

        // Their places are free again as soon as the server sees that they are gone.
        await UntilNobodyLooksAsync();
    }

    [Test]
    public async Task A_view_ends_cleanly_when_the_host_stops()
    {
        await using var other = await OklaHost.BuildAsync(
            ["--urls", "http://127.0.0.1:0", "--environment", "Development", "--ConnectionStrings:Okla", ConnectionString, "--Logging:LogLevel:Default", "Warning"]);
        await other.App.StartAsync();
        using var admin = new HttpClient { BaseAddress = new Uri(other.App.Urls.First()) };
        using var token = await admin.PostAsync("/api/auth/demo/admin", null);
        admin.DefaultRequestHeaders.Authorization = new("Bearer", JsonDocument.Parse(await token.Content.ReadAsStringAsync()).RootElement.GetProperty("accessToken").GetString());
        await using var view = await View.OpenAsync(admin, "");
        await view.RateAsync();

        var stopped = other.App.StopAsync();

        // To its end, not to a broken connection.
        while (await view.TryNextAsync() is not null)
        {
        }

        await stopped;
    }

    [Test]
    public async Task Only_an_admin_looks()
    {
        using var buyer = await SignInAsync("buyer");

        (await Client.GetAsync("/api/admin/events/tail")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await buyer.GetAsync("/api/admin/events/tail")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Test]
    public void A_viewer_who_does_not_read_holds_no_more_than_its_lines()
    {
        var viewer = new Viewer(new TailFilter(null, null, null), 0, Limit, new StoppedClock(At));
        for (var position = 1; position <= 100_000; position++)
        {
            viewer.Offer(new RecordedEvent(position, Guid.Empty, "s", 1, $"t{position}", 1, "{}"u8.ToArray(), At, At));
        }

        viewer.PassOver(7);

        viewer.Lines.Count.ShouldBe(Limit);
        var rate = viewer.TakeRate(1);
        (rate.Skipped, rate.PassedOver, rate.EventsPerSecond, rate.Types.Count).ShouldBe((100_000 - Limit, 7, 100_007, 10));
        // What was offered before is not counted again.
        viewer.Offer(new RecordedEvent(1, Guid.Empty, "s", 1, "t", 1, "{}"u8.ToArray(), At, At));
        viewer.TakeRate(1).EventsPerSecond.ShouldBe(0);
    }

    private async Task UntilNobodyLooksAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Service<EventTail>().Viewers > 0)
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private async Task AppendAsync(params StreamEvent[] events)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Service<EventLog>().AppendAsync(transaction, events);
        await transaction.CommitAsync();
    }

    private sealed class View(HttpResponseMessage answer, IAsyncEnumerator<SseItem<JsonElement>> items) : IAsyncDisposable
    {
        public static async Task<View> OpenAsync(HttpClient client, string query)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/admin/events/tail" + query);
            var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            answer.EnsureSuccessStatusCode().Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
            var parser = SseParser.Create(await answer.Content.ReadAsStreamAsync(), (_, data) => JsonDocument.Parse(data.ToArray()).RootElement);
            return new View(answer, parser.EnumerateAsync().GetAsyncEnumerator());
        }

        public async Task<SseItem<JsonElement>?> TryNextAsync() => await items.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)) ? items.Current : null;

        public async Task<SseItem<JsonElement>> NextAsync(string? type = null)
        {
            while (true)
            {
                var next = (await TryNextAsync()).ShouldNotBeNull();
                if (type is null || next.EventType == type)
                {
                    return next;
                }
            }
        }

        public async Task<JsonElement> RateAsync() => (await NextAsync("rate")).Data;

        public async ValueTask DisposeAsync()
        {
            answer.Dispose();
            await Task.CompletedTask;
        }
    }
}
