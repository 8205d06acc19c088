using OKLA.Features.Facts;
using OKLA.Features.Registry;
using static OKLA.Features.Registry.Reductions;

namespace OKLA.Features.Definitions;

/// <summary>What matters of things that take place somewhere, at some time, for somebody: of the thing, of the person, and of how the two fit.</summary>
internal static class ActivityFeatures
{
    public static void OfItem(FeatureList item)
    {
        item.TextOfItem("activity_type", "type", view => view.Item?.Item.Type, "Type of an activity.", "item.type");
        item.TextOfItem("level", "level", view => view.Item?.Item.Level, "For whom an activity is: beginner, intermediate or advanced.", "item.level");
        item.Add("tags", new Computation.OfItem(view => view.Item?.Item.Tags is { Count: > 0 } tags ? Even(tags) : Value.None, "item.tags"), FeatureType.Shares, "tag", "Its tags, each with the same share.", null);
        item.OfItem("latitude", "degrees", view => view.Item?.Item.Latitude, "Degrees north.", "item.location");
        item.OfItem("longitude", "degrees", view => view.Item?.Item.Longitude, "Degrees east.", "item.location");
        item.OfItem("hours_until_start", "hours", view => view.Item?.Item.StartsAt is { } starts ? Math.Round((starts.UtcTicks - view.At) / (double)TimeSpan.TicksPerHour, 2) : Value.None, "Hours until an activity begins.", "item.window");
        item.TextOfItem("start_slot", "slot", view => view.Item?.Item.StartsAt is { } starts ? LocalTime.Slot(starts.UtcTicks) : Value.None, "Weekday and part of the day at which an activity begins.", "item.window");
        item.OfItem("is_free", "yes or no", view => view.Item is { } it ? it.PriceUsd is 0 ? 1 : 0 : Value.None, "1 when it costs nothing, else 0.", "item.price");
        item.Number("attended_total", "people", Streams.Attendances.By("userId, anonymousId", fact => fact.PersonId), Window.All, Distinct, "People who went, ever.", 0);
    }

    public static void OfUser(FeatureList user)
    {
        user.Shares("activity_type_shares", "type", Streams.ActivityTypes, Window.Quarter, "Share of each type in the activities looked at within the last 90d.");
        user.Add("tag_shares", new Computation.Aggregate(Streams.Tags, Window.Quarter, Parts), FeatureType.Shares, "tag", "Share of each tag in what was looked at within the last 90d.", null);
        user.Shares("level_shares", "level", Streams.Levels, Window.Quarter, "Share of each level in the activities looked at within the last 90d.");
        user.Shares("slot_shares", "slot", Streams.Slots, Window.Quarter, "Share of each weekday and part of the day in the beginnings of the activities looked at within the last 90d.");
        user.Number("typical_latitude", "degrees", Streams.Latitudes, Window.Quarter, Mean, "Mean latitude of what was looked at within the last 90d.");
        user.Number("typical_longitude", "degrees", Streams.Longitudes, Window.Quarter, Mean, "Mean longitude of what was looked at within the last 90d.");
        user.Counts("attended", Streams.Attendances, "Activities that the person went to", Window.Quarter);
    }

    /// <summary>How a person and an activity fit, asked at the request.</summary>
    public static void OfLead(FeatureList lead)
    {
        Match(lead, "type_match", "activity_type_shares", "activity_type", "Share of the item's type in the activities that the person looked at.");
        Match(lead, "level_match", "level_shares", "level", "Share of the item's level in the activities that the person looked at.");
        Match(lead, "availability_match", "slot_shares", "start_slot", "Share of the item's weekday and part of the day in the activities that the person looked at.");
        Asked(lead, "interest_match", "share", [new FeatureId(Entity.User, "tag_shares"), new FeatureId(Entity.Item, "tags")],
            (_, v) => v[0].Shares is { } all && v[1].Shares is { } own ? Math.Round(own.Entries.Sum(tag => all.Of(tag.Key)), 6) : Value.None, "Share of the item's tags together in the tags of what the person looked at.");
        Asked(lead, "distance_from_typical_km", "km", [new FeatureId(Entity.User, "typical_latitude"), new FeatureId(Entity.User, "typical_longitude"), new FeatureId(Entity.Item, "latitude"), new FeatureId(Entity.Item, "longitude")],
            (request, v) => Provinces.Kilometres(Degrees(request["latitude"]) ?? v[0].Number, Degrees(request["longitude"]) ?? v[1].Number, v[2].Number, v[3].Number),
            "Kilometres between the request's coordinates, else the middle of what the person looks at, and the item's.", "latitude", "longitude");
        Asked(lead, "starts_at_usual_hour", "yes or no", [new FeatureId(Entity.Item, "hours_until_start"), new FeatureId(Entity.User, "top_hour_90d")],
            (request, v) => v[0].IsNone || v[1].Text is not { } hour ? Value.None
                : Math.Abs(LocalTime.Of(request.At + (long)(v[0].Number * TimeSpan.TicksPerHour)).Hour - int.Parse(hour, System.Globalization.CultureInfo.InvariantCulture)) is <= 3 or >= 21 ? 1 : 0,
            "1 when it begins within three hours of the person's busiest hour, else 0.", "at");
    }

    private static double? Degrees(string? text) =>
        double.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var degrees) && Math.Abs(degrees) <= 180 ? degrees : null;

    private static Value Even(IReadOnlyList<string> tags) =>
        new Shares([.. tags.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(tag => KeyValuePair.Create(tag, Math.Round(1.0 / tags.Count, 6)))]);

    private static void Match(FeatureList lead, string name, string shares, string key, string description) =>
        Asked(lead, name, "share", [new FeatureId(Entity.User, shares), new FeatureId(Entity.Item, key)], (_, v) => v[0].Shares is { } all && v[1].Text is { } own ? all.Of(own) : Value.None, description);

    private static void Asked(FeatureList lead, string name, string unit, FeatureId[] inputs, Func<Request, Value[], Value> of, string description, params string[] reads) =>
        lead.Add(name, new Computation.OnDemand(inputs, of, reads), FeatureType.Number, unit, description, null);
}
