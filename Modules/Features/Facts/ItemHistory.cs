using OKLA.Shared.Contracts;

namespace OKLA.Features.Facts;

/// <summary>What the log said about an item at one place: its whole description, a price, or its end.</summary>
/// <param name="Position">Place in the log.</param>
/// <param name="Change">listed, updated, repriced, sold or withdrawn.</param>
/// <param name="OccurredAt">Event time, UTC ticks.</param>
/// <param name="KnownAt">Known-at time, UTC ticks.</param>
/// <param name="Item">The description; null unless listed or updated.</param>
/// <param name="PriceUsd">Price in dollars at the rate of the day; null when none was stated.</param>
internal sealed record ItemStatement(long Position, string Change, long OccurredAt, long KnownAt, CatalogItem? Item, double? PriceUsd)
{
    public long VisibleAt => Math.Max(OccurredAt, KnownAt);
}

/// <summary>An item as it was known from one moment on.</summary>
internal sealed record ItemVersion
{
    /// <summary>From when on this was what was known, UTC ticks.</summary>
    public required long From { get; init; }

    public required CatalogItem Item { get; init; }

    public required string Status { get; init; }

    public required double? PriceUsd { get; init; }

    public required double? FirstPriceUsd { get; init; }

    public required long ListedAt { get; init; }

    public required long PricedAt { get; init; }

    public required long UpdatedAt { get; init; }

    /// <summary>When it was sold or withdrawn, UTC ticks; 0 while it is live.</summary>
    public required long EndedAt { get; init; }

    public required int PriceChanges { get; init; }

    public required int PriceCuts { get; init; }

    public string? Make { get; private init; }

    public string? Model { get; private init; }

    public string? BodyType { get; private init; }

    public string? Fuel { get; private init; }

    public double? Year { get; private init; }

    /// <summary>Whom it is compared with: the same make and first word of the model; null when it states no make.</summary>
    public string? Peers { get; private init; }

    /// <summary>Folds what was visible at a time, in event time; position breaks ties. Null before the first description.</summary>
    public static ItemVersion? Fold(IEnumerable<ItemStatement> statements, long visibleAt)
    {
        CatalogItem? item = null;
        var (status, price, firstPrice) = ("live", (double?)null, (double?)null);
        var (listed, priced, updated, ended) = (0L, 0L, 0L, 0L);
        var (changes, cuts) = (0, 0);
        foreach (var said in statements.Where(said => said.VisibleAt <= visibleAt).OrderBy(said => said.OccurredAt).ThenBy(said => said.Position))
        {
            updated = said.OccurredAt;
            if (said.Item is not null)
            {
                listed = item is null ? said.OccurredAt : listed;
                item = said.Item;
            }

            if (said.Change is "listed" or "updated" or "repriced")
            {
                cuts += said.PriceUsd < price ? 1 : 0;
                (price, priced) = (said.PriceUsd, said.OccurredAt);
                firstPrice ??= price;
                changes += said.Change == "repriced" ? 1 : 0;
            }

            if (said.Change is "listed" or "sold" or "withdrawn")
            {
                (status, ended) = said.Change == "listed" ? ("live", 0) : (said.Change, said.OccurredAt);
            }
        }

        return item is null ? null : new ItemVersion
        {
            From = visibleAt,
            Item = item,
            Status = status,
            PriceUsd = price,
            FirstPriceUsd = firstPrice,
            ListedAt = listed,
            PricedAt = priced,
            UpdatedAt = updated,
            EndedAt = ended,
            PriceChanges = changes,
            PriceCuts = cuts,
            Make = item.Text("make"),
            Model = item.Text("model"),
            BodyType = item.Text("bodyType"),
            Fuel = item.Text("fuel"),
            Year = item.Number("year"),
            Peers = item.Text("make") is { } make ? $"{make} {item.Text("model")?.Split(' ')[0]}" : null,
        };
    }
}

/// <summary>Everything the log said about an item up to a position, and what was known from when on. Never changed: more gives a new one.</summary>
internal sealed class ItemHistory
{
    private readonly ItemVersion[] versions;

    public ItemHistory(string id, IReadOnlyList<ItemStatement> statements)
    {
        Id = id;
        Statements = [.. statements.OrderBy(said => said.VisibleAt).ThenBy(said => said.Position)];
        versions = [.. Statements.Select(said => said.VisibleAt).Distinct().Select(at => ItemVersion.Fold(Statements, at)).OfType<ItemVersion>()];
    }

    public string Id { get; }

    /// <summary>In the order in which they became visible.</summary>
    public IReadOnlyList<ItemStatement> Statements { get; }

    /// <summary>Every state it was ever known in.</summary>
    public IReadOnlyList<ItemVersion> Versions => versions;

    /// <summary>The item as it was known at a time; null when it was not.</summary>
    public ItemVersion? At(long ticks)
    {
        for (var i = versions.Length - 1; i >= 0; i--)
        {
            if (versions[i].From <= ticks)
            {
                return versions[i];
            }
        }

        return null;
    }
}
