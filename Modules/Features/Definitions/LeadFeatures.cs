using System.Globalization;
using OKLA.Features.Facts;
using OKLA.Features.Registry;

namespace OKLA.Features.Definitions;

/// <summary>A person's interest in an item: the person, the item, its seller and the visit, how they fit, and the moment.</summary>
internal static class LeadFeatures
{
    public static IEnumerable<Feature> All(IReadOnlyList<Feature> parts)
    {
        var lead = new FeatureList(Entity.Lead);
        foreach (var part in parts.Where(feature => feature.Type != FeatureType.Shares && feature.Id.Entity is Entity.User or Entity.Item or Entity.Dealer or Entity.Session))
        {
            lead.Add($"{part.Id.Entity.Name}_{part.Id.Name}", new Computation.Derived([part.Id], v => v[0]), part.Type, part.Unit, part.Description, null);
        }

        Fit(lead);
        ActivityFeatures.OfLead(lead);
        Moment(lead);
        return lead;
    }

    private static void Fit(FeatureList lead)
    {
        FeatureId User(string name) => new(Entity.User, name);
        FeatureId Item(string name) => new(Entity.Item, name);
        FeatureId Session(string name) => new(Entity.Session, name);
        void Taste(string name, string shares, string key, string description) =>
            Asked(lead, name, "share", [User(shares), Item(key)], (_, v) => v[0].Shares is { } all && v[1].Text is { } own ? all.Of(own) : Value.None, description);
        Taste("make_match", "make_shares", "make", "Share of the item's make in what the person looked at.");
        Taste("body_match", "body_shares", "body_type", "Share of the item's body type in what the person looked at.");
        Taste("model_match", "model_shares", "model", "Share of the item's make and model in what the person looked at.");
        Taste("place_match", "place_shares", "place", "Share of the item's place in what the person looked at.");
        Asked(lead, "tags_matching", "tags", [User("top_make_30d"), Item("make"), User("top_body_type"), Item("body_type"), User("top_place_30d"), Item("place")],
            (_, v) => Enumerable.Range(0, 3).Count(i => v[2 * i].Text is { } wanted && wanted == v[(2 * i) + 1].Text), "How many of the person's favourite make, body type and place the item has.");
        void OfTheItem(string name, string unit, string shares, string total, string description) =>
            Asked(lead, name, unit, [User(shares), User(total)], (request, v) => v[0].Shares is { } all ? Math.Round(all.Of(request.ItemId) * v[1].Number, 3) : 0, description, "itemId");
        OfTheItem("own_views_30d", "views", "item_shares", "views_30d", "Times the person looked at the item within the last 30d.");
        OfTheItem("own_seconds_1d", "seconds", "item_second_shares", "dwell_seconds_1d", "Seconds that the person had the item in sight within the last 1d.");
        OfTheItem("own_contacts_30d", "contacts", "item_contact_shares", "contacts_30d", "Times the person asked about the item within the last 30d, this time included.");
        OfTheItem("own_test_drives_30d", "events", "item_test_drive_shares", "test_drives_30d", "Times the person asked to try the item within the last 30d.");
        Asked(lead, "own_favorite", "yes or no", [User("item_favorite_shares")], (request, v) => v[0].Shares?.Of(request.ItemId) > 0 ? 1 : 0, "1 when the person put the item among the favourites within the last 90d, else 0.", "itemId");
        Asked(lead, "price_gap", "ln", [User("log_price_level_90d"), Item("log_price")], (_, v) => v[1].Number - v[0].Number, "Logarithm of the item's price against the person's level.");
        Asked(lead, "price_gap_spreads", "standard deviations", [User("log_price_level_90d"), User("price_spread_90d"), Item("log_price")],
            (_, v) => v[1].Number > 0 ? (v[2].Number - v[0].Number) / v[1].Number : Value.None, "The same in the person's own spread of prices.");
        Asked(lead, "within_searched_price", "yes or no", [User("searched_price_limit_usd"), Item("price_usd")],
            (_, v) => v[0].IsNone || v[1].IsNone ? Value.None : v[1].Number <= v[0].Number ? 1 : 0, "1 when the price is within the latest search's limit, else 0.");
        Asked(lead, "year_gap", "years", [User("mean_year_90d"), Item("year")], (_, v) => v[1].Number - v[0].Number, "Model year against the mean of those looked at.");
        Asked(lead, "same_make_as_visit", "yes or no", [Session("top_make"), Item("make")], (_, v) => v[0].IsNone || v[1].IsNone ? Value.None : v[0].Text == v[1].Text ? 1 : 0, "1 when the visit was mostly about the item's make, else 0.");
        Asked(lead, "available", "yes or no", [Item("status")], (_, v) => v[0].IsNone ? Value.None : v[0].Text == "live" ? 1 : 0, "1 while the item is on offer, else 0.");
        Asked(lead, "distance_km", "km", [User("top_place_30d"), Item("place")], (request, v) => Provinces.KilometresBetween(request["place"] ?? v[0].Text, v[1].Text),
            "Kilometres between the request's place, else the place the person looks at most, and the item's.", "place");
    }

