using System.Diagnostics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OKLA.Analytics;
using OKLA.Chatbot;
using OKLA.Features;
using OKLA.Host.Admin;
using OKLA.Host.Auth;
using OKLA.Host.Cli;
using OKLA.Host.Demo;
using OKLA.ML;
using OKLA.Shared.Caching;
using OKLA.Shared.Database;
using OKLA.Shared.EventLog;
using OKLA.Shared.Jobs;
using OKLA.Shared.Messaging;
using OKLA.Shared.Telemetry;
using OKLA.Shared.Web;
using OKLA.Tracking;

namespace OKLA.Host;

/// <summary>The composition root: infrastructure, five Add…, five Map…. Serving and the command line's verbs build the same host.</summary>
internal static class OklaHost
{
    /// <summary>Builds the host.</summary>
    /// <param name="settings">Command-line settings: <c>--urls</c>, <c>--Section:Name value</c>.</param>
    /// <param name="serving">False for a verb that ends by itself: subscriptions and jobs then stand still unless the verb moves them.</param>
    /// <param name="configure">Last word on the registrations, for tests.</param>
    public static async Task<BuiltHost> BuildAsync(string[] settings, bool serving = true, Action<WebApplicationBuilder>? configure = null)
    {
        var root = HostFolders.ContentRoot();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = settings, ContentRootPath = root, WebRootPath = HostFolders.WebRoot(root) });
        using var startLogs = LoggerFactory.Create(logging => logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddConsole());
        var embedded = await builder.AddDatabaseAsync(startLogs);
        try
        {
            builder.Services.AddEventLog(runSubscriptions: serving).AddMessaging([.. Rooms.Assemblies]).AddCaching().AddJobs(runJobs: serving).AddTelemetry().AddWeb();
            builder.Services.AddOklaAuth(builder.Configuration, builder.Environment);
            builder.Services.AddApiDocument();
            builder.Services.AddRequestDecompression().AddHealthChecks().AddCheck<DatabaseHealth>("postgresql", HealthStatus.Unhealthy, ["ready"]);
            builder.Services.AddTracking().AddFeatures().AddML(serving, () => Trainer(settings, builder, embedded)).AddChatbot().AddAnalytics();
            builder.Services.AddDemo();
            configure?.Invoke(builder);

            var app = builder.Build();
            await app.Services.ApplyMigrationsAsync(Rooms.Assemblies);
            if (serving)
            {
                Map(app);
                await DemoSeed.FillAsync(app);
            }

            return new BuiltHost(app, embedded);
        }
        catch
        {
            if (embedded is not null)
            {
                await embedded.DisposeAsync();
            }

            throw;
        }
    }

    /// <summary>This program once more, on the same database and with the same settings, to train what is queued.</summary>
    private static ProcessStartInfo Trainer(string[] settings, WebApplicationBuilder builder, EmbeddedPostgres? embedded)
    {
        var host = typeof(OklaHost).Assembly.Location;
        // Where another program holds this host (a benchmark, a test), it is still this one that trains.
        var start = Environment.ProcessPath is { } dotnet && Path.GetFileNameWithoutExtension(dotnet) == "dotnet"
            ? new ProcessStartInfo(dotnet, [host])
            : new ProcessStartInfo(Path.ChangeExtension(host, OperatingSystem.IsWindows() ? ".exe" : null));
        start.ArgumentList.Add(TrainQueuedVerb.Verb.Name);
        start.ArgumentList.Add(TrainQueuedVerb.UntilInputEnds);
        // Not as arguments, which every user of the machine can read.
        foreach (var (key, value) in new ConfigurationBuilder().AddCommandLine(settings).Build().AsEnumerable().Where(pair => pair.Value is not null))
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        start.Environment["ASPNETCORE_ENVIRONMENT"] = builder.Environment.EnvironmentName;
        start.Environment[$"ConnectionStrings__{DatabaseOptions.ConnectionStringName}"] = embedded?.ConnectionString ?? builder.Configuration.GetConnectionString(DatabaseOptions.ConnectionStringName);
        // One heap: it has no requests to answer, and its memory is wanted back.
        start.Environment["DOTNET_gcServer"] = "0";
        return start;
    }

    private static void Map(WebApplication app)
    {
        app.UseWeb();
        app.UseRequestDecompression();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimits();
        app.MapOpenApi();
        app.MapMetrics();
        app.MapHealth();
        app.MapAuth();
        app.MapEventLogAdmin();
        app.MapTracking();
        app.MapFeatures();
        app.MapML();
        app.MapPages();
    }
}
