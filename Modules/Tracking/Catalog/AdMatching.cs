namespace OKLA.Tracking.Catalog;

/// <summary>An ad known from earlier snapshots.</summary>
/// <param name="Number">The how-manieth car of its description it is.</param>
/// <param name="Price">Its last price, in the currency that its key names.</param>
/// <param name="Live">Whether it was there in the snapshot before.</param>
internal readonly record struct KnownAd(int Number, decimal Price, bool Live);

/// <summary>
/// Follows ads without an id from one snapshot to the next; pure. Among ads of one description (make, model, title, year, body, fuel,
/// currency) an ad is recognised by its price: first by the very same price, so that the sale of one car does not read as price
/// changes of its neighbours; then, what is left, in order of price as long as the price moved no further than allowed; then an ad
/// that had gone and is back at its old price. Whatever remains is new. Mileage takes no part, because sources state it in some
/// snapshots only.
/// </summary>
internal static class AdMatching
{
    /// <param name="known">Ads of the description, in any order.</param>
    /// <param name="prices">Prices of the rows of the description, in any order.</param>
    /// <param name="maxMove">Largest price move of an ad between two snapshots, as a share of the higher price.</param>
    /// <returns>For each price the number of its ad; new ads get the next free numbers in order of price.</returns>
    public static int[] Match(IReadOnlyList<KnownAd> known, IReadOnlyList<decimal> prices, decimal maxMove)
    {
        var numbers = new int[prices.Count];
        var ads = known.OrderBy(ad => ad.Price).ThenBy(ad => ad.Number).ToList();
        var open = Enumerable.Range(0, prices.Count).OrderBy(i => prices[i]).ThenBy(i => i).ToList();

        TakeSamePrice(live: true);
        TakeNeighbours();
        TakeSamePrice(live: false);
        var next = known.Count == 0 ? 1 : known.Max(ad => ad.Number) + 1;
        foreach (var row in open)
        {
            numbers[row] = next++;
        }

        return numbers;

        void TakeSamePrice(bool live)
        {
            foreach (var row in open.ToList())
            {
                var place = ads.FindIndex(ad => ad.Live == live && ad.Price == prices[row]);
                if (place >= 0)
                {
                    numbers[row] = ads[place].Number;
                    ads.RemoveAt(place);
                    open.Remove(row);
                }
            }
        }

        void TakeNeighbours()
        {
            var candidates = ads.Where(ad => ad.Live).ToList();
            var (a, r) = (0, 0);
            while (a < candidates.Count && r < open.Count)
            {
                var (before, now) = (candidates[a].Price, prices[open[r]]);
                if (Math.Abs(before - now) <= maxMove * Math.Max(before, now))
                {
                    numbers[open[r]] = candidates[a].Number;
                    ads.Remove(candidates[a++]);
                    open.RemoveAt(r);
                }
                else if (before < now)
                {
                    a++;
                }
                else
                {
                    r++;
                }
            }
        }
    }
}
