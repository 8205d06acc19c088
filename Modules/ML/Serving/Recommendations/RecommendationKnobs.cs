using System.ComponentModel.DataAnnotations;

namespace OKLA.ML.Serving.Recommendations;

/// <summary>Section <c>ML:Recommendations</c>; what is done to a ranking before it is shown.</summary>
internal sealed class RecommendationKnobs
{
    /// <summary>Items of one seller in an answer at most; 0 sets no cap. An answer is never shortened for it.</summary>
    [Range(0, 100)]
    public int SellerCap { get; set; } = 3;

    /// <summary>Days for which an item that was seen stays away; 0 keeps it away for ever. What was refused never comes back.</summary>
    [Range(0, 3_650)]
    public int SeenDays { get; set; } = 30;

    /// <summary>1 − λ of maximal marginal relevance: how much likeness to what stands above counts against an item, 0 to 1.</summary>
    [Range(0, 1)]
    public double Diversity { get; set; } = 0.1;

    /// <summary>How much this week's popularity counts against an item, 0 to 1: the most popular one loses this share of the range of scores.</summary>
    [Range(0, 1)]
    public double PopularityPenalty { get; set; }

    /// <summary>Chance that a place below the third shows an item drawn from further down the ranking, so that something is learned of such items, 0 to 0.5.</summary>
    [Range(0, 0.5)]
    public double ExplorationShare { get; set; } = 0.05;

    /// <summary>How strongly sellers who were shown less than their share of the catalogue are moved up, as a share of the range of scores; 0 turns it off.</summary>
    [Range(0, 1)]
    public double SellerFairness { get; set; } = 0.02;

    /// <summary>
    /// How many times as popular items of the visitor's own province count where popularity answers; with 1 the place only decides between equals. An assumption: no event tells a
    /// visitor's province and simulated buyers live nowhere, so that nothing here can measure it. 1 to 100.
    /// </summary>
    [Range(1, 100)]
    public double ProvinceWeight { get; set; } = 3;

    /// <summary>Candidates for each item wanted, among which the policies choose.</summary>
    [Range(1, 50)]
    public int CandidatesForEach { get; set; } = 6;

    /// <summary>Minutes after which a host reads anew what is in demand, which the trending part of a ranking and what is shown to newcomers go by; 0 leaves it as it was at the training.</summary>
    [Range(0, 10_000)]
    public double TrendMinutes { get; set; } = 10;

    /// <summary>Millions of characters that kept rankings may hold; 0 keeps none.</summary>
    [Range(0, 1_000)]
    public int CacheMegabytes { get; set; } = 16;
}
