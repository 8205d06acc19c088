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
        await catalogue.ReadOnAsync(ct);
        var now = clock.GetUtcNow();
        string[] items = query.ItemId is { } one ? [one] : query.DealerId is { } dealer ? [.. catalogue.ItemsOf(dealer).Select(item => item.Id)] : [];
        await using var command = database.CreateCommand("""
            select person_id, item_id, session_id, channel, occurred_at from (
                select distinct on (person_id, item_id) person_id, item_id, session_id, channel, occurred_at, position from features.facts
                where type = $1 and item_id = any($2) and person_id is not null and ($3::text is null or person_id = $3) and occurred_at > $4 and occurred_at <= $5
                order by person_id, item_id, occurred_at desc, position desc
            ) newest order by occurred_at desc, position desc limit $6
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = EventTypes.Contacted });
        command.Parameters.Add(new NpgsqlParameter { Value = items });
        command.Parameters.Add(new NpgsqlParameter { Value = query.PersonId ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = query.Since.UtcDateTime });
        command.Parameters.Add(new NpgsqlParameter { Value = now.UtcDateTime });
        command.Parameters.Add(new NpgsqlParameter { Value = query.Limit });
        await using var reader = await command.ExecuteReaderAsync(ct);
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
        FeatureId[] wanted = [.. query.Features.Select(name => registry.TryGet(name, out var feature) ? feature.Id : throw new FrameRefusedException($"There is no feature {name}."))];
        await catalogue.ReadOnAsync(ct);
        FrameRow[] rows = [.. query.Rows.Select(row => new FrameRow(Math.Min(row.At.UtcTicks, now), Ids(row), row.Request ?? Request.NoParameters))];
        var values = await new FrameEvaluation(pointInTime, catalogue, long.MaxValue).EvaluateAsync(new LeadPlan(registry, wanted), rows, ct);
        return [.. values.Select(line => Array.ConvertAll(line, value => value.Plain))];
    }

    private static Dictionary<Entity, string> Ids(SpineRow row) =>
        new[] { (Entity.User, row.UserId), (Entity.Item, row.ItemId), (Entity.Session, row.SessionId), (Entity.Dealer, row.DealerId), (Entity.Campaign, row.CampaignId) }
            .Where(pair => pair.Item2 is not null).ToDictionary(pair => pair.Item1, pair => pair.Item2!);
}
