using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OKLA.Host;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Tracking.Ingest;
using OKLA.Tracking.Schemas;

namespace OKLA.Tests.Modules.Tracking.Schemas;

public sealed class EventCatalogueTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly string Folder = Path.Combine(HostFolders.ContentRoot(), "tests/OKLA.Tests/Modules/Tracking/Schemas/Stored");

    private static IEnumerable<EventSchema> All => EventCatalogue.Types.Values.SelectMany(versions => versions);

    private static IEnumerable<string> Names => All.Select(schema => $"{schema.Type}.{schema.Version}").Order(StringComparer.Ordinal);

    [Test]
    public void Every_type_that_the_marketplace_sends_is_declared() =>
        new[]
        {
            EventTypes.PageViewed, EventTypes.ItemViewed, EventTypes.Searched, EventTypes.ListViewed, EventTypes.FilterApplied, EventTypes.SortApplied, EventTypes.FavoriteAdded,
            EventTypes.FavoriteRemoved, EventTypes.FeedbackGiven, EventTypes.Rated, EventTypes.Contacted, EventTypes.TestDriveRequested, EventTypes.OfferMade, EventTypes.Sold,
            EventTypes.Attended, EventTypes.Shared, EventTypes.RecommendationShown, EventTypes.RecommendationClicked, EventTypes.CampaignImpression, EventTypes.CampaignClick,
            EventTypes.CampaignApplication, EventTypes.CampaignConversion, EventTypes.CampaignCostRecorded, EventTypes.SessionStarted, EventTypes.SessionEnded,
        }.ShouldBeSubsetOf(EventCatalogue.Types.Keys);

    [Test]
    public void Versions_count_from_one_and_each_later_one_says_how_to_get_there()
    {
        foreach (var versions in EventCatalogue.Types.Values)
        {
            versions.Select(schema => (int)schema.Version).ShouldBe(Enumerable.Range(1, versions.Length));
            versions.Select(schema => schema.FromVersionBefore is not null).ShouldBe(versions.Select(schema => schema.Version > 1), versions[0].Type);
        }
    }

    [TestCaseSource(nameof(Names))]
    public void The_example_of_a_schema_is_right_by_it(string name)
    {
        var schema = Of(name);

        Read(schema.Example().ToJsonString()).Rejection.ShouldBeNull();
        JsonNode.DeepEquals(schema.ToJsonSchema()["examples"]![0], schema.Example()).ShouldBeTrue();
    }

    [TestCaseSource(nameof(Names))]
    public void A_missing_required_field_is_named(string name)
    {
        var schema = Of(name);
        foreach (var field in schema.Fields.Where(field => field.IsRequired))
        {
            var without = schema.Example();
            without["properties"]!.AsObject().Remove(field.Name);
            Read(without.ToJsonString()).Rejection!.Field.ShouldBe($"properties.{field.Name}");

            var empty = schema.Example();
            empty["properties"]![field.Name] = null;
            Read(empty.ToJsonString()).Rejection!.Field.ShouldBe($"properties.{field.Name}");
        }
    }

    [TestCaseSource(nameof(Names))]
    public void A_value_beyond_what_the_schema_says_is_named(string name)
    {
        var schema = Of(name);
        foreach (var field in schema.Fields)
        {
            foreach (var wrong in Wrong(field))
            {
                var broken = schema.Example();
                broken["properties"]![field.Name] = wrong?.DeepClone();
                Read(broken.ToJsonString()).Rejection.ShouldBe(new Rejection($"properties.{field.Name}", $"Must be {field.Say()}."), wrong?.ToJsonString());
            }
        }
    }

    /// <summary>Files of what the log held when a version was current. They are never rewritten: an event that was stored must still be read.</summary>
    [TestCaseSource(nameof(Names))]
    public void A_stored_event_of_each_version_still_reads_in_the_newest(string name)
    {
        var schema = Of(name);
        var file = Path.Combine(Folder, name + ".json");
        var stored = Read(schema.Example().ToJsonString()).Event.Event;
        if (!File.Exists(file))
        {
            Directory.CreateDirectory(Folder);
            File.WriteAllText(file, Pretty(stored.Data.ToArray()));
            Assert.Fail($"{name}.json is new; it was written as events of this version are stored now. Keep it with the schema.");
        }

        var old = new RecordedEvent(1, Guid.NewGuid(), "visitor-x", 1, schema.Type, schema.Version, Encoding.UTF8.GetBytes(File.ReadAllText(file)), Now, Now);
        var read = new Upcasts(EventCatalogue.Upcasts).Apply(old);

        var newest = EventCatalogue.Types[schema.Type][^1];
        read.SchemaVersion.ShouldBe(newest.Version);
        var body = read.Read<BehaviourEvent>();
        var whole = newest.Example();
        whole["properties"] = body.Properties is { } properties ? JsonNode.Parse(properties.GetRawText()) : null;
        Read(whole.ToJsonString()).Rejection.ShouldBeNull();
        JsonElement.DeepEquals(JsonDocument.Parse(File.ReadAllText(file)).RootElement, JsonDocument.Parse(stored.Data).RootElement).ShouldBeTrue("What is stored now differs from what was stored under the same version.");
    }

    [Test]
    public void A_contact_from_before_the_channel_was_asked_for_reads_with_an_unknown_one()
    {
        var data = Encoding.UTF8.GetBytes("""{"anonymousId":"a","itemId":"car-1","properties":{"surface":"for_you"}}""");
        var bare = Encoding.UTF8.GetBytes("""{"anonymousId":"a","itemId":"car-1"}""");
        var upcasts = new Upcasts(EventCatalogue.Upcasts);

        foreach (var (body, expected) in new[] { (data, """{"surface":"for_you","channel":"unknown"}"""), (bare, """{"channel":"unknown"}""") })
        {
            var read = upcasts.Apply(new RecordedEvent(7, Guid.NewGuid(), "visitor-a", 1, EventTypes.Contacted, 1, body, Now, Now));

            read.SchemaVersion.ShouldBe((short)2);
            read.Read<BehaviourEvent>().Properties!.Value.GetRawText().ShouldBe(expected);
        }
    }

    private static EventSchema Of(string name) => All.Single(schema => $"{schema.Type}.{schema.Version}" == name);

    private static ParsedEvent Read(string json) =>
        new EventParser(Encoding.UTF8.GetBytes(json), new Sender(true, null, false, false, null, null), SchemaSet.BuiltIn, new TrackingOptions(), Now).Parse(out _)[0];

    private static IEnumerable<JsonNode?> Wrong(Field field)
    {
        yield return JsonNode.Parse("{\"a\":1}") is var map && field.Kind == FieldKind.Map && field.MaxItems == 0 ? JsonValue.Create(5) : map;
        if (field.MaxItems > 0)
        {
            yield return JsonValue.Create("one");
            yield return new JsonArray([.. Enumerable.Range(0, field.MaxItems + 1).Select(_ => JsonValue.Create("x"))]);
            yield return new JsonArray(new JsonArray(JsonValue.Create("x")));
            yield return new JsonArray(JsonValue.Create(true));
            yield break;
        }

        if (field.Kind is FieldKind.Number or FieldKind.Integer)
        {
            yield return JsonValue.Create(field.Min!.Value - 1);
            yield return JsonValue.Create(field.Max!.Value + 1);
            yield return JsonValue.Create("1");
        }

        if (field.Kind == FieldKind.Integer)
        {
            yield return JsonValue.Create(field.Min!.Value + 0.5);
        }

        if (field.Kind is FieldKind.Text or FieldKind.Id)
        {
            yield return JsonValue.Create("");
            yield return JsonValue.Create(new string('x', field.MaxLength + 1));
            yield return JsonValue.Create(1);
        }

        if (field.Kind == FieldKind.Flag)
        {
            yield return JsonValue.Create("true");
        }
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Pretty(byte[] json) => JsonSerializer.Serialize(JsonDocument.Parse(json).RootElement, Indented) + "\n";
}
