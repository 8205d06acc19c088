using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using OKLA.Features;
using OKLA.Host.Auth;
using OKLA.ML;
using OKLA.Shared.EventLog;
using OKLA.Shared.Jobs;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;
using OKLA.Tracking.Identity;

namespace OKLA.Tests.Modules.ML;

/// <summary>Features and ML behind HTTP, wired as the host does it.</summary>
internal sealed class ServedHouse : IAsyncDisposable
{
    private readonly WebApplication app;

    private ServedHouse(WebApplication app)
    {
        this.app = app;
        Http = new HttpClient { BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()) };
    }

    public HttpClient Http { get; }

    public IServiceProvider Services => app.Services;

    public static async Task<ServedHouse> StartAsync(NpgsqlDataSource database, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Configuration.AddInMemoryCollection([new("urls", "http://127.0.0.1:0"), new("ML:RefreshSeconds", "0.1"), .. settings.Select(one => new KeyValuePair<string, string?>(one.Key, one.Value))]);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(database).AddEventLog().AddMessaging(typeof(FeaturesModule).Assembly, typeof(MLModule).Assembly).AddJobs(runJobs: false)
            .AddSingleton<KnownPeople>().AddSingleton(new MessagingServices.MessageTypes([typeof(FindPersonHandler)]));
        builder.Services.AddWeb().AddOklaAuth(builder.Configuration, builder.Environment).AddFeatures().AddML();
        var app = builder.Build();
        app.UseWeb().UseAuthentication().UseAuthorization();
        app.MapAuth();
        app.MapFeatures();
        app.MapML();
        await app.StartAsync();
        return new ServedHouse(app);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await app.DisposeAsync();
    }
}
