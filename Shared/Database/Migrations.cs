using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace OKLA.Shared.Database;

/// <summary>Applies each room's numbered SQL files once, in order, and refuses a file that changed after it was applied.</summary>
public static class Migrations
{
    private const long LockKey = 0x4F4B4C41_4D494752; // "OKLAMIGR"

    /// <summary>Applies what is new under an advisory lock, so that hosts starting together do it once.</summary>
    /// <exception cref="DatabaseUnavailableException">An applied file has another checksum, or is gone from the assembly.</exception>
    /// <param name="database">Database to bring up to date.</param>
    /// <param name="assemblies">Hold the files as embedded resources named <c>{Room}.Migrations.NNNN_name.sql</c>; taken in this order, rooms by name within one.</param>
    /// <param name="logger">Hears of each applied file.</param>
    /// <param name="ct">Stops between files.</param>
    public static async Task ApplyAsync(NpgsqlDataSource database, IEnumerable<Assembly> assemblies, ILogger logger, CancellationToken ct = default)
    {
        var rooms = assemblies.SelectMany(Read).ToList();
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync("select pg_advisory_lock(@LockKey)", new { LockKey });
        try
        {
            await connection.ExecuteAsync("""
                create schema if not exists okla;
                create table if not exists okla.migrations (
                    room text not null, number int not null, name text not null, checksum text not null,
                    applied_at timestamptz not null default now(), primary key (room, number))
                """);
            foreach (var room in rooms)
            {
                await ApplyRoomAsync(connection, room.Name, room.Files, logger, ct);
            }
        }
        finally
        {
            await connection.ExecuteAsync("select pg_advisory_unlock(@LockKey)", new { LockKey });
        }
    }

    private static async Task ApplyRoomAsync(NpgsqlConnection connection, string room, List<MigrationFile> files, ILogger logger, CancellationToken ct)
    {
        if (files.GroupBy(file => file.Number).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new DatabaseUnavailableException($"{room} has two migrations numbered {twice.Key:0000}.");
        }

        var applied = (await connection.QueryAsync<Applied>("select number, name, checksum from okla.migrations where room = @room", new { room }))
            .ToDictionary(row => row.Number);
        foreach (var gone in applied.Values.Where(row => files.All(file => file.Number != row.Number)))
        {
            throw new DatabaseUnavailableException($"Migration {room} {gone.Number:0000}_{gone.Name} was applied to this database but is not part of this build.");
        }

        foreach (var file in files)
        {
            if (applied.TryGetValue(file.Number, out var before))
            {
                if (before.Checksum != file.Checksum)
                {
                    throw new DatabaseUnavailableException($"Migration {room} {file.Number:0000}_{file.Name} was changed after it was applied: restore it and add a new one.");
                }

                continue;
            }

            await using var transaction = await connection.BeginTransactionAsync(ct);
            await connection.ExecuteAsync(file.Sql, transaction: transaction);
            await connection.ExecuteAsync(
                "insert into okla.migrations (room, number, name, checksum) values (@room, @Number, @Name, @Checksum)",
                new { room, file.Number, file.Name, file.Checksum }, transaction);
            await transaction.CommitAsync(ct);
            Log.MigrationApplied(logger, room, file.Number, file.Name);
        }
    }

    private static IEnumerable<(string Name, List<MigrationFile> Files)> Read(Assembly assembly)
    {
        const string Folder = ".Migrations.";
        return assembly.GetManifestResourceNames()
            .Where(resource => resource.Contains(Folder, StringComparison.Ordinal) && resource.EndsWith(".sql", StringComparison.Ordinal))
            .GroupBy(resource => resource[..resource.IndexOf(Folder, StringComparison.Ordinal)])
            .OrderBy(room => room.Key, StringComparer.Ordinal)
            .Select(room => (room.Key, room.Select(resource => Read(assembly, resource, resource[(room.Key.Length + Folder.Length)..^4])).OrderBy(file => file.Number).ToList()));
    }

    private static MigrationFile Read(Assembly assembly, string resource, string fileName)
    {
        if (fileName.Split('_', 2) is not [{ Length: 4 } digits, var title] || !int.TryParse(digits, out var number))
        {
            throw new DatabaseUnavailableException($"Migration file {resource} is not named NNNN_name.sql.");
        }

        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
        var sql = reader.ReadToEnd().ReplaceLineEndings("\n");
        return new MigrationFile(number, title, sql, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))));
    }

    private sealed record MigrationFile(int Number, string Name, string Sql, string Checksum);

    private sealed record Applied(int Number, string Name, string Checksum);
}
