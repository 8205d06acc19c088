using OKLA.Shared.Contracts;

namespace OKLA.Features.Facts;

/// <summary>What the log said about an item at one place: its whole description, a price, or its end.</summary>
/// <param name="Position">Place in the log.</param>
/// <param name="Change">listed, updated, repriced, sold or withdrawn.</param>
/// <param name="OccurredAt">Event time, UTC ticks.</param>
/// <param name="KnownAt">Known-at time, UTC ticks.</param>
/// <param name="Item">What features read of the description; null unless listed or updated.</param>
/// <param name="PriceUsd">Price in dollars at the rate of the day; null when none was stated.</param>
internal sealed record ItemStatement(long Position, string Change, long OccurredAt, long KnownAt, DescribedItem? Item, double? PriceUsd)
{
    public long VisibleAt => Math.Max(OccurredAt, KnownAt);
}

/// <summary>What features read of an item's description. Texts and attributes are not kept: what they take would grow with what sellers write.</summary>
internal sealed record DescribedItem
{
    public string? SellerId { get; private init; }

    public string? Place { get; private init; }

    /// <summary>Type of an activity.</summary>
    public string? Type { get; private init; }

    /// <summary>For whom an activity is.</summary>
    public string? Level { get; private init; }

    public string? Make { get; private init; }

    public string? Model { get; private init; }

    public string? BodyType { get; private init; }

    public string? Fuel { get; private init; }

    /// <summary>Whom it is compared with: the same make and first word of the model; null when it states no make.</summary>
    public string? Peers { get; private init; }

    public IReadOnlyList<string> Tags { get; private init; } = [];

    public double? Year { get; private init; }

    public double? MileageKm { get; private init; }

    public double? Latitude { get; private init; }

    public double? Longitude { get; private init; }

    /// <summary>When an activity begins.</summary>
    public DateTimeOffset? StartsAt { get; private init; }

    /// <summary>Number of pictures.</summary>
    public int Images { get; private init; }

    /// <summary>Characters of title and description.</summary>
    public int TextLength { get; private init; }

    /// <summary>Number of attributes that are not null.</summary>
    public int AttributesFilled { get; private init; }

    /// <param name="item">The whole description.</param>
    /// <param name="one">The one copy of a text that many items bear.</param>
    public static DescribedItem Of(CatalogItem item, Func<string, string> one)
    {
        string? Word(string? text) => text is null ? null : one(text);
        var (make, model) = (item.Text("make"), item.Text("model"));
        return new DescribedItem
        {
            SellerId = Word(item.SellerId),
            Place = Word(item.Place),
            Type = Word(item.Text("type")),
            Level = Word(item.Text("level")),
            Make = Word(make),
            Model = Word(model),
            BodyType = Word(item.Text("bodyType")),
            Fuel = Word(item.Text("fuel")),
            Peers = make is null ? null : one($"{make} {model?.Split(' ')[0]}"),
            Tags = item.Tags.Count == 0 ? [] : [.. item.Tags.Select(one)],
            Year = item.Number("year"),
            MileageKm = item.Number("mileageKm"),
            Latitude = item.Latitude,
            Longitude = item.Longitude,
            StartsAt = item.Window?.From,
            Images = item.Images.Count,
            TextLength = item.Title.Length + (item.Description?.Length ?? 0),
            AttributesFilled = item.Attributes.Count(pair => pair.Value.ValueKind is not System.Text.Json.JsonValueKind.Null),
        };
    }
}

/// <summary>An item as it was known from one moment on.</summary>
internal sealed record ItemVersion
{
    /// <summary>From when on this was what was known, UTC ticks.</summary>
    public required long From { get; init; }

    public required DescribedItem Item { get; init; }

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

    public string? Make => Item.Make;

    public string? Model => Item.Model;

    public string? BodyType => Item.BodyType;

    public string? Fuel => Item.Fuel;

    public double? Year => Item.Year;

    /// <summary>Whom it is compared with.</summary>
    public string? Peers => Item.Peers;

    /// <summary>Folds what was visible at a time, in event time; position breaks ties. Null before the first description.</summary>
    public static ItemVersion? Fold(IEnumerable<ItemStatement> statements, long visibleAt)
    {
        DescribedItem? item = null;
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
        // Arrays of their exact lengths: there are two an item.
        ItemStatement[] said = [.. statements.OrderBy(one => one.VisibleAt).ThenBy(one => one.Position)];
        Statements = said;
        versions = [.. said.Select(one => one.VisibleAt).Distinct().Select(at => ItemVersion.Fold(said, at)).OfType<ItemVersion>()];
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
