using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using OKLA.Host;

namespace OKLA.Tests.Host;

public sealed class PagesTests
{
    private string folder = "";
    private WebApplication? app;

    [SetUp]
    public void Build_a_front_end()
    {
        folder = Directory.CreateTempSubdirectory("okla-pages-").FullName;
        Write("index.html", "<title>OKLA</title>");
        Write("theme.js", "one");
        Write("assets/index-1a2b3c.js", "script");
        Write("assets/index-1a2b3c.js.br", "small");
        Write("docs/index.html", "<title>API</title>");
        Write("sdk/okla.js", "sdk");
        Write("sdk/okla.mjs", "module");
        Write("sdk/okla.mjs.br", "small module");
        Write("sdk/okla.d.ts", "types");
    }

    [TearDown]
    public async Task Remove_it()
    {
        if (app is not null) await app.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [TestCase("/", HttpStatusCode.OK, "<title>OKLA</title>")]
    [TestCase("/vehiculos/sc.1042", HttpStatusCode.OK, "<title>OKLA</title>")]
    [TestCase("/no/such/page", HttpStatusCode.NotFound, "<title>OKLA</title>")]
    [TestCase("/docs", HttpStatusCode.OK, "<title>API</title>")]
    [TestCase("/docs/", HttpStatusCode.OK, "<title>API</title>")]
    [TestCase("/theme.js", HttpStatusCode.OK, "one")]
    [TestCase("/api/nothing", HttpStatusCode.NotFound, "")]
    [TestCase("/API/nothing", HttpStatusCode.NotFound, "")]
    [TestCase("/openapi/v9.json", HttpStatusCode.NotFound, "")]
    [TestCase("/health/nothing", HttpStatusCode.NotFound, "")]
    [TestCase("/metrics", HttpStatusCode.NotFound, "")]
    [TestCase("/../OKLA.sln", HttpStatusCode.NotFound, "<title>OKLA</title>")]
    [TestCase("/api/known", HttpStatusCode.OK, "endpoint")]
    public async Task A_browser_gets_the_page_the_file_or_a_plain_refusal(string path, HttpStatusCode status, string body)
    {
        var client = await StartAsync(folder);
        using var answer = await client.SendAsync(Request(path));
        answer.StatusCode.ShouldBe(status);
        (await answer.Content.ReadAsStringAsync()).ShouldBe(body);
    }

    [Test]
    public async Task An_unknown_path_is_no_page_for_a_client_that_wants_none()
    {
        var client = await StartAsync(folder);
        using var answer = await client.SendAsync(Request("/missing.png", accept: "image/*"));
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await answer.Content.ReadAsStringAsync()).ShouldBeEmpty();
    }

    [Test]
    public async Task A_method_that_an_endpoint_does_not_have_is_still_refused_as_such()
    {
        var client = await StartAsync(folder);
        using var answer = await client.PostAsync("/api/known", null);
        answer.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        using var page = await client.PostAsync("/vehiculos/1", null);
        page.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [TestCase("/", "no-cache")]
    [TestCase("/theme.js", "no-cache")]
    [TestCase("/no/such/page", "no-cache")]
    [TestCase("/assets/index-1a2b3c.js", "public, max-age=31536000, immutable")]
    public async Task Only_files_named_after_their_content_are_kept_without_asking(string path, string expected)
    {
        var client = await StartAsync(folder);
        using var answer = await client.SendAsync(Request(path));
        answer.Headers.GetValues("Cache-Control").ShouldBe([expected]);
        answer.Headers.GetValues("Vary").ShouldBe(["Accept-Encoding"]);
    }

    [Test]
    public async Task A_page_that_has_not_changed_is_not_sent_again()
    {
        var client = await StartAsync(folder);
        using var first = await client.SendAsync(Request("/"));
        var again = Request("/vehiculos/1");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await client.SendAsync(again);
        second.StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    [TestCase("br, gzip", "br", "small")]
    [TestCase("gzip", null, "script")]
    [TestCase("br;q=0", null, "script")]
    public async Task A_compressed_file_goes_to_who_understands_it(string accepted, string? encoding, string body)
    {
        var client = await StartAsync(folder);
        var request = Request("/assets/index-1a2b3c.js", accept: "*/*");
        request.Headers.Add("Accept-Encoding", accepted);
        using var answer = await client.SendAsync(request);
        answer.Content.Headers.ContentEncoding.ShouldBe(encoding is null ? [] : [encoding]);
        answer.Content.Headers.ContentType!.ToString().ShouldBe("text/javascript; charset=utf-8");
        (await answer.Content.ReadAsStringAsync()).ShouldBe(body);
    }

    [TestCase("/sdk/okla.js", "text/javascript; charset=utf-8", "sdk")]
    [TestCase("/sdk/okla.mjs", "text/javascript; charset=utf-8", "small module")]
    [TestCase("/sdk/okla.d.ts", "text/plain; charset=utf-8", "types")]
    public async Task The_SDK_goes_to_every_site_and_is_kept_for_an_hour(string path, string type, string body)
    {
        var client = await StartAsync(folder);
        var request = Request(path, accept: "*/*");
        request.Headers.Add("Accept-Encoding", "br");
        using var answer = await client.SendAsync(request);
        answer.Content.Headers.ContentType!.ToString().ShouldBe(type);
        (await answer.Content.ReadAsStringAsync()).ShouldBe(body);
        answer.Headers.GetValues("Cache-Control").ShouldBe(["public, max-age=3600, stale-while-revalidate=86400"]);
        answer.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["*"]);
        answer.Headers.GetValues("Cross-Origin-Resource-Policy").ShouldBe(["cross-origin"]);

        var again = Request(path, accept: "*/*");
        again.Headers.Add("Accept-Encoding", "br");
        again.Headers.IfNoneMatch.Add(answer.Headers.ETag!);
        using var second = await client.SendAsync(again);
        second.StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    [TestCase("/")]
    [TestCase("/docs/")]
    [TestCase("/no/such/page")]
    public async Task Pages_run_nothing_inline_and_are_framed_by_nobody(string path)
    {
        var client = await StartAsync(folder);
        using var answer = await client.SendAsync(Request(path));
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        policy.ShouldContain("default-src 'none'");
        policy.ShouldContain("frame-ancestors 'none'");
        policy.ShouldNotContain("unsafe");
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        answer.Headers.GetValues("Referrer-Policy").ShouldBe(["strict-origin-when-cross-origin"]);
    }

    [Test]
    public async Task Without_a_build_the_page_says_how_to_make_one()
    {
        var client = await StartAsync(null);
        using var answer = await client.SendAsync(Request("/"));
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await answer.Content.ReadAsStringAsync()).ShouldContain("npm run build --prefix OKLA.Host/web");
        using var api = await client.SendAsync(Request("/api/nothing"));
        api.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public void A_web_root_without_the_first_page_is_not_built()
    {
        Pages.Built(folder).ShouldBe(folder);
        Pages.Built(Path.Combine(folder, "assets")).ShouldBeNull();
        Pages.Built(Path.Combine(folder, "nowhere")).ShouldBeNull();
        Pages.Built(null).ShouldBeNull();
    }

    private static HttpRequestMessage Request(string path, string accept = "text/html,*/*;q=0.8")
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Accept", accept);
        return request;
    }

    private async Task<HttpClient> StartAsync(string? built)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        app = builder.Build();
        app.MapGet("/api/known", () => Results.Text("endpoint"));
        app.MapPages(built);
        await app.StartAsync();
        return app.GetTestClient();
    }

    private void Write(string file, string text)
    {
        var path = Path.Combine(folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
