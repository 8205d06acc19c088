using System.ComponentModel.DataAnnotations;
using OKLA.Shared.Contracts;

namespace OKLA.Features;

/// <summary>Section <c>Features</c>.</summary>
internal sealed class FeaturesOptions
{
    /// <summary>
    /// How much an event of each type says about liking an item. Types that are not named here are no interactions.
    /// Multiples of 1/8, so that sums are exact.
    /// </summary>
    public IDictionary<string, float> EventWeights { get; } = new Dictionary<string, float>
    {
        [EventTypes.ItemViewed] = 1,
        [EventTypes.FavoriteAdded] = 4,
        [EventTypes.FavoriteRemoved] = -4,
        [EventTypes.Contacted] = 8,
        [EventTypes.TestDriveRequested] = 10,
        [EventTypes.RecommendationShown] = 0,
        [EventTypes.RecommendationClicked] = 0.5f,
    };

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
