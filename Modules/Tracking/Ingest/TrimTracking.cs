using Dapper;
using Npgsql;
using OKLA.Shared.Messaging;
using OKLA.Tracking.Privacy;

namespace OKLA.Tracking.Ingest;

/// <summary>Command: forgets what is past its time: rejected events and the keys of address hashes. Answers <see cref="TrimReport"/>.</summary>
internal sealed record TrimTracking : ICommand;

/// <summary>Answer to <see cref="TrimTracking"/>.</summary>
/// <param name="Rejected">Rejected events deleted.</param>
/// <param name="Keys">Keys destroyed.</param>
internal sealed record TrimReport(int Rejected, int Keys);

/// <summary>Handles <see cref="TrimTracking"/>.</summary>
internal static class TrimTrackingHandler
{
    public static async Task<TrimReport> HandleAsync(TrimTracking command, NpgsqlDataSource database, TrackingOptions options, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(ct);
        var rejected = await connection.ExecuteAsync(new CommandDefinition(
            """
            delete from tracking.rejected_events
            where received_at < @oldest or id <= (select max(id) from tracking.rejected_events) - @RejectedKept
            """,
            new { oldest = now.AddDays(-options.RejectedDays).UtcDateTime, options.RejectedKept }, cancellationToken: ct));
        var keys = await AddressKeys.DestroyAsync(connection, DateOnly.FromDateTime(now.UtcDateTime).AddDays(-options.AddressKeyDays + 1), ct);
        return new TrimReport(rejected, keys);
    }
}
