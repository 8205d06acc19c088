using System.Runtime.CompilerServices;
using Npgsql;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Facts;

/// <summary>Reads the facts about entities, each in the order in which it became visible; the only way to them, online and offline.</summary>
internal sealed class FactStore(NpgsqlDataSource database)
{
    private const string Columns = "f.position, f.type, f.occurred_at, f.known_at, f.person_id, f.item_id, f.session_id, f.dealer_id, f.campaign_id, f.channel, f.device, f.make, f.body_type, f.amount, f.extent";

    private const string Visible = "f.type = any($1) and f.occurred_at <= $2 and f.known_at <= $2 and f.position <= $3";

    /// <summary>Who was who, as the log told it of these people up to a position.</summary>
    public Task<PersonLinks> LinksAsync(IReadOnlyCollection<string> people, long upTo, CancellationToken ct) => PersonLinks.ReadAsync(database, people, upTo, ct);

    /// <summary>Who one person was and every fact that was visible by a time, in one round trip: the facts of all ids that were ever linked with hers.</summary>
    /// <param name="id">The person.</param>
    /// <param name="types">Types of events that matter.</param>
    /// <param name="visibleBy">UTC ticks: event time and known-at time are both at or before this.</param>
    /// <param name="upTo">Last place in the log.</param>
    /// <param name="catalogue">What was known of the items.</param>
    /// <param name="catalogueIsRead">Completes when it is read as far as it has to be.</param>
    /// <param name="ct">Stops the reading.</param>
    public async Task<(PersonLinks Links, IReadOnlyList<Fact> Facts)> ReadPersonAsync(
        string id, IReadOnlyList<string> types, long visibleBy, long upTo, CatalogueHistory catalogue, Task catalogueIsRead, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(PersonLinks.Sql(ofSome: true)) { Parameters = { new() { Value = upTo }, new() { Value = new[] { id } } } },
                new NpgsqlBatchCommand($"""
                    select 0, {Columns} from features.facts f where f.person_id = any(array(
                        with users as (select $4::text as id union select user_id from features.person_links where anonymous_id = $4)
                        select id from users union select l.anonymous_id from users join features.person_links l on l.user_id = users.id)) and {Visible}
                    order by greatest(occurred_at, known_at), position
                    """)
                {
                    Parameters = { new() { Value = types.ToArray() }, new() { Value = new DateTime(visibleBy, DateTimeKind.Utc) }, new() { Value = upTo }, new() { Value = id } },
                },
            },
        };
        await batch.PrepareAsync(ct);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        var links = await PersonLinks.ReadAsync(reader, ct);
        await reader.NextResultAsync(ct);
        await catalogueIsRead;
        var (facts, names) = (new List<Fact>(), new Dictionary<string, string>(StringComparer.Ordinal));
        while (await reader.ReadAsync(ct))
        {
            facts.Add(Read(reader, names, catalogue));
        }

        return (links, facts);
    }

    /// <summary>Every fact that was visible by a time, owner by owner.</summary>
    /// <param name="entity">Kind of the owners; not a lead.</param>
    /// <param name="owners">The ids of each owner; several only of a person, see <see cref="PersonLinks"/>.</param>
    /// <param name="types">Types of events that matter.</param>
    /// <param name="visibleBy">UTC ticks: event time and known-at time are both at or before this.</param>
    /// <param name="upTo">Last place in the log.</param>
    /// <param name="catalogue">What was known of the items.</param>
    /// <param name="catalogueIsRead">Completes when it is read as far as it has to be; the facts are asked for meanwhile.</param>
    /// <param name="ct">Stops the reading.</param>
    /// <returns>The owner's place in <paramref name="owners"/>, ascending, and the fact.</returns>
    public async IAsyncEnumerable<(int Owner, Fact Fact)> ReadAsync(
        Entity entity, IReadOnlyList<IReadOnlyList<string>> owners, IReadOnlyList<string> types, long visibleBy, long upTo, CatalogueHistory catalogue, Task catalogueIsRead,
        [EnumeratorCancellation] CancellationToken ct)
    {
        if (entity == Entity.Dealer)
        {
            // Which items are a seller's stands in the catalogue.
            await catalogueIsRead;
        }

        var (places, keys) = (new List<int>(owners.Count), new List<string>(owners.Count));
        for (var owner = 0; owner < owners.Count; owner++)
        {
            foreach (var key in entity == Entity.Dealer ? catalogue.ItemsOf(owners[owner][0]).Select(item => item.Id) : owners[owner])
            {
                places.Add(owner);
                keys.Add(key);
            }
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(Sql(entity), connection);
        command.Parameters.Add(new NpgsqlParameter { Value = types.ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = new DateTime(visibleBy, DateTimeKind.Utc) });
        command.Parameters.Add(new NpgsqlParameter { Value = upTo });
        command.Parameters.Add(new NpgsqlParameter { Value = places.ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = keys.ToArray() });
        if (entity == Entity.Dealer)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = owners.Select(owner => owner[0]).ToArray() });
        }

        await command.PrepareAsync(ct);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await catalogueIsRead;
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        var more = await reader.ReadAsync(ct);
        for (var owner = 0; owner < owners.Count; owner++)
        {
            using var said = StatementsOf(entity, owners[owner][0], types, visibleBy, catalogue).GetEnumerator();
            var saying = said.MoveNext();
            while (more && reader.GetInt32(0) == owner)
            {
                var fact = Read(reader, names, catalogue);
                for (; saying && (said.Current.VisibleAt, said.Current.Position).CompareTo((fact.VisibleAt, fact.Position)) < 0; saying = said.MoveNext())
                {
                    yield return (owner, said.Current);
                }

                // An item may change hands: what happened to it belongs to the seller of that time.
                if (entity != Entity.Dealer || fact.DealerId is not null || fact.Item?.Item.SellerId == owners[owner][0])
                {
                    yield return (owner, fact);
                }

                more = await reader.ReadAsync(ct);
            }

            for (; saying; saying = said.MoveNext())
            {
                yield return (owner, said.Current);
            }
        }
    }

    private static string Sql(Entity entity)
    {
        string From(string column) => $"from unnest($4, $5) o (owner, key) join features.facts f on f.{column} = o.key where {Visible}";
        const string Order = "order by owner, greatest(occurred_at, known_at), position";
        return entity switch
        {
            Entity.User => $"select owner, {Columns} {From("person_id")} {Order}",
            Entity.Item => $"select owner, {Columns} {From("item_id")} {Order}",
            Entity.Session => $"select owner, {Columns} {From("session_id")} {Order}",
            Entity.Campaign => $"select owner, {Columns} {From("campaign_id")} {Order}",
            Entity.Dealer => $"""
                select * from (
                    select owner, {Columns} {From("item_id")} and f.dealer_id is null
                    union all
                    select (d.owner - 1)::int, {Columns} from unnest($6) with ordinality d (id, owner) join features.facts f on f.dealer_id = d.id where {Visible}
                ) facts
                {Order}
                """,
            _ => throw new ArgumentOutOfRangeException(nameof(entity), entity, "It has no facts of its own."),
        };
    }

    private static Fact Read(NpgsqlDataReader row, Dictionary<string, string> names, CatalogueHistory catalogue)
    {
        // The same few words stand in most rows.
        string? Word(int column)
        {
            if (row.IsDBNull(column))
            {
                return null;
            }

            var text = row.GetString(column);
            if (!names.TryGetValue(text, out var known) && names.Count < 100_000)
            {
                names.Add(text, known = text);
            }

            return known ?? text;
        }

        var (occurred, known) = (row.GetDateTime(3).Ticks, row.GetDateTime(4).Ticks);
        var item = Word(6);
        return new Fact
        {
            Position = row.GetInt64(1),
            Type = Word(2)!,
            OccurredAt = occurred,
            KnownAt = known,
            PersonId = Word(5),
            ItemId = item,
            SessionId = row.IsDBNull(7) ? null : row.GetString(7),
            DealerId = Word(8),
            CampaignId = Word(9),
            Channel = Word(10),
            Device = Word(11),
            Make = Word(12),
            BodyType = Word(13),
            Amount = row.IsDBNull(14) ? null : row.GetDouble(14),
            Extent = row.IsDBNull(15) ? null : row.GetDouble(15),
            Item = catalogue[item]?.At(Math.Max(occurred, known)),
        };
    }

    /// <summary>What the catalogue said about an item, or about a seller's items, as facts.</summary>
    private static IEnumerable<Fact> StatementsOf(Entity entity, string id, IReadOnlyList<string> types, long visibleBy, CatalogueHistory catalogue)
    {
        var items = entity switch
        {
            Entity.Item => catalogue[id] is { } item ? [item] : [],
            Entity.Dealer => catalogue.ItemsOf(id),
            _ => Enumerable.Empty<ItemHistory>(),
        };
        var facts = items.SelectMany(item => item.Statements.Where(said => said.VisibleAt <= visibleBy && types.Contains(TypeOf(said)))
                .Select(said => new Fact { Position = said.Position, Type = TypeOf(said), OccurredAt = said.OccurredAt, KnownAt = said.KnownAt, ItemId = item.Id, Item = item.At(said.VisibleAt) }))
            .Where(fact => entity == Entity.Item || fact.Item?.Item.SellerId == id);
        return entity == Entity.Dealer ? facts.OrderBy(fact => fact.VisibleAt).ThenBy(fact => fact.Position) : facts;
    }

    private static string TypeOf(ItemStatement said) => said.Change switch
    {
        "listed" => EventTypes.ItemListed,
        "updated" => EventTypes.ItemUpdated,
        "repriced" => EventTypes.ItemPriceChanged,
        "sold" => EventTypes.ItemSold,
        _ => EventTypes.ItemWithdrawn,
    };
}
