using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Serving;

/// <summary>
/// What this host serves from: the catalogue and the published models, in memory. One loop looks for changes every few seconds; requests
/// read whole snapshots and never wait for it.
/// </summary>
internal sealed class LiveModels(
    ModelRegistry registry, ServedModels served, IMessageBus bus, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock, ILogger<LiveModels> logger) : BackgroundService
{
    private const int PopularItems = 500;
    private static readonly TimeSpan PopularityAge = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, Card> cards = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, Card>> peers = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim refreshing = new(1);
    private readonly Dictionary<string, int[]> lookedFor = new(StringComparer.Ordinal);
    private long position;
    private DateTimeOffset popularAt = DateTimeOffset.MinValue;
    private volatile Shelf shelf = new([], [], [], null);

    /// <summary>A version of the recommender with the catalogue laid out by its indices.</summary>
    internal sealed record ServedRecommender(int Version, string Source, VehicleRecommender Trained, VehicleRecommender Model, ItemMask Live, Card?[] Cards);

    /// <summary>A version of the price model.</summary>
    internal sealed record ServedPrice(int Version, string Source, PricePredictor Model);

    /// <summary>Everything a request reads, replaced as a whole.</summary>
    /// <param name="Recommenders">The serving version, then the one before it, then those of a rollout (source <c>rollout</c>), as far as they could be loaded.</param>
    /// <param name="Prices">The same for the price model.</param>
    /// <param name="Popular">Live items by the weight of this week's events, best first, then the newest.</param>
    /// <param name="Medians">Group medians of the live catalogue, when no price model serves.</param>
    internal sealed record Shelf(
        IReadOnlyList<ServedRecommender> Recommenders, IReadOnlyList<ServedPrice> Prices, IReadOnlyList<(Card Card, double Score)> Popular, PriceTraining.GroupMedian? Medians);

    /// <summary>The present snapshot.</summary>
    public Shelf Now => shelf;

    /// <summary>The version that serves a model here; null when none does.</summary>
    public int? VersionOf(string model) => model switch
    {
        ModelNames.VehicleRecommender => shelf.Recommenders.Count > 0 ? shelf.Recommenders[0].Version : null,
        ModelNames.PricePredictor => shelf.Prices.Count > 0 ? shelf.Prices[0].Version : null,
        _ => null,
    };

    /// <summary>An item of the catalogue in memory.</summary>
    public bool TryGetCard(string id, [NotNullWhen(true)] out Card? card) => cards.TryGetValue(id, out card);

    /// <summary>The priced vehicles on offer of the same make and base model, itself left out.</summary>
    public IReadOnlyList<Card> PeersOf(Card card) => peers.TryGetValue(card.Kin, out var kin)
        ? [.. kin.Values.Where(other => other.Live && other.Ad.Usd > 0 && other.Snapshot.Item.Id != card.Snapshot.Item.Id)]
        : [];

    /// <summary>Takes in what changed in the catalogue and the registry.</summary>
    public async Task RefreshAsync(CancellationToken ct = default)
    {
        await refreshing.WaitAsync(ct);
        try
        {
            var changed = await ReadCatalogueAsync(ct);
            var serving = await registry.ServingAsync(ct);
            var recommenders = await LoadAsync(
                ModelNames.VehicleRecommender, serving, shelf.Recommenders, served => served.Version,
                (version, source, bytes) => new ServedRecommender(version, source, VehicleRecommender.Load(bytes), null!, null!, []), (served, source) => served with { Source = source }, ct);
            var prices = await LoadAsync(
                ModelNames.PricePredictor, serving, shelf.Prices, served => served.Version,
                (version, source, bytes) => new ServedPrice(version, source, PricePredictor.Load(bytes)), (served, source) => served with { Source = source }, ct);
            var newPrices = !ReferenceEquals(prices, shelf.Prices);
            if (changed.Count > 0 || !ReferenceEquals(recommenders, shelf.Recommenders))
            {
                recommenders = [.. recommenders.Select(LayOut)];
            }

            if (prices.Count > 0 && (newPrices || changed.Count > 0))
            {
                Price(prices[0], newPrices ? [.. cards.Values.Where(card => card.Live)] : changed);
            }

            var stale = changed.Count > 0 || clock.GetUtcNow() - popularAt >= PopularityAge;
            var medians = prices.Count > 0 ? null : changed.Count > 0 || shelf.Medians is null ? Medians() : shelf.Medians;
            shelf = new Shelf(recommenders, prices, stale ? await PopularAsync(ct) : shelf.Popular, medians);
        }
        finally
        {
            refreshing.Release();
        }
    }

    /// <inheritdoc />
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await TryRefreshAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        refreshing.Dispose();
        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(options.Value.RefreshSeconds), clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested)
            {
                await TryRefreshAsync(stoppingToken);
            }
        }
    }

    private async Task TryRefreshAsync(CancellationToken ct)
    {
        try
        {
            await RefreshAsync(ct);
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException or InvalidOperationException or IOException)
        {
            Log.RefreshFailed(logger, fault);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return;
        }
    }

    private async Task<List<Card>> ReadCatalogueAsync(CancellationToken ct)
    {
        var changed = new List<Card>();
        while (true)
        {
            var page = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetChangedItems(position), ct);
            if (page.Count == 0)
            {
                return changed;
            }

            foreach (var item in page)
            {
                var card = new Card(item, rates);
                if (cards.TryGetValue(item.Item.Id, out var before) && before.Kin != card.Kin && peers.TryGetValue(before.Kin, out var left))
                {
                    left.TryRemove(item.Item.Id, out _);
                }

                cards[item.Item.Id] = card;
                peers.GetOrAdd(card.Kin, static _ => new ConcurrentDictionary<string, Card>(StringComparer.Ordinal))[item.Item.Id] = card;
                changed.Add(card);
            }

            position = page[^1].Position;
        }
    }

    /// <summary>The serving version, the one before it and those of a rollout: kept where they are in memory, loaded where not, left out where their bytes are damaged.</summary>
    private async Task<IReadOnlyList<T>> LoadAsync<T>(
        string model, IReadOnlyDictionary<string, (int Version, int? Previous)> serving, IReadOnlyList<T> kept, Func<T, int> versionOf,
        Func<int, string, byte[], T> read, Func<T, string, T> withSource, CancellationToken ct)
        where T : class
    {
        if (!serving.TryGetValue(model, out var wanted))
        {
            return kept.Count == 0 ? kept : [];
        }

        int[] own = wanted.Previous is { } previous ? [wanted.Version, previous] : [wanted.Version];
        // Of the other models the rollouts meet whoever asks for rows; see Predictor.
        var tried = model == ModelNames.VehicleRecommender ? served.Find(model)?.Rollout?.Versions ?? [] : [];
        int[] versions = [.. own, .. tried.Except(own)];
        if (kept.Count > 0 && lookedFor.TryGetValue(model, out var before) && before.AsSpan().SequenceEqual(versions))
        {
            return kept;
        }

        lookedFor[model] = versions;

        var loaded = new List<T>();
        foreach (var version in versions)
        {
            var known = kept.FirstOrDefault(item => versionOf(item) == version);
            try
            {
                var source = version == wanted.Version ? "model" : own.Contains(version) ? "previous" : "rollout";
                loaded.Add(known is null ? read(version, source, await registry.ArtefactAsync(model, version, ct)) : withSource(known, source));
                Log.Loaded(logger, model, version, source);
            }
            catch (Exception damaged) when (damaged is InvalidDataException or EndOfStreamException or System.Text.Json.JsonException)
            {
                Log.ArtefactDamaged(logger, model, version, damaged);
            }
        }

        return loaded;
    }

    private ServedRecommender LayOut(ServedRecommender served)
    {
        var model = served.Trained.With(cards.Values.Where(card => card.Live).Select(card => card.Snapshot).OrderBy(item => item.Position), rates);
        var (live, byIndex) = (new ItemMask(model.Ids.Count), new Card?[model.Ids.Count]);
        for (var i = 0; i < byIndex.Length; i++)
        {
            if (cards.TryGetValue(model.Ids[i], out var card))
            {
                byIndex[i] = card;
                live[i] = card.Live;
            }
        }

        return new ServedRecommender(served.Version, served.Source, served.Trained, model, live, byIndex);
    }

    private void Price(ServedPrice by, List<Card> some)
    {
        var estimates = by.Model.Predict([.. some.Select(card => card.Ad.Features)], options.Value.Threads);
        for (var i = 0; i < estimates.Length; i++)
        {
            some[i].Price = new PricedBy(by.Version, by.Source, estimates[i]);
        }
    }

    private PriceTraining.GroupMedian? Medians()
    {
        var ads = cards.Values.Select(card => card.Ad).Where(ad => ad.Usd > 0).ToArray();
        return ads.Length == 0 ? null : PriceTraining.GroupMedian.Of(ads);
    }

    private async Task<IReadOnlyList<(Card Card, double Score)>> PopularAsync(CancellationToken ct)
    {
        var week = await bus.InvokeAsync<IReadOnlyList<PopularItem>>(new GetPopularItems(7, PopularItems), ct);
        var popular = week.Where(item => cards.TryGetValue(item.ItemId, out var card) && card.Live).Select(item => (cards[item.ItemId], item.Score)).ToList();
        var known = popular.Select(item => item.Item1.Snapshot.Item.Id).ToHashSet(StringComparer.Ordinal);
        var newest = cards.Values.Where(card => card.Live && !known.Contains(card.Snapshot.Item.Id))
            .OrderByDescending(card => card.Snapshot.ListedAt).ThenBy(card => card.Snapshot.Item.Id, StringComparer.Ordinal).Take(Math.Max(0, PopularItems - popular.Count));
        popularAt = clock.GetUtcNow();
        return [.. popular, .. newest.Select(card => (card, 0.0))];
    }
}
