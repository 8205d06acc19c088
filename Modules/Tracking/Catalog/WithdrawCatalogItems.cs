using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tracking.Catalog;

/// <summary>Handles <see cref="WithdrawCatalogItems"/>: live items end, sold or withdrawn; the others stay as they are.</summary>
internal static class WithdrawCatalogItemsHandler
{
    public static async Task<CatalogChanges> HandleAsync(
        WithdrawCatalogItems command, NpgsqlDataSource database, EventLog log, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await CatalogTable.LockAsync(transaction, ct);
        var known = await CatalogTable.ReadAsync(connection, command.Ids, ct);
        var at = command.OccurredAt ?? command.KnownAt ?? clock.GetUtcNow();
        var ended = await ApplyAsync(transaction, log, known, command.Sold, command.Reason, at, command.KnownAt, ct);
        await transaction.CommitAsync(ct);
        return new CatalogChanges(0, 0, 0, command.Ids.Count - ended, ended);
    }

    /// <summary>Ends the live ones of <paramref name="known"/> within the caller's transaction, which holds the catalogue's lock.</summary>
    /// <returns>How many ended.</returns>
    internal static async Task<int> ApplyAsync(
        NpgsqlTransaction transaction, EventLog log, IEnumerable<CatalogEntry> known, bool sold, string? reason,
        DateTimeOffset occurredAt, DateTimeOffset? knownAt, CancellationToken ct)
    {
        var ending = known.Where(entry => entry.Status == CatalogDecisions.Live)
            .Select(entry => entry with { Status = sold ? CatalogDecisions.Sold : CatalogDecisions.Withdrawn, UpdatedAt = occurredAt }).ToList();
        await CatalogTable.WriteAsync(transaction, ending, ct);
        if (ending.Count > 0)
        {
            await log.AppendAsync(transaction, [.. ending.Select(entry => new StreamEvent(
                PutCatalogItemsHandler.StreamOf(entry.Item.Id),
                CatalogDecisions.End(entry.Item.Id, sold, reason) with { OccurredAt = occurredAt, KnownAt = knownAt }))], ct);
        }

        return ending.Count;
    }
}
