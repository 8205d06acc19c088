using Dapper;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Training.Runs;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Monitoring;

/// <summary>Command: forgets what is past its time, see ML:Serving:KeepDays, KeepResultDays and KeepSeriesDays, and ML:Artefacts:KeepRunDays and KeepRunVersions. Answers <see cref="TrimMLReport"/>.</summary>
/// <param name="Progress">Hears of each table.</param>
internal sealed record TrimML(IProgress<WorkProgress>? Progress = null) : ICommand;

/// <summary>Answer to <see cref="TrimML"/>.</summary>
/// <param name="Before">What is older went: answers with their outcomes, minutes, goals, closed alerts and who met which arm of rollouts that are over.</param>
/// <param name="Deleted">Rows deleted by table; of ml.runs those that lost what they were measured on.</param>
internal sealed record TrimMLReport(DateTimeOffset Before, IReadOnlyDictionary<string, long> Deleted);

/// <summary>
/// Handles <see cref="TrimML"/>: in lots, each a transaction of its own, which pass over rows that somebody else holds, so that nobody waits for it; cut off, it goes on
/// the next night. What rollouts and trainings decided stays: only what was counted or measured to decide goes.
/// </summary>
internal static class TrimMLHandler
{
    private const int Lot = 5_000;

    /// <summary>Parts of files are large.</summary>
    private const int PartsLot = 20;

    /// <summary>Each run has a file.</summary>
    private const int RunsLot = 100;

    /// <summary>How long after the longest time of a goal its events may still come to be known here.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromDays(1);

    /// <summary>What goes, children before parents: the table, which of the three times it goes by, rows a lot, and the statement, which answers how many went.</summary>
    private static readonly (string Table, string At, int Lot, string Delete)[] Steps =
    [
        // An outcome goes with the answer that it belongs to, however early it came about and however late it was told.
        ("ml.predictions", "old", Lot, """
            with gone as (delete from ml.predictions where ctid = any(array(select ctid from ml.predictions where at < @at order by at limit @lot for update skip locked)) returning request_id, row),
                outcomes as (delete from ml.outcomes o using gone where o.request_id = gone.request_id and o.row = gone.row)
            select count(*) from gone
            """),
        // Told while its answer went.
        ("ml.outcomes", "old", Lot, """
            with gone as (
                delete from ml.outcomes where ctid = any(array(
                    select o.ctid from ml.outcomes o where o.known_at < @at and not exists (select 1 from ml.predictions p where p.request_id = o.request_id and p.row = o.row) limit @lot for update skip locked)) returning 1)
            select count(*) from gone
            """),
        ("ml.serving_minutes", "old", Lot, Oldest("ml.serving_minutes", "minute < @at", "minute")),
        ("ml.goal_events", "old", Lot, Oldest("ml.goal_events", "at < @at", "at")),
        ("ml.alerts", "old", Lot, Oldest("ml.alerts", "resolved_at < @at", "since")),
        ("ml.alert_silences", "old", Lot, Oldest("ml.alert_silences", "until < @at", "until")),
        ("ml.exposures", "old", Lot, Oldest("ml.exposures", "rollout_id = any(array(select id from ml.rollouts where ended_at < @at))", "rollout_id")),
        ("ml.shadow_minutes", "old", Lot, Oldest("ml.shadow_minutes", "rollout_id = any(array(select id from ml.rollouts where ended_at < @at))", "rollout_id")),
        ("ml.demand_hours", "series", Lot, Oldest("ml.demand_hours", "hour < @at", "hour")),
        ("ml.campaign_hours", "series", Lot, Oldest("ml.campaign_hours", "hour < @at", "hour")),
        ("ml.batch_parts", "results", PartsLot, Oldest("ml.batch_parts", $"job_id = any(array(select id from ml.batch_jobs where {BatchIsOver}))", "job_id, part")),
        ("ml.batch_jobs", "results", Lot, Oldest("ml.batch_jobs", $"({BatchIsOver}) and not exists (select 1 from ml.batch_parts p where p.job_id = ml.batch_jobs.id)", "id")),
        ("ml.async_predictions", "results", Lot, Oldest("ml.async_predictions", "finished_at < @at and callback_state <> 'waiting'", "id")),
    ];

    /// <summary>Answered and past its time, or an upload that broke off.</summary>
    private const string BatchIsOver = "finished_at < @at or (state = 'receiving' and created_at < @yesterday)";

    public static async Task<TrimMLReport> Handle(TrimML command, NpgsqlDataSource database, RunTables runs, IOptions<MLOptions> options, TimeProvider clock, CancellationToken ct)
    {
        var (now, knobs) = (clock.GetUtcNow(), options.Value.Serving);
        await using var connection = await database.OpenConnectionAsync(ct);
        var old = now - await KeptAsync(connection, TimeSpan.FromDays(knobs.KeepDays), ct);
        var deleted = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (table, at, lot, delete) in Steps)
        {
            var before = at switch { "results" => now.AddDays(-knobs.KeepResultDays), "series" => now.AddDays(-knobs.KeepSeriesDays), _ => old };
            long sum = 0, went;
            do
            {
                went = await connection.ExecuteScalarAsync<long>(new CommandDefinition(delete, new { at = before.UtcDateTime, yesterday = now.AddDays(-1).UtcDateTime, lot }, commandTimeout: 120, cancellationToken: ct));
                sum += went;
                command.Progress?.Report(new WorkProgress((double)deleted.Count / (Steps.Length + 1), $"{table}: {sum:N0} rows"));
            }
            while (went == lot);

            deleted[table] = sum;
        }

        var (place, forgotten, some) = (options.Value.Artefacts, 0, 0);
        do
        {
            some = await runs.ForgetAsync(now.AddDays(-place.KeepRunDays), place.KeepRunVersions, now, RunsLot, ct);
            forgotten += some;
            command.Progress?.Report(new WorkProgress(1, $"ml.runs: {forgotten:N0} forgot what they were measured on"));
        }
        while (some == RunsLot);

        deleted["ml.runs"] = forgotten;
        return new TrimMLReport(old, deleted);
    }

    /// <summary>How long answers are kept: the days that are set, and never less than the longest time in which the goal of a model or of a rollout under way may still be reached.</summary>
    private static async Task<TimeSpan> KeptAsync(NpgsqlConnection connection, TimeSpan wanted, CancellationToken ct)
    {
        var minutes = await connection.ExecuteScalarAsync<int?>(new CommandDefinition(
            "select max(m) from (select window_minutes as m from ml.goals union all select (spec->'goal'->>'windowMinutes')::int from ml.rollouts where status = 'running') windows", cancellationToken: ct));
        var needed = TimeSpan.FromMinutes(minutes ?? 0) + Late;
        return minutes is not null && needed > wanted ? needed : wanted;
    }

    private static string Oldest(string table, string which, string order) => $"""
        with gone as (delete from {table} where ctid = any(array(select ctid from {table} where {which} order by {order} limit @lot for update skip locked)) returning 1)
        select count(*) from gone
        """;
}
