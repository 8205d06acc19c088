using Dapper;
using Npgsql;
using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Catalog;

/// <summary>Reads what an import came to out of what it left in the database.</summary>
internal static class ImportReports
{
    public static async Task<ImportReport> ReadAsync(NpgsqlDataSource database, Guid importId, bool repeated, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var head = await connection.QuerySingleAsync<(string Encoding, string Columns, long Rows)>(new CommandDefinition(
            "select encoding, columns, rows_read from tracking.imports where id = @importId", new { importId }, cancellationToken: ct));
        var setAside = await connection.QueryAsync<(string Reason, long Rows)>(new CommandDefinition(
            "select reason, count(*) from tracking.set_aside_rows where import_id = @importId group by reason order by count(*) desc, reason", new { importId }, cancellationToken: ct));
        var snapshots = await connection.QueryAsync<(DateTimeOffset TakenAt, int Rows, int Kept, int Listed, int Updated, int Repriced, int Unchanged, int Withdrawn)>(
            new CommandDefinition("""
                select snapshot, rows, kept, listed, updated, repriced, unchanged, withdrawn
                from tracking.imported_snapshots where import_id = @importId order by snapshot
                """, new { importId }, cancellationToken: ct));
        var list = snapshots.Select(s => new ImportedSnapshot(s.TakenAt, s.Rows, s.Kept, new CatalogChanges(s.Listed, s.Updated, s.Repriced, s.Unchanged, s.Withdrawn))).ToList();
        return new ImportReport(
            importId, repeated, head.Encoding, head.Columns, head.Rows, list.Sum(s => (long)s.Kept), setAside.ToDictionary(row => row.Reason, row => row.Rows), list);
    }
}
