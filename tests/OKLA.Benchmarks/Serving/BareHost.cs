using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OKLA.Benchmarks.Serving;

/// <summary>What an endpoint is measured beside: a host of its own with one endpoint that reads the body and answers bytes from memory.</summary>
internal sealed class BareHost : IAsyncDisposable
{
    /// <summary>Where it is asked, by GET and POST.</summary>
    public const string Path = "/bare";

    private readonly WebApplication app;

    private BareHost(WebApplication app, HttpClient client)
    {
        this.app = app;
        Client = client;
    }

    /// <summary>Talks to it.</summary>
    public HttpClient Client { get; }

    /// <summary>Starts it on a free port.</summary>
    public static async Task<BareHost> StartAsync(byte[] answer)
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.MapMethods(Path, ["GET", "POST"], async (HttpRequest request) =>
        {
            await request.Body.CopyToAsync(Stream.Null);
            return Results.Bytes(answer, "application/json");
        });
        await app.StartAsync();
        return new BareHost(app, new HttpClient { BaseAddress = new Uri(app.Urls.First()) });
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
    }
}
