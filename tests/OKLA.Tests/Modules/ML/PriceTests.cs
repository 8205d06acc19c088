using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OKLA.Host.Cli;
using OKLA.ML;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Rollout;
using OKLA.ML.Serving;
using OKLA.ML.Training.Runs;
using OKLA.Shared.Contracts;
using OKLA.Shared.Web;
using OKLA.Tracking.Identity;
using static OKLA.ML.Serving.Shown;

namespace OKLA.Tests.Modules.ML;

public sealed class PriceTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private IReadOnlyList<(CatalogItem Item, DateTimeOffset At)> vehicles = [];
    private Room room = null!;
    private PriceAnswers before = null!;
    private TrainingOutcome first = null!;

    [OneTimeSetUp]
    public async Task TrainAsync()
    {
        room = MLRoom.Open(Database, Now, [typeof(FindPersonHandler)], ("ML:Price:Trees", "200"));
        vehicles = Town.Vehicles(1_200, Now.AddDays(-100), 99, seed: 5);
        await room.TellAsync(vehicles.Select(v => Room.Listed(v.Item, v.At)));
        before = new PriceAnswers(await AskAsync("car-0001"), await AskAsync("no-such-car"));
        first = await room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.PricePredictor, "first"));
    }

    public ValueTask DisposeAsync() => room.DisposeAsync();

    [Test]
    public void The_price_model_beats_the_group_median_on_newer_ads()
    {
        TestContext.Out.WriteLine(string.Join(Environment.NewLine, first.Metrics));
        first.Published.ShouldBeTrue(first.Decision);
        foreach (var name in new[] { "median APE", "MAE USD" })
        {
            var metric = first.Metrics.Single(row => row.Name == name);
            metric.Model.ShouldBeLessThan(metric.Baseline!.Value, name);
        }

        // Noise of 8 % has a median of 0.6745 · 8 % = 5.4 %: nothing can be better than that for long.
        first.Metrics.Single(row => row.Name == "median APE").Model.ShouldBeInRange(0.045, 0.09);
        first.Metrics.Single(row => row.Name == "interval coverage").Model.ShouldBeInRange(0.7, 0.9);
    }

    [Test]
    public async Task A_report_tells_rows_intervals_the_target_and_how_long_it_takes_to_answer()
    {
        var report = await room.Bus.InvokeAsync<EvaluationReport>(new EvaluateModel(ModelNames.PricePredictor));
        var young = await room.Bus.InvokeAsync<EvaluationReport>(new EvaluateModel(ModelNames.SentimentAnalyzer));

        foreach (var name in new[] { "median APE", "R2", "MAE USD", "R2 of log price", "interval coverage" })
        {
            var metric = report.Metrics.Single(row => row.Name == name);
            metric.Model.ShouldBeInRange(metric.Low!.Value, metric.High!.Value, name);
            (metric.High - metric.Low)!.Value.ShouldBeGreaterThan(0, name);
        }

        report.Targets.Single().ShouldBe(new ModelTarget("R2", 0.9));
        report.Split.ShouldContain($"{report.RowsLearned} ads to learn from, {report.RowsMeasured} new ones");
        report.Answers!.Asked.ShouldBeGreaterThanOrEqualTo(300);
        report.Answers.P99Ms.ShouldBeGreaterThanOrEqualTo(report.Answers.MedianMs);
        var lines = EvaluationTable.Lines([report, young]).ToArray();
        lines[2].ShouldStartWith($"| price-predictor | {report.RowsLearned:N0} / {report.RowsMeasured:N0} | by first listing after 2026-");
        lines[2].ShouldContain("| R2 0.");
        lines[2].ShouldContain($" | {report.Targets[0].Verdict(report.Metrics.Single(row => row.Name == "R2"))} | ");
        young.Metrics.ShouldBeEmpty();
        lines[^1].ShouldBe($"- sentiment-analyzer: {young.Split}");
        young.Split.ShouldContain("There is too little history to train sentiment-analyzer");
    }

    [Test]
    public async Task A_card_tells_what_is_asked_of_the_model_and_whether_this_version_meets_it()
    {
        var version = (await Get<ModelRegistry>().VersionAsync(ModelNames.PricePredictor, first.Version, default))!;
        var r2 = version.Metrics.Single(row => row.Name == "R2");

        var asked = ModelCard.Of("", [new ModelTarget("R2", 0.9), new ModelTarget("F1", 0.5, Source: ModelTarget.House)], version, null, [], []).Markdown;
        var free = ModelCard.Of("", [], version, null, [], []).Markdown;

        asked.ShouldContain($"## Targets\n- R2 ≥ 0.9: {new ModelTarget("R2", 0.9).Verdict(r2)}.\n- F1 ≥ 0.5 (house): not measured.\n");
        asked.ShouldContain(FormattableString.Invariant($"| R2 | {r2.Model:0.####} | {r2.Low:0.####} to {r2.High:0.####} | "));
        free.ShouldNotContain("Targets");
    }

    [Test]
    public async Task An_estimate_has_an_interval_a_verdict_and_both_currencies()
    {
        var answer = (await AskAsync("car-0001"))!;

        answer.Source.ShouldBe("model");
        answer.Low!.Usd.ShouldBeLessThan(answer.Estimate.Usd);
        answer.High!.Usd.ShouldBeGreaterThan(answer.Estimate.Usd);
        answer.Coverage.ShouldBe(0.8);
        (answer.Estimate.Dop / answer.Estimate.Usd).ShouldBe(53.3m, 0.01m);
        answer.Verdict.ShouldNotBeNull();
        new[] { "Buen precio", "Precio justo", "Alto" }.ShouldContain(answer.Verdict.Label);
    }

    [Test]
    public async Task A_vehicle_far_below_and_one_far_above_its_market_are_told_apart()
    {
        var usual = vehicles.First(v => v.Item.Price!.Currency == "USD").Item;
        await room.TellAsync(
            Room.Listed(usual with { Id = "cheap", Price = new Money(Math.Round(usual.Price!.Amount * 0.6m), "USD") }, Now),
            Room.Listed(usual with { Id = "dear", Price = new Money(Math.Round(usual.Price.Amount * 1.6m), "USD") }, Now));

        (await AskAsync("cheap"))!.Verdict.ShouldBe(new Verdict("good", "Buen precio"));
        (await AskAsync("dear"))!.Verdict.ShouldBe(new Verdict("high", "Alto"));
    }

    [Test]
    public async Task The_parts_of_an_estimate_add_up_to_it_and_the_market_tells_the_place_of_the_price()
    {
        var answer = (await AskAsync("car-0001", explain: true))!;

        var why = answer.Reasons.ShouldNotBeNull();
        ((double)(why.Base.Usd + why.Parts.Sum(part => part.Adds.Usd))).ShouldBe((double)answer.Estimate.Usd, (double)answer.Estimate.Usd * 1e-3);
        why.Parts.ShouldContain(part => part.Input == "year" && part.Text != null);
        var market = answer.Market.ShouldNotBeNull();
        market.Comparables.ShouldBeGreaterThanOrEqualTo(5);
        market.Percentile.ShouldBeInRange(0, 1);
        (await AskAsync("car-0001"))!.Reasons.ShouldBeNull();
    }

    [Test]
    public async Task A_candidate_answers_its_part_of_the_people_and_of_the_vehicles_that_nobody_is_known_for_and_every_answer_is_written_down()
    {
        var candidate = await CandidateAsync();
        var id = await StartAsync("canary", candidate);

        var met = new Dictionary<string, (string Source, int? Version)>();
        foreach (var n in Enumerable.Range(0, 30))
        {
            foreach (var time in new[] { 1, 2 })
            {
                var answer = (await AskAsync("car-0001", explain: n < 8, person: $"v{n}"))!;
                (answer.Low!.Usd < answer.Estimate.Usd, answer.Reasons is null).ShouldBe((true, n >= 8));
                met.TryAdd($"v{n}", (answer.Source, answer.ModelVersion)).ShouldBe(time == 1);
                met[$"v{n}"].ShouldBe((answer.Source, answer.ModelVersion));
            }
        }

        met.Values.Distinct().ShouldBe([("rollout:control", first.Version), ("rollout:candidate", candidate)], ignoreOrder: true);
        var byVehicle = new HashSet<string>();
        foreach (var n in Enumerable.Range(2, 20))
        {
            var answer = (await AskAsync($"car-{n:0000}"))!;
            (await AskAsync($"car-{n:0000}"))!.Source.ShouldBe(answer.Source);
            byVehicle.Add(answer.Source);
        }

        byVehicle.Count.ShouldBe(2);
        await room.Services.GetRequiredService<Exposures>().FlushAsync();
        await room.Services.GetRequiredService<PredictionStore>().FlushAsync();
        // Once each, however often they asked; a vehicle reaches no goal and is nobody.
        (await ScalarAsync<long>($"select count(*) from ml.exposures where rollout_id = '{id}'")).ShouldBe(30);
        (await ScalarAsync<long>($"select count(*) from ml.predictions where rollout_id = '{id}' and entity_id = 'car-0001' and inputs->>'make' is not null and value > 0")).ShouldBe(60);
        await ExecuteAsync("update ml.rollouts set status = 'stopped', ended_at = now() where status = 'running'");
    }

    [Test]
    public async Task A_candidate_in_the_shadow_is_asked_beside_what_is_shown()
    {
        var id = await StartAsync("shadow", await CandidateAsync());

        (await AskAsync("car-0005", person: "ana"))!.ShouldSatisfyAllConditions(answer => answer.Source.ShouldBe("model"), answer => answer.ModelVersion.ShouldBe(first.Version));

        await room.Services.GetRequiredService<ShadowAnswers>().FlushAsync();
        (await ScalarAsync<long>($"select sum(rows)::bigint from ml.shadow_minutes where rollout_id = '{id}'")).ShouldBe(1);
        // The same artefact under another number says the same.
        (await ScalarAsync<double>($"select sum(absolute) from ml.shadow_minutes where rollout_id = '{id}'")).ShouldBe(0, 1e-9);
        await ExecuteAsync("update ml.rollouts set status = 'stopped', ended_at = now() where status = 'running'");
    }

    [Test]
    public void An_ad_as_a_row_is_the_ad()
    {
        foreach (var (item, at) in vehicles.Take(50))
        {
            var snapshot = new ItemSnapshot(item, "live", at, at.AddTicks(7), at, 1);

            var again = PriceModel.FeaturesOf(PriceModel.RowOf(snapshot), Now);

            var straight = PriceFeatures.Of(snapshot);
            again.Words.ShouldBe(straight.Words);
            (again with { Words = straight.Words }).ShouldBe(straight);
        }
    }

    [Test]
    public async Task What_matters_to_prices_and_how_well_sellers_and_places_fare_is_told()
    {
        var importance = (await VersionReports.ImportanceAsync(
            ModelNames.PricePredictor, first.Version, Get<ModelRegistry>(), Get<ServedModels>(), Get<Explainer>(), Get<RunStore>(), Get<RunTables>(), Database, room.Clock, default)).Result
            .ShouldBeOfType<Ok<VersionReports.Importance>>().Value!;

        // Year and make are what the prices are made of, the model's name tells the body; nothing is made of the mileage.
        (importance.Scale, importance.Rows > 0).ShouldBe(("ln USD", true));
        importance.Inputs.Single(input => input.Name == "year").LossIncrease!.Value.ShouldBeGreaterThan(0.05);
        importance.Inputs.Single(input => input.Name == "mileageKm").LossIncrease!.Value.ShouldBe(0, 0.01);
        importance.Inputs.Single(input => input.Name == "year").MeanContribution!.Value.ShouldBeGreaterThan(0.1);

        foreach (var (attribute, groups) in new[] { ("bodyType", 4), ("place", 1), ("year", 4) })
        {
            var bias = (await VersionReports.BiasAsync(ModelNames.PricePredictor, first.Version, attribute, Get<ModelRegistry>(), Get<RunTables>(), Database, room.Clock, default)).Result
                .ShouldBeOfType<Ok<VersionReports.Bias>>().Value!;
            bias.Groups.Count.ShouldBe(groups, attribute);
            bias.Groups.Sum(group => group.Rows).ShouldBe(bias.Rows);
            bias.Groups.ShouldAllBe(group => group.Loss > 0 && group.Loss < group.MeanTruth);
        }
    }

    [Test]
    public void Without_a_model_the_group_median_answers_and_says_so()
    {
        before.Known!.Source.ShouldBe("median");
        (before.Known.ModelVersion, before.Known.Low, before.Known.Verdict).ShouldBe((null, null, null));
        before.Known.Estimate.Usd.ShouldBeGreaterThan(0);
        before.Unknown.ShouldBeNull();
    }

    [Test]
    public void A_saved_model_answers_the_same_after_loading()
    {
        var ads = vehicles.Take(300).Select(v => PriceFeatures.Of(new ItemSnapshot(v.Item, "live", v.At, v.At, v.At, 1))).ToArray();
        var usd = vehicles.Take(300).Select(v => (double)(v.Item.Price!.Currency == "DOP" ? v.Item.Price.Amount / 53.3m : v.Item.Price.Amount)).ToArray();
        var model = PricePredictor.Fit(ads, usd, new PriceKnobs { Trees = 30 }, threads: 1);

        var again = PricePredictor.Load(model.Save());

        again.Predict(ads).ShouldBe(model.Predict(ads));
        Should.Throw<InvalidDataException>(() => PricePredictor.Load(VehicleRecommenderBytes()));
    }

    [Test]
    public void The_interval_moves_by_the_right_order_statistic()
    {
        // Romano et al. 2019: of n = 9 misses the ⌈(9 + 1) · 0.8⌉ = 8th smallest. Ends 0 and 1, labels 0.5 … 4.5 miss by −0.5, 0, 0.5 … 3.5.
        var labels = Enumerable.Range(1, 9).Select(i => i * 0.5f).ToArray();

        PricePredictor.Margin(new float[9], [.. Enumerable.Repeat(1f, 9)], labels, 0.8).ShouldBe(3.0, 1e-6);
    }

    private static byte[] VehicleRecommenderBytes()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("OKLA.VehicleRecommender");
        writer.Write(1);
        writer.Flush();
        return stream.ToArray();
    }

    private T Get<T>()
        where T : notnull => room.Services.GetRequiredService<T>();

    /// <summary>The serving version's artefact once more under another number.</summary>
    private async Task<int> CandidateAsync()
    {
        var registry = Get<ModelRegistry>();
        var artefact = await registry.ArtefactAsync(ModelNames.PricePredictor, first.Version, default);
        return await registry.SaveAsync(
            ModelNames.PricePredictor, new TrainedModel(artefact, new { }, new { }, Now, 1), first.Metrics, "candidate", "By hand.", "test", 0, new VersionFacts([], PriceModel.Asked, first.Version, null), default);
    }

    private async Task<Guid> StartAsync(string stage, int candidate)
    {
        var spec = new RolloutSpec(
            [new Arm("control", 1, first.Version), new Arm("candidate", 1, candidate)], [new Stage("shadow", 0, 60), new Stage("canary", 0.5, 60)], new Goal([EventTypes.Contacted], 60), new Guardrails(0.02, 1.5, 0.1, 30), false);
        var rollout = new ActiveRollout(Guid.CreateVersion7(), ModelNames.PricePredictor, "version", stage, spec, Now, Now, 1);
        await using var connection = await Database.OpenConnectionAsync();
        (await RolloutStore.StartAsync(connection, rollout, "test", default)).ShouldBeTrue();
        return rollout.Id;
    }

    private async Task<EstimatePrice.Response?> AskAsync(string id, bool explain = false, string? person = null)
    {
        var live = room.Services.GetRequiredService<LiveModels>();
        await room.Services.GetRequiredService<ServedModels>().RefreshAsync();
        await live.RefreshAsync();
        var answer = await EstimatePrice.Handle(
            id, explain, CurrentUser.Nobody, live, room.Services.GetRequiredService<Predictor>(), room.Bus, room.Services.GetRequiredService<PredictionLog>(), room.Services.GetRequiredService<IOptions<MLOptions>>(),
            room.Services.GetRequiredService<ExchangeRates>(), NullLogger<LiveModels>.Instance, default, person);
        return (answer.Result as Ok<EstimatePrice.Response>)?.Value;
    }

    private sealed record PriceAnswers(EstimatePrice.Response? Known, EstimatePrice.Response? Unknown);
}
