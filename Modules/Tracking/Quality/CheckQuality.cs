using Dapper;
using Microsoft.Extensions.Logging;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Tracking.Quality;

/// <summary>Command: holds the data of the last hours against every expectation. Answers <see cref="QualityReport"/> and tells of alerts it raised.</summary>
internal sealed record CheckQuality : ICommand;

/// <summary>Answer to <see cref="CheckQuality"/>.</summary>
/// <param name="Judged">Expectations that there was enough to judge by.</param>
/// <param name="Breached">Those that do not hold.</param>
/// <param name="Raised">New alerts.</param>
/// <param name="Resolved">Alerts that ended.</param>
internal sealed record QualityReport(int Judged, int Breached, int Raised, int Resolved);

/// <summary>Handles <see cref="CheckQuality"/>. What it reads is bounded by fields and hours, not by events.</summary>
internal static class CheckQualityHandler
{
    private const long LagAllowed = 100;

    public static async Task<(QualityReport Report, IReadOnlyList<QualityAlertRaised> Raised)> HandleAsync(
        CheckQuality command, NpgsqlDataSource database, EventLog log, Subscriptions subscriptions, QualityOptions options, TimeProvider clock,
        ILogger<CheckQuality> logger, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var status = (await subscriptions.StatusAsync(ct)).FirstOrDefault(item => item.Name == "tracking.quality");
        await using var connection = await database.OpenConnectionAsync(ct);
        var watch = await Watch.LoadAsync(connection, ct);
        var evidence = await EvidenceAsync(connection, now.UtcDateTime, options, ct) with { IsComplete = status is null or { Lag: <= LagAllowed } };
        var judgements = await JudgeAsync(connection, watch, evidence, new Judge(options), options, ct);
        await WriteResultsAsync(connection, judgements, evidence, now, ct);
        var open = (await connection.QueryAsync<(Guid Id, string Expectation)>(new CommandDefinition(
            "select id, expectation from tracking.quality_alerts where resolved_at is null", cancellationToken: ct))).ToDictionary(alert => alert.Expectation, alert => alert.Id);

        var raised = new List<QualityAlertRaised>();
        foreach (var breach in judgements.Where(judgement => !judgement.Passed && !open.ContainsKey(judgement.Expectation.Name)))
        {
            var (since, positions) = await FailingRows.FindAsync(log, watch, breach, evidence, ct);
            var item = breach.Expectation;
            if (positions.Length == 0 && FailingRows.ShowsIn(item))
            {
                continue;
            }

            var told = new QualityAlertRaised(
                Guid.CreateVersion7(now), item.Name, item.Type, item.Field, Expectation.Word(item.Kind), Expectation.Word(item.Severity), since, breach.Observed, breach.Expected, AlertText.Of(breach));
            if (await RaiseAsync(connection, log, told, positions, now, ct))
            {
                Log.QualityBreached(logger, told.Expectation, told.Since, told.Message);
                raised.Add(told);
            }
        }

        var resolved = await FollowAsync(connection, judgements, watch, options, now, ct);
        await TrimAsync(connection, options, now, ct);
        return (new QualityReport(judgements.Count, judgements.Count(judgement => !judgement.Passed), raised.Count, resolved), raised);
    }

