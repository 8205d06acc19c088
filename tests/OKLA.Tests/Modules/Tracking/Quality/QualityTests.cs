using System.Collections.Frozen;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;
using OKLA.Tracking.Quality;
using Log = OKLA.Shared.EventLog.EventLog;

namespace OKLA.Tests.Modules.Tracking.Quality;

public sealed class QualityTests : DatabaseTest, IAsyncDisposable
{
    // A Monday, and 08:00 in Santo Domingo.
    private static readonly DateTimeOffset Noon = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
    private static readonly CurrentUser Admin = new("ana", Role.Admin, null, FrozenSet<string>.Empty);
    private readonly QualityOptions options = new();
    private Room room = null!;
    private Traffic traffic = null!;

    [SetUp]
    public async Task EmptyAsync()
    {
        room = new Room(Database, Noon, services => services.AddSingleton(options).AddSubscription<QualitySubscription>());
        traffic = new Traffic(1);
        await ExecuteAsync("""
            truncate events.mt_streams, events.mt_event_progression, tracking.quality_profiles, tracking.quality_arrivals, tracking.quality_results, tracking.quality_alerts, tracking.quality_expectations cascade
            """);
    }

    [TearDown]
    public ValueTask DisposeAsync() => room.DisposeAsync();

    [Test]
    public async Task Faults_planted_at_noon_are_found_named_and_told_once_and_nothing_else_is()
    {
        var midnight = Noon.AddHours(-12);
        await room.TellAsync(traffic.Between(midnight.AddDays(-21), midnight));
        traffic.Volume = (type, at) => type == EventTypes.PageViewed && at >= Noon ? 1 / 3.0 : 1;
        traffic.Fault = (type, at, properties) => at < Noon ? properties : type switch
        {
            EventTypes.ItemViewed => Regex.Replace(properties, "\"visibleSeconds\":[0-9.]+", "\"visibleSeconds\":null").Replace("recommendation", "list", StringComparison.Ordinal),
            EventTypes.Searched => Regex.Replace(properties, "\"resultCount\":[1-9][0-9]*", "${0}000"),
            _ => properties,
        };
        await LiveAsync(midnight, Noon, TimeSpan.FromMinutes(30));
        (await AlertsAsync()).ShouldBeEmpty();

        var told = await LiveAsync(Noon, Noon.AddHours(8), TimeSpan.FromMinutes(5));

        var alerts = (await AlertsAsync()).ToDictionary(alert => alert.Expectation);
        foreach (var alert in alerts.Values)
        {
            TestContext.Out.WriteLine($"{alert.Expectation}: since {alert.Since:HH:mm:ss}, raised {alert.RaisedAt:HH:mm} ({(alert.RaisedAt - Noon).TotalMinutes:0} min) {alert.Message}");
        }

        alerts.Keys.Order(StringComparer.Ordinal).ShouldBe(["item_viewed.origin.drift", "item_viewed.visibleSeconds.completeness", "page_viewed.*.volume", "searched.resultCount.drift"]);
        alerts.Values.ShouldAllBe(alert => alert.Since >= Noon.AddMinutes(-5) && alert.Since <= Noon.AddMinutes(5));
        alerts["item_viewed.visibleSeconds.completeness"].RaisedAt.ShouldBeLessThanOrEqualTo(Noon.AddMinutes(60));
        alerts["item_viewed.origin.drift"].Message.ShouldContain("falta recommendation");
        told.Select(alert => alert.Expectation).Order(StringComparer.Ordinal).ShouldBe(alerts.Keys.Order(StringComparer.Ordinal));
        (await room.Services.GetRequiredService<Log>().ReadAsync(0, [EventTypes.QualityAlertRaised]).CountAsync()).ShouldBe(4);
        var detail = (await Alerts.GetAsync(alerts["item_viewed.visibleSeconds.completeness"].Id, Database, room.Services.GetRequiredService<Log>(), default)).Result.ShouldBeOfType<Ok<Alerts.Detail>>().Value!;
        detail.Rows.Count.ShouldBe(20);
        detail.Rows.ShouldAllBe(row => row.Type == EventTypes.ItemViewed && row.Data.GetRawText().Contains("\"visibleSeconds\": null") && row.KnownAt >= Noon);
    }

