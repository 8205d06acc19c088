using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using Types = OKLA.Shared.Contracts.EventTypes;

namespace OKLA.ML.Models.Series;

/// <summary>Keeps what forecasts and watches are made of: campaigns by channel and hour, and the demand for each segment and place by hour.</summary>
internal sealed class SeriesEvents(ExchangeRates rates) : Subscription
{
    /// <summary>Place of items that state none.</summary>
    public const string Nowhere = "sin lugar";

    // Upper ends of the price bands in dollars; the first and the last hold about a tenth of the listings each.
    private static readonly (double Below, string Band)[] Bands =
        [(10_000, "menos de 10 mil"), (20_000, "10 a 20 mil"), (35_000, "20 a 35 mil"), (60_000, "35 a 60 mil"), (double.PositiveInfinity, "más de 60 mil")];

    private static readonly string[] CampaignTypes =
        [Types.CampaignCostRecorded, Types.CampaignImpression, Types.CampaignClick, Types.CampaignApplication, Types.CampaignConversion];

    public override string Name => "ml.series";

    public override IReadOnlyCollection<string> EventTypes { get; } =
        [.. CampaignTypes, Types.ItemViewed, Types.Contacted, Types.ItemListed, Types.ItemUpdated, Types.ItemPriceChanged];

    public override int BatchSize => 5_000;

    /// <summary>The band of a price.</summary>
    public static string BandOf(double? usd) => usd is > 0 ? Bands.First(band => usd < band.Below).Band : "sin precio";

    public override async Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        await AddCampaignsAsync(events, transaction, ct);
        // An item that changes its price changes its segment, so that the order counts where both are in a batch.
        var from = 0;
        for (var i = 0; i < events.Count; i++)
        {
            if (events[i].Type is Types.ItemListed or Types.ItemUpdated or Types.ItemPriceChanged && (i + 1 == events.Count || events[i + 1].Type is not (Types.ItemListed or Types.ItemUpdated or Types.ItemPriceChanged)))
            {
                await AddDemandAsync(events, from, i, transaction, ct);
                await PutItemsAsync(events, from, i, transaction, ct);
                from = i + 1;
            }
        }

