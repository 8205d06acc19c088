using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OKLA.ML.Rollout;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Tests.Modules.ML.Serving;

namespace OKLA.Tests.Modules.ML.Rollout;

public sealed class RolloutTests : ServingTest
{
    private int good;

    [SetUp]
    public async Task ServeAsync()
    {
        await ExecuteAsync("update ml.rollouts set status = 'stopped', ended_at = now() where status = 'running'; delete from ml.serving_minutes; delete from ml.serving; delete from ml.rollout_steps");
        good = await SaveAsync(new Line(2));
        await PublishAsync(good);
    }

    [Test]
    public async Task A_bad_version_in_a_rollout_is_rolled_back_by_the_guardrail_within_a_minute_and_no_answer_fails()
    {
        var bad = await SaveAsync(new Line(2, Fails: true));
        var id = await StartAsync(new { version = bad, stages = new[] { new { name = "ab", share = 0.5, minutes = 60 } } });
        var clock = Stopwatch.StartNew();
        var asked = 0;

        while (await StatusAsync(id) == "running")
        {
            clock.Elapsed.TotalSeconds.ShouldBeLessThan(60);
            for (var n = 0; n < 20; n++)
            {
                var answer = await BodyAsync(AskAsync(new { size = 10 }, userKey: $"user-{asked++ % 200}"));
                answer.GetProperty("predictions")[0].GetProperty("value").GetDouble().ShouldBe(120);
            }
        }

        TestContext.Out.WriteLine($"Rolled back {clock.Elapsed.TotalSeconds:0.0} s after its first request, {asked} requests in all, none failed.");
        var ended = await Admin.GetFromJsonAsync<JsonElement>($"/api/ml/models/line/rollouts/{id}");
        ended.GetProperty("status").GetString().ShouldBe("rolled_back");
        ended.GetProperty("reason").GetString()!.ShouldStartWith("Errors: candidate fails at 100");
        var step = ended.GetProperty("steps")[0];
        step.GetProperty("step").GetString().ShouldBe("rolled_back");
        step.GetProperty("by").GetString().ShouldBe("guardrail");
        step.GetProperty("evidence").GetProperty("arms")[1].GetProperty("errors").GetInt64().ShouldBeGreaterThanOrEqualTo(30);
        (await BodyAsync(AskAsync(new { size = 10 }, userKey: "user-1"))).GetProperty("source").GetString().ShouldBe("model");
    }

    [Test]
    public async Task A_bad_version_that_was_put_in_place_by_hand_is_taken_back_by_itself()
    {
        var bad = await SaveAsync(new Line(2, Fails: true));
        (await Admin.PostAsJsonAsync($"/api/ml/models/line/serve/{bad}", new { why = "A bad idea." })).EnsureSuccessStatusCode();
        var clock = Stopwatch.StartNew();

        while (await ScalarAsync<int>("select version from ml.serving where model = 'line'") == bad)
        {
            clock.Elapsed.TotalSeconds.ShouldBeLessThan(60);
            (await BodyAsync(AskAsync(new { size = 10 }))).GetProperty("predictions")[0].GetProperty("value").GetDouble().ShouldBe(120);
        }

        TestContext.Out.WriteLine($"Taken back {clock.Elapsed.TotalSeconds:0.0} s after it began to serve.");
        (await ScalarAsync<int>("select version from ml.serving where model = 'line'")).ShouldBe(good);
        await UntilAsync(async () => await ScalarAsync<long>($"select count(*) from ml.rollout_steps where step = 'rolled_back' and version = {bad} and by = 'guardrail'") == 1);
        // And it does not swing back to the bad one.
        await Service<RolloutLoop>().CheckAsync();
        (await ScalarAsync<int>("select version from ml.serving where model = 'line'")).ShouldBe(good);
    }

