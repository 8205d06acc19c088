using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Lineage;

/// <summary>What Tracking makes of what it takes in.</summary>
internal static class TrackingLineage
{
    private const string Room = "Tracking";
    private const string Folder = "Modules/Tracking/";

    /// <summary>Declares the steps.</summary>
    public static IEnumerable<Transformation> All =>
    [
        new("tracking.ingest", Room, ["http:POST /api/events"], ["event:*", "table:tracking.rejected_events"],
            "Checks, masks and records behaviour events; those that are refused are kept with their reason.", Folder + "Ingest/RecordEvents.cs"),
        new("tracking.replay", Room, ["table:tracking.rejected_events", "table:tracking.custom_schemas"], ["event:*"],
            "Records refused events again after a schema was mended.", Folder + "Ingest/ReplayRejected.cs"),
        new("tracking.schemas", Room, ["http:PUT /api/events/schemas/custom/{type}"], ["table:tracking.custom_schemas"],
            "Registers event types of an admin's own.", Folder + "Schemas/PutCustomSchema.cs"),
        new("tracking.catalog", Room, ["http:PUT /api/catalog/items", "file:listings"],
            ["event:item_listed", "event:item_updated", "event:item_price_changed", "event:item_sold", "event:item_withdrawn", "table:tracking.items"],
            "Compares items with the catalogue and records every change as an event.", Folder + "Catalog/PutCatalogItems.cs"),
        new("tracking.identity", Room, ["event:*.anonymousId", "event:*.userId", "event:person_linked", "event:person_split"],
            ["table:tracking.identity_links", "table:tracking.users", "event:person_linked"],
            "Links anonymous visitors to the users they turn out to be.", Folder + "Identity/IdentitySubscription.cs"),
        new("tracking.sessions", Room, ["event:*.anonymousId", "event:*.context", "event:*.itemId"], ["table:tracking.sessions"],
            "Folds each actor's events into visits.", Folder + "Sessions/SessionSubscription.cs"),
        new("tracking.people", Room, ["table:tracking.identity_links", "table:tracking.users"], ["query:FindPerson", "screen:/api/people/{id}"],
            "Says who an id stands for.", Folder + "Identity/People.cs"),
        new("tracking.visits", Room, ["table:tracking.sessions", "query:FindPerson"], ["screen:/api/people/{id}/sessions"],
            "Lists the visits of a person.", Folder + "Sessions/ListSessions.cs"),
        new("tracking.items-query", Room, ["table:tracking.items"], ["query:GetCatalogItems", "screen:/api/catalog/items"],
            "Answers items with their state.", Folder + "Catalog/ReadCatalog.cs"),
        new("tracking.erasure", Room, ["http:DELETE /api/privacy/subjects/{id}"], ["event:person_erased", "table:tracking.erasures"],
            "Takes a person out of the log and tells the others.", Folder + "Privacy/Subjects.cs"),
        new("tracking.quality", Room, ["event:*.*", "table:tracking.quality_expectations"], ["table:tracking.quality_profiles"],
            "Counts what each field holds, hour by hour and day by day.", Folder + "Quality/QualitySubscription.cs"),
        new("tracking.quality-check", Room, ["table:tracking.quality_profiles", "table:tracking.quality_expectations"],
            ["table:tracking.quality_results", "table:tracking.quality_alerts", "event:quality_alert_raised", "screen:/api/admin/quality/alerts"],
            "Holds the counts against the expectations and raises alerts.", Folder + "Quality/CheckQuality.cs"),
    ];
}
