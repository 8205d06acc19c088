using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using OKLA.ML.Datasets;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Training;

/// <summary>Runs of models that learn no table, made again after the log went on.</summary>
public sealed class ReproductionTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly string[] Models =
    [
        ModelNames.VehicleRecommender, ModelNames.SimilarVehicles, ModelNames.BuyerRecommender, ModelNames.PricePredictor, ModelNames.DaysToSalePredictor, ModelNames.UserSegmenter,
        ModelNames.DescriptionAnalyzer, ModelNames.SearchIntentClassifier,
    ];

    private Room room = null!;

    [OneTimeSetUp]
    public async Task FillTownAsync()
    {
        // Several threads, since what they do at once must not depend on who is first.
        room = MLRoom.Open(Database, Now, [typeof(Rollout.RecommenderRolloutTests.NoTruthHandler), typeof(NoDaysHandler)], ("ML:TrainingThreads", "3"), ("ML:Price:Trees", "40"), ("ML:Price:MinAds", "100"),
            ("ML:Recommender:TowerIterations", "3"), ("ML:Recommender:MachineIterations", "3"));
        var vehicles = Town.Vehicles(360, Now.AddDays(-60), 50, seed: 3);
        await room.AppendAsync(vehicles.Select(v => Room.Listed(v.Item, v.At)));
        await room.AppendAsync(Town.Visits(vehicles, people: 480, views: 9, Now.AddDays(-60), 59, seed: 4).OrderBy(visit => visit.Event.OccurredAt));
        // Some come in the same hour, which tells what is looked at together.
        await room.AppendAsync(new[] { -30, -12, -2 }.SelectMany(day => Town.Visits(vehicles, people: 60, views: 4, Now.AddDays(day), 0.03, seed: 9 - day)));
        await room.AppendAsync(vehicles.Where((_, n) => n % 2 == 0).Select((v, n) => Room.Ended(EventTypes.ItemSold, v.Item.Id, v.At.AddDays(1 + (n * 7 % 9)))));
        await room.Subscriptions.CatchUpAsync();
    }

    public ValueTask DisposeAsync() => room.DisposeAsync();

    [TestCaseSource(nameof(Models))]
    public async Task A_run_is_made_again_bit_for_bit_from_what_it_read_or_from_the_log_as_of_its_time(string model)
    {
        var run = await TrainAsync(model);
        await GoOnAsync();
        (await ScalarAsync<bool>($"select readings is not null from ml.runs where id = '{run}'")).ShouldBeTrue();

        var kept = await AgainAsync(run);
        await ExecuteAsync($"update ml.runs set readings = null where id = '{run}'");
        var logged = await AgainAsync(run);

        kept.Identical.ShouldBeTrue(kept.Said);
        kept.Said.ShouldStartWith("Bit for bit the same artefact");
        (await ScalarAsync<Guid>($"select reproduces from ml.runs where id = '{kept.Run}'")).ShouldBe(run);
        logged.Identical.ShouldBeTrue(logged.Said);
    }

    [Test]
    public async Task What_was_read_goes_as_a_whole_with_a_person_in_it_and_another_artefact_says_why()
    {
        var run = await TrainAsync(ModelNames.SimilarVehicles);
        var blob = await ScalarAsync<string>($"select readings from ml.runs where id = '{run}'");

        await EraseAsync("nobody");
        (await ScalarAsync<bool>($"select readings is not null from ml.runs where id = '{run}'")).ShouldBeTrue();
        await EraseAsync("v7");

        (await ScalarAsync<bool>($"select readings is null from ml.runs where id = '{run}'")).ShouldBeTrue();
        (await ScalarAsync<long>($"select count(*) from ml.blobs where sha256 = '{blob}'")).ShouldBe(0);
        await ExecuteAsync("delete from features.facts where person_id = 'v7'");
        var (_, identical, said) = await AgainAsync(run);
        (identical, said.Contains("the log holds something else of that time now", StringComparison.Ordinal)).ShouldBe((false, true), said);
    }

    [Test]
    public async Task Tastes_that_were_read_go_with_a_person_in_them()
    {
        var run = await TrainAsync(ModelNames.UserSegmenter);

        await EraseAsync("nobody");
        (await ScalarAsync<bool>($"select readings is not null from ml.runs where id = '{run}'")).ShouldBeTrue();
        await EraseAsync("v11");
        (await ScalarAsync<bool>($"select readings is null from ml.runs where id = '{run}'")).ShouldBeTrue();
    }

    private async Task<Guid> TrainAsync(string model)
    {
        var outcome = await room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(model, "test"));
        outcome.Version.ShouldBeGreaterThan(0, outcome.Decision);
        return await ScalarAsync<Guid>($"select run_id from ml.model_versions where model = '{model}' and version = {outcome.Version}");
    }

    private async Task GoOnAsync()
    {
        var now = room.Clock.Now;
        room.Clock.Now += TimeSpan.FromDays(2);
        var late = Town.Vehicles(30, now.AddHours(1), 1, seed: 6).Select(v => (Item: v.Item with { Id = $"{now:MMdd}-{v.Item.Id}" }, v.At)).ToList();
        await room.AppendAsync(late.Select(v => Room.Listed(v.Item, v.At)));
        await room.AppendAsync(late.Take(15).Select(v => Room.Ended(EventTypes.ItemSold, v.Item.Id, now.AddDays(1.5))));
        await room.TellAsync(Town.Visits(late, people: 40, views: 5, now.AddDays(1), 0.03, seed: 7));
    }

    private Task<(Guid Run, bool Identical, string Said)> AgainAsync(Guid run) => room.Services.GetRequiredService<TrainingRunner>().ReproduceAsync(run, null, null, default);

    private async Task EraseAsync(string id)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("salt-" + id)));
        await ExecuteAsync($"insert into ml.erasures (position, salt, hashes, asked_at) select coalesce(max(position), 0) + 1, 'salt-', array['{hash}'], now() from ml.erasures");
        while (await room.Services.GetRequiredService<Erasures>().StepAsync())
        {
        }
    }

    /// <summary>Nobody knows the true days here.</summary>
    internal static class NoDaysHandler
    {
        public static TrueProbabilities Handle(GetTrueDaysToSale query) => new([.. Enumerable.Repeat(double.NaN, query.ItemIds.Count)]);
    }
}