    private static void Moment(FeatureList lead)
    {
        Asked(lead, "hour", "hour", [], (request, _) => LocalTime.Of(request.At).Hour, "Hour of the day in Santo Domingo.", "at");
        Asked(lead, "weekday", "day", [], (request, _) => (int)LocalTime.Of(request.At).DayOfWeek, "Day of the week, 0 is Sunday.", "at");
        Asked(lead, "is_weekend", "yes or no", [], (request, _) => LocalTime.Weekday(request.At) is "sat" or "sun" ? 1 : 0, "1 on Saturday and Sunday, else 0.", "at");
        Asked(lead, "is_usual_hour", "yes or no", [new FeatureId(Entity.User, "top_hour_90d")],
            (request, v) => v[0].Text is { } hour ? Math.Abs(int.Parse(hour, CultureInfo.InvariantCulture) - LocalTime.Of(request.At).Hour) is <= 1 or 23 ? 1 : 0 : Value.None, "1 within an hour of the person's busiest, else 0.", "at");
        lead.Add("channel", new Computation.OnDemand([], (request, _) => request["channel"], "channel"), FeatureType.Text, "channel", "Way the request came.", null);
        lead.Add("device", new Computation.OnDemand([new FeatureId(Entity.Session, "device")], (request, v) => request["device"] ?? v[0].Text, "device"), FeatureType.Text, "device", "Device of the request, else of the visit.", null);
    }

    private static void Asked(FeatureList lead, string name, string unit, FeatureId[] inputs, Func<Request, Value[], Value> of, string description, params string[] reads) =>
        lead.Add(name, new Computation.OnDemand(inputs, of, reads), FeatureType.Number, unit, description, null);
}

/// <summary>Where the provinces lie: their capitals, in degrees.</summary>
internal static class Provinces
{
    private static readonly Dictionary<string, (double Latitude, double Longitude)> Capitals = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Distrito Nacional"] = (18.47, -69.93), ["Santo Domingo"] = (18.50, -69.86), ["Santo Domingo Este"] = (18.49, -69.86), ["Santo Domingo Oeste"] = (18.50, -70.00),
        ["Santo Domingo Norte"] = (18.56, -69.91), ["Santiago"] = (19.45, -70.70), ["La Vega"] = (19.22, -70.53), ["San Cristóbal"] = (18.42, -70.11),
        ["La Altagracia"] = (18.62, -68.71), ["Higüey"] = (18.62, -68.71), ["Punta Cana"] = (18.58, -68.40), ["La Romana"] = (18.43, -68.97), ["San Pedro de Macorís"] = (18.46, -69.31),
        ["Puerto Plata"] = (19.79, -70.69), ["Duarte"] = (19.30, -70.25), ["San Francisco de Macorís"] = (19.30, -70.25), ["Espaillat"] = (19.39, -70.52), ["Moca"] = (19.39, -70.52),
        ["Monseñor Nouel"] = (18.94, -70.41), ["Bonao"] = (18.94, -70.41), ["Peravia"] = (18.28, -70.33), ["Baní"] = (18.28, -70.33), ["Azua"] = (18.45, -70.73),
        ["Barahona"] = (18.21, -71.10), ["San Juan"] = (18.81, -71.23), ["Valverde"] = (19.55, -71.08), ["Mao"] = (19.55, -71.08), ["Monte Cristi"] = (19.85, -71.65),
        ["Dajabón"] = (19.55, -71.71), ["Santiago Rodríguez"] = (19.48, -71.34), ["María Trinidad Sánchez"] = (19.38, -69.85), ["Nagua"] = (19.38, -69.85), ["Samaná"] = (19.21, -69.34),
        ["Sánchez Ramírez"] = (19.06, -70.15), ["Cotuí"] = (19.06, -70.15), ["Hermanas Mirabal"] = (19.38, -70.42), ["Salcedo"] = (19.38, -70.42), ["Monte Plata"] = (18.81, -69.78),
        ["Hato Mayor"] = (18.76, -69.26), ["El Seibo"] = (18.77, -69.04), ["San José de Ocoa"] = (18.55, -70.51), ["Baoruco"] = (18.49, -71.42), ["Independencia"] = (18.49, -71.85),
        ["Pedernales"] = (18.04, -71.74), ["Elías Piña"] = (18.88, -71.70),
    };

    /// <summary>Great-circle distance (haversine, mean radius 6,371 km); null when a place is not known.</summary>
    public static double? KilometresBetween(string? from, string? to)
    {
        if (from is null || to is null || !Capitals.TryGetValue(from, out var a) || !Capitals.TryGetValue(to, out var b))
        {
            return null;
        }

        return Math.Round(Kilometres(a.Latitude, a.Longitude, b.Latitude, b.Longitude), 1);
    }

    /// <summary>Great-circle distance in kilometres of two points in degrees (haversine, mean radius 6,371 km), to ten metres; NaN when one is not known.</summary>
    public static double Kilometres(double latitude, double longitude, double toLatitude, double toLongitude)
    {
        var (up, across) = (double.DegreesToRadians(toLatitude - latitude) / 2, double.DegreesToRadians(toLongitude - longitude) / 2);
        var h = Math.Pow(Math.Sin(up), 2) + (Math.Cos(double.DegreesToRadians(latitude)) * Math.Cos(double.DegreesToRadians(toLatitude)) * Math.Pow(Math.Sin(across), 2));
        return Math.Round(2 * 6371 * Math.Asin(Math.Sqrt(h)), 2);
    }
}

/// <summary>Every feature of the house.</summary>
internal static class AllFeatures
{
    public static FeatureRegistry Registry()
    {
        IReadOnlyList<Feature> parts = [.. UserFeatures.All(), .. ItemFeatures.All(), .. SessionFeatures.All(), .. DealerFeatures.All(), .. CampaignFeatures.All()];
        return new FeatureRegistry([.. parts, .. LeadFeatures.All(parts)]);
    }
}
