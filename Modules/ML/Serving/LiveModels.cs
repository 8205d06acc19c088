using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.ML.Models;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Registry;
using OKLA.ML.Serving.Recommendations;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Serving;

/// <summary>
/// What this host serves from: the catalogue and the published models, in memory. One loop looks for changes every few seconds; requests
/// read whole snapshots and never wait for it.
/// </summary>
internal sealed class LiveModels(
    ModelRegistry registry, ServedModels served, IMessageBus bus, OperatorRules rules, SellerExposure exposure, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock,
    ILogger<LiveModels> logger) : BackgroundService
{
    private const int PopularItems = 500, MostInDemand = 200_000;
    private static readonly TimeSpan PopularityAge = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SantoDomingo = TimeSpan.FromHours(-4);

    private readonly ConcurrentDictionary<string, Card> cards = new(StringComparer.Ordinal);
    private long layouts;
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, Card>> peers = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim refreshing = new(1);
    private readonly Dictionary<string, int[]> lookedFor = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> positions = new(StringComparer.Ordinal);
    private DateTimeOffset popularAt = DateTimeOffset.MinValue;
    private DateTimeOffset trendAt = DateTimeOffset.MinValue;
    private Dictionary<string, double> demand = new(StringComparer.Ordinal);
    private volatile Shelf shelf = new(ItemKind.All.ToDictionary(kind => kind.Name, _ => new KindShelf([], [])), [], null);

    /// <summary>A version in memory, and why it is there: model, previous or rollout.</summary>
    internal interface ILoaded
    {
        /// <summary>The version.</summary>
        public int Version { get; }

        /// <summary>Why.</summary>
        public string Source { get; }
    }

    /// <summary>A version of the recommender with the catalogue laid out by its indices.</summary>
    internal sealed record ServedRecommender(int Version, string Source, ItemRecommender Trained, ItemRecommender Model, ItemMask Live, Card?[] Cards, long Layout = 0) : ILoaded;

    /// <summary>A version of the price model.</summary>
    internal sealed record ServedPrice(int Version, string Source, PricePredictor Model);

    /// <summary>A version of the model of similar vehicles with the catalogue laid out by its indices.</summary>
    internal sealed record ServedSimilar(int Version, string Source, SimilarItems Trained, SimilarItems Model, ItemMask Live, Card?[] Cards) : ILoaded;

    /// <summary>A version of the model of buyers.</summary>
    internal sealed record ServedBuyers(int Version, string Source, BuyerFinder Trained, BuyerFinder Model) : ILoaded;

    /// <summary>What a request about a kind of item reads.</summary>
    /// <param name="Recommenders">The serving version, then the one before it, then those of a rollout (source <c>rollout</c>), as far as they could be loaded.</param>
    /// <param name="Popular">Live items by the weight of this week's events, best first, then the newest.</param>
    internal sealed record KindShelf(IReadOnlyList<ServedRecommender> Recommenders, IReadOnlyList<(Card Card, double Score)> Popular)
    {
        private readonly Dictionary<string, double> popularity = Popular.DistinctBy(item => item.Card.Snapshot.Item.Id).ToDictionary(item => item.Card.Snapshot.Item.Id, item => item.Score, StringComparer.Ordinal);
        private readonly double most = Popular.Select(item => item.Score).DefaultIfEmpty(0).Max();

        /// <summary>An item's popularity as a share of the most popular one's.</summary>
        public double PopularityOf(string id) => most > 0 ? popularity.GetValueOrDefault(id) / most : 0;
    }

    /// <summary>Everything a request reads, replaced as a whole.</summary>
    /// <param name="Kinds">By kind of item.</param>
    /// <param name="Prices">Versions of the price model, as those of a recommender.</param>
    /// <param name="Medians">Group medians of the live vehicles, when no price model serves.</param>
    internal sealed record Shelf(IReadOnlyDictionary<string, KindShelf> Kinds, IReadOnlyList<ServedPrice> Prices, PriceTraining.GroupMedian? Medians)
    {
        /// <summary>Versions of the model of similar vehicles.</summary>
        public IReadOnlyList<ServedSimilar> Similar { get; init; } = [];

        /// <summary>Versions of the model of buyers.</summary>
        public IReadOnlyList<ServedBuyers> Buyers { get; init; } = [];

        /// <summary>What a request about a kind reads.</summary>
        public KindShelf Of(ItemKind kind) => Kinds[kind.Name];
    }

    /// <summary>The present snapshot.</summary>
    public Shelf Now => shelf;

    /// <summary>The version that serves a model here; null when none does.</summary>
    public int? VersionOf(string model) => model switch
    {
        ModelNames.PricePredictor => shelf.Prices.Count > 0 ? shelf.Prices[0].Version : null,
        ModelNames.SimilarVehicles => shelf.Similar is [var similar, ..] ? similar.Version : null,
        ModelNames.BuyerRecommender => shelf.Buyers is [var buyers, ..] ? buyers.Version : null,
        _ => ItemKind.All.FirstOrDefault(kind => kind.Model == model) is { } kind && shelf.Of(kind).Recommenders is [var first, ..] ? first.Version : null,
    };

    /// <summary>An item of the catalogue in memory.</summary>
    public bool TryGetCard(string id, [NotNullWhen(true)] out Card? card) => cards.TryGetValue(id, out card);

    /// <summary>Items of a kind that are on offer.</summary>
    public IEnumerable<Card> Live(ItemKind kind) => cards.Values.Where(card => card.Live && card.Is(kind));
    /// <summary>The priced vehicles on offer of the same make and base model, itself left out.</summary>
    public IReadOnlyList<Card> PeersOf(Card card) => peers.TryGetValue(card.Kin, out var kin)
        ? [.. kin.Values.Where(other => other.Live && other.Ad.Usd > 0 && other.Snapshot.Item.Id != card.Snapshot.Item.Id)]
        : [];

    /// <summary>Takes in the catalogue and the registry unless that was done before: a host that does not serve has no loop that does.</summary>
    public Task FillAsync(CancellationToken ct) => positions.Count > 0 ? Task.CompletedTask : RefreshAsync(ct);

    /// <summary>Takes in what changed in the catalogue and the registry.</summary>
    public async Task RefreshAsync(CancellationToken ct = default)
    {
        await refreshing.WaitAsync(ct);
        try
        {
            var changes = new Dictionary<string, List<Card>>(StringComparer.Ordinal);
            foreach (var kind in ItemKind.All)
            {
                changes[kind.Name] = await ReadCatalogueAsync(kind.Name, ct);
            }

            var changed = changes[ItemKind.Vehicle.Name];
            await rules.RefreshAsync(ct);
            if (changes.Values.Any(some => some.Count > 0))
            {
                exposure.Take(SharesOfSellers());
            }

            var serving = await registry.ServingAsync(ct);
            var prices = await LoadAsync(
                ModelNames.PricePredictor, serving, shelf.Prices, served => served.Version,
                (version, source, bytes) => new ServedPrice(version, source, PricePredictor.Load(bytes)), (served, source) => served with { Source = source }, ct);
            var newPrices = !ReferenceEquals(prices, shelf.Prices);
            if (prices.Count > 0 && (newPrices || changed.Count > 0))
            {
                Price(prices[0], newPrices ? [.. cards.Values.Where(card => card.Live && card.Is(ItemKind.Vehicle))] : changed);
            }

            var stale = changes.Values.Any(some => some.Count > 0) || clock.GetUtcNow() - popularAt >= PopularityAge;
            var popular = stale ? await PopularAsync(ct) : null;
            var newTrend = await ReadDemandAsync(ct);
            var kinds = new Dictionary<string, KindShelf>(StringComparer.Ordinal);
            foreach (var kind in ItemKind.All)
            {
                var old = shelf.Of(kind);
                var recommenders = await LoadAsync(
                    kind.Model, serving, old.Recommenders, served => served.Version,
                    (version, source, bytes) => new ServedRecommender(version, source, ItemRecommender.Load(bytes, kind), null!, null!, []), (served, source) => served with { Source = source }, ct);
                if (changes[kind.Name].Count > 0 || newTrend || !ReferenceEquals(recommenders, old.Recommenders))
                {
                    recommenders = [.. recommenders.Select(served => LayOut(served, kind))];
                }

                kinds[kind.Name] = new KindShelf(recommenders, popular?[kind.Name] ?? old.Popular);
            }

            var medians = prices.Count > 0 ? null : changed.Count > 0 || shelf.Medians is null ? Medians() : shelf.Medians;
            var similar = await LoadAsync(
                ModelNames.SimilarVehicles, serving, shelf.Similar, served => served.Version,
                (version, source, bytes) => new ServedSimilar(version, source, SimilarItems.Load(bytes), null!, null!, []), (served, source) => served with { Source = source }, ct);
            if (changed.Count > 0 || !ReferenceEquals(similar, shelf.Similar))
            {
                similar = [.. similar.Select(LayOut)];
            }

            var buyers = await LoadAsync(
                ModelNames.BuyerRecommender, serving, shelf.Buyers, served => served.Version,
                (version, source, bytes) => new ServedBuyers(version, source, BuyerFinder.Load(bytes), null!), (served, source) => served with { Source = source }, ct);
            if (changed.Count > 0 || !ReferenceEquals(buyers, shelf.Buyers))
            {
                buyers = [.. buyers.Select(served => served with { Model = served.Trained.With(LiveOf(ItemKind.Vehicle), rates) })];
            }

            shelf = new Shelf(kinds, prices, medians) { Similar = similar, Buyers = buyers };
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

    private async Task<List<Card>> ReadCatalogueAsync(string kind, CancellationToken ct)
    {
        var changed = new List<Card>();
        while (true)
        {
            var page = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetChangedItems(positions.GetValueOrDefault(kind), kind), ct);
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

            positions[kind] = page[^1].Position;
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
        var tried = model != ModelNames.PricePredictor ? served.Find(model)?.Rollout?.Versions ?? [] : [];
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

    private ServedRecommender LayOut(ServedRecommender served, ItemKind kind)
    {
        var model = served.Trained.With(LiveOf(kind), rates);
        var (live, byIndex) = CardsOf(model.Ids);
        if (trendAt > DateTimeOffset.MinValue)
        {
            var weights = model.Ids.Select(id => demand.GetValueOrDefault(id)).ToArray();
            model = model.With(TrendPart.Of(weights, Array.ConvertAll(byIndex, card => card is { Live: true } ? card.Snapshot.ListedAt : (DateTimeOffset?)null), DayOf(trendAt), trendAt, options.Value.Recommender.TrendPriorDays));
        }

        return new ServedRecommender(served.Version, served.Source, served.Trained, model, live, byIndex, Interlocked.Increment(ref layouts));
    }

    private ServedSimilar LayOut(ServedSimilar served)
    {
        var model = served.Trained.With(LiveOf(ItemKind.Vehicle), rates);
        var (live, byIndex) = CardsOf(model.Ids);
        return served with { Model = model, Live = live, Cards = byIndex };
    }

    private IEnumerable<ItemSnapshot> LiveOf(ItemKind kind) => Live(kind).Select(card => card.Snapshot).OrderBy(item => item.Position);

    private (ItemMask Live, Card?[] Cards) CardsOf(IReadOnlyList<string> ids)
    {
        var (live, byIndex) = (new ItemMask(ids.Count), new Card?[ids.Count]);
        for (var i = 0; i < byIndex.Length; i++)
        {
            if (cards.TryGetValue(ids[i], out var card))
            {
                byIndex[i] = card;
                live[i] = card.Live;
            }
        }

        return (live, byIndex);
    }

    private void Price(ServedPrice by, List<Card> some)
    {
        var estimates = by.Model.Predict([.. some.Select(card => card.Ad.Features)], options.Value.Threads);
        for (var i = 0; i < estimates.Length; i++)
        {
            some[i].Price = new PricedBy(by.Version, by.Source, estimates[i]);
        }
    }

    private Dictionary<string, double> SharesOfSellers()
    {
        var live = cards.Values.Where(card => card.Live).ToList();
        return live.Where(card => card.Snapshot.Item.SellerId is not null).GroupBy(card => card.Snapshot.Item.SellerId!, StringComparer.Ordinal)
            .ToDictionary(own => own.Key, own => own.Count() / (double)live.Count, StringComparer.Ordinal);
    }

    private PriceTraining.GroupMedian? Medians()
    {
        var ads = cards.Values.Where(card => card.Is(ItemKind.Vehicle)).Select(card => card.Ad).Where(ad => ad.Usd > 0).ToArray();
        return ads.Length == 0 ? null : PriceTraining.GroupMedian.Of(ads);
    }

    /// <summary>Reads what is in demand when that was long ago; whether it did. One sum over the days' counts, however many events there were.</summary>
    private async Task<bool> ReadDemandAsync(CancellationToken ct)
    {
        var (minutes, now) = (options.Value.Recommendations.TrendMinutes, clock.GetUtcNow());
        if (minutes == 0 || (trendAt > DateTimeOffset.MinValue && now - trendAt < TimeSpan.FromMinutes(minutes)))
        {
            return false;
        }

        var read = await bus.InvokeAsync<IReadOnlyList<PopularItem>>(new GetPopularItems(options.Value.Recommender.TrendDays, MostInDemand), ct);
        (demand, trendAt) = (read.ToDictionary(item => item.ItemId, item => item.Score, StringComparer.Ordinal), now);
        return true;
    }

    /// <summary>When the days that are summed began, in Santo Domingo (UTC-4 all year).</summary>
    private DateTimeOffset DayOf(DateTimeOffset now) => new DateTimeOffset(now.ToOffset(SantoDomingo).Date, SantoDomingo).AddDays(1 - options.Value.Recommender.TrendDays);

    /// <summary>What is popular this week, by kind.</summary>
    private async Task<Dictionary<string, IReadOnlyList<(Card Card, double Score)>>> PopularAsync(CancellationToken ct)
    {
        var week = await bus.InvokeAsync<IReadOnlyList<PopularItem>>(new GetPopularItems(7, PopularItems * ItemKind.All.Count), ct);
        popularAt = clock.GetUtcNow();
        var byKind = new Dictionary<string, IReadOnlyList<(Card Card, double Score)>>(StringComparer.Ordinal);
        foreach (var kind in ItemKind.All)
        {
            var popular = week.Where(item => cards.TryGetValue(item.ItemId, out var card) && card.Live && card.Is(kind)).Take(PopularItems).Select(item => (cards[item.ItemId], item.Score)).ToList();
            var known = popular.Select(item => item.Item1.Snapshot.Item.Id).ToHashSet(StringComparer.Ordinal);
            var newest = cards.Values.Where(card => card.Live && card.Is(kind) && !known.Contains(card.Snapshot.Item.Id))
                .OrderByDescending(card => card.Snapshot.ListedAt).ThenBy(card => card.Snapshot.Item.Id, StringComparer.Ordinal).Take(Math.Max(0, PopularItems - popular.Count));
            byKind[kind.Name] = [.. popular, .. newest.Select(card => (card, 0.0))];
        }

        return byKind;
    }
}
