using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OKLA.ML.Monitoring;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.Shared.Messaging;
using OKLA.Tests.Modules.ML.Serving;

namespace OKLA.Tests.Modules.ML.Monitoring;

/// <summary>What is past its time goes, and nothing else.</summary>
public sealed class TrimMLTests : ServingTest
{
    private const string Spec = """
        {"arms":[{"name":"a","weight":1},{"name":"b","weight":1}],"stages":[],"goal":{"eventTypes":["contacted"],"windowMinutes":60},
        "guardrails":{"maxErrorRate":1,"maxSlowdown":9,"maxBusinessDrop":1,"minRequests":1000},"auto":false}
        """;

    protected override (string Key, string Value)[] Settings => [("ML:Serving:KeepDays", "30"), ("ML:Serving:KeepResultDays", "7"), ("ML:Artefacts:KeepRunDays", "180"), ("ML:Artefacts:KeepRunVersions", "1")];

    [SetUp]
    public Task EmptyAsync() => ExecuteAsync("""
        truncate ml.predictions, ml.outcomes, ml.goals, ml.goal_events, ml.serving_minutes, ml.alerts, ml.alert_silences, ml.exposures, ml.shadow_minutes, ml.rollout_steps, ml.rollouts, ml.batch_parts, ml.batch_jobs,
            ml.async_predictions, ml.demand_hours, ml.campaign_hours cascade
        """);

    [Test]
    public async Task Answers_go_lot_by_lot_with_their_outcomes_and_younger_ones_stay()
    {
        await AnsweredAsync("old", 12_001, 31);
        await AnsweredAsync("young", 50, 29);
        // An outcome may have come about long before it was told, and one of an old answer may have been told only now.
        await ExecuteAsync("""
            insert into ml.outcomes (request_id, row, value, at, known_at) values
                ('old1', 0, 1, now(), now()), ('young1', 0, 1, now() - interval '300 days', now()), ('gone', 0, 1, now() - interval '40 days', now() - interval '40 days')
            """);

        var report = await TrimAsync();

        report.Deleted["ml.predictions"].ShouldBe(12_001);
        report.Deleted["ml.outcomes"].ShouldBe(1);
        (await ScalarAsync<long>("select count(*) from ml.predictions")).ShouldBe(50);
        (await ScalarAsync<string>("select string_agg(request_id, ' ') from ml.outcomes")).ShouldBe("young1");
        (await TrimAsync()).Deleted.Values.Sum().ShouldBe(0);
    }

    [Test]
    public async Task A_label_that_comes_late_is_taken_as_long_as_its_answer_is_kept()
    {
        await AnsweredAsync("old", 3, 31);
        await AnsweredAsync("young", 3, 29);
        await TrimAsync();

        var kept = await BodyAsync(Admin.PostAsJsonAsync("/api/ml/models/line/outcomes", new { outcomes = new[] { "young1", "young2", "old1" }.Select(id => new { requestId = id, outcome = 5 }) }));

        (kept.GetProperty("kept").GetInt32(), kept.GetProperty("unknown").GetInt32()).ShouldBe((2, 1));
    }

    [Test]
    public async Task Answers_and_goals_are_kept_while_a_goal_may_still_be_reached()
    {
        await ExecuteAsync("insert into ml.goals (model, event_types, window_minutes) values ('line', '{sold}', 60 * 24 * 60)");
        await AnsweredAsync("waiting", 1, 59);
        await AnsweredAsync("over", 1, 62);
        await ExecuteAsync("insert into ml.goal_events (position, type, user_id, at) values (1, 'sold', 'ana', now() - interval '59 days'), (2, 'sold', 'ana', now() - interval '62 days')");

        await TrimAsync();

        (await ScalarAsync<string>("select request_id from ml.predictions")).ShouldBe("waiting1");
        (await ScalarAsync<long>("select position from ml.goal_events")).ShouldBe(1);
    }

