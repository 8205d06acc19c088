using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OKLA.Features;
using OKLA.Host.Auth;
using OKLA.ML;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.Shared.EventLog;
using OKLA.Shared.Jobs;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;
using OKLA.Tracking.Identity;

namespace OKLA.Tests.Modules.ML.Serving;

/// <summary>Base of tests that ask models by HTTP: the module as a host wires it, over real PostgreSQL, with a model whose answers are known by hand.</summary>
public abstract class ServingTest : DatabaseTest
{
    private WebApplication app = null!;

    /// <summary>Talks to the host without credentials.</summary>
    protected HttpClient Http { get; private set; } = null!;

    /// <summary>The same as an admin.</summary>
    protected HttpClient Admin { get; private set; } = null!;

    /// <summary>The host's services.</summary>
    protected IServiceProvider Services => app.Services;

    /// <summary>Settings beside the defaults.</summary>
    protected virtual (string Key, string Value)[] Settings => [];

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        await BeforeHostAsync();
        app = await HostAsync();
        Http = ClientOf(app);
        Admin = ClientOf(app);
        var token = await (await Http.PostAsync("/api/auth/demo/admin", null)).Content.ReadFromJsonAsync<JsonElement>();
        Admin.DefaultRequestHeaders.Authorization = new("Bearer", token.GetProperty("accessToken").GetString());
        await PrepareAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        Http.Dispose();
        Admin.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
    }

    /// <summary>What the class needs before its host.</summary>
    protected virtual Task BeforeHostAsync() => Task.CompletedTask;

    /// <summary>What the class needs before its tests.</summary>
    protected virtual Task PrepareAsync() => Task.CompletedTask;

    /// <summary>A host over the class's database.</summary>
    protected async Task<WebApplication> HostAsync()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Configuration.AddInMemoryCollection(
        [
            new("urls", "http://127.0.0.1:0"), new("ML:RefreshSeconds", "0.1"), new("ML:Rollout:CheckSeconds", "0.2"), new("ML:Monitoring:CheckSeconds", "0.2"),
            .. Settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value)),
        ]);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(Database).AddEventLog().AddMessaging(typeof(FeaturesModule).Assembly, typeof(MLModule).Assembly).AddJobs(runJobs: false)
            .AddSingleton<KnownPeople>().AddSingleton(new MessagingServices.MessageTypes([typeof(FindPersonHandler)]));
        builder.Services.AddWeb().AddOklaAuth(builder.Configuration, builder.Environment).AddFeatures().AddML();
        builder.Services.AddSingleton<ModelDefinition, LineModel>();
        var host = builder.Build();
        host.UseWeb().UseAuthentication().UseAuthorization();
        host.MapAuth();
        host.MapML();
        await host.StartAsync();
        return host;
    }

    /// <summary>A client of a host.</summary>
    protected static HttpClient ClientOf(WebApplication host) =>
        new() { BaseAddress = new Uri(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()) };

    /// <summary>Saves a version of the line.</summary>
    internal Task<int> SaveAsync(Line line, object? data = null, string? artefact = null) => LineModel.SaveAsync(Service<ModelRegistry>(), line, data, artefact);

    /// <summary>Publishes a version and waits until this host serves it.</summary>
    protected async Task PublishAsync(int version)
    {
        await Service<ModelRegistry>().PublishAsync(LineModel.ModelName, version, default);
        await Service<ServedModels>().RefreshAsync();
    }

    /// <summary>One of the host's services.</summary>
    protected T Service<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    /// <summary>Asks the line about one row.</summary>
    protected Task<HttpResponseMessage> AskAsync(object row, string? userKey = null, string? requestId = null, bool explain = false) =>
        Http.PostAsJsonAsync($"/api/ml/models/{LineModel.ModelName}/predict", new { rows = new[] { row }, userKey, requestId, explain });

    /// <summary>The body of an answer.</summary>
    protected static async Task<JsonElement> BodyAsync(Task<HttpResponseMessage> asking) => await BodyAsync(await asking);

    /// <summary>The body of an answer, which must be a success.</summary>
    protected static async Task<JsonElement> BodyAsync(HttpResponseMessage answer)
    {
        answer.IsSuccessStatusCode.ShouldBeTrue($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <summary>Waits until something holds, a minute at most; looks are counted, not time, as a machine that stands still would use that up.</summary>
    protected static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var looks = 0; !await holds(); looks++)
        {
            looks.ShouldBeLessThan(1_200);
            await Task.Delay(50);
        }
    }
}
