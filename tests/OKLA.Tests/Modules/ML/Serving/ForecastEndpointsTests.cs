using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OKLA.Host.Demo;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Tests.Modules.ML.Serving;

/// <summary>Ten weeks of a simulated marketplace with four campaigns: trained on, measured and asked.</summary>
public sealed class ForecastEndpointsTests : HostTest
{
    private readonly Dictionary<string, TrainingOutcome> outcomes = [];
    private HttpClient admin = null!;

    private static readonly string[] Models =
        [ModelNames.DemandForecaster, ModelNames.CpaPredictor, ModelNames.ResponseCurves, ModelNames.CampaignAnomalyDetector, ModelNames.AnomalyDetector];

    // Several threads, since what they do at once must not depend on who is first.
    protected override string[] Settings => ["--ML:RefreshSeconds", "0.1", "--ML:TrainingThreads", "3"];

    [OneTimeSetUp]
    public async Task TrainAsync()
    {
        admin = await SignInAsync("admin");
        (await admin.GetAsync("/api/ml/forecasts/demand")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        var bus = Service<IMessageBus>();
        await bus.InvokeAsync<SimulationReport>(new Simulate(Visitors: 600, Days: 75, Seed: 3, Listings: 400, Campaigns: 4));
        await Service<Subscriptions>().CatchUpAsync();
        foreach (var model in Models)
        {
            outcomes[model] = await bus.InvokeAsync<TrainingOutcome>(new TrainModel(model, "first"));
            TestContext.Out.WriteLine($"{model}: {outcomes[model].Decision} {string.Join("; ", outcomes[model].Metrics.Select(metric => $"{metric.Name} {metric.Model:0.###} / {metric.Baseline:0.###} / {metric.Ceiling:0.###}"))}");
        }
    }

    [OneTimeTearDown]
    public void Dispose() => admin.Dispose();

    [Test]
    public void Forecasts_of_costs_beat_the_previous_hour_and_stay_near_what_can_be_known()
    {
        var outcome = outcomes[ModelNames.CpaPredictor];
        outcome.Published.ShouldBeTrue(outcome.Decision);
        var mae = outcome.Metrics[0];
        mae.Model.ShouldBeLessThan(mae.Baseline!.Value);
        mae.Ceiling!.Value.ShouldBeLessThan(mae.Model * 1.05);
        outcome.Metrics.Single(metric => metric.Name == "interval coverage").Model.ShouldBeInRange(0.7, 0.9);
    }

    [Test]
    public void Curves_come_nearer_to_the_truth_than_a_straight_line()
    {
        var outcome = outcomes[ModelNames.ResponseCurves];
        outcome.Published.ShouldBeTrue(outcome.Decision);
        foreach (var name in new[] { "Poisson deviance an hour", "error of the curve", "error of what the next dollar brings" })
        {
            var metric = outcome.Metrics.Single(metric => metric.Name == name);
            metric.Model.ShouldBeLessThan(metric.Baseline!.Value, name);
        }

        outcome.Metrics.First(metric => metric.Name.StartsWith("share of the best split", StringComparison.Ordinal)).Model.ShouldBeInRange(0.9, 1 + 1e-9);
    }

    [Test]
    public void Planted_faults_are_found_better_than_by_a_chart_of_the_cost()
    {
        var outcome = outcomes[ModelNames.CampaignAnomalyDetector];
        outcome.Published.ShouldBeTrue(outcome.Decision);
        outcome.Metrics[0].Name.ShouldBe("F1");
        outcome.Metrics[0].Model.ShouldBeGreaterThan(outcome.Metrics[0].Baseline!.Value);
    }

    [Test]
    public async Task A_campaign_is_told_what_its_next_application_will_cost_by_channel()
    {
        var answer = await admin.GetFromJsonAsync<JsonElement>("/api/campaigns/campania-3-0/cpa-forecast");

        answer.GetProperty("source").GetString().ShouldBe("model");
        var channels = answer.GetProperty("channels").EnumerateArray().ToList();
        channels.Count.ShouldBeInRange(2, 4);
        channels.ShouldAllBe(channel => channel.GetProperty("low").GetDouble() < channel.GetProperty("usd").GetDouble() && channel.GetProperty("usd").GetDouble() < channel.GetProperty("high").GetDouble());
        (await admin.GetAsync("/api/campaigns/nobody/cpa-forecast")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task The_best_split_of_a_budget_brings_at_least_what_the_present_one_does()
    {
        var answer = await admin.GetFromJsonAsync<JsonElement>("/api/campaigns/response-curves?budgetUsd=900");

        answer.GetProperty("applications").GetDouble().ShouldBeGreaterThanOrEqualTo(answer.GetProperty("presentApplications").GetDouble());
        answer.GetProperty("channels").EnumerateArray().Sum(channel => channel.GetProperty("bestUsd").GetDouble()).ShouldBe(900, 0.1);
        var points = answer.GetProperty("channels")[0].GetProperty("points").EnumerateArray().Select(point => point.GetProperty("applications").GetDouble()).ToList();
        points[0].ShouldBe(0);
        points.ShouldBe(points.Order());
        var refused = await admin.GetAsync("/api/campaigns/response-curves?budgetUsd=-5");
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await refused.Content.ReadAsStringAsync()).ShouldContain("budgetUsd");
    }

    [TestCaseSource(nameof(Models))]
    public async Task A_run_is_made_again_bit_for_bit_from_what_it_read_or_from_the_series_as_of_its_time(string model)
    {
        var run = await ScalarAsync<Guid>($"select run_id from ml.model_versions where model = '{model}' and version = {outcomes[model].Version}");
        (await ScalarAsync<bool>($"select readings is not null from ml.runs where id = '{run}'")).ShouldBeTrue();
        // The log goes on: later hours, which the run did not know.
        await ExecuteAsync("""
            insert into ml.campaign_hours (campaign_id, channel, hour, usd, impressions, clicks, applications, conversions)
            select campaign_id, channel, max(hour) + interval '400 days', 9, 9, 9, 9, 9 from ml.campaign_hours group by 1, 2 on conflict do nothing;
            insert into ml.demand_hours (kind, type, band, place, hour, views) select kind, type, band, place, max(hour) + interval '400 days', 50 from ml.demand_hours group by 1, 2, 3, 4 on conflict do nothing
            """);
        var runner = Service<TrainingRunner>();

        var kept = await runner.ReproduceAsync(run, null, null, default);
        await ExecuteAsync($"update ml.runs set readings = null where id = '{run}'");
        var stored = await runner.ReproduceAsync(run, null, null, default);

        kept.Identical.ShouldBeTrue(kept.Said);
        stored.Identical.ShouldBeTrue(stored.Said);
    }

    [Test]
    public async Task A_forecast_for_all_is_let_in_by_no_rollout_but_taken_back_at_once()
    {
        foreach (var body in new object[] { new { version = 1 }, new { arms = new[] { new { name = "a", weight = 1, strategy = "model" }, new { name = "b", weight = 1, strategy = "previous" } } } })
        {
            using var refused = await admin.PostAsJsonAsync($"/api/ml/models/{ModelNames.CpaPredictor}/rollouts", body);
            refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
            (await refused.Content.ReadAsStringAsync()).ShouldContain("for all at once");
        }

        var version = outcomes[ModelNames.CpaPredictor].Version;
        (await admin.PostAsJsonAsync($"/api/ml/models/{ModelNames.CpaPredictor}/serve/{version}", new { why = "back" })).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await admin.PostAsJsonAsync($"/api/ml/models/{ModelNames.CpaPredictor}/serve/{version + 99}", new { })).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task Anomalies_are_listed_newest_first()
    {
        var answer = await admin.GetFromJsonAsync<JsonElement>("/api/ml/anomalies?days=31");

        var found = answer.GetProperty("anomalies").EnumerateArray().ToList();
        found.ShouldNotBeEmpty();
        found.Select(one => one.GetProperty("from").GetDateTimeOffset()).ShouldBe(found.Select(one => one.GetProperty("from").GetDateTimeOffset()).OrderDescending());
        found.ShouldAllBe(one => one.GetProperty("score").GetDouble() >= 1 && one.GetProperty("until").GetDateTimeOffset() > one.GetProperty("from").GetDateTimeOffset());
        (await admin.GetAsync("/api/ml/anomalies?days=99")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Test]
    public async Task Demand_is_for_dealers_and_campaigns_are_for_admins()
    {
        using var dealer = await SignInAsync("dealer");
        var demand = outcomes[ModelNames.DemandForecaster];
        (await dealer.GetAsync("/api/ml/forecasts/demand?days=28")).StatusCode.ShouldBe(demand.Published ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, demand.Decision);
        foreach (var path in new[] { "/api/campaigns/response-curves", "/api/campaigns/campania-3-0/cpa-forecast", "/api/ml/anomalies" })
        {
            (await dealer.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.Forbidden, path);
            (await Client.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized, path);
        }

        (await Client.GetAsync("/api/ml/forecasts/demand")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Test]
    public async Task Demand_is_foretold_by_day_with_intervals()
    {
        var demand = outcomes[ModelNames.DemandForecaster];
        demand.Published.ShouldBeTrue(demand.Decision);

        var answer = await admin.GetFromJsonAsync<JsonElement>("/api/ml/forecasts/demand?type=jeepeta&days=14");

        var scopes = answer.GetProperty("scopes").EnumerateArray().ToList();
        scopes.ShouldNotBeEmpty();
        scopes.ShouldAllBe(scope => scope.GetProperty("type").GetString() == "jeepeta");
        var days = scopes[0].GetProperty("days").EnumerateArray().ToList();
        days.Count.ShouldBe(14);
        days.ShouldAllBe(day => day.GetProperty("low").GetDouble() <= day.GetProperty("views").GetDouble() && day.GetProperty("views").GetDouble() <= day.GetProperty("high").GetDouble());
    }
}
