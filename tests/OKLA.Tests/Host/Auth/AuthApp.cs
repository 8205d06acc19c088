using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using OKLA.Host.Auth;
using OKLA.Shared.Web;

namespace OKLA.Tests.Host.Auth;

/// <summary>A small host with sign-in and one endpoint a policy, each answering who asked.</summary>
internal sealed class AuthApp : IAsyncDisposable
{
    private readonly WebApplication app;

    private AuthApp(WebApplication app)
    {
        this.app = app;
        Client = app.GetTestClient();
    }

    public HttpClient Client { get; }

    public required ManualTime Time { get; init; }

    public IServiceProvider Services => app.Services;

    /// <summary>Settings of the <c>Auth</c> section with which HS256 tokens of <see cref="Tokens"/> are good.</summary>
    public static Dictionary<string, string?> HmacSettings => new()
    {
        ["Auth:Issuer"] = Tokens.Issuer,
        ["Auth:HmacKeys:0:Secret"] = Tokens.Secret,
        ["Auth:FailureBurst"] = "10000",
    };

    public static Task<AuthApp> StartAsync(
        string environment, Dictionary<string, string?> settings, NpgsqlDataSource? database = null, Action<IServiceCollection>? services = null) =>
        StartAsync(environment, new ManualTime(), settings, database, services);

    public static async Task<AuthApp> StartAsync(
        string environment, ManualTime time, Dictionary<string, string?> settings, NpgsqlDataSource? database = null, Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Services.AddSingleton<TimeProvider>(time);
        // Tests that need no database get one that nobody answers for. An instance, so that the host does not dispose the class's own.
        builder.Services.AddSingleton(database ?? NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Timeout=1"));
        builder.Services.AddOklaAuth(builder.Configuration, builder.Environment);
        services?.Invoke(builder.Services);
        var app = builder.Build();
        try
        {
            app.Use((context, next) =>
            {
                if (context.Request.Headers["X-Test-Address"] is [{ } address]) context.Connection.RemoteIpAddress = IPAddress.Parse(address);
                return next(context);
            });
            app.UseAuthentication();
            app.UseAuthorization();
            app.MapAuth();
            foreach (var policy in (string[])[Policies.Anonymous, Policies.Buyer, Policies.Dealer, Policies.Admin])
                app.MapGet("/" + policy, Tell).RequireAuthorization(policy);
            foreach (var scope in Policies.Scopes.All.Where(scope => scope != Policies.Scopes.Admin))
                app.MapPost("/" + scope, Tell).RequireAuthorization("scope " + scope);
            await app.StartAsync();
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return new AuthApp(app) { Time = time };
    }

    public async Task<Answer> SendAsync(
        string path, string? token = null, HttpMethod? method = null, (string Name, string Value)[]? headers = null, object? body = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token).ShouldBeTrue();
        foreach (var (name, value) in headers ?? []) request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        if (body is not null) request.Content = JsonContent.Create(body);
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new Answer(
            response.StatusCode,
            response.Headers.WwwAuthenticate.ToString(),
            response.Headers.RetryAfter?.Delta,
            response.Content.Headers.ContentType?.MediaType,
            text.Length == 0 ? [] : JsonNode.Parse(text)!.AsObject());
    }

    /// <summary>The status of a GET with one header exactly as given, past the checks an HTTP client makes.</summary>
    public async Task<int> StatusAsync(string path, string header, string value) =>
        (await app.GetTestServer().SendAsync(context =>
        {
            context.Request.Path = path;
            context.Request.Headers[header] = value;
        })).Response.StatusCode;

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private static Told Tell(CurrentUser user) => new(user.Id, user.Role.ToString(), user.DealerId, [.. user.Scopes.Order()], user.KeyId);

    public sealed record Answer(HttpStatusCode Status, string Challenge, TimeSpan? RetryAfter, string? MediaType, JsonObject Body)
    {
        public string? Code => (string?)Body["code"];

        public string? Reason => (string?)Body["reason"];

        public string? this[string member] => Body[member]?.ToString();
    }

    private sealed record Told(string? Id, string Role, string? DealerId, string[] Scopes, string? KeyId);
}
