using System.Text.Json.Nodes;
using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Schemas;

/// <summary>What people want, say and do about items.</summary>
internal static class InterestEvents
{
    private static readonly string[] Currencies = ["DOP", "USD"];

    /// <summary>Declares them.</summary>
    public static IEnumerable<EventSchema> All =>
    [
        Item(EventTypes.FavoriteAdded, ValueTier.High, "A visitor put an item among the favourites."),
        Item(EventTypes.FavoriteRemoved, ValueTier.High, "A visitor took an item off the favourites."),
        Item(EventTypes.FeedbackGiven, ValueTier.High, "A visitor said whether an item is to their liking.",
            Field.Choice("feedback", "What they said.", "like", "dislike", "maybe").Required,
            Field.Text("reason", "Why, in their words.", 2_000, "Muy caro para el año")),
        Item(EventTypes.Rated, ValueTier.High, "A visitor gave an item or its seller stars.",
            Field.Integer("rating", "Stars.", 1, 5, 4).Required,
            Field.Text("comment", "In their words.", 2_000, "Buen trato, el vehículo estaba como en las fotos"),
            Field.Choice("subject", "What was rated.", "item", "seller")),
        Item(EventTypes.Contacted, ValueTier.High, "A visitor contacted the seller of an item.", Channel("call", "whatsapp", "form", "chat")),
        Item(EventTypes.Contacted, ValueTier.High, "A visitor contacted the seller of an item.", Channel("call", "whatsapp", "form", "chat", "unknown").Required) with
        {
            Version = 2,
            FromVersionBefore = NameTheChannel,
        },
        Item(EventTypes.TestDriveRequested, ValueTier.High, "A visitor asked for a test drive.",
            Field.Text("preferredTime", "When they would like it.", 200, "sábado en la mañana")),
        Item(EventTypes.OfferMade, ValueTier.High, "A visitor named a price.", Amount().Required, Currency().Required),
        Item(EventTypes.Sold, ValueTier.High, "A deal about an item was closed.", Amount(), Currency(), Field.Id("sellerId", "Who sold it.", "dealer-7")) with
        {
            NeedsPerson = false,
            ServerOnly = true,
        },
        Item(EventTypes.Attended, ValueTier.High, "A person went to an activity, or did not.",
            Field.Flag("attended", "Whether they went.").Required,
            Field.Integer("rating", "Stars afterwards.", 1, 5, 5),
            Field.Text("comment", "In their words.", 2_000, "Volvería con la familia")),
        Item(EventTypes.Shared, ValueTier.Normal, "A visitor passed an item on to others.",
            Field.Choice("channel", "Way taken.", "whatsapp", "facebook", "instagram", "email", "link", "other").Required),
    ];

    private static EventSchema Item(string type, ValueTier tier, string description, params Field[] fields) =>
        new(type, 1, "Tracking", tier, description, fields) { NeedsItem = true };

    private static Field Channel(params string[] values) => Field.Choice("channel", "Way taken; unknown only for events from before it was asked for.", values);

    private static Field Amount() => Field.Number("amount", "Price.", 0, 1e12, 950_000);

    private static Field Currency() => Field.Choice("currency", "Currency of the price.", Currencies);

    /// <summary>Version 1 did not demand the channel, and pages were built that leave it out.</summary>
    private static void NameTheChannel(JsonObject body)
    {
        if (body["properties"] is not JsonObject properties)
        {
            body["properties"] = properties = [];
        }

        properties["channel"] ??= "unknown";
    }
}
