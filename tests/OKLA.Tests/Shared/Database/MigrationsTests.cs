using System.Reflection;
using Microsoft.Extensions.Logging.Abstractions;
using OKLA.Host;
using OKLA.Shared.Database;

namespace OKLA.Tests.Shared.Database;

public sealed class MigrationsTests : DatabaseTest
{
    [Test]
    public async Task Applying_again_changes_nothing()
    {
        var before = await ScalarAsync<long>("select count(*) from okla.migrations");

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Migrations.ApplyAsync(Database, Rooms.Assemblies, NullLogger.Instance)));

        before.ShouldBeGreaterThan(0);
        (await ScalarAsync<long>("select count(*) from okla.migrations")).ShouldBe(before);
    }

    [Test]
    public async Task A_file_that_changed_after_it_was_applied_is_refused_by_name()
    {
        await TemporarilyAsync("update okla.migrations set checksum = 'x' || checksum where room = 'OKLA.Shared.EventLog' and number = 1", async () =>
        {
            var refusal = await Should.ThrowAsync<DatabaseUnavailableException>(() => Migrations.ApplyAsync(Database, Rooms.Assemblies, NullLogger.Instance));
            refusal.Message.ShouldContain("OKLA.Shared.EventLog 0001_marten_layout was changed");
        }, "update okla.migrations set checksum = substr(checksum, 2) where room = 'OKLA.Shared.EventLog' and number = 1");
    }

    [Test]
    public async Task A_database_that_is_ahead_of_the_build_is_refused_by_name()
    {
        await TemporarilyAsync("insert into okla.migrations values ('OKLA.Shared.EventLog', 9999, 'from_the_future', 'x')", async () =>
        {
            var refusal = await Should.ThrowAsync<DatabaseUnavailableException>(() => Migrations.ApplyAsync(Database, Rooms.Assemblies, NullLogger.Instance));
            refusal.Message.ShouldContain("9999_from_the_future");
        }, "delete from okla.migrations where number = 9999");
    }

    [Test]
    public async Task An_assembly_without_migrations_is_fine() =>
        await Should.NotThrowAsync(() => Migrations.ApplyAsync(Database, [Assembly.GetExecutingAssembly()], NullLogger.Instance));

    private async Task TemporarilyAsync(string sql, Func<Task> action, string undo)
    {
        await ExecuteAsync(sql);
        try
        {
            await action();
        }
        finally
        {
            await ExecuteAsync(undo);
        }
    }
}
