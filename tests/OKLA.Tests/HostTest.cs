using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Host;
using OKLA.Host.Cli;

namespace OKLA.Tests;

/// <summary>Base of test classes that need the whole host: real Kestrel on a free port, real PostgreSQL, Development settings.</summary>
public abstract class HostTest : DatabaseTest
{
    private BuiltHost host = null!;

    /// <summary>Talks to the host without credentials.</summary>
    protected HttpClient Client { get; private set; } = null!;

    /// <summary>The host's services.</summary>
    protected IServiceProvider Services => host.App.Services;

    /// <summary>Settings of the host beside the database, as <c>--Section:Name</c>, value, …. Jobs run when a test asks for them, not beside it, and trainings in this process.</summary>
    protected virtual string[] Settings => [];

    [OneTimeSetUp]
    public async Task StartHostAsync()
    {
        host = await OklaHost.BuildAsync(
            ["--urls", "http://127.0.0.1:0", "--environment", "Development", "--ConnectionStrings:Okla", ConnectionString, "--Logging:LogLevel:Default", "Warning", "--Jobs:Scheduled", "false", "--ML:TrainingProcess", "false", .. Settings]);
        await host.App.StartAsync();
        Client = NewClient();
    }

    [OneTimeTearDown]
    public async Task StopHostAsync()
    {
        Client.Dispose();
        await host.App.StopAsync();
        await host.DisposeAsync();
    }

    /// <summary>Stops the host as a signal would; its services stay.</summary>
    protected Task StopServingAsync() => host.App.StopAsync();

    /// <summary>A client of its own, signed in as one of the demo accounts.</summary>
    protected async Task<HttpClient> SignInAsync(string account)
    {
        var client = NewClient();
        using var answer = await client.PostAsync($"/api/auth/demo/{account}", null);
        var token = await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.GetProperty("accessToken").GetString());
        return client;
    }

    /// <summary>One of the host's services.</summary>
    protected T Service<T>()
        where T : notnull => Services.GetRequiredService<T>();

    private HttpClient NewClient() => new() { BaseAddress = new Uri(host.App.Urls.First()) };
}
