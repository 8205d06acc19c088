using System.Net;
using System.Text;
using System.Text.Json;
using OKLA.Tracking.Ingest;
using OKLA.Tracking.Privacy;
using OKLA.Tracking.Schemas;

namespace OKLA.Tests.Modules.Tracking.Ingest;

public sealed class EventParserTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AddressKey Key = new(new DateOnly(2026, 6, 1), new byte[32]);
    private static readonly Sender Browser = new(false, null, false, false, Key, "abcd");
    private static readonly Sender Server = new(true, null, false, false, Key, null);

    [Test]
    public void A_browser_names_only_the_user_that_its_token_proves()
    {
        var unproved = Read(Event("\"userId\":\"u1\""), Browser);
        Data(unproved).ShouldBe("""{"anonymousId":"a","itemId":"c","context":{"ipHash":"abcd"}}""");
        unproved.Remark!.Field.ShouldBe("userId");

        var proved = Read(Event("\"userId\":\"u1\""), Browser with { UserId = "u1" });
        (Field(proved, "userId"), proved.Remark).ShouldBe(("u1", null));
        Field(Read(Event("\"userId\":\"u1\""), Browser with { UserId = "u2" }), "userId").ShouldBeNull();
        Field(Read(Event("\"userId\":\"u1\""), Server), "userId").ShouldBe("u1");
        Read(Event("\"userId\":\"u1\"").Replace("\"anonymousId\":\"a\",", ""), Browser).Rejection!.Field.ShouldBe("userId");
    }

    [Test]
    public void Costs_and_sales_are_taken_from_servers_only()
    {
        var cost = Event("\"properties\":{\"campaignId\":\"v\",\"amount\":5,\"currency\":\"DOP\"}", "campaign_cost_recorded").Replace("\"anonymousId\":\"a\",", "");

        Read(cost, Browser).Rejection!.Field.ShouldBe("type");
        Read(cost, Server).Event.StreamId.ShouldBe("unidentified-20260601");
    }

    [TestCase("\"necessary\"", false)]
    [TestCase("\"analytics\"", true)]
    [TestCase("\"marketing\"", true)]
    [TestCase("[]", false)]
    [TestCase("[\"marketing\"]", false)]
    [TestCase("[\"analytics\",\"marketing\"]", true)]
    [TestCase("null", true)]
    public void Without_consent_to_analytics_an_event_only_counts(string consent, bool follows)
    {
        var json = Event($"\"sessionId\":\"s\",\"context\":{{\"consent\":{consent},\"page\":\"/x\"}},\"properties\":{{\"rating\":4,\"comment\":\"muy bien\",\"mine\":\"x\"}}", "rated");

        var parsed = Read(json, Browser);

        parsed.Rejection.ShouldBeNull();
        (parsed.Event.StreamId == "visitor-a").ShouldBe(follows);
        if (!follows)
        {
            Data(parsed).ShouldBe("""{"itemId":"c","context":{"consent":"necessary"},"properties":{"rating":4}}""");
        }
    }

    [Test]
    public void A_request_that_objects_outweighs_what_its_events_say()
    {
        var parsed = Read(Event("\"context\":{\"consent\":\"marketing\"}"), Browser with { Objects = true });

        (parsed.Event.StreamId, Data(parsed)).ShouldBe(("unidentified-20260601", """{"itemId":"c","context":{"consent":"necessary"}}"""));
    }

    [Test]
    public void Without_consent_no_identity_is_asked_for_and_a_rejected_event_leaves_no_body()
    {
        var json = Event("\"context\":{\"consent\":\"necessary\"}").Replace("\"anonymousId\":\"a\",", "");
        Read(json, Browser).Rejection.ShouldBeNull();

        Read(json.Replace("\"itemId\":\"c\",", ""), Browser).Source!.Body.ShouldBeNull();
        Read(Event("\"context\":{\"consent\":\"everything\"}"), Browser).Source!.Body.ShouldBeNull();
        Read(Event("\"context\":{}").Replace("\"itemId\":\"c\",", ""), Browser).Source!.Body.ShouldNotBeNull();
    }

    [Test]
    public void Words_are_masked_wherever_they_stand_and_names_of_things_are_not()
    {
        var parsed = Read(
            Event("""
                "properties":{"query":"llama al 809-555-1234","itemIds":["8095551234"],"filters":{"texto":["a@b.com"]},"otro":{"tel":"\u0038095551234"}},
                "context":{"page":"/x?e=ana%40mail.com"}
                """, "searched"), Browser);

        Data(parsed).ShouldBe("""{"anonymousId":"a","itemId":"c","context":{"page":"/x?e=[correo]","ipHash":"abcd"},"properties":{"query":"llama al [teléfono]","itemIds":["8095551234"],"filters":{"texto":["[correo]"]},"otro":{"tel":"[teléfono]"}}}""");
    }

    [Test]
    public void An_address_is_never_stored_and_a_server_s_becomes_its_hash()
    {
        var json = Event("\"context\":{\"ip\":\"190.80.1.2\",\"bot\":false,\"ipHash\":\"mine\"}");

        Data(Read(json, Browser with { IsBot = true })).ShouldBe("""{"anonymousId":"a","itemId":"c","context":{"ip":null,"bot":null,"ipHash":null,"ipHash":"abcd","bot":true}}""");
        Data(Read(json, Server)).ShouldBe($$$"""{"anonymousId":"a","itemId":"c","context":{"ip":null,"bot":null,"ipHash":null,"ipHash":"{{{Key.Hash(IPAddress.Parse("190.80.1.2"))}}}"}}""");
        RejectedEvents.MaskedJson(Encoding.UTF8.GetBytes("""{"userId":"x","context":{"ip":"190.80.1.2","ipHash":[1]},"properties":{"c":"a@b.co"}}"""))
            .ShouldBe("""{"userId":"x","context":{"ip":null,"ipHash":null},"properties":{"c":"[correo]"}}""");
    }

    [Test]
    public void An_address_has_one_hash_a_day()
    {
        var tomorrow = new AddressKey(new DateOnly(2026, 6, 2), [.. Enumerable.Repeat((byte)7, 32)]);
        var address = IPAddress.Parse("190.80.1.2");

        Key.Hash(address).ShouldBe(Key.Hash(IPAddress.Parse("::ffff:190.80.1.2")));
        Key.Hash(address).ShouldNotBe(tomorrow.Hash(address));
        Key.Hash(address).ShouldNotBe(Key.Hash(IPAddress.Parse("190.80.1.3")));
    }

    [Test]
    public void The_event_time_is_corrected_by_the_two_clocks_and_the_claimed_one_is_kept()
    {
        var json = Event("\"sentAt\":\"2026-06-01T13:00:00Z\"").Replace("2026-06-01T11:00:00Z", "2026-06-01T12:50:00Z");

        var parsed = Read(json, Browser);

        parsed.Event.Event.OccurredAt.ShouldBe(Now.AddMinutes(-10));
        Field(parsed, "claimedAt").ShouldBe("2026-06-01T12:50:00.0000000+00:00");
    }

    [TestCase("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")]
    [TestCase("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z")]
    public void Times_whose_difference_is_beyond_the_calendar_are_refused(string occurredAt, string sentAt) =>
        Read(Event($"\"sentAt\":\"{sentAt}\"").Replace("2026-06-01T11:00:00Z", occurredAt), Browser).Rejection!.Field.ShouldBe("occurredAt");

    [TestCase("\"properties\":{\"rating\":4}", 1, null)]
    [TestCase("\"schemaVersion\":3", 1, "schemaVersion")]
    [TestCase("\"schemaVersion\":0", 1, "schemaVersion")]
    [TestCase("\"schemaVersion\":\"2\"", 1, "schemaVersion")]
    [TestCase("\"schemaVersion\":2", 2, "properties.channel")]
    [TestCase("\"properties\":{},\"schemaVersion\":2", 2, "properties.channel")]
    [TestCase("\"properties\":{\"channel\":\"chat\"},\"schemaVersion\":2", 2, null)]
    public void An_event_is_held_to_the_version_it_names_and_to_the_first_without_one(string fields, int version, string? field)
    {
        var parsed = Read(Event(fields, "contacted"), Browser);

        parsed.Rejection?.Field.ShouldBe(field);
        if (field is null) parsed.Event.Event.SchemaVersion.ShouldBe((short)version);
    }

    [TestCase("\"itemId\":\"d\"", "itemId")]
    [TestCase("\"properties\":{\"position\":1,\"position\":2}", "properties.position")]
    [TestCase("\"properties\":{\"pos\\u0069tion\":\"x\"}", "properties.position")]
    [TestCase("\"\\ud800\":1", "")]
    [TestCase("\"properties\":{\"\\ud800\":1}", "properties")]
    public void A_name_given_twice_or_not_readable_is_refused(string fields, string field) => Read(Event(fields), Browser).Rejection!.Field.ShouldBe(field);

    [Test]
    public void Bytes_that_are_not_UTF_8_cost_only_their_own_event()
    {
        var bad = Encoding.Latin1.GetBytes($"[{Event("\"context\":{\"page\":\"ñ\"}")},{Event("\"context\":{}")}]");

        var events = new EventParser(bad, Browser, SchemaSet.BuiltIn, new TrackingOptions(), Now).Parse(out _);

        events.Select(parsed => parsed.Rejection is null).ShouldBe([false, true]);
    }

    [TestCase("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36", false)]
    [TestCase("Mozilla/5.0 (Linux; Android 13; CUBOT P80) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36", false)]
    [TestCase("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", true)]
    [TestCase("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/130.0 Safari/537.36", true)]
    [TestCase("facebookexternalhit/1.1", true)]
    [TestCase("curl/8.5.0", true)]
    [TestCase("", true)]
    [TestCase(null, true)]
    public void Programs_are_told_from_people(string? userAgent, bool isBot) => Bots.IsBot(userAgent).ShouldBe(isBot);

    private static string Event(string fields, string type = "item_viewed") =>
        $$"""{"id":"{{Guid.CreateVersion7()}}","type":"{{type}}","occurredAt":"2026-06-01T11:00:00Z","anonymousId":"a","itemId":"c",{{fields.Trim()}}}""";

    private static ParsedEvent Read(string json, Sender sender) =>
        new EventParser(Encoding.UTF8.GetBytes(json), sender, SchemaSet.BuiltIn, new TrackingOptions(), Now).Parse(out _)[0];

    private static string Data(ParsedEvent parsed)
    {
        parsed.Rejection.ShouldBeNull();
        return Encoding.UTF8.GetString(parsed.Event.Event.Data.Span);
    }

    private static string? Field(ParsedEvent parsed, string name) =>
        JsonDocument.Parse(Data(parsed)).RootElement.TryGetProperty(name, out var value) ? value.GetString() : null;
}