    [Test]
    public async Task A_field_that_comes_back_ends_its_alert_by_itself()
    {
        await room.TellAsync(traffic.Between(Noon.AddDays(-14), Noon));
        traffic.Fault = static (type, _, properties) => type == EventTypes.Searched ? "\"query\":\"jeepeta\"" : properties;
        await LiveAsync(Noon, Noon.AddHours(3), TimeSpan.FromMinutes(30));
        var alert = (await AlertsAsync()).Single();
        (alert.Type, alert.Field, alert.Kind, alert.Severity).ShouldBe(("searched", "resultCount", "completeness", "warning"));
        (await Alerts.AcknowledgeAsync(alert.Id, Admin, Database, room.Clock, default)).Result.ShouldBeOfType<Ok<Alerts.Alert>>().Value!.AcknowledgedBy.ShouldBe("ana");

        traffic.Fault = static (_, _, properties) => properties;
        await LiveAsync(Noon.AddHours(3), Noon.AddHours(12), TimeSpan.FromMinutes(30));

        (await AlertsAsync("open")).ShouldBeEmpty();
        (await AlertsAsync("resolved")).Single().Id.ShouldBe(alert.Id);
    }

    [Test]
    public async Task A_late_import_of_old_events_raises_nothing()
    {
        await room.TellAsync(traffic.Between(Noon.AddDays(-14), Noon));
        var old = Enumerable.Range(0, 5_000).Select(i => Traffic.Event(EventTypes.Searched, $"old{i}", "\"query\":\"carro\"", Noon.AddDays(-300).AddMinutes(i), Noon.AddMinutes(10)));
        await room.AppendAsync(old);

        await LiveAsync(Noon, Noon.AddHours(3), TimeSpan.FromMinutes(30));

        (await AlertsAsync("all")).ShouldBeEmpty();
        (await ScalarAsync<decimal>("select sum(rows) from tracking.quality_profiles where late and grain = 1 and field = '*'")).ShouldBe(5_000);
    }

    [Test]
    public async Task A_past_that_was_brought_in_makes_nobody_wait_for_more_of_it()
    {
        // As a simulation does: weeks that end at midnight, told at noon; then a few clicks of whoever looks at it.
        await room.TellAsync(traffic.Between(Noon.AddDays(-21), Noon.AddHours(-12)));
        await room.AppendAsync(Enumerable.Range(0, 20).Select(i => Traffic.Event(EventTypes.PageViewed, "admin", "\"path\":\"/\"", Noon.AddMinutes(i), Noon.AddMinutes(i))));

        for (var hour = 1; hour <= 12; hour++)
        {
            await CheckAsync(Noon.AddHours(hour));
        }

        (await AlertsAsync("all")).ShouldBeEmpty();
    }

    [Test]
    public async Task Silence_is_told_as_silence_and_a_new_property_as_a_change_of_form()
    {
        await room.TellAsync(traffic.Between(Noon.AddDays(-14), Noon));
        traffic.Volume = static (type, _) => type == EventTypes.PageViewed ? 0 : 1;
        traffic.Fault = static (type, _, properties) => type == EventTypes.Searched ? properties + ",\"pageSize\":24" : properties;

        await LiveAsync(Noon, Noon.AddHours(6), TimeSpan.FromMinutes(30));

        var alerts = await AlertsAsync();
        alerts.Select(alert => alert.Expectation).Order(StringComparer.Ordinal).ShouldBe(["page_viewed.*.freshness", "searched.*.schema"]);
        alerts.Single(alert => alert.Kind == "freshness").Since.ShouldBe(Noon);
        alerts.Single(alert => alert.Kind == "schema").Message.ShouldContain("nuevo pageSize:number");
        alerts.Single(alert => alert.Kind == "schema").FailingRows.ShouldBe(20);
    }

    [Test]
    public async Task Types_ranges_and_sets_are_held_to_the_schema_without_any_history()
    {
        await room.AppendAsync(Enumerable.Range(0, 200).Select(i => Traffic.Event(
            EventTypes.ItemViewed, $"v{i}", i % 4 == 0 ? """ "visibleSeconds":"12","scrollDepth":7,"origin":"nowhere" """ : """ "visibleSeconds":12,"origin":"search" """,
            Noon.AddSeconds(i), Noon.AddSeconds(i))));

        await CheckAsync(Noon.AddMinutes(5));

        (await AlertsAsync()).Select(alert => (alert.Expectation, alert.Severity, Math.Round(alert.Observed, 2))).Order().ShouldBe(
            [("item_viewed.origin.set", "error", 0.25), ("item_viewed.scrollDepth.range", "error", 0.25), ("item_viewed.visibleSeconds.type", "error", 0.25)]);
        (await ReadResults.HandleAsync(Database, default, type: EventTypes.ItemViewed, passed: false)).Value!.Count.ShouldBe(3);
    }

