using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OKLA.Host;
using OKLA.Shared.Database;

// Classes stand side by side, each on a database of its own; they mostly wait for PostgreSQL and for each other's hosts, so that three fit on two cores. Tests of a class follow one another.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(3)]

namespace OKLA.Tests;

/// <summary>One embedded PostgreSQL for the whole run, without fsync, thrown away at the end; and a template with every room's tables.</summary>
[SetUpFixture]
public sealed class TestServer
{
    private static EmbeddedPostgres server = null!;
    private static string folder = "";

    public static string ConnectionString => server.ConnectionString;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        Dapper.DefaultTypeMap.MatchNamesWithUnderscores = true;
        folder = Directory.CreateTempSubdirectory("okla-tests-").FullName;
        var options = new DatabaseOptions { DataFolder = folder, Fsync = false, SharedBuffersMegabytes = 128, MaxPoolSize = 20 };
        server = await EmbeddedPostgres.StartAsync(options, TestContext.CurrentContext.TestDirectory, NullLogger.Instance);
        await CreateDatabaseAsync("okla_template", template: "template0");
        await using var template = NpgsqlDataSource.Create(To("okla_template") + ";Pooling=false");
        await Migrations.ApplyAsync(template, Rooms.Assemblies, NullLogger.Instance);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    internal static string To(string database) => new NpgsqlConnectionStringBuilder(ConnectionString) { Database = database, IncludeErrorDetail = true }.ConnectionString;

    internal static async Task CreateDatabaseAsync(string name, string template = "okla_template")
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString + ";Pooling=false");
        await using var create = source.CreateCommand($"create database {name} template {template}");
        await create.ExecuteNonQueryAsync();
    }

    internal static async Task DropDatabaseAsync(string name)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString + ";Pooling=false");
        await using var drop = source.CreateCommand($"drop database if exists {name} with (force)");
        await drop.ExecuteNonQueryAsync();
    }
}

/// <summary>Base of test classes that need PostgreSQL: each class has a database of its own with every migration applied.</summary>
public abstract class DatabaseTest
{
    private static int counter;
    private string name = "";

    /// <summary>Connections to the class's own database.</summary>
    protected NpgsqlDataSource Database { get; private set; } = null!;

    /// <summary>The same database for a host under test: <c>ConnectionStrings:Okla</c>.</summary>
    protected string ConnectionString => TestServer.To(name);

    [OneTimeSetUp]
    public async Task CreateDatabaseAsync()
    {
        name = $"okla_{Interlocked.Increment(ref counter)}";
        await TestServer.CreateDatabaseAsync(name);
        Database = NpgsqlDataSource.Create(ConnectionString);
    }

    [OneTimeTearDown]
    public async Task DropDatabaseAsync()
    {
        await Database.DisposeAsync();
        await TestServer.DropDatabaseAsync(name);
    }

    /// <summary>Runs one SQL statement.</summary>
    protected async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of the first row.</summary>
    protected async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
