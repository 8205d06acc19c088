using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace OKLA.Tracking.Schemas;

/// <summary>How much is lost with an event of a type; producers with a full queue drop the lower ones first.</summary>
internal enum ValueTier
{
    /// <summary>One of very many, such as an impression.</summary>
    Low,

    /// <summary>Says what somebody looks for.</summary>
    Normal,

    /// <summary>Says what somebody wants or did; money hangs on it.</summary>
    High,
}

/// <summary>One version of an event type: what producers send, and who answers for it.</summary>
/// <param name="Type">snake_case name, past tense.</param>
/// <param name="Version">From 1. Events of older versions are accepted and are read in the newest.</param>
/// <param name="Owner">Module that answers for its meaning.</param>
/// <param name="Tier">How much is lost with one.</param>
/// <param name="Description">One sentence: what happened.</param>
/// <param name="Fields">Its properties. Others may be sent too: they are kept, masked and not read.</param>
internal sealed record EventSchema(string Type, short Version, string Owner, ValueTier Tier, string Description, IReadOnlyList<Field> Fields)
{
    /// <summary>Whether the event names a catalogue item.</summary>
    public bool NeedsItem { get; init; }

    /// <summary>Whether somebody did it; otherwise it may come without identities.</summary>
    public bool NeedsPerson { get; init; } = true;

    /// <summary>Whether a server may report it of people whom it does not name.</summary>
    public bool IsReported { get; init; }

    /// <summary>Whether only a server with an API key, or an admin, may send it.</summary>
    public bool ServerOnly { get; init; }

    /// <summary>Whether an admin registered it.</summary>
    public bool IsCustom { get; init; }

    /// <summary>Changes a stored body of the version before this one into this one.</summary>
    public Action<JsonObject>? FromVersionBefore { get; init; }

    /// <summary>Number of required fields.</summary>
    public int RequiredCount { get; } = Fields.Count(field => field.IsRequired);

    /// <summary>Index of the declared property of that name; -1 when there is none.</summary>
    public int Find(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < Fields.Count; i++)
        {
            if (Fields[i].Is(name))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>A right event, whole.</summary>
    public JsonObject Example()
    {
        var example = new JsonObject { ["id"] = "0199a000-0000-7000-8000-000000000001", ["type"] = Type, ["schemaVersion"] = Version, ["occurredAt"] = "2026-01-05T08:00:00-04:00" };
        if (NeedsPerson)
        {
            example["anonymousId"] = "3f1c9a52-6d0e-4b7a-9c55-0c8f6f2b7a11";
            example["sessionId"] = "s-1";
        }

        if (NeedsItem)
        {
            example["itemId"] = "car-1042";
        }

        example["properties"] = new JsonObject([.. Fields.Select(field => KeyValuePair.Create(field.Name, JsonNode.Parse(field.Example)))]);
        return example;
    }

    /// <summary>The JSON Schema (draft 2020-12) of the whole event.</summary>
    public JsonObject ToJsonSchema()
    {
        var required = new List<string> { "id", "type", "occurredAt" };
        if (Version > 1 && !IsCustom)
        {
            required.Add("schemaVersion");
        }

        if (NeedsItem)
        {
            required.Add("itemId");
        }

        if (Fields.Any(field => field.IsRequired))
        {
            required.Add("properties");
        }

        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["$id"] = string.Create(CultureInfo.InvariantCulture, $"/api/events/schemas/{Type}?version={Version}"),
            ["title"] = Type,
            ["description"] = Description,
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["id"] = new JsonObject { ["type"] = "string", ["format"] = "uuid" },
                ["type"] = new JsonObject { ["const"] = Type },
                ["schemaVersion"] = new JsonObject { ["const"] = Version },
                ["occurredAt"] = new JsonObject { ["type"] = "string", ["format"] = "date-time" },
                ["sentAt"] = new JsonObject { ["type"] = "string", ["format"] = "date-time" },
                ["anonymousId"] = Name(),
                ["userId"] = Name(),
                ["sessionId"] = Name(),
                ["itemId"] = Name(),
                ["context"] = new JsonObject { ["type"] = "object" },
                ["properties"] = PropertiesSchema(),
            },
            ["required"] = List(required),
            ["additionalProperties"] = false,
        };
        if (NeedsPerson && !IsReported)
        {
            schema["anyOf"] = new JsonArray(new JsonObject { ["required"] = List(["anonymousId"]) }, new JsonObject { ["required"] = List(["userId"]) });
        }

        schema["examples"] = new JsonArray(Example());
        return schema;
    }

    /// <summary>The JSON Schema of the properties alone.</summary>
    public JsonObject PropertiesSchema()
    {
        var properties = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject([.. Fields.Select(field => KeyValuePair.Create(field.Name, (JsonNode?)field.ToJsonSchema()))]),
        };
        if (Fields.Any(field => field.IsRequired))
        {
            properties["required"] = List(Fields.Where(field => field.IsRequired).Select(field => field.Name));
        }

        return properties;
    }

    /// <summary>The type as a row of the docs' table (Markdown).</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"| `{Type}` | {Version} | {Tier.ToString().ToLowerInvariant()} | {Owner} | {Description}");
        if (ServerOnly)
        {
            text.Append(" Servers only.");
        }

        text.Append(" | ");
        text.AppendJoin("; ", Fields.Select(field => $"`{field.Name}`{(field.IsRequired ? " (required)" : "")}: {field.Say()}").Prepend(NeedsItem ? "`itemId` (required)" : "").Where(part => part.Length > 0));
        return text.Append(" |").ToString();
    }

    private static JsonObject Name() => new() { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = 200 };

    private static JsonArray List(IEnumerable<string> names) => new([.. names.Select(name => JsonValue.Create(name))]);
}
