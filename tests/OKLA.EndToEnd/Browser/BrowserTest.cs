using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Playwright;
using NUnit.Framework.Interfaces;

namespace OKLA.EndToEnd.Browser;

/// <summary>A test with a browser window of its own; what the page complains of is collected, and a failure leaves a picture.</summary>
internal abstract class BrowserTest
{
    private IBrowserContext context = null!;

    /// <summary>The window.</summary>
    protected IPage Page { get; private set; } = null!;

    /// <summary>Errors of scripts and refusals by the content security policy.</summary>
    protected ConcurrentQueue<string> Complaints { get; } = new();

    /// <summary>Addresses of other machines that the page asked for.</summary>
    protected ConcurrentQueue<string> Elsewhere { get; } = new();

    [SetUp]
    public Task OpenWindowAsync() => OpenAsync(1280, ColorScheme.Light);

    [TearDown]
    public async Task CloseWindowAsync()
    {
        if (context is null) return;
        if (TestContext.CurrentContext.Result.Outcome.Status == TestStatus.Failed && Page is not null)
        {
            var picture = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{TestContext.CurrentContext.Test.MethodName}.png");
            await Page.ScreenshotAsync(new() { Path = picture });
            TestContext.AddTestAttachment(picture);
        }

        await context.DisposeAsync();
    }

    /// <summary>Opens a new window, instead of the one there is.</summary>
    protected async Task OpenAsync(int width, ColorScheme scheme)
    {
        if (context is not null) await context.DisposeAsync();
        Complaints.Clear();
        Elsewhere.Clear();
        context = await BrowserSession.Browser.NewContextAsync(new()
        {
            BaseURL = BrowserSession.Host.Address.ToString(),
            ViewportSize = new() { Width = width, Height = 800 },
            ColorScheme = scheme,
            ReducedMotion = ReducedMotion.Reduce,
            Locale = "es-DO",
        });
        Page = await context.NewPageAsync();
        Page.SetDefaultTimeout(10_000);
        Page.PageError += (_, error) => Complaints.Enqueue(error);
        Page.Console += (_, message) =>
        {
            // An answer that is an error is a complaint of the network, which some tests ask for.
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal)) Complaints.Enqueue(message.Text);
        };
        Page.Request += (_, request) =>
        {
            var address = new Uri(request.Url);
            if (address.Scheme is "http" or "https" && address.Authority != BrowserSession.Host.Address.Authority) Elsewhere.Enqueue(request.Url);
        };
    }

    /// <summary>Answers a path of the API in the host's stead.</summary>
    protected Task AnswerAsync(string path, object body, int status = 200) => Page.RouteAsync(path, route => route.FulfillAsync(new()
    {
        Status = status,
        ContentType = status < 400 ? "application/json" : "application/problem+json",
        Body = JsonSerializer.Serialize(body, JsonSerializerOptions.Web),
    }));
}
