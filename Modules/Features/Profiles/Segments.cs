namespace OKLA.Features.Profiles;

/// <summary>A kind of person by rule: what the rule reads is told, so that anybody can check it.</summary>
/// <param name="Name">Chosen name, such as ready_to_buy.</param>
/// <param name="Label">Name for people, in Spanish.</param>
/// <param name="Rule">The rule in words.</param>
/// <param name="Holds">The rule.</param>
internal sealed record Segment(string Name, string Label, string Rule, Func<ProfileFeatures, bool> Holds);

/// <summary>The segments in the order in which they are tried: the first whose rule holds is the person's main one; a person may be in several.</summary>
internal static class Segments
{
    /// <summary>Where nothing else holds.</summary>
    public static readonly Segment Browsing = new("browsing", "Curioseando", "Nothing stronger holds.", _ => true);

    public static readonly IReadOnlyList<Segment> All =
    [
        new("dealer_like", "Parece dealer", "At least 60 events in 7 days over at least 8 makes with a contact for every tenth view or less.", f => f["events_7d"] >= 60 && f["distinct_makes_30d"] >= 8 && !(f["contact_rate"] > 0.1)),
        new("ready_to_buy", "Listo para comprar", "A contact, test drive or offer, and activity, within 7 days.", f => f["contacts_7d"] + f["test_drives_30d"] + f["offers_30d"] > 0 && f["days_since_last_event"] <= 7),
        new("at_risk", "En riesgo de irse", "Was active on at least 4 days of the last 30 and silent for 7 to 30 days.", f => f["active_days_30d"] >= 4 && f["days_since_last_event"] is > 7 and <= 30),
        new("dormant", "Dormido", "Silent for more than 30 days.", f => f["days_since_last_event"] > 30),
        new("bargain_hunter", "Cazador de ofertas", "At least 5 views in 30 days, half of them of vehicles with a price cut.", f => f["views_30d"] >= 5 && f["cut_views_30d"] / f["views_30d"] >= 0.5),
        new("comparing", "Comparando", "At least 8 views in 30 days of at most 4 models or with most of them of one body type, or a favourite.", f => f["views_30d"] >= 8 && (f["distinct_models_30d"] <= 4 || f["top_body_share_30d"] >= 0.6 || f["favorites_30d"] > 0)),
        new("new", "Nuevo", "First seen within 3 days.", f => f["tenure_days"] <= 3),
        Browsing,
    ];

    /// <summary>The first segment whose rule holds.</summary>
    public static Segment Of(ProfileFeatures features) => All.First(segment => segment.Holds(features));

    /// <summary>How near a purchase is, and what for: looking, comparing, deciding or resting.</summary>
    public static string StageOf(ProfileFeatures f) =>
        !(f["days_since_last_event"] <= 30) ? "resting"
        : f["contacts_30d"] + f["test_drives_30d"] + f["offers_30d"] > 0 ? "deciding"
        : f["favorites_30d"] > 0 || (f["views_30d"] >= 8 && f["top_body_share_30d"] >= 0.6) ? "comparing"
        : "looking";
}