    [Test]
    public async Task Who_met_which_arm_goes_when_the_rollout_is_long_over_and_what_was_decided_stays()
    {
        foreach (var (id, status, ended) in new[] { (1, "promoted", "now() - interval '31 days'"), (2, "stopped", "now() - interval '1 day'"), (3, "running", "null") })
        {
            await ExecuteAsync($$"""
                insert into ml.rollouts (id, model, kind, stage, status, spec, started_by, started_at, stage_since, ended_at)
                values ('00000000-0000-0000-0000-00000000000{{id}}', 'm{{id}}', 'experiment', 'experiment', '{{status}}', '{{Spec}}', 'ana', now() - interval '400 days', now(), {{ended}});
                insert into ml.exposures (rollout_id, user_key, arm, at) select '00000000-0000-0000-0000-00000000000{{id}}', 'v' || n, 'control', now() - interval '399 days' from generate_series(1, 7) n;
                insert into ml.shadow_minutes (rollout_id, minute, rows, agreed, difference, absolute, relative, worst) values ('00000000-0000-0000-0000-00000000000{{id}}', now() - interval '399 days', 1, 1, 0, 0, 0, 0);
                insert into ml.rollout_steps (model, rollout_id, at, step, by, reason, evidence) values ('m{{id}}', '00000000-0000-0000-0000-00000000000{{id}}', now() - interval '31 days', 'promoted', 'house', 'x', '{}')
                """);
        }

        var report = await TrimAsync();

        (report.Deleted["ml.exposures"], report.Deleted["ml.shadow_minutes"]).ShouldBe((7, 1));
        (await ScalarAsync<long>("select count(*) from ml.exposures")).ShouldBe(14);
        (await ScalarAsync<long>("select count(*) from ml.rollouts")).ShouldBe(3);
        (await ScalarAsync<long>("select count(*) from ml.rollout_steps")).ShouldBe(3);
    }

    [Test]
    public async Task Nobody_waits_for_it_and_it_waits_for_nobody()
    {
        await AnsweredAsync("old", 10, 31);
        await using var other = await Database.OpenConnectionAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using (var hold = other.CreateCommand())
        {
            hold.CommandText = "select 1 from ml.predictions where request_id = 'old4' for update";
            await hold.ExecuteScalarAsync();
        }

        // Two at once, and somebody holds a row: each other row goes once, the held one another night.
        var reports = await Task.WhenAll(TrimAsync(), TrimAsync());

        reports.Sum(report => report.Deleted["ml.predictions"]).ShouldBe(9);
        await transaction.RollbackAsync();
        (await TrimAsync()).Deleted["ml.predictions"].ShouldBe(1);
    }

    [Test]
    public async Task Results_minutes_closed_alerts_and_old_hours_go_and_open_ones_stay()
    {
        await ExecuteAsync("""
            insert into ml.serving_minutes (model, version, rollout_id, arm, minute, requests, rows, errors, cache_hits, latency)
                select 'line', 1, '00000000-0000-0000-0000-000000000000', '', now() - n * interval '1 day', 1, 1, 0, 0, '{1}' from unnest(array[29, 31]) n;
            insert into ml.alerts (id, rule, model, metric, since, last_seen_at, resolved_at, observed, threshold, message)
                select gen_random_uuid(), 'r' || n, 'line', 'm', now() - interval '400 days', now(), case when n < 3 then now() - n * interval '20 days' end, 1, 1, '' from generate_series(1, 3) n;
            insert into ml.alert_silences (id, until, by, reason) select gen_random_uuid(), now() - n * interval '1 day', 'ana', '' from unnest(array[-1, 1, 31]) n;
            insert into ml.batch_jobs (id, model, version, format, header, rows, state, created_by, created_at, finished_at) values
                ('00000000-0000-0000-0000-000000000001', 'line', 1, 'csv', '[]', 1, 'done', 'ana', now() - interval '9 days', now() - interval '8 days'),
                ('00000000-0000-0000-0000-000000000002', 'line', 1, 'csv', '[]', 1, 'done', 'ana', now() - interval '9 days', now() - interval '6 days'),
                ('00000000-0000-0000-0000-000000000003', 'line', 1, 'csv', '[]', 1, 'receiving', 'ana', now() - interval '2 days', null),
                ('00000000-0000-0000-0000-000000000004', 'line', 1, 'csv', '[]', 1, 'receiving', 'ana', now(), null);
            insert into ml.batch_parts (job_id, part, rows, input, output) select id, part, 1, '', '' from ml.batch_jobs, generate_series(1, 45) part;
            insert into ml.async_predictions (id, model, body, state, callback_state, next_at, created_at, finished_at)
                select gen_random_uuid(), 'line', '{}', 'done', callback, now() + interval '1 day', now() - interval '9 days', now() - interval '8 days' from unnest(array['none', 'waiting']) callback;
            insert into ml.demand_hours (kind, type, band, place, hour, views) select 'vehicle', '', '', '', date_trunc('hour', now()) - n * interval '1 day', 1 from unnest(array[1, 1000, 1100]) n;
            insert into ml.campaign_hours (campaign_id, channel, hour) select 'c', 'x', date_trunc('hour', now()) - n * interval '1 day' from unnest(array[1, 1000, 1100]) n
            """);

        var gone = (await TrimAsync()).Deleted.Where(pair => pair.Value > 0).ToDictionary(pair => pair.Key, pair => pair.Value);

        gone.ShouldBe(new Dictionary<string, long>
        {
            ["ml.serving_minutes"] = 1, ["ml.alerts"] = 1, ["ml.alert_silences"] = 1, ["ml.batch_parts"] = 90, ["ml.batch_jobs"] = 2, ["ml.async_predictions"] = 1, ["ml.demand_hours"] = 1, ["ml.campaign_hours"] = 1,
        }, ignoreOrder: true);
    }

