using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OKLA.ML.Models.Frames;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Serving;

public sealed class EntityFeaturesTests : DatabaseTest
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public void A_row_keeps_what_it_says_and_gets_what_it_leaves_out()
    {
        using var rows = JsonDocument.Parse("""[{"lead.channel":"call","lead.age":7},{},5]""");

        var merged = EntityFeatures.Merge(rows.RootElement, ["lead.age", "lead.make", "lead.gone"], [[3.5, "Toyota", null], null, [1.0, "Kia", null]]);

        merged.GetRawText().ShouldBe("""[{"lead.channel":"call","lead.age":7,"lead.make":"Toyota"},{},5]""");
    }

    [TestCase("""{"lead.age":3,"lead.make":null}""", true)]
    [TestCase("""{"lead.make":"Kia","other":1,"lead.age":3}""", true)]
    [TestCase("""{"lead.age":3}""", false)]
    [TestCase("""{}""", false)]
    [TestCase("5", true)]
    public void Nothing_is_looked_up_for_a_row_that_names_every_feature(string row, bool whole)
    {
        using var read = JsonDocument.Parse(row);

        EntityFeatures.IsWhole(read.RootElement, ["lead.age", "lead.make"]).ShouldBe(whole);
    }

    [Test]
    public async Task What_is_served_to_a_model_is_what_its_training_frame_holds()
    {
        await ExecuteAsync("truncate events.mt_streams, events.mt_event_progression, features.facts cascade");
        await using var room = MLRoom.Open(Database, Now, []);
        await room.TellAsync(
            Room.Listed(Room.Car("car-1", "Toyota", "Corolla", 2018, 20_000), Now.AddDays(-9)), Room.View("ana", "car-1", Now.AddDays(-3)),
            Room.Behaviour(EventTypes.FavoriteAdded, "ana", null, "car-1", Now.AddDays(-2)), Room.Behaviour(EventTypes.Contacted, "ana", null, "car-1", Now.AddDays(-1)));
        var names = await room.Bus.InvokeAsync<IReadOnlyList<string>>(new ListModelFeatures("lead"));
        var source = room.Services.GetRequiredService<FrameSource>();

        var served = await room.Bus.InvokeAsync<IReadOnlyList<object?>>(new GetModelFeatures("lead", "ana|car-1", names));
        var frame = await source.TableAsync("test", [new Moment(new SpineRow(Now, null, "ana", "car-1"), "yes")], names, default);

        names.Count.ShouldBeGreaterThan(100);
        names.Zip(served.Select(FrameSource.Text)).ShouldBe(names.Select(name => (name, frame.Columns.Single(column => column.Name == name).Values[0])));
        served.Count(value => value is not null).ShouldBeGreaterThan(50);
        await Should.ThrowAsync<ArgumentException>(() => room.Bus.InvokeAsync<IReadOnlyList<object?>>(new GetModelFeatures("lead", "ana|car-1", ["lead.no_such"])));
    }
}
