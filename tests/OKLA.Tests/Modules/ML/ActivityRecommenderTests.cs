using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OKLA.ML;
using OKLA.ML.Serving;
using OKLA.ML.Serving.Recommendations;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;
using OKLA.Tracking.Identity;

namespace OKLA.Tests.Modules.ML;

/// <summary>The same recommender over a small catalogue of activities, from the log to the answer.</summary>
public sealed class ActivityRecommenderTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly string[] Types = ["concierto", "deporte", "taller"];
    private static readonly (string Name, double Latitude, double Longitude)[] Towns = [("Santo Domingo", 18.486, -69.931), ("Santiago", 19.451, -70.697)];
    private Room room = null!;
    private TrainingOutcome trained = null!;

    [OneTimeSetUp]
    public async Task TrainAsync()
    {
        room = MLRoom.Open(Database, Now, [typeof(Rollout.RecommenderRolloutTests.NoTruthHandler), typeof(FindPersonHandler)]);
        var activities = Enumerable.Range(0, 120).Select(n => Activity(n, Now.AddDays(n < 110 ? 2 + (n % 30) : -2))).ToArray();
        await room.AppendAsync(activities.Select(item => Room.Listed(item, Now.AddDays(-40))));
        await room.AppendAsync(Visits(activities));
        await room.Subscriptions.CatchUpAsync();
        trained = await room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.ActivityRecommender, "first"));
        await room.Services.GetRequiredService<LiveModels>().RefreshAsync();
    }

    public ValueTask DisposeAsync() => room.DisposeAsync();

    [Test]
    public void It_is_measured_beside_popularity_as_any_other()
    {
        TestContext.Out.WriteLine(string.Join(Environment.NewLine, trained.Metrics) + trained.Decision);
        trained.Published.ShouldBeTrue(trained.Decision);
        trained.Metrics[0].Name.ShouldBe("NDCG@10");
        trained.Metrics[0].Model.ShouldBeGreaterThan(1.5 * trained.Metrics[0].Baseline!.Value);
    }

    [Test]
    public async Task Who_looks_at_workshops_is_shown_workshops_that_are_still_to_come()
    {
        await room.TellAsync(Enumerable.Range(0, 4).Select(n => Room.View("ines", $"act-{(n * 6) + 2}", Now.AddMinutes(-5 - n))));

        var answer = await AskAsync("ines", "activity");

        answer.Source.ShouldBe("model");
        var live = room.Services.GetRequiredService<LiveModels>();
        var cards = answer.Items.Select(item => live.TryGetCard(item.ItemId, out var card) ? card : null!).ToList();
        cards.Count(card => card.Snapshot.Item.Text("type") == "taller").ShouldBeGreaterThanOrEqualTo(7);
        cards.ShouldAllBe(card => OKLA.ML.Models.Recommenders.ItemKind.BeginsAt(card.Snapshot.Item) > Now);
        answer.Items.ShouldContain(item => item.Reason.StartsWith("Porque viste cuatro actividades de taller", StringComparison.Ordinal));
        (await AskAsync("ines", "vehicle")).Items.ShouldBeEmpty();
    }

    private async Task<RecommendVehicles.Response> AskAsync(string id, string kind)
    {
        Ok<RecommendVehicles.Response> answer = await RecommendVehicles.Handle(
            id, CurrentUser.Nobody, new HostingEnvironment { EnvironmentName = Environments.Production }, room.Services.GetRequiredService<RecommendationDesk>(), room.Bus,
            room.Services.GetRequiredService<PredictionLog>(), room.Services.GetRequiredService<IOptions<MLOptions>>(), room.Clock, NullLogger<RecommendationDesk>.Instance, new(), default, kind: kind);
        return answer.Value!;
    }

    /// <summary>Each of 120 people goes to one type, nine times in ten, mostly in one town.</summary>
    private static IEnumerable<StreamEvent> Visits(CatalogItem[] activities)
    {
        var random = new Random(8);
        for (var person = 0; person < 120; person++)
        {
            for (var n = 0; n < 14; n++)
            {
                var item = random.Next(10) == 0 ? random.Next(120) : (random.Next(20) * 6) + (person % 3) + (random.Next(5) == 0 ? 3 : 0);
                var at = Now.AddDays(-30 * random.NextDouble()).AddMinutes(-60);
                yield return n % 7 == 0 ? Room.Behaviour(EventTypes.FavoriteAdded, $"v{person}", null, activities[item].Id, at) : Room.View($"v{person}", activities[item].Id, at);
            }
        }
    }

    private static CatalogItem Activity(int n, DateTimeOffset begins)
    {
        var (type, town) = (Types[n % 3], Towns[n / 3 % 2]);
        return new CatalogItem($"act-{n}", "activity", $"{type} {n}", new Money(n % 2 == 0 ? 0 : 800, "DOP"), new Dictionary<string, JsonElement>
        {
            ["type"] = JsonSerializer.SerializeToElement(type), ["tags"] = JsonSerializer.SerializeToElement(new[] { "familia" }), ["locality"] = JsonSerializer.SerializeToElement(town.Name),
            ["level"] = JsonSerializer.SerializeToElement("inicial"), ["latitude"] = JsonSerializer.SerializeToElement(town.Latitude), ["longitude"] = JsonSerializer.SerializeToElement(town.Longitude),
            ["startsAt"] = JsonSerializer.SerializeToElement(begins), ["endsAt"] = JsonSerializer.SerializeToElement(begins.AddHours(2)),
        });
    }
}
