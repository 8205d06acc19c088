using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Features.Facts;
using OKLA.Features.Offline;
using OKLA.Features.Registry;

namespace OKLA.Features.Online;

/// <summary>The features of an entity as they were computed at a moment.</summary>
/// <param name="At">When, UTC ticks.</param>
/// <param name="Known">Whether anything is known of it; if not, the values are the defaults.</param>
/// <param name="Values">One value for each feature of the entity, in the order of the registry.</param>
internal sealed record CachedVector(long At, bool Known, Value[] Values)
{
    private EncodedVector? json;

    /// <summary>Writes the answer about it; null of a lead, which is put together from others.</summary>
    public Func<CachedVector, EncodedVector>? Encode { get; init; }

    /// <summary>The answer about it, ready to be sent; written when it is first sent, since models read the values alone. Null of a lead.</summary>
    public EncodedVector? Json => json ??= Encode?.Invoke(this);
}

/// <summary>
/// Features as they are now: the question about this moment, asked of the code that makes frames, and kept for a short while or until an event
/// about the entity comes. Without a cache it computes each time.
/// </summary>
internal sealed class OnlineStore(
    FeatureRegistry registry, PointInTime pointInTime, CatalogueHistory catalogue, IOptions<FeaturesOptions> options, NpgsqlDataSource database, TimeProvider clock, HybridCache? cache = null)
    : IDisposable
{
    /// <summary>Tag of everything kept here.</summary>
    public const string Tag = "features";

    private static readonly string[] Tags = [Tag];

    // A reading holds a connection while it waits for the catalogue, which needs one too: such readings must never hold the whole pool.
    private readonly SemaphoreSlim room = new(new NpgsqlConnectionStringBuilder(database.ConnectionString).MaxPoolSize / 2);
    private readonly Dictionary<Entity, EntityPlan> plans = Enum.GetValues<Entity>().Where(entity => entity != Entity.Lead)
        .ToDictionary(entity => entity, entity => new EntityPlan(entity, [.. registry.Of(entity)]));

    private readonly HybridCacheEntryOptions keep = new() { Expiration = options.Value.CacheFor, LocalCacheExpiration = options.Value.CacheFor };

    public FeatureRegistry Registry => registry;

    /// <summary>Every feature of a lead.</summary>
    public LeadPlan WholeLead { get; } = new(registry, [.. registry.Of(Entity.Lead).Select(feature => feature.Id)]);

    /// <summary>Key of an entity's vector.</summary>
    public static string Key(Entity entity, string id) => $"{Tag}:{entity.Name}:{id}";

    /// <summary>Keys of the vectors that a fact changes.</summary>
    public static IEnumerable<string> KeysOf(Fact fact)
    {
        if (fact.PersonId is not null) yield return Key(Entity.User, fact.PersonId);
        if (fact.ItemId is not null) yield return Key(Entity.Item, fact.ItemId);
        if (fact.SessionId is not null) yield return Key(Entity.Session, fact.SessionId);
        if (fact.DealerId is not null) yield return Key(Entity.Dealer, fact.DealerId);
        if (fact.CampaignId is not null) yield return Key(Entity.Campaign, fact.CampaignId);
    }

    /// <summary>All features of an entity that is not a lead, at most <see cref="FeaturesOptions.CacheFor"/> old.</summary>
    public ValueTask<CachedVector> GetAsync(Entity entity, string id, CancellationToken ct) => cache is null
        ? ComputeAsync(entity, id, ct)
        : cache.GetOrCreateAsync(Key(entity, id), (Store: this, entity, id), static (asked, ct) => asked.Store.ComputeAsync(asked.entity, asked.id, ct), keep, Tags, ct);

    /// <summary>All features of several entities of a kind, computed together.</summary>
    public async Task<CachedVector[]> GetAsync(Entity entity, IReadOnlyList<string> ids, CancellationToken ct)
    {
        await room.WaitAsync(ct);
        try
        {
            var now = clock.GetUtcNow().UtcTicks;
            var answers = await pointInTime.EvaluateAsync(plans[entity], [.. ids.Select(id => new Point(id, now))], catalogue, long.MaxValue, ct, catalogue.ReadOnAsync(ct));
            return [.. answers.Select((answer, place) => Vector(entity, ids[place], now, answer))];
        }
        finally
        {
            room.Release();
        }
    }

    /// <summary>Features of a lead: of its parts, and those computed from the request.</summary>
    /// <param name="plan">What is asked.</param>
    /// <param name="ids">The parts that are known; the item's seller is found from the item.</param>
    /// <param name="parameters">What the caller says.</param>
    /// <param name="ct">Stops the work.</param>
    public async Task<CachedVector> ComposeAsync(LeadPlan plan, IReadOnlyDictionary<Entity, string> ids, IReadOnlyDictionary<string, string> parameters, CancellationToken ct)
    {
        var now = clock.GetUtcNow().UtcTicks;
        var (parts, known, oldest) = (new Dictionary<Entity, Value[]>(), false, now);
        var all = ids.ToDictionary();
        // Side by side: somebody waits for them. Who sells the item is in memory, unless the item is new.
        await SellerAsync();
        var asked = plan.Parts.Where(part => all.ContainsKey(part.Key)).Select(part => (part.Key, Vector: GetAsync(part.Key, all[part.Key], ct).AsTask())).ToArray();
        await Task.WhenAll(asked.Select(part => part.Vector));
        var vectors = asked.ToDictionary(part => part.Key, part => part.Vector.Result);
        foreach (var (entity, part) in plan.Parts)
        {
            var vector = vectors.GetValueOrDefault(entity);
            known |= vector?.Known == true;
            oldest = Math.Min(oldest, vector?.At ?? now);
            var values = new Value[part.Steps.Count];
            for (var step = 0; step < values.Length; step++)
            {
                values[step] = vector is null ? part.Steps[step].Default : vector.Values[plans[entity].PlaceOf(part.Steps[step].Id)];
            }

            parts[entity] = values;
        }

        async ValueTask SellerAsync()
        {
            if (!plan.Parts.ContainsKey(Entity.Dealer) || all.ContainsKey(Entity.Dealer) || !all.TryGetValue(Entity.Item, out var id))
            {
                return;
            }

            if (catalogue[id] is null)
            {
                await catalogue.ReadOnAsync(ct);
            }

            if (catalogue[id]?.At(now)?.Item.SellerId is { Length: > 0 } seller)
            {
                all.Add(Entity.Dealer, seller);
            }
        }

        var composed = new Value[plan.Wanted.Count];
        plan.Compose(parts, new Request(now, parameters, ids.GetValueOrDefault(Entity.Item)), composed);
        return new CachedVector(oldest, known, composed);
    }

    public void Dispose() => room.Dispose();

    /// <summary>Place of a feature in the vectors of its entity.</summary>
    public int PlaceOf(FeatureId id) => plans[id.Entity].PlaceOf(id);

    private async ValueTask<CachedVector> ComputeAsync(Entity entity, string id, CancellationToken ct) => (await GetAsync(entity, [id], ct))[0];

    private CachedVector Vector(Entity entity, string id, long now, PointValues answer) =>
        new(now, answer.Known, answer.Values) { Encode = vector => EncodedVector.Of(entity.Name, id, vector.Known, vector.At, plans[entity].Steps, vector.Values) };
}
