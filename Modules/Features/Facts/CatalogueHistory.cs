using System.Collections.Concurrent;
using System.Text.Json;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Features.Facts;

/// <summary>
/// The histories of all items up to a position of the log, in memory: a few hundred bytes for each thing the log said about an item, however much it said.
/// Reading on makes it longer and leaves what was read unchanged.
/// </summary>
internal sealed class CatalogueHistory(NpgsqlDataSource database, ExchangeRates rates)
{
    private readonly ConcurrentDictionary<string, ItemHistory> items = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, ItemHistory>> peers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, ItemHistory>> sellers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> words = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private Task? next;
    private bool waits;
    private long position;

    public long Position => Volatile.Read(ref position);

    public ItemHistory? this[string? id] => id is not null && items.TryGetValue(id, out var item) ? item : null;

    /// <summary>Every item that ever belonged to a group of peers.</summary>
    public IEnumerable<ItemHistory> PeersOf(string group) => peers.TryGetValue(group, out var found) ? found.Values : [];

    /// <summary>Every item that a seller ever offered, by id.</summary>
    public IEnumerable<ItemHistory> ItemsOf(string seller) => sellers.TryGetValue(seller, out var found) ? found.Values.OrderBy(item => item.Id, StringComparer.Ordinal) : [];

    /// <summary>Takes in what the log said since. Callers that come while a reading is under way share the next one.</summary>
    public Task ReadOnAsync(CancellationToken ct)
    {
        lock (gate)
        {
            if (next is null || !waits)
            {
                (next, waits) = (AfterAsync(next), true);
            }

            return next.WaitAsync(ct);
        }
    }

    /// <summary>Takes in what the log said since, up to a position.</summary>
    public async Task ReadOnAsync(long upTo, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand("""
            select position, item_id, change, occurred_at, known_at, body, price, currency from features.item_history
            where position > $1 and position <= $2 order by position
            """, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = position });
        command.Parameters.Add(new NpgsqlParameter { Value = upTo });
        await command.PrepareAsync(ct);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var said = new Dictionary<string, List<ItemStatement>>(StringComparer.Ordinal);
        var last = position;
        while (await reader.ReadAsync(ct))
        {
            last = reader.GetInt64(0);
            var at = reader.GetFieldValue<DateTimeOffset>(3);
            var item = reader.IsDBNull(5) ? null : DescribedItem.Of(JsonSerializer.Deserialize<CatalogItem>(reader.GetFieldValue<byte[]>(5), EventJson.Options)!, One);
            var price = reader.IsDBNull(6) || reader.IsDBNull(7) ? null : rates.ToUsd(new Money(reader.GetDecimal(6), reader.GetString(7)), at);
            var statement = new ItemStatement(last, One(reader.GetString(2)), at.UtcTicks, reader.GetFieldValue<DateTimeOffset>(4).UtcTicks, item, (double?)price);
            if (!said.TryGetValue(reader.GetString(1), out var list))
            {
                said[reader.GetString(1)] = list = [];
            }

            list.Add(statement);
        }

        foreach (var (id, statements) in said)
        {
            Keep(new ItemHistory(id, [.. this[id]?.Statements ?? [], .. statements]));
        }

        Volatile.Write(ref position, last);
    }

    private string One(string text) => words.GetOrAdd(text, text);

    private async Task AfterAsync(Task? before)
    {
        await Task.Yield();
        if (before is not null)
        {
            // Its callers hear of its failure.
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        lock (gate)
        {
            waits = false;
        }

        await ReadOnAsync(long.MaxValue, CancellationToken.None);
    }

    private void Keep(ItemHistory item)
    {
        items[item.Id] = item;
        foreach (var version in item.Versions)
        {
            if (version.Peers is { } group)
            {
                peers.GetOrAdd(group, _ => new(StringComparer.Ordinal))[item.Id] = item;
            }

            if (version.Item.SellerId is { Length: > 0 } seller)
            {
                sellers.GetOrAdd(seller, _ => new(StringComparer.Ordinal))[item.Id] = item;
            }
        }
    }
}

/// <summary>An item and its market as they were known at a time.</summary>
internal sealed class ItemView(ItemVersion? item, CatalogueHistory catalogue, long at)
{
    private MarketView? market;

    /// <summary>The item; null when it was not known.</summary>
    public ItemVersion? Item => item;

    /// <summary>Time asked for, UTC ticks.</summary>
    public long At => at;

    /// <summary>Vehicles of the same make and first word of the model.</summary>
    public MarketView Market => market ??= MarketView.Of(item, catalogue, at);
}

/// <summary>What an item's peers were doing at a time.</summary>
/// <param name="Live">Peers on offer, itself included.</param>
/// <param name="MedianUsd">Median of their prices; NaN when none is known.</param>
/// <param name="SoldMonth">Peers sold within thirty days before.</param>
/// <param name="DaysToSale">Median days on offer of those; NaN when there are none.</param>
/// <param name="CheaperShare">Share of the priced peers on offer that ask less than the item; NaN when that is not known.</param>
internal sealed record MarketView(int Live, double MedianUsd, int SoldMonth, double DaysToSale, double CheaperShare)
{
    public static MarketView Of(ItemVersion? item, CatalogueHistory catalogue, long at)
    {
        var (live, sold) = (0, 0);
        var (prices, days) = (new List<double>(), new List<double>());
        foreach (var peer in item?.Peers is { } group ? catalogue.PeersOf(group) : [])
        {
            if (peer.At(at) is not { } then || then.Peers != item?.Peers)
            {
                continue;
            }

            if (then.Status == "live")
            {
                live++;
                if (then.PriceUsd is { } usd)
                {
                    prices.Add(usd);
                }
            }
            else if (then.Status == "sold" && then.EndedAt > at - (30 * TimeSpan.TicksPerDay))
            {
                sold++;
                days.Add((then.EndedAt - then.ListedAt) / (double)TimeSpan.TicksPerDay);
            }
        }

        var cheaper = item?.PriceUsd is { } own && prices.Count > 0 ? prices.Count(price => price < own) / (double)prices.Count : double.NaN;
        return new MarketView(live, Median(prices), sold, Median(days), cheaper);
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values.Count == 0 ? double.NaN : (values[(values.Count - 1) / 2] + values[values.Count / 2]) / 2;
    }
}
