using System.Collections.Concurrent;

namespace OKLA.ML.Serving.Recommendations;

/// <summary>
/// How much of the attention each seller got on this host, beside its share of the catalogue: the proportional controller of fair exposure
/// (Morik et al. 2020, with listings for merit). A place counts 1 / log2(place + 2); what is a day old counts half.
/// </summary>
internal sealed class SellerExposure(TimeProvider clock)
{
    private const int MostSellers = 100_000;
    private static readonly TimeSpan HalfLife = TimeSpan.FromDays(1);
    private readonly ConcurrentDictionary<string, double> shown = new(StringComparer.Ordinal);
    private readonly Lock adding = new();
    private IReadOnlyDictionary<string, double> shares = new Dictionary<string, double>();
    private double total;
    private DateTimeOffset decayedAt;

    /// <summary>Each seller's share of the live catalogue.</summary>
    public void Take(IReadOnlyDictionary<string, double> shareOfCatalogue) => Volatile.Write(ref shares, shareOfCatalogue);

    /// <summary>Takes note of a page: sellers in the order of its places.</summary>
    public void Show(IEnumerable<string?> sellers)
    {
        lock (adding)
        {
            Decay();
            var place = 0;
            foreach (var seller in sellers)
            {
                var attention = 1 / Math.Log2(place++ + 2);
                if (seller is not null && (shown.ContainsKey(seller) || shown.Count < MostSellers))
                {
                    shown.AddOrUpdate(seller, attention, (_, before) => before + attention);
                    total += attention;
                }
            }
        }
    }

    /// <summary>How far a seller was shown less than its share: 0 for one that got its share or more, 1 for one that got nothing. 0 while little was shown.</summary>
    public double Deficit(string seller)
    {
        var due = Volatile.Read(ref shares).GetValueOrDefault(seller);
        // Until a seller is due at least one first place, chance decides.
        return due * total < 1 ? 0 : Math.Clamp(1 - (shown.GetValueOrDefault(seller) / (due * total)), 0, 1);
    }

    private void Decay()
    {
        var now = clock.GetUtcNow();
        if (decayedAt == default)
        {
            decayedAt = now;
        }

        if (now - decayedAt < HalfLife)
        {
            return;
        }

        decayedAt = now;
        total /= 2;
        foreach (var seller in shown.Keys)
        {
            shown[seller] /= 2;
        }
    }
}