    [Test]
    public async Task One_visitor_in_all_rows_is_a_repetition()
    {
        await room.TellAsync(traffic.Between(Noon.AddDays(-2), Noon, perDay: 20_000));
        await CheckAsync(Noon);
        (await AlertsAsync()).ShouldBeEmpty();

        await room.AppendAsync(Enumerable.Range(0, 400).Select(i => Traffic.Event(EventTypes.ItemViewed, "the-one", "\"origin\":\"search\"", Noon.AddSeconds(i), Noon.AddSeconds(i))));
        await CheckAsync(Noon.AddMinutes(10));

        (await AlertsAsync()).Select(alert => alert.Expectation).ShouldBe(["item_viewed.anonymousId.uniqueness", "item_viewed.sessionId.uniqueness"], ignoreOrder: true);
    }

    [Test]
    public async Task An_admin_s_expectation_stands_in_the_place_of_the_schema_s_and_goes_when_it_is_taken_back()
    {
        var request = new Expectations.Request { Type = EventTypes.ItemViewed, Field = "visibleSeconds", Kind = "range", Min = 0, Max = 100, Severity = "info" };
        (await Expectations.PutAsync("corto", request, Admin, Database, room.Clock, default)).Result.ShouldBeOfType<Ok<Expectations.Answer>>();
        (await Expectations.PutAsync("otro", request, Admin, Database, room.Clock, default)).Result.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(409);
        (await Expectations.PutAsync("x", request with { Kind = "volume" }, Admin, Database, room.Clock, default)).Result.ShouldBeOfType<ValidationProblem>();
        (await Expectations.PutAsync("x", request with { Type = "nothing" }, Admin, Database, room.Clock, default)).Result.ShouldBeOfType<ValidationProblem>();
        await room.AppendAsync(Enumerable.Range(0, 100).Select(i => Traffic.Event(EventTypes.ItemViewed, $"v{i}", $"\"visibleSeconds\":{i * 3}", Noon, Noon)));

        await CheckAsync(Noon.AddMinutes(5));
        var alert = (await AlertsAsync()).Single();
        (alert.Expectation, alert.Severity, alert.Observed).ShouldBe(("corto", "info", 0.66));

        (await Expectations.DeleteAsync("corto", Database, default)).Result.ShouldBeOfType<NoContent>();
        await CheckAsync(Noon.AddMinutes(10));
        (await AlertsAsync("open")).ShouldBeEmpty();
    }

    [Test]
    public async Task A_rebuild_counts_the_same_again()
    {
        await room.TellAsync(traffic.Between(Noon.AddDays(-1), Noon));
        const string All = "select string_agg(concat_ws(' ', grain, starts_at, type, field, late, rows, missing, shape, first_position, last_position), ';' order by grain, starts_at, type, field) from tracking.quality_profiles";
        var before = await ScalarAsync<string>(All);

        await room.Subscriptions.RebuildAsync("tracking.quality");
        await room.Subscriptions.CatchUpAsync();

        (await ScalarAsync<string>(All)).ShouldBe(before);
    }

    private async Task<List<QualityAlertRaised>> LiveAsync(DateTimeOffset from, DateTimeOffset to, TimeSpan step)
    {
        var told = new List<QualityAlertRaised>();
        for (var at = from; at < to; at += step)
        {
            await room.AppendAsync(traffic.Between(at, at + step));
            told.AddRange(await CheckAsync(at + step));
        }

        return told;
    }

    private async Task<IReadOnlyList<QualityAlertRaised>> CheckAsync(DateTimeOffset now)
    {
        room.Clock.Now = now;
        await room.Subscriptions.CatchUpAsync();
        var (_, raised) = await CheckQualityHandler.HandleAsync(
            new CheckQuality(), Database, room.Services.GetRequiredService<Log>(), room.Subscriptions, options, room.Clock, NullLogger<CheckQuality>.Instance, default);
        return raised;
    }

    private async Task<IReadOnlyList<Alerts.Alert>> AlertsAsync(string state = "open") =>
        (await Alerts.ListAsync(Database, default, state)).Result.ShouldBeOfType<Ok<IReadOnlyList<Alerts.Alert>>>().Value!;
}
