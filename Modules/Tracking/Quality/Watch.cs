using System.Collections.Frozen;
using System.Text.Json;
using Dapper;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Tracking.Catalog;
using OKLA.Tracking.Schemas;

namespace OKLA.Tracking.Quality;

/// <summary>What is looked at: the fields of every event type and of every kind of item, and what is expected of them.</summary>
internal sealed class Watch
{
    /// <summary>Field that stands for the record as a whole.</summary>
    public const string Whole = "*";

    /// <summary>What the type of an item's rows begins with.</summary>
    public const string ItemPrefix = "item:";

    private static readonly string[] Identities = ["anonymousId", "userId", "sessionId", "itemId"];
    private static readonly string[] ItemEvents = [EventTypes.ItemListed, EventTypes.ItemUpdated];

    private readonly FrozenDictionary<string, FieldRule[]> rules;
    private readonly FrozenDictionary<string, FrozenSet<string>> declared;

    /// <summary>Derives rules and expectations from the schemas and puts the admins' over them.</summary>
    /// <param name="schemas">Event types, newest version each.</param>
    /// <param name="kinds">Kinds of items.</param>
    /// <param name="own">Expectations that admins put.</param>
    public Watch(IEnumerable<EventSchema> schemas, IEnumerable<KindSchema> kinds, IReadOnlyCollection<Expectation> own)
    {
        var all = schemas.ToDictionary(schema => schema.Type, RulesOf, StringComparer.Ordinal);
        foreach (var kind in kinds)
        {
            all[ItemPrefix + kind.Kind] = RulesOf(kind);
        }

        declared = all.ToFrozenDictionary(type => type.Key, type => type.Value.Select(rule => rule.Field).ToFrozenSet(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var expectation in own.Where(item => item.Field != Whole && item.Enabled && all.ContainsKey(item.Type)))
        {
            var ofType = all[expectation.Type];
            var place = ofType.FindIndex(rule => rule.Field == expectation.Field);
            if (place < 0)
            {
                place = ofType.Count;
                ofType.Add(new FieldRule(expectation.Field, PathOf(expectation.Type, expectation.Field), FieldKind.Text) { IsTyped = false });
            }

            ofType[place] = expectation.Kind switch
            {
                ExpectationKind.Range => ofType[place] with { Min = expectation.Min, Max = expectation.Max },
                ExpectationKind.Set => ofType[place] with { Values = expectation.Values ?? [] },
                ExpectationKind.Completeness => ofType[place] with { IsRequired = expectation.Required },
                ExpectationKind.Uniqueness => ofType[place] with { IsIdentity = true },
                _ => ofType[place],
            };
        }

        rules = all.ToFrozenDictionary(type => type.Key, type => type.Value.ToArray(), StringComparer.Ordinal);
        var expectations = rules.SelectMany(type => Derive(type.Key, type.Value, declared[type.Key])).ToDictionary(item => (item.Type, item.Field, item.Kind));
        foreach (var item in own)
        {
            expectations[(item.Type, item.Field, item.Kind)] = item;
        }

        Expectations = [.. expectations.Values.OrderBy(item => item.Name, StringComparer.Ordinal)];
    }

    /// <summary>Every expectation, by name.</summary>
    public IReadOnlyList<Expectation> Expectations { get; }

    /// <summary>Reads schemas, kinds and the admins' expectations.</summary>
    public static async Task<Watch> LoadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var custom = (await CustomSchemas.ReadAsync(connection, null, ct)).GroupBy(schema => schema.Type).Select(versions => versions.Last());
        var kinds = (await connection.QueryAsync<string>(new CommandDefinition(
            "select distinct on (kind) schema::text from tracking.kinds order by kind, version desc", cancellationToken: ct)))
            .Select(json => JsonSerializer.Deserialize<KindSchema>(json, EventJson.Options)!).ToList();
        var own = (await connection.QueryAsync<string>(new CommandDefinition("select body::text from tracking.quality_expectations", cancellationToken: ct)))
            .Select(json => JsonSerializer.Deserialize<Expectation>(json, EventJson.Options)!).ToList();
        return new Watch(
            EventCatalogue.Types.Values.Select(versions => versions[^1]).Concat(custom),
            KindSchema.BuiltIn.ExceptBy(kinds.Select(kind => kind.Kind), kind => kind.Kind).Concat(kinds), own);
    }

    /// <summary>The rules of a type of rows; none for a type that is not looked at.</summary>
    public IReadOnlyList<FieldRule> RulesOf(string type) => rules.GetValueOrDefault(type, []);

    /// <summary>The rule of a field; null when it is not looked at.</summary>
    public FieldRule? Find(string type, string field) => RulesOf(type).FirstOrDefault(rule => rule.Field == field);

    /// <summary>Whether rows of the type are looked at.</summary>
    public bool Knows(string type) => rules.ContainsKey(type);

    /// <summary>Whether a schema names the field, so that its coming and going is the completeness expectation's.</summary>
    public bool Declares(string type, string field) => declared.TryGetValue(type, out var fields) && fields.Contains(field);

