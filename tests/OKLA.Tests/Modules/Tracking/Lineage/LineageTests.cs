using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Host;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Tracking.Lineage;

namespace OKLA.Tests.Modules.Tracking.Lineage;

public sealed class LineageTests : HostTest
{
    [Test]
    public async Task Every_durable_subscription_is_in_the_graph_with_every_type_it_reads()
    {
        var steps = (await GraphAsync()).Transformations;

        foreach (var subscription in Service<Subscriptions>().All)
        {
            var own = steps.Where(step => step.Name == subscription.Name || step.Name.StartsWith(subscription.Name + "/", StringComparison.Ordinal)).ToList();
            own.ShouldNotBeEmpty($"{subscription.Name} reads the log, but no transformation says what it makes of it");
            foreach (var type in subscription.EventTypes ?? ["*"])
            {
                own.SelectMany(step => step.Inputs).Any(input => LineageGraph.Touches($"event:{type}", input)).ShouldBeTrue($"{subscription.Name} reads {type}");
            }
        }
    }

    [Test]
    public async Task Every_step_has_input_output_owner_and_a_file_that_is_there()
    {
        var steps = (await GraphAsync()).Transformations;

        steps.Count.ShouldBeGreaterThanOrEqualTo(10);
        steps.Select(step => step.Name).ShouldBeUnique();
        foreach (var step in steps)
        {
            step.Inputs.ShouldNotBeEmpty(step.Name);
            step.Outputs.ShouldNotBeEmpty(step.Name);
            step.Owner.ShouldNotBeEmpty(step.Name);
            step.Inputs.Concat(step.Outputs).ShouldAllBe(end => end.IndexOf(':', StringComparison.Ordinal) > 0, step.Name);
            File.Exists(Path.Combine(HostFolders.ContentRoot(), step.Code)).ShouldBeTrue($"{step.Name}: {step.Code}");
        }
    }

    [Test]
    public async Task What_breaks_if_the_item_of_a_look_goes_reaches_to_the_screens_with_the_way_there()
    {
        using var admin = await SignInAsync("admin");

        var answer = await admin.GetFromJsonAsync<JsonElement>("/api/lineage/impact?node=event:item_viewed.properties.itemId");

        answer.GetProperty("node").GetString().ShouldBe("event:item_viewed.itemId");
        var things = answer.GetProperty("things").EnumerateArray().ToDictionary(thing => thing.GetProperty("node").GetString()!);
        new[] { "table:features.facts", "model:recommender", "screen:Vehículos para ti", "table:tracking.sessions" }.ShouldBeSubsetOf(things.Keys);
        things["model:recommender"].GetProperty("path").EnumerateArray().Select(part => part.GetString()!).ShouldBe(
            ["event:item_viewed.itemId", "features.facts", "table:features.facts", "features.interaction-frame", "frame:interactions", "ml.train-recommender", "model:recommender"]);
        answer.GetProperty("owners").EnumerateArray().Select(owner => owner.GetString()).ShouldBe(["Features", "ML", "Tracking"]);
    }

    [Test]
    public async Task The_origin_of_a_model_goes_back_to_the_events()
    {
        using var admin = await SignInAsync("admin");

        var answer = await admin.GetFromJsonAsync<JsonElement>("/api/lineage/origin?node=model:price");

        new[] { "frame:items", "table:features.item_history", "event:item_price_changed", "file:listings" }
            .ShouldBeSubsetOf(answer.GetProperty("things").EnumerateArray().Select(thing => thing.GetProperty("node").GetString()!));
    }

    [Test]
    public async Task An_unknown_node_is_404_and_nobody_reads_without_the_right()
    {
        using var admin = await SignInAsync("admin");

        (await admin.GetAsync("/api/lineage/impact?node=event:item_viewed.nothing")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await Client.GetAsync("/api/lineage")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var graph = await admin.GetFromJsonAsync<JsonElement>("/api/lineage");
        graph.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("id").GetString()).ShouldContain("event:item_viewed.visibleSeconds");
    }

    [TestCase("event:a.x", "event:a.x", true)]
    [TestCase("event:a", "event:a.x", true)]
    [TestCase("event:a.x", "event:a", false)]
    [TestCase("event:a.x", "event:*.x", true)]
    [TestCase("event:a.x", "event:*.*", true)]
    [TestCase("event:a.x", "event:*.y", false)]
    [TestCase("table:a.x", "event:a.x", false)]
    public void The_loss_of_a_thing_reaches_those_that_read_it_a_part_of_it_or_all_like_it(string lost, string read, bool touches) =>
        LineageGraph.Touches(lost, read).ShouldBe(touches);

    private Task<LineageGraph> GraphAsync() => ReadLineage.BuildAsync(Services.GetServices<Transformation>(), Services.GetServices<ILineageSource>(), default);
}
