using OKLA.Shared.Database;
using OKLA.Shared.EventLog;
using OKLA.Tracking;

namespace OKLA.Host;

/// <summary>Builds the host: infrastructure, five Add…, five Map….</summary>
internal sealed class OklaHost : IAsyncDisposable
{
    private readonly EmbeddedPostgres? embedded;

    private OklaHost(WebApplication app, EmbeddedPostgres? embedded)
    {
        App = app;
        this.embedded = embedded;
    }

    /// <summary>The application, ready to start, its tables up to date.</summary>
    public WebApplication App { get; }

    /// <summary>Builds the host from the command line's settings.</summary>
    public static async Task<OklaHost> BuildAsync(string[] args, bool runSubscriptions = true)
    {
        var builder = WebApplication.CreateBuilder(args);
        using var startLogs = LoggerFactory.Create(logging => logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddConsole());
        var embedded = await builder.AddDatabaseAsync(startLogs);
        builder.Services.AddEventLog(runSubscriptions);
        builder.Services.AddTracking();

        var app = builder.Build();
        await app.Services.ApplyMigrationsAsync(Rooms.Assemblies);
        app.MapTracking();
        return new OklaHost(app, embedded);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        if (embedded is not null)
        {
            await embedded.DisposeAsync();
        }
    }
}
