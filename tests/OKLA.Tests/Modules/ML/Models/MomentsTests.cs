using Microsoft.Extensions.DependencyInjection;
using OKLA.ML.Models;
using OKLA.ML.Models.Frames;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tests.Modules.ML.Models;

/// <summary>What the models of leads, looks, churn and swindles take for a case, and what for its outcome.</summary>
public sealed class MomentsTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private Room room = null!;

    [SetUp]
    public async Task EmptyAsync()
    {
        await ExecuteAsync("truncate events.mt_streams, events.mt_event_progression, features.facts cascade");
        room = MLRoom.Open(Database, Now, []);
        await room.TellAsync(Enumerable.Range(0, 4).Select(n => Room.Listed(Room.Car($"car-{n}", "Toyota", "Corolla", 2018, 20_000), Now.AddDays(-90))));
    }

    [TearDown]
    public ValueTask DisposeAsync() => room.DisposeAsync();

    [Test]
    public async Task A_lead_is_won_when_its_person_buys_in_time_and_is_left_out_while_that_is_open()
    {
        await room.TellAsync(
            Contact("ana", "car-0", -60), Sold("ana", "car-0", -50),
            Contact("ben", "car-1", -60), Sold("eva", "car-1", -55),
            Contact("eva", "car-2", -60), Sold("eva", "car-2", -60 + LeadScorer.HorizonDays + 1),
            Contact("leo", "car-3", -LeadScorer.HorizonDays + 1));

        (await LabelsAsync<LeadScorer>()).ShouldBe([("ana|car-0", "yes"), ("ben|car-1", "no"), ("eva|car-2", "no")], ignoreOrder: true);
    }

    [Test]
    public async Task A_second_contact_of_the_day_is_the_same_lead_and_one_after_the_deal_is_none()
    {
        await room.TellAsync(Contact("ana", "car-0", -60), Contact("ana", "car-0", -59.9), Sold("ana", "car-0", -58), Contact("ana", "car-0", -57));

        (await LabelsAsync<LeadScorer>()).ShouldBe([("ana|car-0", "yes")]);
    }

    [Test]
    public async Task A_deal_under_the_users_name_wins_the_visitors_lead()
    {
        await room.TellAsync(
            Contact("phone", "car-0", -60),
            new StreamEvent("identity-phone", NewEvent.Of(EventTypes.PersonLinked, new PersonLinked(Guid.NewGuid(), "phone", "ana", "sign-in"), Now.AddDays(-59)) with { KnownAt = Now.AddDays(-59) }),
            Sold("ana", "car-0", -58, user: true));

        (await LabelsAsync<LeadScorer>()).ShouldBe([("phone|car-0", "yes")]);
    }

    [Test]
    public async Task A_look_counts_as_converted_by_a_later_contact_only()
    {
        await room.TellAsync(
            Room.View("ana", "car-0", Now.AddDays(-30)), Contact("ana", "car-0", -29),
            Contact("ben", "car-1", -31), Room.View("ben", "car-1", Now.AddDays(-30)),
            Room.View("eva", "car-2", Now.AddDays(-1)));

        (await LabelsAsync<ConversionPredictor>()).ShouldBe([("ana|car-0", "yes"), ("ben|car-1", "no")], ignoreOrder: true);
    }

    [Test]
    public async Task A_look_that_ends_among_the_favourites_teaches_the_want_but_counts_as_no_contact()
    {
        await room.TellAsync(
            Room.View("ana", "car-0", Now.AddDays(-30)), Event(EventTypes.FavoriteAdded, "ana", "car-0", -29, "{}", false),
            Room.View("ben", "car-1", Now.AddDays(-30)), Event(EventTypes.FavoriteAdded, "ben", "car-1", -20, "{}", false),
            Room.View("eva", "car-2", Now.AddDays(-30)), Contact("eva", "car-2", -29));

        (await LabelsAsync<ConversionPredictor>()).ShouldBe([("ana|car-0", "no"), ("ben|car-1", "no"), ("eva|car-2", "yes")], ignoreOrder: true);
        (await LabelsAsync<ConversionPredictor>(column: FrameSource.Surrogate)).ShouldBe([("ana|car-0", "yes"), ("ben|car-1", "no"), ("eva|car-2", "yes")], ignoreOrder: true);
    }

    [Test]
    public async Task Who_comes_again_within_three_weeks_has_not_stayed_away()
    {
        // 20 April 2026 is a Monday.
        var monday = new DateTimeOffset(2026, 4, 20, 4, 0, 0, TimeSpan.Zero);
        await room.TellAsync(
            Room.View("old", "car-0", monday.AddDays(-20)),
            Room.View("ana", "car-0", monday.AddDays(-1)), Room.View("ana", "car-1", monday.AddDays(20)),
            Room.View("ben", "car-0", monday.AddDays(-1)), Room.View("ben", "car-1", monday.AddDays(22)));

        var labels = await LabelsAsync<BuyerChurn>(monday);

        labels.ShouldBe([("ana", "no"), ("ben", "yes")], ignoreOrder: true);
    }

    [Test]
    public async Task A_swindle_is_what_moderators_took_off_for_it_in_time()
    {
        var at = Now.AddDays(-60);
        await room.TellAsync(
            new StreamEvent("item-car-0", NewEvent.Of(EventTypes.ItemWithdrawn, new ItemEnded("car-0", ItemEnded.Fraud), at.AddDays(-25)) with { KnownAt = at.AddDays(-25) }),
            new StreamEvent("item-car-1", NewEvent.Of(EventTypes.ItemWithdrawn, new ItemEnded("car-1", "repetido"), at.AddDays(-25)) with { KnownAt = at.AddDays(-25) }),
            new StreamEvent("item-car-2", NewEvent.Of(EventTypes.ItemWithdrawn, new ItemEnded("car-2", ItemEnded.Fraud), at) with { KnownAt = at }));

        (await LabelsAsync<FraudDetector>()).ShouldBe([("car-0", "yes"), ("car-1", "no"), ("car-2", "no"), ("car-3", "no")], ignoreOrder: true);
    }

    [Test]
    public async Task A_comment_with_three_stars_teaches_neither_praise_nor_blame()
    {
        await room.TellAsync(Rated("ana", 5, "Excelente trato"), Rated("ben", 3, "Normal"), Rated("eva", 1, "Un abuso"), Rated("leo", 4, null));

        (await LabelsAsync<SentimentAnalyzer>()).ShouldBe([("ana", SentimentAnalyzer.Praise), ("eva", SentimentAnalyzer.Blame)], ignoreOrder: true);
    }

    [Test]
    public async Task Features_of_a_lead_are_those_of_its_moment()
    {
        await room.TellAsync(Room.View("ana", "car-0", Now.AddDays(-61)), Contact("ana", "car-0", -60), Room.View("ana", "car-0", Now.AddDays(-59)), Room.View("ana", "car-1", Now.AddDays(-59)));

        var table = await Model<LeadScorer>().ReadAsync(default);

        table.Data.Columns.Select(column => column.Name).ShouldBe([.. LeadScorer.Features, FrameSource.Label, FrameSource.At, FrameSource.Key], ignoreOrder: true);
        table.Data.Columns.Single(column => column.Name == "lead.own_views_30d").Values.ShouldBe(["1"]);
        table.Data.Columns.Single(column => column.Name == "lead.channel").Values.ShouldBe(["whatsapp"]);
    }

    private static StreamEvent Contact(string person, string item, double days) => Event(EventTypes.Contacted, person, item, days, """{"channel":"whatsapp"}""", false);

    private static StreamEvent Sold(string person, string item, double days, bool user = false) => Event(EventTypes.Sold, person, item, days, "{}", user);

    private static StreamEvent Rated(string person, int stars, string? comment) =>
        Event(EventTypes.Rated, person, "car-0", -30, comment is null ? $$"""{"rating":{{stars}}}""" : $$"""{"rating":{{stars}},"comment":"{{comment}}"}""", false);

    private static StreamEvent Event(string type, string person, string item, double days, string properties, bool user)
    {
        var (anonymous, known) = user ? (null, person) : (person, (string?)null);
        var body = new BehaviourEvent(anonymous, known, null, item, null, System.Text.Json.JsonDocument.Parse(properties).RootElement);
        return new StreamEvent(BehaviourEvent.StreamOf(anonymous, known), NewEvent.Of(type, body, Now.AddDays(days)) with { KnownAt = Now.AddDays(days) });
    }

    private TModel Model<TModel>()
        where TModel : ModelDefinition => room.Services.GetServices<ModelDefinition>().OfType<TModel>().Single();

    private async Task<List<(string Key, string Label)>> LabelsAsync<TModel>(DateTimeOffset? at = null, string column = FrameSource.Label)
        where TModel : LogModel
    {
        var table = (await Model<TModel>().ReadAsync(default)).Data;
        IReadOnlyList<string?> Of(string name) => table.Columns.Single(column => column.Name == name).Values;
        return [.. Enumerable.Range(0, Of(FrameSource.Key).Count)
            .Where(row => at is null || DateTimeOffset.Parse(Of(FrameSource.At)[row]!, System.Globalization.CultureInfo.InvariantCulture) == at)
            .Select(row => (Of(FrameSource.Key)[row]!, Of(column)[row]!))];
    }
}
