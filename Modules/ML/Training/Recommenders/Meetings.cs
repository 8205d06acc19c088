using System.Globalization;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models.Recommenders;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training.Recommenders;

/// <summary>
/// People who met items after the split, and how well each meeting was foreseen beside 1 for the best there is: rows by which whom a model serves how well is looked at,
/// by what the person usually looks at, by traits of the item and by its seller.
/// </summary>
internal sealed class Meetings(ItemKind kind, IReadOnlyList<ItemSnapshot> items, ExchangeRates rates)
{
    private readonly List<string?[]> rows = [];
    private readonly List<float> foreseen = [];
    private readonly Dictionary<string, ItemSnapshot> byId = items.ToDictionary(item => item.Item.Id, StringComparer.Ordinal);
    private readonly Dictionary<string, int> offered =
        items.Where(item => item.Status == "live" && item.Item.SellerId is not null).CountBy(item => item.Item.SellerId!).ToDictionary(StringComparer.Ordinal);

    private (string Person, string?[] Usual) last = ("", []);

    /// <summary>A person's meeting with an item.</summary>
    /// <param name="person">The person.</param>
    /// <param name="history">What the person did before.</param>
    /// <param name="item">Place of the item.</param>
    /// <param name="share">How well it was foreseen, 0 to 1.</param>
    public void Add(string person, IReadOnlyList<HistoryItem> history, int item, float share)
    {
        if (last.Person != person)
        {
            ItemSnapshot[] known = [.. history.Where(met => byId.ContainsKey(met.ItemId)).Select(met => byId[met.ItemId])];
            last = (person, [.. kind.Traits.Select(name => Usual(known, name))]);
        }

        var seller = items[item].Item.SellerId;
        rows.Add(
        [
            person, history.Count.ToString(CultureInfo.InvariantCulture), .. last.Usual, .. kind.Traits.Select(name => ItemKind.TraitOf(items[item], name, rates)), seller,
            seller is null ? null : offered.GetValueOrDefault(seller).ToString(CultureInfo.InvariantCulture),
        ]);
        foreseen.Add(share);
    }

    /// <summary>All of them.</summary>
    public HeldOutRows Table()
    {
        string[] names = ["person", "historyItems", .. kind.Traits.Select(name => $"usual {name}"), .. kind.Traits.Select(name => $"item {name}"), "seller", "sellerItems"];
        return new HeldOutRows([.. names.Select((name, c) => new RawColumn(name, [.. rows.Select(row => row[c])]))], [.. foreseen.Select(_ => 1f)], [.. foreseen], 0);
    }

    private string? Usual(ItemSnapshot[] known, string name) => known.Select(item => ItemKind.TraitOf(item, name, rates)).OfType<string>().CountBy(value => value)
        .OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).FirstOrDefault().Key;
}