    /// <summary>Types of events whose rows are of a type.</summary>
    public static IReadOnlyCollection<string> EventsOf(string type) => type.StartsWith(ItemPrefix, StringComparison.Ordinal) ? ItemEvents : [type];

    /// <summary>Type of an event's row; null when it is not looked at.</summary>
    public string? TypeOf(string eventType, JsonElement body)
    {
        if (!ItemEvents.Contains(eventType))
        {
            return Knows(eventType) ? eventType : null;
        }

        var type = body.ValueKind == JsonValueKind.Object && body.TryGetProperty("item", out var item) && item.ValueKind == JsonValueKind.Object
            && item.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.String ? ItemPrefix + kind.GetString() : null;
        return type is not null && Knows(type) ? type : null;
    }

    /// <summary>The object in a body whose property names are the type's shape.</summary>
    public static JsonElement PropertiesOf(string type, JsonElement body)
    {
        var isItem = type.StartsWith(ItemPrefix, StringComparison.Ordinal);
        foreach (var name in isItem ? ItemAttributes : EventProperties)
        {
            if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty(name, out body))
            {
                return default;
            }
        }

        return body;
    }

    /// <summary>Name of a property of <see cref="PropertiesOf"/> as a field.</summary>
    public static string FieldOf(string type, string property) => type.StartsWith(ItemPrefix, StringComparison.Ordinal) ? $"attributes.{property}" : property;

    private static readonly string[] ItemAttributes = ["item", "attributes"];
    private static readonly string[] EventProperties = ["properties"];

    private static string[] PathOf(string type, string field) =>
        type.StartsWith(ItemPrefix, StringComparison.Ordinal) ? ["item", .. field.Split('.')]
        : Identities.Contains(field) ? [field]
        : field.StartsWith("context.", StringComparison.Ordinal) ? field.Split('.')
        : ["properties", field];

    private static List<FieldRule> RulesOf(EventSchema schema)
    {
        var identities = Identities.Select(name => new FieldRule(name, [name], FieldKind.Id)
        {
            IsRequired = name == "itemId" && schema.NeedsItem,
            IsIdentity = name is "anonymousId" or "sessionId",
        });
        return
        [
            .. identities,
            .. schema.Fields.Select(field => new FieldRule(field.Name, ["properties", field.Name], field.Kind)
            {
                IsList = field.MaxItems > 0,
                IsRequired = field.IsRequired,
                Min = field.Min,
                Max = field.Max,
                Values = field.MaxItems > 0 ? [] : field.Values,
            }),
        ];
    }

    private static List<FieldRule> RulesOf(KindSchema kind)
    {
        var type = ItemPrefix + kind.Kind;
        FieldRule Of(string field, FieldKind what) => new(field, PathOf(type, field), what);
        return
        [
            Of("title", FieldKind.Text) with { IsRequired = true },
            Of("price.amount", FieldKind.Number) with { Min = 0 },
            Of("price.currency", FieldKind.Id) with { HasCategories = true },
            Of("place", FieldKind.Text),
            Of("sellerId", FieldKind.Id),
            .. kind.Attributes.Select(attribute => Of($"attributes.{attribute.Key}", attribute.Value.Type switch
            {
                "number" => FieldKind.Number,
                "boolean" => FieldKind.Flag,
                _ => FieldKind.Text,
            }) with
            {
                IsRequired = attribute.Value.Required,
                Min = attribute.Value.Min,
                Max = attribute.Value.Max,
                Values = attribute.Value.Values ?? [],
                HasCategories = attribute.Value.Type == "text",
            }),
        ];
    }

    private static IEnumerable<Expectation> Derive(string type, FieldRule[] fields, FrozenSet<string> declared)
    {
        Expectation Of(string field, ExpectationKind kind, Severity severity) => new(Expectation.NameOf(type, field, kind), type, field, kind, severity);
        yield return Of(Whole, ExpectationKind.Schema, Severity.Info);
        if (!type.StartsWith(ItemPrefix, StringComparison.Ordinal))
        {
            // Items come in lots, as a dealer or a file brings them; of those neither volume nor silence says anything.
            yield return Of(Whole, ExpectationKind.Volume, Severity.Warning);
            yield return Of(Whole, ExpectationKind.Freshness, Severity.Error);
        }

        foreach (var field in fields.Where(field => declared.Contains(field.Field)))
        {
            yield return Of(field.Field, ExpectationKind.Completeness, field.IsRequired ? Severity.Error : Severity.Warning) with { Required = field.IsRequired };
            yield return Of(field.Field, ExpectationKind.Type, Severity.Error);
            if (field.Min is not null || field.Max is not null)
            {
                yield return Of(field.Field, ExpectationKind.Range, Severity.Error) with { Min = field.Min, Max = field.Max };
            }

            if (field.Values.Count > 0)
            {
                yield return Of(field.Field, ExpectationKind.Set, Severity.Error) with { Values = field.Values };
            }

            if (field.IsIdentity)
            {
                yield return Of(field.Field, ExpectationKind.Uniqueness, Severity.Warning);
            }

            if (field.HasShape)
            {
                yield return Of(field.Field, ExpectationKind.Drift, Severity.Warning);
            }
        }
    }
}
