using OKLA.ML.Models;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Serving.Clusters;

/// <summary>Answers <see cref="FindClusters"/>: the learned kind of each person, by the serving version.</summary>
internal sealed class FindClustersHandler(ServedModels served, IMessageBus bus, TimeProvider clock)
{
    public async Task<IReadOnlyList<LearnedCluster?>> Handle(FindClusters query, CancellationToken ct)
    {
        if (await served.BestAsync(ModelNames.UserSegmenter) is not { Answers: UserSegmenter.Served { Model: var model } } by)
        {
            return new LearnedCluster?[query.UserIds.Count];
        }

        return [.. (await TastesAsync(query.UserIds, bus, clock.GetUtcNow(), ct)).Select(tastes => tastes is null ? null : Of(model, by.Version, tastes))];
    }

    /// <summary>Tastes of people now; null where too little is known of one.</summary>
    internal static async Task<double[]?[]> TastesAsync(IReadOnlyList<string> ids, IMessageBus bus, DateTimeOffset now, CancellationToken ct) =>
        [.. (await bus.InvokeAsync<IReadOnlyList<object?[]>>(new ReadFeatures([.. ids.Select(id => new SpineRow(now, null, UserId: id))], UserClusters.Features), ct)).Select(UserClusters.Tastes)];

    private static LearnedCluster Of(UserClusters model, int version, double[] tastes)
    {
        var fits = model.Fits(tastes);
        var cluster = model.Clusters[Array.IndexOf(fits, fits.Max())];
        return new LearnedCluster(cluster.Number, cluster.Name, cluster.Traits, Math.Round(fits[cluster.Number], 4), cluster.Share, version);
    }
}
