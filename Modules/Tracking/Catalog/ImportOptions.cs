using System.ComponentModel.DataAnnotations;

namespace OKLA.Tracking.Catalog;

/// <summary>Bounds of what an imported row may say: section <c>Import</c>. Rows outside are set aside with the reason.</summary>
internal sealed class ImportOptions
{
    /// <summary>Lowest believable price in DOP. Sellers write 1 or 100 where they want to be called; the cheapest motorcycles are near 25,000.</summary>
    [Range(0, 1e12)]
    public decimal MinPriceDop { get; set; } = 15_000;

    /// <summary>Highest believable price in DOP.</summary>
    [Range(1, 1e12)]
    public decimal MaxPriceDop { get; set; } = 100_000_000;

    /// <summary>Lowest believable price in USD; the cheapest electric scooters are near 600.</summary>
    [Range(0, 1e12)]
    public decimal MinPriceUsd { get; set; } = 300;

    /// <summary>Highest believable price in USD; boats and heavy machines reach this.</summary>
    [Range(1, 1e12)]
    public decimal MaxPriceUsd { get; set; } = 3_000_000;

    /// <summary>Pesos per dollar, for the comparison with peers only (Banco Central, mean of 2022: 55).</summary>
    [Range(1, 1000)]
    public decimal PesosPerDollar { get; set; } = 55;

    /// <summary>
    /// How many times above or below the median of its peers (same make, same first word of the model) in the snapshot a price may
    /// be; twice that beside make and body where the model is rare. Pesos written as dollars are off by about 55 and dollars written as pesos by 1/55; age and equipment by less than 15.
    /// </summary>
    [Range(2, 1000)]
    public decimal PeerFactor { get; set; } = 15;

    /// <summary>Peers needed for that comparison.</summary>
    [Range(2, 1000)]
    public int MinPeers { get; set; } = 5;

    /// <summary>Lowest believable model year.</summary>
    [Range(1886, 2100)]
    public int MinYear { get; set; } = 1930;

    /// <summary>How many years ahead of the snapshot a model year may be.</summary>
    [Range(0, 5)]
    public int YearsAhead { get; set; } = 2;

    /// <summary>Highest believable mileage in kilometres.</summary>
    [Range(1, 1e8)]
    public double MaxMileageKm { get; set; } = 1_500_000;

    /// <summary>
    /// How far a price may move between two snapshots for the ad to count as the same, as a share of the higher one. Of the models
    /// that supercarros.com had once in each of two snapshots of 2022, 62 to 82 % kept the price and 89 to 97 % moved it by less than 0.15.
    /// </summary>
    [Range(0.0, 1.0)]
    public decimal MaxPriceMove { get; set; } = 0.15m;

    /// <summary>Whether rows without an ad id that repeat another one of their snapshot in everything become ads of their own instead of being set aside.</summary>
    public bool KeepIdenticalRows { get; set; }

    /// <summary>Largest file that <c>POST /api/catalog/imports</c> takes, in bytes.</summary>
    [Range(1_000, 100_000_000_000)]
    public long MaxFileBytes { get; set; } = 256_000_000;
}
