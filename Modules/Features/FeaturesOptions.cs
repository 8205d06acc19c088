using System.ComponentModel.DataAnnotations;
using System.Globalization;
using OKLA.Shared.Contracts;

namespace OKLA.Features;

/// <summary>Section <c>Features</c>.</summary>
internal sealed class FeaturesOptions
{
    /// <summary>
    /// How much an event of each type says about liking an item. Types that are not named here are no interactions;
    /// with a dot behind the type, only events that say so in their word (attended, feedback, channel, subject) are meant, such as <c>attended.true</c>,
    /// and with another one only those of so many stars, such as <c>rated.item.1-2</c>; what says more goes before what says less.
    /// Multiples of 1/8, so that sums are exact. The weights are a stated choice. Those of stars for items were measured on simulated activities, whose stars tell of taste: with them
    /// NDCG@10 is .1388 beside .1393 without (seed 11) and .1338 beside .1308 (seed 7), one up and one down, as whoever gives stars has attended. Stars for vehicles do not come
    /// about in a simulation: buyers rate sellers.
    /// </summary>
    public IDictionary<string, float> EventWeights { get; } = new Dictionary<string, float>
    {
        [EventTypes.ItemViewed] = 1,
        [EventTypes.FavoriteAdded] = 4,
        [EventTypes.FavoriteRemoved] = -4,
        [EventTypes.Contacted] = 8,
        [EventTypes.TestDriveRequested] = 10,
        [EventTypes.Shared] = 3,
        [EventTypes.Attended + ".true"] = 6,
        [EventTypes.Attended + ".true.1-2"] = 0,
        [EventTypes.Rated + ".item.1-2"] = -8,
        [EventTypes.Rated + ".item.4-5"] = 4,
        [EventTypes.FeedbackGiven + ".like"] = 3,
        [EventTypes.FeedbackGiven + ".dislike"] = -3,
        [EventTypes.RecommendationShown] = 0,
        [EventTypes.RecommendationClicked] = 0.5f,
    };

    /// <summary>Types of events that have a weight.</summary>
    internal IEnumerable<string> WeightedTypes => EventWeights.Keys.Select(key => key.Split('.')[0]).Distinct(StringComparer.Ordinal);

    /// <summary>The weight of a fact as an SQL expression over its columns; null for one that is no interaction. It holds no word but those of the settings, in quotes.</summary>
    internal string WeightSql => $"(case {string.Join(' ', EventWeights.OrderByDescending(pair => pair.Key.Count(letter => letter == '.')).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(WhenSql))} end)::real";

    private static string WhenSql(KeyValuePair<string, float> weight)
    {
        var parts = weight.Key.Split('.');
        var said = parts.Length > 1 ? $" and channel = {Quoted(parts[1])}" : "";
        var stars = parts.Length == 3 && parts[2].Split('-') is [var least, var most] && int.TryParse(least, NumberStyles.None, CultureInfo.InvariantCulture, out var from) && int.TryParse(most, NumberStyles.None, CultureInfo.InvariantCulture, out var to)
            ? string.Create(CultureInfo.InvariantCulture, $" and amount between {from} and {to}")
            : parts.Length > 2 ? throw new InvalidOperationException($"Features:EventWeights has no meaning for {weight.Key}: a type, a word and a range of stars such as rated.item.1-2.") : "";
        return string.Create(CultureInfo.InvariantCulture, $"when type = {Quoted(parts[0])}{said}{stars} then {weight.Value}");
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>Events that one transaction of a subscription takes in.</summary>
    [Range(1, 100_000)]
    public int BatchSize { get; set; } = 5_000;

    /// <summary>How long a computed vector is served before it is computed anew, unless an event about it comes first.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan CacheFor { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Values that a frame keeps in memory at once; about 16 bytes each.</summary>
    [Range(1_000, 100_000_000)]
    public int FrameCells { get; set; } = 4_000_000;
}
