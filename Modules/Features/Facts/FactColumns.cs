using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Features.Facts;

/// <summary>Reads events into facts: the one list of what each type's columns mean.</summary>
internal static class FactColumns
{
    /// <summary>Types of events that are only about to be recorded.</summary>
    public const string ChatMessage = "chat_message", ChatHandedOver = "chat_handed_over", DealerReplied = "dealer_replied";

    private const int MostSought = 8;

    /// <summary>For each type: the property behind <see cref="Fact.Amount"/>, <see cref="Fact.Extent"/> and <see cref="Fact.Channel"/>.</summary>
    public static readonly IReadOnlyDictionary<string, (string? Amount, string? Extent, string? Channel)> Of = new Dictionary<string, (string?, string?, string?)>
    {
        [EventTypes.ItemViewed] = ("visibleSeconds", "scrollDepth", "origin"),
        [EventTypes.Searched] = ("resultCount", "filters.maxPriceUsd", null),
        [EventTypes.FavoriteAdded] = default,
        [EventTypes.FavoriteRemoved] = default,
        [EventTypes.Contacted] = (null, null, "channel"),
        [EventTypes.TestDriveRequested] = default,
        [EventTypes.RecommendationShown] = ("itemIds", null, "placement"),
        [EventTypes.RecommendationClicked] = ("position", null, "placement"),
        [EventTypes.PageViewed] = ("visibleSeconds", "scrollDepth", null),
        [EventTypes.ListViewed] = ("itemIds", null, "list"),
        [EventTypes.FilterApplied] = ("resultCount", null, "filter"),
        [EventTypes.SortApplied] = (null, null, "sort"),
        [EventTypes.FeedbackGiven] = (null, null, "feedback"),
        [EventTypes.Rated] = ("rating", null, "subject"),
        [EventTypes.OfferMade] = ("amount", null, null),
        [EventTypes.Sold] = ("amount", null, null),
        [EventTypes.Attended] = ("rating", null, "attended"),
        [EventTypes.Shared] = (null, null, "channel"),
        [EventTypes.CampaignImpression] = ("count", null, "channel"),
        [EventTypes.CampaignClick] = ("count", null, "channel"),
        [EventTypes.CampaignApplication] = ("count", null, "channel"),
        [EventTypes.CampaignConversion] = ("value", "count", "channel"),
        [EventTypes.CampaignCostRecorded] = ("amount", "competition", "channel"),
        [EventTypes.CampaignBudgetSet] = ("amount", "days", "channel"),
        [EventTypes.SessionStarted] = (null, null, null),
        [EventTypes.SessionEnded] = ("seconds", "pages", null),
        [ChatMessage] = (null, null, "role"),
        [ChatHandedOver] = default,
        [DealerReplied] = ("minutes", null, "channel"),
    };

    /// <summary>The fact of an event; null when a program did it. Sums of money become dollars at the rate of the event's day.</summary>
    public static Fact? Read(RecordedEvent e, ExchangeRates rates)
    {
        using var json = JsonDocument.Parse(e.Data);
        var body = json.RootElement;
        var context = Find(body, "context");
        if (Find(context, "bot").ValueKind == JsonValueKind.True)
        {
            return null;
        }

        var (amount, extent, channel) = Of.GetValueOrDefault(e.Type);
        var properties = Find(body, "properties");
        var money = Text(properties, "currency") is { } currency && Number(properties, amount) is { } sum
            ? (double?)rates.ToUsd(new Money((decimal)Math.Clamp(sum, -1e15, 1e15), currency), e.OccurredAt)
            : Number(properties, amount);
        return new Fact
        {
            Position = e.Position,
            Type = e.Type,
            OccurredAt = e.OccurredAt.UtcTicks,
            KnownAt = e.KnownAt.UtcTicks,
            // Kept by this id for ever: when people are joined or parted, what is read of them changes (PersonLinks), and no row does.
            PersonId = Id(body, "userId") ?? Id(body, "anonymousId"),
            ItemId = Id(body, "itemId"),
            SessionId = Id(body, "sessionId"),
            DealerId = Text(properties, "sellerId") ?? Text(properties, "dealerId"),
            CampaignId = Text(properties, "campaignId") ?? Text(context, "campaignId") ?? Text(context, "campaign") ?? Text(context, "utm.campaign"),
            Channel = Text(properties, channel),
            Device = Text(context, "device") ?? Text(properties, "device"),
            Make = Text(properties, "filters.make"),
            BodyType = Text(properties, "filters.bodyType"),
            Sought = e.Type == EventTypes.Searched ? SoughtOf(Find(properties, "filters")) : null,
            Amount = money,
            Extent = Number(properties, extent),
            Marketing = AgreesToAdvertising(Find(context, "consent")),
        };
    }

    /// <summary>Filters of one value that have no column of their own, in the order of their names: of any kind of item, for nobody knows here which there will be.</summary>
    private static string? SoughtOf(JsonElement filters)
    {
        if (filters.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var words = filters.EnumerateObject().Where(filter => EntryWords.IsFilter(filter.Name))
            .Select(filter => (filter.Name, Value: Text(filters, filter.Name))).Where(filter => filter.Value is not null && !filter.Value.AsSpan().ContainsAny('\r', '\n'))
            .Select(filter => EntryWords.Of(filter.Name, filter.Value!)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(MostSought);
        return string.Join('\n', words) is { Length: > 0 } sought ? sought : null;
    }

    private static string? Id(JsonElement body, string name) => Find(body, name) is { ValueKind: JsonValueKind.String } id && id.GetString() is { Length: > 0 } filled ? filled : null;

    private static JsonElement Find(JsonElement from, string? path)
    {
        if (path is null)
        {
            return default;
        }

        foreach (var name in path.AsSpan().Split('.'))
        {
            if (from.ValueKind != JsonValueKind.Object || !from.TryGetProperty(path.AsSpan(name), out from))
            {
                return default;
            }
        }

        return from;
    }

    private static string? Text(JsonElement from, string? path) => Find(from, path) switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString() is { Length: > 0 and <= 200 } filled ? filled : null,
        { ValueKind: JsonValueKind.True } => "true",
        { ValueKind: JsonValueKind.False } => "false",
        _ => null,
    };

    /// <summary>A word that stands alone, or a list of exactly what was agreed to.</summary>
    private static bool? AgreesToAdvertising(JsonElement consent) => consent.ValueKind switch
    {
        JsonValueKind.String => consent.ValueEquals("marketing"),
        JsonValueKind.Array => consent.EnumerateArray().Any(word => word.ValueKind == JsonValueKind.String && word.ValueEquals("marketing")),
        _ => null,
    };

    private static double? Number(JsonElement from, string? path) => Find(from, path) switch
    {
        { ValueKind: JsonValueKind.Number } number => Math.Clamp(number.GetDouble(), -1e12, 1e12),
        { ValueKind: JsonValueKind.Array } list => list.GetArrayLength(),
        _ => null,
    };
}
