using Npgsql;
using NpgsqlTypes;
using OKLA.Features.Facts;
using OKLA.Features.Offline;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Leads;

/// <summary>Answers <see cref="FindContacts"/>: the newest contact of each person about each item.</summary>
internal static class FindContactsHandler
{
    public static async Task<IReadOnlyList<LeadContact>> Handle(FindContacts query, NpgsqlDataSource database, CatalogueHistory catalogue, TimeProvider clock, CancellationToken ct)
    {
        // Of one item the contacts are read beside the catalogue; a seller's items are known only when it was read.
        var (reading, now) = (catalogue.ReadOnAsync(ct), clock.GetUtcNow());
        if (query.ItemId is null)
        {
            await reading;
        }

        string[] items = query.ItemId is { } one ? [one] : query.DealerId is { } dealer ? [.. catalogue.ItemsOf(dealer).Select(item => item.Id)] : [];
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand("""
            select person_id, item_id, session_id, channel, occurred_at from (
                select distinct on (person_id, item_id) person_id, item_id, session_id, channel, occurred_at, position from features.facts
                where type = $1 and item_id = any($2) and person_id is not null and ($3::text is null or person_id = $3) and occurred_at > $4 and occurred_at <= $5
                order by person_id, item_id, occurred_at desc, position desc
            ) newest order by occurred_at desc, position desc limit $6
            """, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = EventTypes.Contacted });
        command.Parameters.Add(new NpgsqlParameter { Value = items });
        command.Parameters.Add(new NpgsqlParameter { Value = query.PersonId ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = query.Since.UtcDateTime });
        command.Parameters.Add(new NpgsqlParameter { Value = now.UtcDateTime });
        command.Parameters.Add(new NpgsqlParameter { Value = query.Limit });
        await command.PrepareAsync(ct);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reading;
        var found = new List<LeadContact>();
        while (await reader.ReadAsync(ct))
        {
            var item = reader.GetString(1);
            found.Add(new LeadContact(
                reader.GetString(0), item, reader.IsDBNull(2) ? null : reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3), reader.GetFieldValue<DateTimeOffset>(4),
                catalogue[item]?.At(now.UtcTicks)?.Item.SellerId));
        }

        return found;
    }
}

/// <summary>Answers <see cref="ReadFeatures"/> with the code that makes frames.</summary>
internal sealed class ReadFeaturesHandler(FeatureRegistry registry, PointInTime pointInTime, CatalogueHistory catalogue, TimeProvider clock)
{
    public async Task<IReadOnlyList<object?[]>> Handle(ReadFeatures query, CancellationToken ct)
    {
        var now = clock.GetUtcNow().UtcTicks;
        var plan = registry.PlanOf(query.Features);
        await catalogue.ReadOnAsync(ct);
        FrameRow[] rows = [.. query.Rows.Select(row => new FrameRow(Math.Min(row.At.UtcTicks, now), Ids(row), row.Request ?? Request.NoParameters))];
        var values = await new FrameEvaluation(pointInTime, catalogue, long.MaxValue).EvaluateAsync(plan, rows, ct);
        return [.. values.Select(line => Array.ConvertAll(line, value => value.Plain))];
    }

    private static Dictionary<Entity, string> Ids(SpineRow row) =>
        new[] { (Entity.User, row.UserId), (Entity.Item, row.ItemId), (Entity.Session, row.SessionId), (Entity.Dealer, row.DealerId), (Entity.Campaign, row.CampaignId) }
            .Where(pair => pair.Item2 is not null).ToDictionary(pair => pair.Item1, pair => pair.Item2!);
}
