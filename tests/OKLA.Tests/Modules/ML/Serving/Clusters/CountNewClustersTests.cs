using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OKLA.ML;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Serving.Clusters;
using OKLA.Shared.Contracts;
using OKLA.Shared.Jobs;
using OKLA.Shared.Messaging;
using OKLA.Tests.Modules.ML.Models;

namespace OKLA.Tests.Modules.ML.Serving.Clusters;

/// <summary>What follows when a version of the kinds comes to serve.</summary>
public sealed class CountNewClustersTests : HostTest
{
    [Test]
    public async Task A_version_that_comes_to_serve_is_told_of_once_and_counted_by_at_once()
    {
        var bus = new Told();
        var served = new ServedModels(
            Service<ModelCatalog>(), Service<ModelRegistry>(), Database, bus, Service<IOptions<MLOptions>>(), TimeProvider.System, NullLogger<ServedModels>.Instance);
        foreach (var seed in new[] { 1, 2 })
        {
            var kinds = UserClusters.Fit(UserClustersTests.People(300, seed: 3), 3, seed);
            var version = await Service<ModelRegistry>().SaveAsync(
                ModelNames.UserSegmenter, new TrainedModel(kinds.Save(), new { }, new { }, DateTimeOffset.UnixEpoch, 300), [new MetricRow("silhouette", 0.7, 0.1, "price")], "candidate", "for a test", "test", 0.1, default);
            await Service<ModelRegistry>().PublishAsync(ModelNames.UserSegmenter, version, default);
            await Service<ServedModels>().RefreshAsync();

            await served.RefreshAsync();
            await served.RefreshAsync();
            bus.Messages.ShouldHaveSingleItem().ShouldBe(new VersionServes(ModelNames.UserSegmenter, version));
            bus.Messages.Clear();

            // Two hosts hear of it, and the second one again when it starts.
            for (var host = 0; host < 3; host++)
            {
                await CountNewClustersHandler.Handle(new VersionServes(ModelNames.UserSegmenter, version), Service<JobRuns>(), Options.Create(new JobsOptions()), Database, default);
                await UntilAsync(async () => await ScalarAsync<long>($"select count(*) from ml.cluster_counts where model_version = {version}") == 1);
            }

            (await Service<JobRuns>().HistoryAsync(ClusterSetup.Count)).Count(run => run.Reason == $"version {version}").ShouldBe(1);
        }
    }

    [Test]
    public async Task Nothing_is_counted_for_other_models_nor_where_jobs_do_not_run_by_themselves()
    {
        await CountNewClustersHandler.Handle(new VersionServes(ModelNames.PricePredictor, 77), Service<JobRuns>(), Options.Create(new JobsOptions()), Database, default);
        await CountNewClustersHandler.Handle(new VersionServes(ModelNames.UserSegmenter, 78), Service<JobRuns>(), Options.Create(new JobsOptions { Scheduled = false }), Database, default);

        (await Service<JobRuns>().HistoryAsync(ClusterSetup.Count)).ShouldAllBe(run => run.Reason != "version 77" && run.Reason != "version 78");
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
        {
            await Task.Delay(50, deadline.Token);
        }
    }

    /// <summary>Keeps what is published.</summary>
    private sealed class Told : IMessageBus
    {
        public List<object> Messages { get; } = [];

        public Task<T> InvokeAsync<T>(object message, CancellationToken ct = default) => throw new NotSupportedException();

        public Task InvokeAsync(object message, CancellationToken ct = default) => throw new NotSupportedException();

        public ValueTask PublishAsync(object message, CancellationToken ct = default)
        {
            Messages.Add(message);
            return ValueTask.CompletedTask;
        }
    }
}
