using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Text.Json;
using OKLA.Sdk;

namespace OKLA.Tests.Host.Sdk;

public sealed class OklaClientTests
{
    private static readonly Uri Address = new("https://okla.example/api/events");

    [Test]
    public async Task Events_go_in_one_compressed_batch_with_the_key_and_their_times()
    {
        var server = new Server();
        using var http = new HttpClient(server);
        await using var okla = new OklaClient(http, Address, "the key");
        var outcomes = await okla.SendAsync([Event("a") with { Properties = new { amount = 950_000 } }, Event("b")]);
        outcomes.Select(outcome => outcome.Status).ShouldBe(["accepted", "accepted"]);
        server.Bodies.ShouldHaveSingleItem().Count.ShouldBe(2);
        server.Keys.ShouldBe(["the key"]);
        var first = server.Bodies[0][0];
        first.GetProperty("type").GetString().ShouldBe("sold");
        first.GetProperty("itemId").GetString().ShouldBe("a");
        first.GetProperty("properties").GetProperty("amount").GetInt32().ShouldBe(950_000);
        first.GetProperty("sentAt").GetDateTimeOffset().ShouldBeGreaterThanOrEqualTo(first.GetProperty("occurredAt").GetDateTimeOffset());
        first.TryGetProperty("userId", out _).ShouldBeFalse();
    }

    [TestCase(HttpStatusCode.TooManyRequests)]
    [TestCase(HttpStatusCode.ServiceUnavailable)]
    [TestCase((HttpStatusCode)0)]
    public async Task What_the_server_did_not_take_goes_again_with_the_same_ids(HttpStatusCode status)
    {
        var server = new Server { Answers = new Queue<HttpStatusCode>([status, status, HttpStatusCode.Accepted]) };
        using var http = new HttpClient(server);
        await using var okla = new OklaClient(http, Address, "key", new QuickClock(), new Still());
        await okla.SendAsync([Event("a")]);
        server.Bodies.Count.ShouldBe(3);
        server.Bodies.Select(body => body[0].GetProperty("id").GetGuid()).Distinct().ShouldHaveSingleItem();
    }

