using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Serving.Clusters;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;
using OKLA.Tests.Modules.ML.Models;

namespace OKLA.Tests.Modules.ML.Serving.Clusters;

/// <summary>Base of tests with people of three planted kinds, put into the kinds of a version that was learned from others like them.</summary>
public abstract class ClusterTest : HostTest
{
    protected static readonly (string Kind, string Body, int Year, decimal Usd, int People)[] Kinds = [("family", "jeepeta", 2020, 28_000, 6), ("first", "hatchback", 2014, 11_000, 4), ("motor", "motores", 2017, 2_500, 3)];
    private DateTimeOffset now;

    /// <summary>Talks to the host as an Admin.</summary>
    protected HttpClient Admin { get; private set; } = null!;

    /// <summary>The version that serves.</summary>
    internal UserClusters Model { get; private set; } = null!;

    protected override string[] Settings => ["--ML:RefreshSeconds", "0.1"];

    [OneTimeSetUp]
    public async Task SettleAsync()
    {
        now = DateTimeOffset.UtcNow;
        Admin = await SignInAsync("admin");
        (await Admin.GetAsync("/api/ml/clusters")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await Admin.GetAsync("/api/ml/clusters/0/members")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await Admin.GetAsync("/api/ml/clusters/look-alikes?cluster=0")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        await Service<IMessageBus>().InvokeAsync(new CountClusters());
        await TellAsync(
        [
            .. Kinds.SelectMany(kind => Enumerable.Range(0, 3).Select(n => Room.Listed(Room.Car($"{kind.Kind}-{n}", "Toyota", $"Model{n}", kind.Year + (n % 2), kind.Usd + (100 * n), body: kind.Body), now.AddDays(-30)))),
            .. Kinds.SelectMany(kind => Enumerable.Range(0, kind.People).SelectMany(person => Views($"{kind.Kind}-lover-{person}", kind.Kind, 5 + person))),
            .. Views("hardly-known", "family", 4),
        ]);
        await PublishAsync(UserClusters.Fit(UserClustersTests.People(300, seed: 3), 3, seed: 1));
        await CountAsync();
    }

    [OneTimeTearDown]
    public void Dispose() => Admin.Dispose();

    /// <summary>Looks at the things of a kind.</summary>
    protected IEnumerable<StreamEvent> Views(string person, string kind, int count) =>
        Enumerable.Range(0, count).Select(n => Room.View(person, $"{kind}-{n % 3}", now.AddDays(-5).AddMinutes(n)));

    /// <summary>Number of the learned kind that a planted kind is in.</summary>
    protected int NumberOf(string kind) => Kinds.Single(one => one.Kind == kind) is var (_, body, year, usd, _)
        ? Model.Assign([Math.Log((double)usd), year + 0.5, .. UserClusters.Bodies.Select(one => one == body ? 1.0 : 0)])
        : -1;

    /// <summary>A person's tastes.</summary>
    protected async Task<double[]> TastesAsync(string person) => (await FindClustersHandler.TastesAsync([person], Service<IMessageBus>(), DateTimeOffset.UtcNow, default))[0]!;

    /// <summary>Appends events and lets every subscription take them in.</summary>
    protected async Task TellAsync(IEnumerable<StreamEvent> events)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Service<EventLog>().AppendAsync(transaction, [.. events]);
        await transaction.CommitAsync();
        await Service<Subscriptions>().CatchUpAsync();
    }

    /// <summary>Lets a version serve.</summary>
    internal async Task<int> PublishAsync(UserClusters clusters)
    {
        Model = clusters;
        var registry = Service<ModelRegistry>();
        var version = await registry.SaveAsync(
            ModelNames.UserSegmenter, new TrainedModel(clusters.Save(), new { }, new { }, DateTimeOffset.UnixEpoch, 300), [new MetricRow("silhouette", 0.7, 0.1, "price")], "candidate", "for a test", "test", 0.1, default);
        await registry.PublishAsync(ModelNames.UserSegmenter, version, default);
        await Service<ServedModels>().RefreshAsync();
        return version;
    }

    /// <summary>What the nightly job does.</summary>
    protected Task CountAsync() => Service<IMessageBus>().InvokeAsync(new CountClusters());

    /// <summary>The body of an answer, which must be a success.</summary>
    protected async Task<JsonElement> GetAsync(string path)
    {
        var answer = await Admin.GetAsync(path);
        answer.IsSuccessStatusCode.ShouldBeTrue($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }
}
