using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Features;
using OKLA.Features.Definitions;
using OKLA.Features.Offline;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.Tests.Modules.Features.Offline;

public sealed class FrameStoreTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset T0 = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly string[] Wanted = ["user.views_7d", "user.top_make", "item.price_usd", "lead.make_match", "lead.hour", "dealer.views_7d", "user.make_shares"];
    private Room room = null!;

    [SetUp]
    public async Task EmptyAsync()
    {
        await ExecuteAsync("truncate events.mt_streams cascade; truncate events.mt_event_progression; truncate features.facts, features.item_days, features.item_history, features.items, features.frames cascade");
        room = new Room(Database, T0.AddDays(60), services => services.AddFeatures().AddMessaging(typeof(FeaturesModule).Assembly));
        await room.TellAsync(
            Room.Listed(Room.Car("car-1", "Toyota", "Corolla, LE", 2018, 10_000), T0), Room.Listed(Room.Car("car-2", "Kia", "Rio", 2019, 8_000), T0),
            Room.Repriced("car-1", 9_000, "USD", T0.AddDays(5)),
            Room.View("ana", "car-1", T0.AddDays(1)), Room.View("ana", "car-2", T0.AddDays(2)), Room.View("ana", "car-1", T0.AddDays(3)), Room.View("ben", "car-2", T0.AddDays(4)));
    }

    [TearDown]
    public async ValueTask DisposeAsync() => await room.DisposeAsync();

    [Test]
    public async Task A_frame_tells_each_row_as_of_its_time()
    {
        var frame = await BuildAsync(Row("ben", "car-1", 6), Row("ana", "car-1", 3.5), Row("ana", "car-1", 0.5), Row("ana", "car-1", 9));

        var table = await room.Bus.InvokeAsync<FrameTable>(new ReadFrame(frame.Id));

        // A week ends without its first moment, so that on the ninth day the view of noon on the second is out. 12:00 UTC is 8 o'clock in Santo Domingo; the seller of both cars is the same.
        var lines = table.Rows.Select(line => $"{line.Row}: {string.Join(' ', line.Values.Take(6).Select(value => value is double number ? Math.Round(number, 3) : value ?? "-"))}");
        lines.ShouldBe(["2: 0 - 10000 - 20 0", "1: 3 Toyota 10000 0.667 20 3", "3: 1 Toyota 9000 0.667 8 2", "0: 1 Kia 9000 0 8 4"]);
    }

    [Test]
    public async Task A_frame_read_again_has_the_same_bytes_whatever_the_log_learned_since()
    {
        var frame = await BuildAsync([.. Enumerable.Range(0, 30).Select(n => Row(n % 2 == 0 ? "ana" : "ben", $"car-{n % 3}", n / 3.0))]);
        var before = await CsvAsync(frame.Id);
        frame.Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(before)));

        // An archive that claims to have been known then, and a late event.
        await room.TellAsync(Room.View("ana", "car-2", T0.AddDays(1)), Room.Repriced("car-1", 1, "USD", T0.AddHours(1)), Room.View("ben", "car-1", T0.AddDays(2), known: T0.AddDays(59)));

        (await CsvAsync(frame.Id)).ShouldBe(before);
        (await BuildAsync([.. Enumerable.Range(0, 30).Select(n => Row(n % 2 == 0 ? "ana" : "ben", $"car-{n % 3}", n / 3.0))])).Sha256.ShouldNotBe(frame.Sha256);
    }

    [Test]
    public async Task Rows_that_are_computed_in_parts_are_the_same_as_at_once()
    {
        SpineRow[] spine = [.. Enumerable.Range(0, 2_500).Select(n => Row(n % 3 == 0 ? "ana" : $"visitor-{n % 7}", "car-1", n / 100.0))];
        var whole = await BuildAsync(spine);
        await using var small = new Room(Database, T0.AddDays(60), services => services.AddFeatures().AddMessaging(typeof(FeaturesModule).Assembly), ("Features:FrameCells", "1000"));

        (await small.Services.GetRequiredService<FrameStore>().CreateAsync(new BuildFrame(spine, Wanted, "test"), default)).Sha256.ShouldBe(whole.Sha256);
    }

    [Test]
    public async Task Who_takes_the_rows_as_they_come_gets_those_of_one_frame()
    {
        await using var small = new Room(Database, T0.AddDays(60), services => services.AddFeatures().AddMessaging(typeof(FeaturesModule).Assembly), ("Features:FrameCells", "1000"));
        SpineRow[] spine = [.. Enumerable.Range(0, 2_500).Select(n => Row(n % 3 == 0 ? "ana" : $"visitor-{n % 7}", "car-1", n / 100.0))];
        var taken = new List<FrameLine>();

        var answer = await small.Bus.InvokeAsync<FrameTable>(new BuildFrameTable(new BuildFrame(spine, Wanted, "test"), taken.Add));

        answer.Rows.ShouldBeEmpty();
        var read = await small.Bus.InvokeAsync<FrameTable>(new ReadFrame(answer.Info.Id));
        taken.ConvertAll(Said).ShouldBe(read.Rows.Select(Said));
        (await ScalarAsync<long>("select count(*) from features.frames")).ShouldBe(1);

        static string Said(FrameLine line) => $"{line.Row} {line.Label} {line.UserId} {string.Join(' ', line.Values.Take(6))}";
    }

    [Test]
    public async Task The_csv_quotes_what_needs_it_and_leaves_empty_what_is_not_known()
    {
        var frame = await room.Services.GetRequiredService<FrameStore>().CreateAsync(
            new BuildFrame([new SpineRow(T0.AddDays(4), 1, "a,\"na"), new SpineRow(T0.AddDays(4), null, "ana")], ["user.views_7d", "user.top_make", "user.make_shares"], "test"), default);

        Encoding.UTF8.GetString(await CsvAsync(frame.Id)).Split('\n').ShouldBe([
            "row,at,label,user_id,item_id,session_id,dealer_id,campaign_id,user.views_7d,user.top_make,user.make_shares",
            "0,2026-03-05T12:00:00.0000000Z,1,\"a,\"\"na\",,,,,0,,",
            "1,2026-03-05T12:00:00.0000000Z,,ana,,,,,3,Toyota,Toyota:0.666667|Kia:0.333333", ""]);
    }

    [Test]
    public async Task A_frame_of_the_future_or_of_unknown_features_is_refused()
    {
        var frames = room.Services.GetRequiredService<FrameStore>();
        (await Should.ThrowAsync<FrameRefusedException>(frames.CreateAsync(new BuildFrame([Row("ana", "car-1", 61)], Wanted, "test"), default))).Message.ShouldContain("future");
        (await Should.ThrowAsync<FrameRefusedException>(frames.CreateAsync(new BuildFrame([Row("ana", "car-1", 1)], ["user.shoe_size"], "test"), default))).Message.ShouldContain("user.shoe_size");
        await Should.ThrowAsync<FrameRefusedException>(frames.ReadAsync(Guid.NewGuid(), default));
    }

    [Test]
    public void The_registry_is_as_large_as_it_should_be_and_says_where_everything_comes_from()
    {
        var registry = AllFeatures.Registry();
        var counts = registry.All.GroupBy(feature => feature.Id.Entity.Name).ToDictionary(group => group.Key, group => group.Count());

        counts["user"].ShouldBeGreaterThanOrEqualTo(40);
        counts["item"].ShouldBeGreaterThanOrEqualTo(30);
        counts["lead"].ShouldBeGreaterThanOrEqualTo(100);
        registry.All.ShouldAllBe(feature => registry.LineageOf(feature).Count > 0);
        registry.All.ShouldAllBe(feature => feature.Description.EndsWith('.') && feature.Unit.Length > 0);
    }

    private static SpineRow Row(string user, string item, double day) => new(T0.AddDays(day), 1, user, item);

    private Task<FrameInfo> BuildAsync(params SpineRow[] rows) => room.Bus.InvokeAsync<FrameInfo>(new BuildFrame(rows, Wanted, "test"));

    private async Task<byte[]> CsvAsync(Guid id)
    {
        using var all = new MemoryStream();
        await foreach (var bytes in room.Services.GetRequiredService<FrameStore>().ReadCsvAsync(id, default))
        {
            await all.WriteAsync(bytes);
        }

        return all.ToArray();
    }
}