    [Test]
    public async Task Waiting_doubles_up_to_a_minute_and_never_undercuts_Retry_After()
    {
        var clock = new QuickClock();
        var server = new Server { Answers = new Queue<HttpStatusCode>([.. Enumerable.Repeat(HttpStatusCode.ServiceUnavailable, 9), HttpStatusCode.Accepted]), RetryAfter = TimeSpan.FromSeconds(5) };
        using var http = new HttpClient(server);
        await using var okla = new OklaClient(http, Address, "key", clock, new Still());
        await okla.SendAsync([Event("a")]);
        clock.Waits.Select(wait => Math.Round(wait.TotalSeconds - 5.1, 3)).ShouldBe([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    [Test]
    public async Task What_cannot_be_written_as_JSON_is_the_callers_error()
    {
        using var http = new HttpClient(new Server());
        await using var okla = new OklaClient(http, Address, "key");
        var round = new List<object>();
        round.Add(round);
        Should.Throw<JsonException>(() => okla.Track(Event("a") with { Properties = round }));
    }

    [TestCase(HttpStatusCode.BadRequest)]
    [TestCase(HttpStatusCode.RequestEntityTooLarge)]
    [TestCase(HttpStatusCode.UnprocessableEntity)]
    public async Task Where_a_batch_is_refused_the_event_at_fault_is_found_and_the_others_go(HttpStatusCode status)
    {
        var server = new Server { Refuses = ("bad", status) };
        using var http = new HttpClient(server);
        await using var okla = new OklaClient(http, Address, "key");
        var lost = new List<string>();
        okla.Lost += (item, _) => lost.Add(item.ItemId!);
        var outcomes = await okla.SendAsync([.. Enumerable.Range(0, 9).Select(index => Event(index == 5 ? "bad" : $"{index}"))]);
        outcomes.Select(outcome => outcome.Status).ShouldBe(["accepted", "accepted", "accepted", "accepted", "accepted", "rejected", "accepted", "accepted", "accepted"]);
        lost.ShouldBe(["bad"]);
    }

    [Test]
    public async Task A_refused_key_is_an_error_to_who_waits_for_the_answer()
    {
        using var http = new HttpClient(new Server { Answers = new Queue<HttpStatusCode>([HttpStatusCode.Unauthorized]) });
        await using var okla = new OklaClient(http, Address, "key");
        (await Should.ThrowAsync<HttpRequestException>(okla.SendAsync([Event("a")]))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Test]
    public async Task More_than_a_request_takes_goes_in_several()
    {
        var server = new Server();
        using var http = new HttpClient(server);
        await using var okla = new OklaClient(http, Address, "key");
        (await okla.SendAsync([.. Enumerable.Range(0, 1_200).Select(index => Event($"{index}"))])).Count.ShouldBe(1_200);
        server.Bodies.Select(body => body.Count).ShouldBe([500, 500, 200]);
        server.Bodies.Clear();
        await okla.SendAsync([.. Enumerable.Range(0, 40).Select(index => Event($"{index}") with { Properties = new { text = new string('x', 50_000) } })]);
        server.Bodies.Count.ShouldBeGreaterThan(2);
        server.Bodies.Sum(body => body.Count).ShouldBe(40);
    }

    [Test]
    public async Task What_was_tracked_is_sent_before_the_client_ends()
    {
        var server = new Server();
        using var http = new HttpClient(server);
        var okla = new OklaClient(http, Address, "key");
        Parallel.For(0, 2_000, index => okla.Track(Event($"{index}")).ShouldBeTrue());
        await okla.DisposeAsync();
        server.Bodies.SelectMany(body => body.Select(item => item.GetProperty("itemId").GetString()!)).ShouldBe(Enumerable.Range(0, 2_000).Select(index => $"{index}"), ignoreOrder: true);
        Should.Throw<ObjectDisposedException>(() => okla.Track(Event("late")));
    }

    [Test]
    public async Task What_cannot_be_kept_or_sent_is_told()
    {
        using var http = new HttpClient(new Server { Refuses = ("", HttpStatusCode.ServiceUnavailable) });
        var okla = new OklaClient(http, Address, "key") { Capacity = 600, Farewell = TimeSpan.Zero };
        var lost = new List<OklaEvent>();
        okla.Lost += (item, _) =>
        {
            lock (lost) lost.Add(item);
        };
        var taken = Enumerable.Range(0, 2_000).Count(index => okla.Track(Event($"{index}")));
        await okla.DisposeAsync();
        taken.ShouldBeLessThan(2_000);
        lost.Select(item => item.Id).Distinct().Count().ShouldBe(2_000);
        okla.Waiting.ShouldBe(0);
    }

    private static OklaEvent Event(string item) => new("sold") { ItemId = item };

    private sealed class Still : Random
    {
        public override double NextDouble() => 1;
    }

    /// <summary>A clock whose timers ring at once.</summary>
    private sealed class QuickClock : TimeProvider
    {
        public ConcurrentQueue<TimeSpan> Waits { get; } = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waits.Enqueue(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }

    /// <summary>Answers as OKLA does, unless the test says otherwise.</summary>
    private sealed class Server : HttpMessageHandler
    {
        public Queue<HttpStatusCode> Answers { get; init; } = new();

        public TimeSpan? RetryAfter { get; init; }

        /// <summary>The item that a whole batch is refused for; empty for any.</summary>
        public (string Item, HttpStatusCode Status)? Refuses { get; init; }

        public List<List<JsonElement>> Bodies { get; } = [];

        public List<string> Keys { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await using var unpacked = new GZipStream(await request.Content!.ReadAsStreamAsync(cancellationToken), CompressionMode.Decompress);
            var events = (await JsonSerializer.DeserializeAsync<List<JsonElement>>(unpacked, cancellationToken: cancellationToken))!;
            Bodies.Add(events);
            Keys.Add(request.Headers.GetValues("X-Api-Key").Single());
            var status = Answers.TryDequeue(out var next) ? next : HttpStatusCode.Accepted;
            if (Refuses is var (item, refusal) && events.Any(one => item.Length == 0 || one.GetProperty("itemId").GetString() == item)) status = refusal;
            if (status == 0) throw new HttpRequestException("The connection was reset.");
            var response = new HttpResponseMessage(status);
            if (RetryAfter is { } wait) response.Headers.RetryAfter = new(wait);
            if (status == HttpStatusCode.Accepted)
            {
                response.Content = new StringContent(JsonSerializer.Serialize(new { outcomes = events.Select(one => new { id = one.GetProperty("id").GetGuid(), status = "accepted" }) }));
            }

            return response;
        }
    }
}
