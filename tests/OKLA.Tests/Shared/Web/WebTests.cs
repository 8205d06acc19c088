using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OKLA.Shared.Telemetry;
using OKLA.Shared.Web;
using RangeAttribute = System.ComponentModel.DataAnnotations.RangeAttribute;

namespace OKLA.Tests.Shared.Web;

public sealed class WebTests
{
    public sealed record Order([Required] string Buyer, [Range(1, 9)] int Rooms, List<Line>? Lines = null);

    public sealed record Line([Required] string ItemId, decimal UnitPrice);

    public sealed record Seat([Required, OneOf("window", "aisle")] string Side, [OneOf(null, "quiet", "family")] string? Coach = null);

    public sealed record Strict
    {
        public required string ItemId { get; init; }

        public required int Count { get; init; }
    }

    private sealed class Sink : ILoggerProvider, ILogger
    {
        public List<string> Errors { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Error) Errors.Add(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }

    private static readonly Sink Logs = new();

    private static async Task<WebApplication> StartAsync(params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create("Web:" + s.Key, (string?)s.Value)));
        builder.Logging.ClearProviders().AddProvider(Logs);
        builder.Services.AddWeb().AddTelemetry().AddValidation();
        var app = builder.Build();
        app.UseWeb();
        app.Use((context, next) =>
        {
            if (context.Request.Headers["X-Test-User"] is [{ } user])
                context.User = new(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, user)], "test"));
            return next(context);
        });
        app.UseRateLimits();
        app.MapPost("/orders", (Order order) => TypedResults.Ok(order));
        app.MapPost("/strict", (Strict strict) => TypedResults.Ok(strict));
        app.MapPost("/seats", (Seat seat) => TypedResults.Ok(seat));
        app.MapGet("/seats", ([OneOf("free", "taken")] string state = "free") => state);
        app.MapGet("/size", (int size) => size);
        app.MapGet("/own", () => Problems.Invalid("items[1].price", "Too low."));
        app.MapGet("/fails", string () => throw new InvalidOperationException("secret detail"));
        app.MapGet("/down", string () => throw new TimeoutException("pool"));
        app.MapGet("/page", ([AsParameters] PageRequest page) => page.Size);
        app.MapGet("/address", (HttpContext context) => context.Connection.RemoteIpAddress!.ToString() + " " + context.Request.Scheme);
        app.MapGet("/costly", () => "done").RequireRateLimiting(RateLimits.Strict);
        app.MapMetrics();
        await app.StartAsync();
        return app;
    }

    private static async Task<JsonElement> Problem(HttpResponseMessage response, HttpStatusCode status)
    {
        response.StatusCode.ShouldBe(status);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        problem.GetProperty("status").GetInt32().ShouldBe((int)status);
        problem.GetProperty("traceId").GetString().ShouldNotBeNullOrEmpty();
        return problem;
    }

    private static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    private static string[] Fields(JsonElement problem) => [.. problem.GetProperty("errors").EnumerateObject().Select(p => p.Name)];

    [TestCase("""{"rooms":2}""", "buyer")]
    [TestCase("""{"buyer":"ana","rooms":0}""", "rooms")]
    [TestCase("""{"buyer":"ana","rooms":2,"lines":[{"itemId":"a","unitPrice":1},{"itemId":"","unitPrice":1}]}""", "lines[1].itemId")]
    [TestCase("""{"buyer":"ana","rooms":2,"lines":[{"itemId":"a","unitPrice":"dear"}]}""", "lines[0].unitPrice")]
    [TestCase("""{"buyer":"ana","rooms":2.5}""", "rooms")]
    [TestCase("""{"buyer":"ana","rooms":2,"lines":[}""", "lines[0]")]
    public async Task A_refused_body_names_the_field_as_the_client_wrote_it(string body, string field)
    {
        await using var app = await StartAsync();
        var problem = await Problem(await app.GetTestClient().PostAsync("/orders", Json(body)), HttpStatusCode.BadRequest);
        Fields(problem).ShouldBe([field]);
        problem.GetRawText().ShouldNotContain("WebTests");
    }

    [Test]
    public async Task Missing_required_properties_are_named()
    {
        await using var app = await StartAsync();
        Fields(await Problem(await app.GetTestClient().PostAsync("/strict", Json("{}")), HttpStatusCode.BadRequest)).ShouldBe(["itemId", "count"], ignoreOrder: true);
    }

    [TestCase("/size?size=big", "size")]
    [TestCase("/size", "size")]
    [TestCase("/page?limit=0", "limit")]
    [TestCase("/page?limit=201", "limit")]
    [TestCase("/own", "items[1].price")]
    public async Task A_refused_query_names_the_parameter(string url, string field)
    {
        await using var app = await StartAsync();
        Fields(await Problem(await app.GetTestClient().GetAsync(url), HttpStatusCode.BadRequest)).ShouldBe([field]);
    }

    [TestCase("""{"side":"roof"}""", "side", "The field Side must be one of window, aisle.")]
    [TestCase("""{"side":"aisle","coach":"loud"}""", "coach", "The field Coach must be one of quiet, family.")]
    public async Task A_word_that_is_none_of_a_few_is_told_which_there_are(string body, string field, string says)
    {
        await using var app = await StartAsync();
        (await Problem(await app.GetTestClient().PostAsync("/seats", Json(body)), HttpStatusCode.BadRequest)).GetProperty("errors").GetProperty(field)[0].GetString().ShouldBe(says);
    }

    [Test]
    public async Task So_is_one_in_a_query()
    {
        await using var app = await StartAsync();
        (await Problem(await app.GetTestClient().GetAsync("/seats?state=broken"), HttpStatusCode.BadRequest)).GetProperty("errors").GetProperty("state")[0].GetString().ShouldBe("The field state must be one of free, taken.");
        (await app.GetTestClient().GetStringAsync("/seats")).ShouldBe("free");
        (await app.GetTestClient().PostAsync("/seats", Json("""{"side":"aisle"}"""))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Test]
    public async Task A_fault_is_a_500_with_trace_id_that_tells_nothing_and_is_logged_once()
    {
        await using var app = await StartAsync();
        Logs.Errors.Clear();
        var problem = await Problem(await app.GetTestClient().GetAsync("/fails"), HttpStatusCode.InternalServerError);
        problem.GetRawText().ShouldNotContain("secret");
        Logs.Errors.ShouldBe(["GET /fails failed"]);
    }

    [Test]
    public async Task A_source_that_is_down_is_a_503_with_retry_after()
    {
        await using var app = await StartAsync();
        var response = await app.GetTestClient().GetAsync("/down");
        await Problem(response, HttpStatusCode.ServiceUnavailable);
        response.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(5));
    }

    [TestCase("/nowhere", HttpStatusCode.NotFound)]
    [TestCase("/orders", HttpStatusCode.MethodNotAllowed)]
    public async Task An_empty_refusal_is_a_problem_too(string url, HttpStatusCode status)
    {
        await using var app = await StartAsync();
        await Problem(await app.GetTestClient().GetAsync(url), status);
    }

    [Test]
    public async Task A_body_of_another_type_is_a_415_problem()
    {
        await using var app = await StartAsync();
        await Problem(await app.GetTestClient().PostAsync("/orders", new StringContent("x")), HttpStatusCode.UnsupportedMediaType);
    }

    [TestCase("/fails")]
    [TestCase("/size?size=1")]
    public async Task Every_answer_bears_the_security_headers(string url)
    {
        await using var app = await StartAsync();
        var headers = (await app.GetTestClient().GetAsync(url)).Headers;
        headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        headers.GetValues("X-Frame-Options").ShouldBe(["DENY"]);
        headers.GetValues("Content-Security-Policy").Single().ShouldStartWith("default-src 'self'");
        headers.GetValues("Referrer-Policy").ShouldBe(["strict-origin-when-cross-origin"]);
    }

    [Test]
    public async Task A_caller_beyond_its_window_gets_429_with_retry_after_and_others_go_on()
    {
        await using var app = await StartAsync(("RequestsPerWindow", "3"), ("Window", "00:30:00"));
        var client = app.GetTestClient();
        for (var i = 0; i < 3; i++) (await client.GetAsync("/size?size=1")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var refused = await client.GetAsync("/size?size=1");
        await Problem(refused, HttpStatusCode.TooManyRequests);
        refused.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(30));

        using var signedIn = new HttpRequestMessage(HttpMethod.Get, "/size?size=1") { Headers = { { "X-Test-User", "ana" } } };
        (await client.SendAsync(signedIn)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.GetAsync("/metrics")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Test]
    public async Task Costly_endpoints_have_a_window_of_their_own()
    {
        await using var app = await StartAsync(("StrictRequestsPerWindow", "1"), ("StrictWindow", "00:30:00"));
        var client = app.GetTestClient();
        (await client.GetAsync("/costly")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.GetAsync("/costly")).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        (await client.GetAsync("/size?size=1")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [TestCase("10.1.2.3", "203.0.113.9 https")]
    [TestCase("198.51.100.1", "198.51.100.1 http")]
    public async Task Only_a_trusted_proxy_is_believed(string peer, string seen)
    {
        await using var app = await StartAsync(("TrustedProxies:0", "10.0.0.0/8"));
        var context = await app.GetTestServer().SendAsync(c =>
        {
            c.Connection.RemoteIpAddress = IPAddress.Parse(peer);
            c.Request.Method = "GET";
            c.Request.Path = "/address";
            c.Request.Headers["X-Forwarded-For"] = "203.0.113.9";
            c.Request.Headers["X-Forwarded-Proto"] = "https";
        });
        using var body = new StreamReader(context.Response.Body);
        (await body.ReadToEndAsync()).ShouldBe(seen);
    }

    [TestCase("2001:db8:1:2:aaaa::1", "2001:db8:1:2::")]
    [TestCase("::ffff:192.0.2.7", "192.0.2.7")]
    public void An_address_is_counted_by_what_one_client_can_use(string address, string counted) =>
        RateLimits.Caller(new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse(address) } }).ShouldBe(counted);

    [Test]
    public async Task Allowed_origins_may_call_and_others_not()
    {
        await using var app = await StartAsync(("AllowedOrigins:0", "https://okla.com.do"));
        async Task<bool> Allowed(string origin)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/size?size=1") { Headers = { { "Origin", origin } } };
            return (await app.GetTestClient().SendAsync(request)).Headers.Contains("Access-Control-Allow-Origin");
        }

        (await Allowed("https://okla.com.do")).ShouldBeTrue();
        (await Allowed("https://evil.example")).ShouldBeFalse();
    }

    [Test]
    public async Task Metrics_are_served_as_prometheus_text_with_the_requests_in_them()
    {
        await using var app = await StartAsync();
        var client = app.GetTestClient();
        await client.GetAsync("/size?size=1");
        var response = await client.GetAsync("/metrics");
        response.Content.Headers.ContentType!.ToString().ShouldBe("text/plain; version=0.0.4; charset=utf-8");
        (await response.Content.ReadAsStringAsync()).ShouldContain("http_server_request_duration_seconds_count{http_request_method=\"GET\",http_response_status_code=\"200\",http_route=\"/size\"");
    }
}
