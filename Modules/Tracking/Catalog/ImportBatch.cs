using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Catalog;

/// <summary>A row that stays outside the catalogue.</summary>
/// <param name="Number">Line of data in the file, from 1.</param>
/// <param name="Reason">Chosen code.</param>
/// <param name="Field">Target the reason is about.</param>
/// <param name="Raw">The row as it was read.</param>
internal sealed record SetAside(long Number, string Reason, string? Field, string[] Raw);

/// <summary>The rows of one snapshot while it is read.</summary>
internal sealed class Batch(DateTimeOffset? takenAt)
{
    /// <summary>Time of the snapshot; null when the file has none.</summary>
    public DateTimeOffset? TakenAt { get; set; } = takenAt;

    /// <summary>Rows that are good so far.</summary>
    public List<ListingRow> Rows { get; } = [];

    /// <summary>Rows set aside so far.</summary>
    public List<SetAside> SetAside { get; } = [];

    /// <summary>
    /// Sets aside prices that are far from those of the same model in this snapshot, or of the same make and body where too few ads of the
    /// model stand there, then by twice the factor: the wrong currency, most often.
    /// </summary>
    public void FindImplausible(ImportOptions options)
    {
        decimal InPesos(Money price) => price.Currency == "USD" ? price.Amount * options.PesosPerDollar : price.Amount;
        Dictionary<string, decimal> Medians(Func<ListingRow, string> key) => Rows.GroupBy(key).Where(peers => peers.Count() >= options.MinPeers)
            .ToDictionary(peers => peers.Key, peers => Median([.. peers.Select(row => InPesos(row.Price))]));
        var (models, makes) = (Medians(row => row.PeerKey), Medians(row => row.WiderPeerKey));
        Reject("implausible_price", ListingColumns.Price, row =>
            models.TryGetValue(row.PeerKey, out var median) ? IsFar(row, median, options.PeerFactor)
            : makes.TryGetValue(row.WiderPeerKey, out median) && IsFar(row, median, 2 * options.PeerFactor));

        bool IsFar(ListingRow row, decimal median, decimal factor) => InPesos(row.Price) > median * factor || InPesos(row.Price) * factor < median;
    }

    /// <summary>Sets aside rows that repeat an earlier one of the snapshot: the same ad id, or without ids the same in everything.</summary>
    public void FindRepeats()
    {
        var seen = new HashSet<string>();
        Reject("duplicate_row", null, row => !seen.Add(row.AdId ?? row.Fingerprint));
    }

    private void Reject(string reason, string? field, Predicate<ListingRow> bad)
    {
        var rejected = Rows.Where(row => bad(row)).ToList();
        SetAside.AddRange(rejected.Select(row => new SetAside(row.Number, reason, field, row.Raw)));
        var numbers = rejected.Select(row => row.Number).ToHashSet();
        Rows.RemoveAll(row => numbers.Contains(row.Number));
    }

    private static decimal Median(List<decimal> values)
    {
        values.Sort();
        return values.Count % 2 == 1 ? values[values.Count / 2] : (values[(values.Count / 2) - 1] + values[values.Count / 2]) / 2;
    }
}
