using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Schemas;

/// <summary>What the marketplace showed people, and what its campaigns brought and cost.</summary>
internal static class ReachEvents
{
    /// <summary>Declares them.</summary>
    public static IEnumerable<EventSchema> All =>
    [
        new(EventTypes.RecommendationShown, 1, "ML", ValueTier.Normal, "Recommendations were in a visitor's sight.",
        [
            Field.Ids("itemIds", "Items shown, in order.", 500, "car-1042").Required,
            Field.Id("placement", "Where on the site.", "home"),
            Field.Integer("modelVersion", "Version of the model that chose them.", 0, int.MaxValue, 12),
            Field.Id("source", "Who chose them: model, previous or popularity.", "model"),
        ]),
        new(EventTypes.RecommendationClicked, 1, "ML", ValueTier.Normal, "A visitor followed a recommendation.",
        [
            Field.Integer("position", "Place among the recommendations, from 0.", 0, 100_000, 2),
            Field.Id("placement", "Where on the site.", "home"),
            Field.Integer("modelVersion", "Version of the model that chose it.", 0, int.MaxValue, 12),
        ]) { NeedsItem = true },
        Campaign(EventTypes.CampaignImpression, ValueTier.Low, "A campaign's message was in a visitor's sight.", HowMany()) with { IsReported = true },
        Campaign(EventTypes.CampaignClick, ValueTier.Normal, "A visitor followed a campaign's message.", HowMany()) with { IsReported = true },
        Campaign(EventTypes.CampaignApplication, ValueTier.High, "A visitor applied for what a campaign offers.",
            Field.Id("applicationId", "The application.", "app-31"), HowMany()) with
        {
            IsReported = true,
        },
        Campaign(EventTypes.CampaignConversion, ValueTier.High, "A campaign reached what it was for.",
            Field.Choice("goal", "What was reached.", "contact", "sale", "registration", "application", "other").Required,
            Field.Number("value", "What it is worth.", 0, 1e12, 1_500), Field.Choice("currency", "Currency of the value.", "DOP", "USD"), HowMany()) with
        {
            IsReported = true,
        },
        Campaign(EventTypes.CampaignCostRecorded, ValueTier.High, "Money was spent on a campaign.",
            Field.Number("amount", "Money spent.", 0, 1e12, 25_000).Required, Field.Choice("currency", "Its currency.", "DOP", "USD").Required,
            Field.Text("day", "Day it was spent for, as yyyy-MM-dd.", 10, "2026-01-05"),
            Field.Number("competition", "Share of the auctions that others won, 0 to 1.", 0, 1, 0.4)) with
        {
            NeedsPerson = false,
            ServerOnly = true,
        },
        Campaign(EventTypes.CampaignBudgetSet, ValueTier.High, "Money was granted to a campaign.",
            Field.Number("amount", "Money granted, on top of what was granted before.", 0, 1e12, 70_000).Required, Field.Choice("currency", "Its currency.", "DOP", "USD").Required,
            Field.Integer("days", "Days that it is meant for.", 1, 3_650, 7)) with
        {
            NeedsPerson = false,
            ServerOnly = true,
        },
    ];

    /// <summary>A platform's report of an hour is one event; what a browser sends is about one person.</summary>
    private static Field HowMany() => Field.Integer("count", "How many, where a platform reports them together and names nobody; 1 when left out.", 1, 1_000_000_000, 1) with { ServerOnly = true };

    private static EventSchema Campaign(string type, ValueTier tier, string description, params Field[] fields) =>
        new(type, 1, "Analytics", tier, description,
        [
            Field.Id("campaignId", "The campaign.", "verano-2026").Required,
            Field.Id("channel", "Where it ran.", "instagram"),
            Field.Id("variant", "Which version of the message.", "a"),
            .. fields,
        ]);
}