    [Test]
    public async Task A_slow_version_is_rolled_back_by_its_latency()
    {
        var slow = await SaveAsync(new Line(2, SlowMilliseconds: 40));
        var id = await StartAsync(new { version = slow, stages = new[] { new { name = "canary", share = 0.5, minutes = 60 } } });
        var asked = 0;

        while (await StatusAsync(id) == "running")
        {
            await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ => await BodyAsync(AskAsync(new { size = Interlocked.Increment(ref asked) % 97 }, userKey: $"user-{asked}"))));
        }

        (await Admin.GetFromJsonAsync<JsonElement>($"/api/ml/models/line/rollouts/{id}")).GetProperty("reason").GetString()!.ShouldStartWith("Latency:");
    }

    [Test]
    public async Task A_candidate_in_the_shadow_is_compared_and_never_shown_and_then_goes_on_to_serve_all()
    {
        var next = await SaveAsync(new Line(3));
        var id = await StartAsync(new { version = next, auto = false });
        for (var n = 0; n < 20; n++)
        {
            var answer = await BodyAsync(AskAsync(new { size = n }, userKey: $"user-{n}"));
            (answer.GetProperty("version").GetInt32(), answer.GetProperty("source").GetString()).ShouldBe((good, "model"));
        }

        await Service<ShadowAnswers>().FlushAsync();
        var shadow = (await Admin.GetFromJsonAsync<JsonElement>($"/api/ml/models/line/rollouts/{id}")).GetProperty("evidence").GetProperty("shadow");
        shadow.GetProperty("rows").GetInt64().ShouldBe(20);
        // 3x beside 2x for x = 0 … 19: the mean of x.
        shadow.GetProperty("meanDifference").GetDouble().ShouldBe(9.5, 1e-9);
        shadow.GetProperty("worst").GetDouble().ShouldBe(19, 1e-9);
        (await ScalarAsync<long>($"select count(*) from ml.exposures where rollout_id = '{id}'")).ShouldBe(0);

        (await BodyAsync(Admin.PostAsJsonAsync($"/api/ml/models/line/rollouts/{id}/advance", new { why = "Looks well." }))).GetProperty("stage").GetString().ShouldBe("ab");
        var sources = new HashSet<(int, string)>();
        for (var n = 0; n < 60; n++)
        {
            var answer = await BodyAsync(AskAsync(new { size = 10 }, userKey: $"user-{n}"));
            sources.Add((answer.GetProperty("version").GetInt32(), answer.GetProperty("source").GetString()!));
        }

        sources.ShouldBe([(good, "rollout:control"), (next, "rollout:candidate")], ignoreOrder: true);
        (await BodyAsync(Admin.PostAsJsonAsync($"/api/ml/models/line/rollouts/{id}/advance", new { }))).GetProperty("stage").GetString().ShouldBe("canary");
        var full = await BodyAsync(Admin.PostAsJsonAsync($"/api/ml/models/line/rollouts/{id}/advance", new { }));
        (full.GetProperty("stage").GetString(), full.GetProperty("status").GetString()).ShouldBe(("full", "promoted"));
        (await BodyAsync(AskAsync(new { size = 10 }))).GetProperty("version").GetInt32().ShouldBe(next);
        full.GetProperty("steps").EnumerateArray().Select(step => step.GetProperty("step").GetString()).Reverse().ShouldBe(["started", "ab", "canary", "promoted"]);
        (await Admin.PostAsJsonAsync($"/api/ml/models/line/rollouts/{id}/advance", new { })).StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Test]
    public async Task An_exposure_is_logged_once_a_user_and_outcomes_of_the_log_decide()
    {
        var next = await SaveAsync(new Line(3));
        var id = await StartAsync(new
        {
            version = next, auto = false, stages = new[] { new { name = "canary", share = 0.5, minutes = 60 } }, goal = new { eventTypes = new[] { "contacted" }, windowMinutes = 1 },
        });
        foreach (var round in new[] { 1, 2 })
        {
            foreach (var n in Enumerable.Range(0, 40))
            {
                await BodyAsync(AskAsync(new { size = 10 + round }, userKey: $"buyer-{n}"));
            }
        }

        await Service<Exposures>().FlushAsync();
        (await ScalarAsync<long>($"select count(*) from ml.exposures where rollout_id = '{id}'")).ShouldBe(40);
        (await ScalarAsync<long>($"select count(*) from events.mt_events where type = 'experiment_exposed' and data->>'rolloutId' = '{id}'")).ShouldBe(40);

        // Ten minutes later: the window of all is over; half of the candidate's users contacted within it, one of the control's too late.
        await ExecuteAsync($"update ml.exposures set at = at - interval '10 minutes' where rollout_id = '{id}'");
        var met = await ArmsAsync(id);
        var now = TimeProvider.System.GetUtcNow();
        var contacts = met["candidate"].Where((_, n) => n % 2 == 0).Select(user => Room.Behaviour(EventTypes.Contacted, "browser", user, "car-1", now.AddMinutes(-9.7)))
            .Append(Room.Behaviour(EventTypes.Contacted, met["control"][0], null, "car-1", now.AddMinutes(-5)));
        await Service<EventWriter>().WriteAsync([.. contacts]);
        await UntilAsync(async () => await ScalarAsync<long>("select count(*) from ml.goal_events") >= met["candidate"].Count / 2 + 1);

        var arms = (await Admin.GetFromJsonAsync<JsonElement>($"/api/ml/models/line/rollouts/{id}")).GetProperty("evidence").GetProperty("arms");
        arms[0].GetProperty("due").GetInt64().ShouldBe(met["control"].Count);
        arms[0].GetProperty("converted").GetInt64().ShouldBe(0);
        arms[1].GetProperty("due").GetInt64().ShouldBe(met["candidate"].Count);
        arms[1].GetProperty("converted").GetInt64().ShouldBe((met["candidate"].Count + 1) / 2);

        await Service<EventWriter>().WriteAsync([new StreamEvent("erasures", NewEvent.Of(EventTypes.PersonErased, Erased(met["candidate"][0])))]);
        await UntilAsync(async () => await ScalarAsync<long>($"select count(*) from ml.exposures where rollout_id = '{id}'") == 39);
    }

    [Test]
    public async Task Arms_of_an_experiment_may_be_ensembles_and_strategies()
    {
        var next = await SaveAsync(new Line(4));
        await StartAsync(new
        {
            arms = new object[]
            {
                new { name = "now", weight = 1, version = good }, new { name = "mean", weight = 1, ensemble = new[] { new { version = good, weight = 1 }, new { version = next, weight = 3 } } },
            },
        });
        var answers = new Dictionary<string, double>();
        for (var n = 0; n < 40; n++)
        {
            var answer = await BodyAsync(AskAsync(new { size = 10 }, userKey: $"user-{n}"));
            answers[answer.GetProperty("source").GetString()!] = answer.GetProperty("predictions")[0].GetProperty("value").GetDouble();
        }

        // 2 · 10 + 100 = 120 and 4 · 10 + 100 = 140, weighted one to three.
        answers.ShouldBe(new Dictionary<string, double> { ["rollout:now"] = 120, ["rollout:mean"] = 135 }, ignoreOrder: true);
    }

    [Test]
    public async Task A_second_rollout_an_unknown_version_and_an_unreadable_one_are_refused()
    {
        var next = await SaveAsync(new Line(3));
        (await Admin.PostAsJsonAsync("/api/ml/models/line/rollouts", new { version = 9_999 })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await Admin.PostAsJsonAsync("/api/ml/models/line/rollouts", new { version = good })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await Admin.PostAsJsonAsync("/api/ml/models/line/rollouts", new { version = next, goal = new { eventTypes = new[] { "page_viewed" }, windowMinutes = 5 } })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var damaged = await SaveAsync(new Line(3), artefact: "{");
        (await Admin.PostAsJsonAsync("/api/ml/models/line/rollouts", new { version = damaged })).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await Admin.PostAsJsonAsync($"/api/ml/models/line/serve/{damaged}", new { })).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await Http.PostAsJsonAsync("/api/ml/models/line/rollouts", new { version = next })).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        await StartAsync(new { version = next });
        (await Admin.PostAsJsonAsync("/api/ml/models/line/rollouts", new { version = next })).StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Test]
    public async Task Another_host_learns_of_a_change_within_the_refresh_time()
    {
        await using var second = await HostAsync();
        using var other = ClientOf(second);
        var next = await SaveAsync(new Line(5));
        (await Admin.PostAsJsonAsync($"/api/ml/models/line/serve/{next}", new { })).EnsureSuccessStatusCode();
        var clock = Stopwatch.StartNew();

        await UntilAsync(async () => (await BodyAsync(other.PostAsJsonAsync("/api/ml/models/line/predict", new { rows = new[] { new { size = 10 } } }))).GetProperty("version").GetInt32() == next);

        TestContext.Out.WriteLine($"The other host served it after {clock.Elapsed.TotalMilliseconds:0} ms (it looks every 100 ms).");
        clock.Elapsed.TotalSeconds.ShouldBeLessThan(10);
        await second.StopAsync();
    }

    private async Task<Guid> StartAsync(object request) => (await BodyAsync(Admin.PostAsJsonAsync("/api/ml/models/line/rollouts", request))).GetProperty("id").GetGuid();

    private Task<string> StatusAsync(Guid id) => ScalarAsync<string>($"select status from ml.rollouts where id = '{id}'");

    private async Task<Dictionary<string, List<string>>> ArmsAsync(Guid id)
    {
        await using var command = Database.CreateCommand($"select arm, user_key from ml.exposures where rollout_id = '{id}' order by user_key");
        await using var row = await command.ExecuteReaderAsync();
        var arms = new Dictionary<string, List<string>> { ["control"] = [], ["candidate"] = [] };
        while (await row.ReadAsync())
        {
            arms[row.GetString(0)].Add(row.GetString(1));
        }

        return arms;
    }

    private static PersonErased Erased(string person) =>
        new("salt", [Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes("salt" + person)))]);
}