    [Test]
    public async Task What_old_runs_were_measured_on_goes_but_not_of_versions_that_serve_would_come_back_are_tried_or_are_new()
    {
        var runs = new List<Guid>();
        for (var version = 1; version <= 6; version++)
        {
            (await SaveAsync(new Line(version))).ShouldBe(version);
            runs.Add(await MeasuredAsync(version, version == 5 ? 170 : 200));
        }

        // Made again, it made no version.
        var again = await MeasuredAsync(null, 200);
        await PublishAsync(1);
        await PublishAsync(2);
        var spec = Spec.Replace("\"b\",", "\"b\",\"version\":3,", StringComparison.Ordinal);
        await ExecuteAsync($"""
            insert into ml.rollouts (id, model, kind, stage, status, spec, started_by, started_at, stage_since)
            values (gen_random_uuid(), 'line', 'experiment', 'experiment', 'running', '{spec}', 'ana', now(), now())
            """);

        (await TrimAsync()).Deleted["ml.runs"].ShouldBe(2);

        (await ScalarAsync<Guid[]>("select array_agg(id order by version nulls last) from ml.runs where forgotten_at is not null and num_nulls(held_out, held_out_threshold, loss, case_keys, case_losses) = 5")).ShouldBe([runs[3], again]);
        (await ScalarAsync<long>("select count(*) from ml.runs where forgotten_at is null and num_nulls(held_out, loss, case_keys, case_losses) = 0")).ShouldBe(5);
        (await ScalarAsync<long>("select count(*) from ml.blobs b where exists (select from ml.runs r where r.held_out = b.sha256)")).ShouldBe(5);
        (await ScalarAsync<long>("select count(*) from ml.blobs b where bytes = 16 and not exists (select from ml.runs r where r.held_out = b.sha256)")).ShouldBe(0);
        var refused = await Admin.GetAsync("/api/ml/models/line/versions/4/bias?attribute=size");
        refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!.ShouldContain("not kept any more");
        var pair = (await BodyAsync(Admin.GetAsync($"/api/ml/runs/compare?ids={runs[1]},{runs[3]}"))).GetProperty("pairs")[0];
        pair.GetProperty("why").GetString()!.ShouldStartWith($"The losses of the cases of run {runs[3]} are not kept any more");
        pair.GetProperty("verdict").ValueKind.ShouldBe(JsonValueKind.Null);
        (await TrimAsync()).Deleted["ml.runs"].ShouldBe(0);
    }

    /// <summary>A run of the line of some days ago, with its rows and the losses of its cases.</summary>
    private async Task<Guid> MeasuredAsync(int? version, int days)
    {
        var id = Guid.CreateVersion7();
        using var rows = new MemoryStream(Encoding.UTF8.GetBytes($"size\n{id.ToString("N")[^10..]}\n"));
        var held = (await Service<BlobStore>().WriteAsync(rows, default)).Sha256;
        await ExecuteAsync($$"""
            insert into ml.runs (id, model, version, reason, parameters, data, environment, evaluation, gates, published, decision, loss, case_keys, case_losses, held_out, held_out_threshold, started_at, finished_at)
            values ('{{id}}', 'line', nullif({{version ?? 0}}, 0), 'test', '{}', '{}', '{}', '{}', '[]', true, 'x', 'absolute error', '{1,2}', '{0.5,1}', '{{held}}', 0, now() - interval '{{days}} days', now());
            update ml.model_versions set run_id = '{{id}}' where model = 'line' and version = {{version ?? 0}}
            """);
        return id;
    }

    private Task<TrimMLReport> TrimAsync() => Service<IMessageBus>().InvokeAsync<TrimMLReport>(new TrimML());

    private async Task AnsweredAsync(string name, int count, int days)
    {
        await Service<PredictionStore>().FlushAsync();
        await ExecuteAsync($$"""
            insert into ml.predictions (request_id, row, at, model, version, source, inputs, value)
            select '{{name}}' || n, 0, now() - {{days}} * interval '1 day', 'line', 1, 'model', '{}', 1 from generate_series(1, {{count}}) n
            """);
    }
}