    /// <summary>Reads the profiles of the last hours and of the history.</summary>
    internal static async Task<Evidence> EvidenceAsync(NpgsqlConnection connection, DateTime now, QualityOptions options, CancellationToken ct)
    {
        var evidence = new Evidence(now);
        await foreach (var (key, profile) in ProfileTable.ReadAsync(
            connection, "grain = 1 and starts_at >= $1 and starts_at <= $2 order by starts_at", [evidence.Hour.AddHours(-24), evidence.Hour], ct))
        {
            if (!evidence.Recent.TryGetValue((key.Type, key.Field), out var hours))
            {
                evidence.Recent[(key.Type, key.Field)] = hours = [];
            }

            hours.Add(new HourOf(key.StartsAt, key.Late, profile));
        }

        await foreach (var (key, profile) in ProfileTable.ReadAsync(
            connection, "grain = 24 and starts_at >= $1 and starts_at < $2 and not late", [now.Date.AddDays(-options.HistoryDays), now.Date], ct))
        {
            var (whole, days) = evidence.Usual.GetValueOrDefault((key.Type, key.Field), (new FieldProfile(), 0));
            whole.Merge(profile);
            evidence.Usual[(key.Type, key.Field)] = (whole, days + 1);
        }

        foreach (var (type, hour, rows) in await connection.QueryAsync<(string, DateTime, long)>(new CommandDefinition(
            "select type, starts_at, rows from tracking.quality_profiles where grain = 1 and field = '*' and not late and starts_at >= @from and starts_at <= @Hour",
            new { from = evidence.Hour.AddDays(-options.HistoryDays), evidence.Hour }, cancellationToken: ct)))
        {
            if (!evidence.Volumes.TryGetValue(type, out var hours))
            {
                evidence.Volumes[type] = hours = [];
            }

            hours[hour] = rows;
        }

        var arrived = await connection.QueryAsync<(string Type, long Rows, long Today)>(new CommandDefinition("""
            select type, sum(rows)::bigint, coalesce(sum(rows) filter (where hour > @day), 0)::bigint from tracking.quality_arrivals where hour >= @from group by type
            """, new { from = evidence.Hour.AddDays(-options.HistoryDays), day = evidence.Hour.AddHours(-24) }, cancellationToken: ct));
        var today = 0L;
        foreach (var (type, rows, ofToday) in arrived)
        {
            evidence.Arrived[type] = rows;
            today += ofToday;
        }

        return evidence with { ArrivedToday = today };
    }

    private static async Task<List<Judgement>> JudgeAsync(
        NpgsqlConnection connection, Watch watch, Evidence evidence, Judge judge, QualityOptions options, CancellationToken ct)
    {
        var judgements = new List<Judgement>();
        foreach (var item in watch.Expectations)
        {
            bool IsDeclared(string field) => watch.Declares(item.Type, field);
            var judgement = judge.Of(item, evidence, IsDeclared);
            if (judgement is { Passed: false } && Judge.IsByUsual(item) && judgement.From > evidence.Hour.AddHours(-12))
            {
                // Mornings differ from nights: what is unusual for the day is held against the same hours of the days before.
                var hours = Enumerable.Range(0, (int)(evidence.Hour - judgement.From).TotalHours + 1).Select(i => judgement.From.AddHours(i)).ToList();
                var same = Enumerable.Range(1, options.HistoryDays).SelectMany(day => hours.Select(hour => hour.AddDays(-day))).ToArray();
                var usual = new FieldProfile();
                await foreach (var (_, profile) in ProfileTable.ReadAsync(
                    connection, "grain = 1 and starts_at = any($1) and type = $2 and field = $3 and not late", [same, item.Type, item.Field], ct))
                {
                    usual.Merge(profile);
                }

                var closer = evidence with { Usual = new() { [(item.Type, item.Field)] = (usual, options.LearningDays) } };
                judgement = judge.Of(item, closer, IsDeclared) ?? judgement;
            }

            if (judgement is not null)
            {
                judgements.Add(judgement);
            }
        }

        return judgements;
    }

    private static Task<int> WriteResultsAsync(NpgsqlConnection connection, List<Judgement> judgements, Evidence evidence, DateTimeOffset now, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition("""
            insert into tracking.quality_results (hour, expectation, type, field, kind, judged_at, passed, rows, observed, expected, detail)
            select @Hour, name, type, field, kind, @now, passed, rows, observed, expected, detail
            from unnest(@names, @types, @fields, @kinds, @passed, @rows, @observed, @expected, @details) as j (name, type, field, kind, passed, rows, observed, expected, detail)
            on conflict (hour, expectation) do update set judged_at = excluded.judged_at, passed = excluded.passed, rows = excluded.rows,
                observed = excluded.observed, expected = excluded.expected, detail = excluded.detail
            """,
            new
            {
                evidence.Hour, now = now.UtcDateTime,
                names = judgements.Select(judgement => judgement.Expectation.Name).ToArray(),
                types = judgements.Select(judgement => judgement.Expectation.Type).ToArray(),
                fields = judgements.Select(judgement => judgement.Expectation.Field).ToArray(),
                kinds = judgements.Select(judgement => Expectation.Word(judgement.Expectation.Kind)).ToArray(),
                passed = judgements.Select(judgement => judgement.Passed).ToArray(),
                rows = judgements.Select(judgement => judgement.Rows).ToArray(),
                observed = judgements.Select(judgement => judgement.Observed).ToArray(),
                expected = judgements.Select(judgement => judgement.Expected).ToArray(),
                details = judgements.Select(judgement => judgement.Detail).ToArray(),
            },
            cancellationToken: ct));