        await AddDemandAsync(events, from, events.Count - 1, transaction, ct);
    }

    public override async Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("truncate ml.campaign_hours, ml.demand_items, ml.demand_hours", transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task AddCampaignsAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var hours = new Dictionary<(string Campaign, string Channel, DateTime Hour), double[]>();
        foreach (var e in events.Where(e => CampaignTypes.Contains(e.Type)))
        {
            using var json = JsonDocument.Parse(e.Data);
            if (IsBot(json.RootElement) || !json.RootElement.TryGetProperty("properties", out var said) || Text(said, "campaignId") is not { } campaign)
            {
                continue;
            }

            var key = (campaign, Text(said, "channel") ?? "", Hour(e.OccurredAt));
            if (!hours.TryGetValue(key, out var sums))
            {
                hours[key] = sums = [0, 0, 0, 0, 0, double.NaN];
            }

            var place = Array.IndexOf(CampaignTypes, e.Type);
            if (place == 0)
            {
                sums[0] += (double)(rates.ToUsd(new Money((decimal)Math.Clamp(Number(said, "amount") ?? 0, 0, 1e12), Text(said, "currency") ?? "USD"), e.OccurredAt) ?? 0);
                sums[5] = Number(said, "competition") ?? sums[5];
            }
            else
            {
                sums[place] += Math.Clamp(Number(said, "count") ?? 1, 0, 1e9);
            }
        }

        if (hours.Count == 0)
        {
            return;
        }

        var rows = hours.OrderBy(pair => pair.Key).ToArray();
        await using var command = new NpgsqlCommand("""
            insert into ml.campaign_hours as h (campaign_id, channel, hour, usd, impressions, clicks, applications, conversions, competition)
            select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
            on conflict (campaign_id, channel, hour) do update set usd = h.usd + excluded.usd, impressions = h.impressions + excluded.impressions, clicks = h.clicks + excluded.clicks,
                applications = h.applications + excluded.applications, conversions = h.conversions + excluded.conversions, competition = coalesce(excluded.competition, h.competition)
            """, transaction.Connection, transaction);
        command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(rows, row => row.Key.Campaign) });
        command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(rows, row => row.Key.Channel) });
        command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(rows, row => row.Key.Hour) });
        for (var i = 0; i < 5; i++)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(rows, row => row.Value[i]) });
        }

        command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(rows, row => double.IsNaN(row.Value[5]) ? (double?)null : row.Value[5]) });
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task PutItemsAsync(IReadOnlyList<RecordedEvent> events, int from, int to, NpgsqlTransaction transaction, CancellationToken ct)
    {
        // The latest of a batch wins; a new price changes the band of what is known.
        var puts = new Dictionary<string, (string Kind, string Type, string Band, string Place)>(StringComparer.Ordinal);
        var bands = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = from; i <= to; i++)
        {
            if (events[i].Type is Types.ItemListed or Types.ItemUpdated)
            {
                var item = events[i].Read<ItemListed>().Item;
                puts[item.Id] = (item.Kind, item.Text("bodyType") ?? item.Text("type") ?? "", BandOf((double?)rates.ToUsd(item.Price, events[i].OccurredAt)), item.Place ?? Nowhere);
                bands.Remove(item.Id);
            }
            else if (events[i].Type == Types.ItemPriceChanged)
            {
                var change = events[i].Read<ItemPriceChanged>();
                bands[change.ItemId] = BandOf((double?)rates.ToUsd(change.To, events[i].OccurredAt));
            }
        }

        var rows = puts.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToArray();
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("""
            insert into ml.demand_items (item_id, kind, type, band, place) select * from unnest($1, $2, $3, $4, $5)
            on conflict (item_id) do update set kind = excluded.kind, type = excluded.type, band = excluded.band, place = excluded.place
            """)
        {
            Parameters =
            {
                new() { Value = Array.ConvertAll(rows, row => row.Key) }, new() { Value = Array.ConvertAll(rows, row => row.Value.Kind) }, new() { Value = Array.ConvertAll(rows, row => row.Value.Type) },
                new() { Value = Array.ConvertAll(rows, row => row.Value.Band) }, new() { Value = Array.ConvertAll(rows, row => row.Value.Place) },
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("update ml.demand_items i set band = c.band from unnest($1, $2) as c (item_id, band) where i.item_id = c.item_id")
        {
            Parameters = { new() { Value = bands.Keys.ToArray() }, new() { Value = bands.Values.ToArray() } },
        });
        await batch.ExecuteNonQueryAsync(ct);
    }

    private static async Task AddDemandAsync(IReadOnlyList<RecordedEvent> events, int from, int to, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var counts = new Dictionary<(string Item, DateTime Hour), (double Views, double Contacts)>();
        for (var i = from; i <= to; i++)
        {
            if (events[i].Type is not (Types.ItemViewed or Types.Contacted))
            {
                continue;
            }

            using var json = JsonDocument.Parse(events[i].Data);
            if (!IsBot(json.RootElement) && Text(json.RootElement, "itemId") is { } item)
            {
                var key = (item, Hour(events[i].OccurredAt));
                var (views, contacts) = counts.GetValueOrDefault(key);
                counts[key] = events[i].Type == Types.ItemViewed ? (views + 1, contacts) : (views, contacts + 1);
            }
        }

        if (counts.Count == 0)
        {
            return;
        }

        var rows = counts.ToArray();
        await using var command = new NpgsqlCommand("""
            insert into ml.demand_hours as d (kind, type, band, place, hour, views, contacts)
            select i.kind, i.type, i.band, i.place, e.hour, sum(e.views), sum(e.contacts)
            from unnest($1, $2, $3, $4) as e (item_id, hour, views, contacts) join ml.demand_items i using (item_id)
            group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
            on conflict (kind, type, band, place, hour) do update set views = d.views + excluded.views, contacts = d.contacts + excluded.contacts
            """, transaction.Connection, transaction);
        command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(rows, row => row.Key.Item) });
        command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(rows, row => row.Key.Hour), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(rows, row => row.Value.Views) });
        command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(rows, row => row.Value.Contacts) });
        await command.ExecuteNonQueryAsync(ct);
    }

    private static DateTime Hour(DateTimeOffset at) => new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerHour), DateTimeKind.Utc);

    private static bool IsBot(JsonElement body) => body.TryGetProperty("context", out var context) && context.ValueKind == JsonValueKind.Object && context.TryGetProperty("bot", out var bot) && bot.ValueKind == JsonValueKind.True;

    private static string? Text(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= 200 } text ? text : null;

    private static double? Number(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
}
