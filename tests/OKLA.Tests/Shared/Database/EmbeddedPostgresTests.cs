using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OKLA.Shared.Database;

namespace OKLA.Tests.Shared.Database;

public sealed class EmbeddedPostgresTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("okla-embedded-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task Data_survives_a_stop_and_a_start()
    {
        await using (var first = await StartAsync())
        {
            await RunAsync(first, "create table kept (n int); insert into kept values (7)");
        }

        await using var second = await StartAsync();
        (await RunAsync(second, "select n from kept")).ShouldBe(7);
    }

    [Test]
    public async Task It_listens_on_loopback_only_with_a_random_password_kept_private()
    {
        await using var server = await StartAsync();

        (await RunAsync(server, "show listen_addresses")).ShouldBe("127.0.0.1");
        (await RunAsync(server, "show unix_socket_directories")).ShouldBe("");
        var file = Path.Combine(folder, "postgres-password");
        (await File.ReadAllTextAsync(file)).Trim().Length.ShouldBe(48);
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "guess", Pooling = false }.ConnectionString;
        await using var stranger = new NpgsqlConnection(wrong);
        (await Should.ThrowAsync<PostgresException>(() => stranger.OpenAsync())).SqlState.ShouldBe(PostgresErrorCodes.InvalidPassword);
    }

    [Test]
    public async Task A_second_host_on_the_folder_joins_the_running_server()
    {
        await using var first = await StartAsync();
        await RunAsync(first, "create table shared_by_both (n int)");

        await using (var second = await StartAsync())
        {
            second.OwnedProcessId.ShouldBeNull();
            await RunAsync(second, "insert into shared_by_both values (1)");
        }

        (await RunAsync(first, "select count(*) from shared_by_both")).ShouldBe(1L);
    }

    [Test]
    public async Task A_killed_server_comes_back_on_the_same_port_with_what_was_committed()
    {
        await using var server = await StartAsync();
        await RunAsync(server, "create table kept (n int); insert into kept values (7)");

        using (var process = Process.GetProcessById(server.OwnedProcessId!.Value))
        {
            process.Kill();
        }

        object? value = null;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (value is null)
        {
            try
            {
                value = await RunAsync(server, "select n from kept");
            }
            catch (NpgsqlException)
            {
                await Task.Delay(50, limit.Token);
            }
        }

        value.ShouldBe(7);
    }

    [Test]
    public async Task A_folder_of_another_major_version_is_refused_in_one_clear_line()
    {
        await (await StartAsync()).DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(folder, "postgres", "PG_VERSION"), "14\n");

        var refusal = await Should.ThrowAsync<DatabaseUnavailableException>(StartAsync);

        refusal.Message.ShouldContain("PostgreSQL 14");
        refusal.Message.ShouldNotContain("\n");
    }

    [Test]
    public async Task Missing_binaries_name_the_command_that_installs_them()
    {
        var options = new DatabaseOptions { DataFolder = folder, NativeFolder = Path.Combine(folder, "nothing") };

        var refusal = await Should.ThrowAsync<DatabaseUnavailableException>(() => EmbeddedPostgres.StartAsync(options, folder, NullLogger.Instance));

        refusal.Message.ShouldContain("npm ci");
    }

    private Task<EmbeddedPostgres> StartAsync() =>
        EmbeddedPostgres.StartAsync(new DatabaseOptions { DataFolder = folder, SharedBuffersMegabytes = 32 }, TestContext.CurrentContext.TestDirectory, NullLogger.Instance);

    private static async Task<object?> RunAsync(EmbeddedPostgres server, string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}
