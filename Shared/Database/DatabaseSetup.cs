using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Dapper;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace OKLA.Shared.Database;

/// <summary>Registers the one <see cref="NpgsqlDataSource"/> of the host and brings its tables up to date.</summary>
public static class DatabaseSetup
{
    /// <summary>
    /// Uses <c>ConnectionStrings:Okla</c> when it is set, and otherwise starts the embedded server.
    /// </summary>
    /// <returns>The embedded server, to be disposed after the host that uses it; null with an external one.</returns>
    public static async Task<EmbeddedPostgres?> AddDatabaseAsync(this IHostApplicationBuilder builder, ILoggerFactory loggers, CancellationToken ct = default)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        var options = builder.Configuration.GetSection("Database").Get<DatabaseOptions>() ?? new DatabaseOptions();
        Validator.ValidateObject(options, new ValidationContext(options), validateAllProperties: true);
        builder.Services.AddSingleton(options);

        var connectionString = builder.Configuration.GetConnectionString(DatabaseOptions.ConnectionStringName);
        EmbeddedPostgres? embedded = null;
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            embedded = await EmbeddedPostgres.StartAsync(options, builder.Environment.ContentRootPath, loggers.CreateLogger("OKLA.Shared.Database"), ct);
            connectionString = embedded.ConnectionString;
        }

        var text = new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = options.MaxPoolSize }.ConnectionString;
        builder.Services.AddSingleton(services =>
        {
            var source = new NpgsqlDataSourceBuilder(text) { Name = "okla" };
            source.UseLoggerFactory(services.GetService<ILoggerFactory>());
            return source.Build();
        });
        return embedded;
    }

    /// <summary>Applies the migrations that these assemblies embed.</summary>
    public static Task ApplyMigrationsAsync(this IServiceProvider services, IEnumerable<Assembly> assemblies, CancellationToken ct = default) =>
        Migrations.ApplyAsync(
            services.GetRequiredService<NpgsqlDataSource>(), assemblies, services.GetRequiredService<ILoggerFactory>().CreateLogger("OKLA.Shared.Database"), ct);
}
