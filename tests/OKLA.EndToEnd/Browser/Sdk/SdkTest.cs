using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Playwright;
using Npgsql;
using OKLA.Shared.Database;

namespace OKLA.EndToEnd.Browser.Sdk;

/// <summary>A page of another site with the SDK's script tag, and the host's own log to look into.</summary>
internal abstract class SdkTest
{
    /// <summary>The pages below this path are the site's.</summary>
    protected const string Site = "/site";


    private static EmbeddedPostgres? server;
    private static NpgsqlDataSource? log;

    private readonly List<Sent> sent = [];

    /// <summary>The browser with its storage; all its pages are tabs of one visitor.</summary>
    protected IBrowserContext Context { get; private set; } = null!;

    /// <summary>One event as it went over the wire.</summary>
    protected sealed record Sent(string Id, string Type, JsonElement Body);

    /// <summary>One event as it stands in the log.</summary>
    protected sealed record Logged(Guid Id, string Type, string? ItemId, JsonElement Properties, string? Page);

    // The host's address in full, as a site of another origin has to write it.
    private static string Head => $"""
        <!doctype html><title>Otro sitio</title>
        <script>window.okla = window.okla || []; okla.push(['identify', null]);</script>
        <script async src="{BrowserSession.Host.Address}sdk/okla.js"></script>
        """;

    [OneTimeSetUp]
    public static async Task OpenLogAsync()
    {
        server = await EmbeddedPostgres.StartAsync(new DatabaseOptions { DataFolder = BrowserSession.DataFolder }, AppContext.BaseDirectory, NullLogger.Instance);
        log = NpgsqlDataSource.Create(server.ConnectionString);
    }

    [OneTimeTearDown]
    public static async Task CloseLogAsync()
    {
        if (log is not null) await log.DisposeAsync();
        if (server is not null) await server.DisposeAsync();
    }

    [SetUp]
    public async Task OpenBrowserAsync()
    {
        sent.Clear();
        Context = await BrowserSession.Browser.NewContextAsync(new() { BaseURL = BrowserSession.Host.Address.ToString(), Locale = "es-DO", ViewportSize = new() { Width = 1000, Height = 800 } });
        Context.SetDefaultTimeout(10_000);
        await Context.RouteAsync($"**{Site}**", route => route.FulfillAsync(new() { ContentType = "text/html; charset=utf-8", Body = Page }));
        Context.Request += (_, request) => Keep(request);
    }

    [TearDown]
    public async Task CloseBrowserAsync() => await Context.DisposeAsync();

    /// <summary>A page of the site.</summary>
    protected string Page => Head + Body;

    /// <summary>What the site's pages hold.</summary>
    protected virtual string Body => "<h1>Sitio</h1>";

    /// <summary>What went over the wire so far, in order, repetitions included.</summary>
    protected IReadOnlyList<Sent> Wire
    {
        get
        {
            lock (sent) return [.. sent];
        }
    }

    /// <summary>Opens a tab and waits until the SDK runs in it.</summary>
    protected async Task<IPage> OpenTabAsync(string path = Site)
    {
        var tab = await Context.NewPageAsync();
        await tab.GotoAsync(path);
        await ReadyAsync(tab);
        return tab;
    }

    /// <summary>Waits until the SDK runs in a tab.</summary>
    protected static Task ReadyAsync(IPage tab) => tab.WaitForFunctionAsync("() => window.okla && typeof okla.track === 'function'");

    /// <summary>Records events of type <c>shared</c>, one an item.</summary>
    protected static Task ShareAsync(IPage tab, params string[] items) =>
        tab.EvaluateAsync("items => items.forEach(item => okla.track('shared', item, { channel: 'link' }))", items);

    /// <summary>This browser's identity.</summary>
    protected static Task<string> VisitorAsync(IPage tab) => tab.EvaluateAsync<string>("() => okla.anonymousId()");

    /// <summary>Number of events that wait in the browser.</summary>
    protected static Task<int> WaitingAsync(IPage tab) => tab.EvaluateAsync<int>("() => Object.keys(localStorage).filter(key => key.startsWith('okla.q.')).length");

    /// <summary>Looks until it is so, ten seconds long.</summary>
    protected static async Task UntilAsync(Func<Task<bool>> isSo, Func<string> otherwise)
    {
        var clock = Stopwatch.StartNew();
        while (!await isSo())
        {
            if (clock.Elapsed > TimeSpan.FromSeconds(12)) throw new TimeoutException(otherwise());
            await Task.Delay(50);
        }
    }

    /// <summary>Waits until the log has a visitor's events of these items, and answers all that it has of the visitor.</summary>
    protected static async Task<IReadOnlyList<Logged>> LogOfAsync(string visitor, params string[] items)
    {
        IReadOnlyList<Logged> found = [];
        await UntilAsync(
            async () =>
            {
                found = await ReadLogAsync(visitor);
                return items.All(item => found.Any(one => one.ItemId == item));
            },
            () => $"The log has {string.Join(", ", found.Select(one => $"{one.Type} {one.ItemId}"))}, not {string.Join(", ", items)}.");
        return found;
    }

    /// <summary>Waits until the log has an event of a visitor that is so.</summary>
    protected static async Task<Logged> LoggedAsync(string visitor, Func<Logged, bool> isIt)
    {
        IReadOnlyList<Logged> found = [];
        await UntilAsync(
            async () => (found = await ReadLogAsync(visitor)).Any(isIt),
            () => $"The log has only {string.Join(", ", found.Select(one => $"{one.Type} {one.ItemId} {one.Properties}"))}.");
        return found.First(isIt);
    }

    private static async Task<IReadOnlyList<Logged>> ReadLogAsync(string visitor)
    {
        await using var command = log!.CreateCommand(
            "select id, type, data ->> 'itemId', data -> 'properties', data -> 'context' ->> 'page' from events.mt_events where data ->> 'anonymousId' = $1 order by seq_id");
        command.Parameters.AddWithValue(visitor);
        await using var reader = await command.ExecuteReaderAsync();
        var events = new List<Logged>();
        while (await reader.ReadAsync())
        {
            using var properties = JsonDocument.Parse(await reader.IsDBNullAsync(3) ? "{}" : reader.GetString(3));
            events.Add(new Logged(
                reader.GetGuid(0), reader.GetString(1), await reader.IsDBNullAsync(2) ? null : reader.GetString(2), properties.RootElement.Clone(),
                await reader.IsDBNullAsync(4) ? null : reader.GetString(4)));
        }

        return events;
    }

    private void Keep(IRequest request)
    {
        if (new Uri(request.Url).AbsolutePath != "/api/events" || request.PostData is not { } body) return;
        using var events = JsonDocument.Parse(body);
        lock (sent)
        {
            foreach (var one in events.RootElement.EnumerateArray()) sent.Add(new Sent(one.GetProperty("id").GetString()!, one.GetProperty("type").GetString()!, one.Clone()));
        }
    }
}