    /// <summary>Stores an alert and tells of it in the log, in one transaction; false when it is open already.</summary>
    private static async Task<bool> RaiseAsync(NpgsqlConnection connection, EventLog log, QualityAlertRaised told, long[] positions, DateTimeOffset now, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var isNew = await connection.ExecuteAsync(new CommandDefinition("""
            insert into tracking.quality_alerts (id, expectation, type, field, kind, severity, since, raised_at, last_seen_at, observed, expected, message, positions)
            values (@AlertId, @Expectation, @Type, @Field, @Kind, @Severity, @Since, @now, @now, @Observed, @Expected, @Message, @positions)
            on conflict (expectation) where resolved_at is null do nothing
            """,
            new
            {
                told.AlertId, told.Expectation, told.Type, told.Field, told.Kind, told.Severity, Since = told.Since.UtcDateTime, now = now.UtcDateTime,
                told.Observed, told.Expected, told.Message, positions,
            },
            transaction, cancellationToken: ct)) == 1;
        if (isNew)
        {
            await log.AppendAsync(transaction, [new StreamEvent("quality", NewEvent.Of(EventTypes.QualityAlertRaised, told, now) with { Id = told.AlertId })], ct);
        }

        await transaction.CommitAsync(ct);
        return isNew;
    }

    /// <summary>Brings open alerts up to date: those still breached, those that pass, those whose expectation is gone.</summary>
    private static async Task<int> FollowAsync(
        NpgsqlConnection connection, List<Judgement> judgements, Watch watch, QualityOptions options, DateTimeOffset now, CancellationToken ct)
    {
        var at = now.UtcDateTime;
        await connection.ExecuteAsync(new CommandDefinition("""
            update tracking.quality_alerts a set last_seen_at = @at, observed = j.observed, passes = 0
            from unnest(@names, @observed) as j (name, observed) where a.expectation = j.name and a.resolved_at is null
            """,
            new
            {
                at,
                names = judgements.Where(judgement => !judgement.Passed).Select(judgement => judgement.Expectation.Name).ToArray(),
                observed = judgements.Where(judgement => !judgement.Passed).Select(judgement => judgement.Observed).ToArray(),
            },
            cancellationToken: ct));
        return await connection.ExecuteScalarAsync<int>(new CommandDefinition("""
            with passed as (
                update tracking.quality_alerts a set passes = passes + 1, resolved_at = case when passes + 1 >= @PassesToResolve then @at end
                from unnest(@passing, @from) as j (name, since)
                where a.expectation = j.name and a.resolved_at is null and j.since >= date_trunc('hour', a.last_seen_at, 'UTC') returning a.resolved_at
            ), gone as (
                update tracking.quality_alerts set resolved_at = @at where expectation <> all(@expected) and resolved_at is null returning resolved_at
            )
            select (select count(resolved_at) from passed) + (select count(resolved_at) from gone)
            """,
            new
            {
                at, options.PassesToResolve,
                // A pass counts when no hour before the last breach is in its window: half a faulty window is no recovery.
                passing = judgements.Where(judgement => judgement.Passed).Select(judgement => judgement.Expectation.Name).ToArray(),
                from = judgements.Where(judgement => judgement.Passed).Select(judgement => judgement.From).ToArray(),
                expected = watch.Expectations.Where(item => item.Enabled).Select(item => item.Name).ToArray(),
            },
            cancellationToken: ct));
    }

    private static Task<int> TrimAsync(NpgsqlConnection connection, QualityOptions options, DateTimeOffset now, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition("""
            delete from tracking.quality_profiles where grain = 1 and starts_at < @profiles;
            delete from tracking.quality_profiles where grain = 24 and starts_at < @profiles;
            delete from tracking.quality_arrivals where hour < @profiles;
            delete from tracking.quality_results where hour < @results;
            delete from tracking.quality_alerts where resolved_at < @alerts;
            """,
            new
            {
                profiles = now.UtcDateTime.Date.AddDays(-options.HistoryDays - 1), results = now.UtcDateTime.AddDays(-options.ResultDays), alerts = now.UtcDateTime.AddDays(-options.AlertDays),
            },
            cancellationToken: ct));
}
