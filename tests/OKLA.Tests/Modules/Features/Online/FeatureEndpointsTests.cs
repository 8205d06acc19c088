using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OKLA.Shared.EventLog;

namespace OKLA.Tests.Modules.Features.Online;

public sealed class FeatureEndpointsTests : HostTest
{
    private static readonly DateTimeOffset Yesterday = TimeProvider.System.GetUtcNow().AddDays(-1);

    [OneTimeSetUp]
    public async Task TellAsync()
    {
        await AppendAsync(
            Room.Listed(Room.Car("car-1", "Toyota", "Corolla", 2018, 10_000), Yesterday), Room.View("ana", "car-1", Yesterday.AddHours(1)), Room.View("ana", "car-1", Yesterday.AddHours(2)));
        await Service<Subscriptions>().CatchUpAsync();
    }

    [Test]
    public async Task A_vector_tells_its_age_and_only_what_was_asked()
    {
        using var admin = await SignInAsync("admin");
        using var answer = await admin.GetAsync("/api/features/user/ana?names=views_total,top_make");

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.Age.ShouldNotBeNull();
        var vector = await answer.Content.ReadFromJsonAsync<JsonElement>();
        vector.GetProperty("known").GetBoolean().ShouldBeTrue();
        vector.GetProperty("values").GetRawText().ShouldBe("""{"views_total":2,"top_make":"Toyota"}""");
    }

    [Test]
    public async Task A_part_of_a_vector_says_what_the_whole_says()
    {
        using var admin = await SignInAsync("admin");
        foreach (var path in new[] { "user/ana", "item/car-1", "user/nobody", "lead/ana|car-1" })
        {
            var whole = (await admin.GetFromJsonAsync<JsonElement>($"/api/features/{path}")).GetProperty("values");
            var names = whole.EnumerateObject().Select(value => value.Name).Reverse().ToList();
            var part = await admin.GetFromJsonAsync<JsonElement>($"/api/features/{path}?names={string.Join(',', names)},{names[0]}");

            part.GetProperty("id").GetString().ShouldBe(path.Split('/')[1]);
            part.GetProperty("values").EnumerateObject().Select(value => value.Name).ShouldBe(names);
            foreach (var value in whole.EnumerateObject())
            {
                // A lead is put together for each request, and its hours pass.
                if (!path.StartsWith("lead", StringComparison.Ordinal)) part.GetProperty("values").GetProperty(value.Name).GetRawText().ShouldBe(value.Value.GetRawText());
            }
        }
    }

    [Test]
    public async Task Nobody_reads_another_persons_features_and_the_past_is_not_served()
    {
        using var admin = await SignInAsync("admin");
        using var buyer = await SignInAsync("buyer");
        var own = (await buyer.GetFromJsonAsync<JsonElement>("/api/features/user/demo-buyer")).GetProperty("known").GetBoolean();

        own.ShouldBeFalse();
        (await buyer.GetAsync("/api/features/user/ana")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await buyer.GetAsync("/api/users/ana/profile")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await buyer.GetAsync("/api/features/item/car-1")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await Client.GetAsync("/api/features/user/ana")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await buyer.PostAsJsonAsync("/api/features/frames", new { })).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await admin.GetAsync("/api/features/user/ana?at=2026-01-01")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await admin.GetAsync("/api/features/user/ana?names=shoe_size")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Test]
    public async Task A_cached_vector_gives_way_to_the_next_event()
    {
        using var admin = await SignInAsync("admin");
        async Task<double> ViewsAsync() => (await admin.GetFromJsonAsync<JsonElement>("/api/features/user/eva?names=views_total")).GetProperty("values").GetProperty("views_total").GetDouble();
        (await ViewsAsync()).ShouldBe(0);

        await AppendAsync(Room.View("eva", "car-1", Yesterday));

        // Far sooner than the fifteen seconds for which a vector is kept.
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (await ViewsAsync() != 1)
        {
            await Task.Delay(20, deadline.Token);
        }
    }

    [Test]
    public async Task A_lead_is_composed_when_asked()
    {
        using var admin = await SignInAsync("admin");
        var lead = (await admin.GetFromJsonAsync<JsonElement>("/api/features/lead/ana|car-1?place=La Romana&names=make_match,user_views_total,item_price_usd,distance_km,available")).GetProperty("values");

        (lead.GetProperty("make_match").GetDouble(), lead.GetProperty("user_views_total").GetDouble(), lead.GetProperty("item_price_usd").GetDouble(), lead.GetProperty("available").GetDouble()).ShouldBe((1, 2, 10_000, 1));
        // La Romana to Santiago: 214 km as the crow flies.
        lead.GetProperty("distance_km").GetDouble().ShouldBe(214, 2);
        var batch = await (await admin.PostAsJsonAsync("/api/features/lead:batch", new { ids = new[] { "ana|car-1", "x|y" }, names = new[] { "make_match" } })).Content.ReadFromJsonAsync<JsonElement>();
        batch.GetProperty("entities").EnumerateArray().Select(entity => entity.GetProperty("known").GetBoolean()).ShouldBe([true, false]);
    }

    [Test]
    public async Task A_frame_is_fixed_and_exported()
    {
        using var admin = await SignInAsync("admin");
        using var created = await admin.PostAsJsonAsync("/api/features/frames", new { features = new[] { "user.views_total" }, spine = new[] { new { at = Yesterday.AddHours(1.5), label = 1, userId = "ana" } } });

        created.StatusCode.ShouldBe(HttpStatusCode.Created, await created.Content.ReadAsStringAsync());
        var csv = await admin.GetStringAsync($"{created.Headers.Location}.csv");
        csv.Split('\n')[1].ShouldEndWith(",1,ana,,,,,1");
        (await admin.GetAsync($"/api/features/frames/{Guid.NewGuid()}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await admin.GetFromJsonAsync<JsonElement>("/api/features?entity=user")).GetProperty("features").GetArrayLength().ShouldBeGreaterThan(40);
    }

    private async Task AppendAsync(params StreamEvent[] events)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Service<OKLA.Shared.EventLog.EventLog>().AppendAsync(transaction, events);
        await transaction.CommitAsync();
    }
}
