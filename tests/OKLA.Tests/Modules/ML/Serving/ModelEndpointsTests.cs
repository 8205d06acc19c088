using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OKLA.Host.Demo;
using OKLA.ML.Registry;
using OKLA.ML.Rollout;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Tests.Modules.ML.Serving;

/// <summary>A small simulated marketplace in which the demo's dealer sells one vehicle that somebody has asked about: who is told what, and what is refused.</summary>
public sealed class ModelEndpointsTests : HostTest
{
    private const string Own = "own-car", Sold = "sold-car", Asker = "asker-1";
    private HttpClient admin = null!;
    private HttpClient dealer = null!;
    private string foreignDealer = "";
    private string foreignLead = "";

    protected override string[] Settings => ["--ML:RefreshSeconds", "0.1"];

    [OneTimeSetUp]
    public async Task TrainAsync()
    {
        (admin, dealer) = (await SignInAsync("admin"), await SignInAsync("dealer"));
        var (bus, now) = (Service<IMessageBus>(), TimeProvider.System.GetUtcNow());
        await bus.InvokeAsync<SimulationReport>(new Simulate(Visitors: 600, Days: 75, Seed: 3, Listings: 400));
        CatalogItem[] cars = [.. new[] { Own, Sold }.Select(id => Room.Car(id, "Toyota", "Corolla LE", 2019, 900_000, "DOP", "sedan") with { SellerId = "demo-dealer" })];
        await bus.InvokeAsync<CatalogChanges>(new PutCatalogItems(cars, now.AddDays(-20), now.AddDays(-20)));
        await bus.InvokeAsync<CatalogChanges>(new WithdrawCatalogItems([Sold], true, null, now.AddDays(-2), now.AddDays(-2)));
        // Without one it would be taken for a program that looks at pages by itself.
        Client.DefaultRequestHeaders.UserAgent.ParseAdd("Mozilla/5.0 (Linux; Android 14) Firefox/130.0");
        using var told = await Client.PostAsJsonAsync("/api/events", new { id = Guid.CreateVersion7(), type = EventTypes.Contacted, occurredAt = now.AddHours(-3), anonymousId = Asker, itemId = Own, properties = new { channel = "form" } });
        told.EnsureSuccessStatusCode();
        await Service<Subscriptions>().CatchUpAsync();
        (await dealer.GetAsync($"/api/vehicles/{Own}/days-to-sale")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        foreach (var model in new[] { ModelNames.LeadScorer, ModelNames.DaysToSalePredictor, ModelNames.VehicleClassifier })
        {
            // So few rows may not pass the gates; here it is asked who may ask, not how well it is answered.
            var outcome = await bus.InvokeAsync<TrainingOutcome>(new TrainModel(model, "first"));
            await Service<ModelRegistry>().PublishAsync(model, outcome.Version, default);
        }

        await Service<ServedModels>().RefreshAsync();
        await Service<LiveModels>().RefreshAsync();
        var sellers = (await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(now))).Select(item => item.Item.SellerId).OfType<string>().Where(id => id != "demo-dealer").Distinct();
        foreach (var seller in sellers)
        {
            var leads = await admin.GetFromJsonAsync<JsonElement>($"/api/dealers/{seller}/leads?days=60");
            if (leads.GetProperty("leads").EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } lead)
            {
                (foreignDealer, foreignLead) = (seller, Uri.EscapeDataString(lead.GetProperty("id").GetString()!));
                break;
            }
        }

        foreignLead.ShouldNotBeEmpty();
    }

    [OneTimeTearDown]
    public void Dispose()
    {
        admin.Dispose();
        dealer.Dispose();
    }

    [Test]
    public async Task A_dealer_sees_the_leads_of_his_own_vehicles_with_scores_and_next_actions()
    {
        var answer = await dealer.GetFromJsonAsync<JsonElement>("/api/dealers/demo-dealer/leads");

        var lead = answer.GetProperty("leads").EnumerateArray().ShouldHaveSingleItem();
        lead.GetProperty("id").GetString().ShouldBe($"{Asker}|{Own}");
        lead.GetProperty("propensity").GetDouble().ShouldBeInRange(0, 1);
        lead.GetProperty("band").GetString().ShouldBeOneOf("hot", "warm", "cold");
        lead.GetProperty("nextAction").GetString().ShouldNotBeNullOrEmpty();
        var score = await dealer.GetFromJsonAsync<JsonElement>($"/api/leads/{Uri.EscapeDataString($"{Asker}|{Own}")}/score");
        score.GetProperty("lead").GetProperty("propensity").GetDouble().ShouldBe(lead.GetProperty("propensity").GetDouble(), 1e-9);
        score.GetProperty("source").GetString().ShouldBe("model");
    }

    [Test]
    public async Task A_dealer_never_sees_the_leads_of_another_and_is_not_told_whether_there_are_any()
    {
        (await dealer.GetAsync($"/api/dealers/{foreignDealer}/leads")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await dealer.GetAsync("/api/dealers/nobody/leads")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await dealer.GetAsync($"/api/leads/{foreignLead}/score")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await dealer.GetAsync("/api/leads/nobody%7Cnothing/score")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);

        (await admin.GetAsync($"/api/leads/{foreignLead}/score")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await admin.GetAsync("/api/leads/nobody%7Cnothing/score")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [TestCase("/api/dealers/demo-dealer/leads")]
    [TestCase("/api/leads/asker-1%7Cown-car/score")]
    public async Task Leads_are_for_dealers(string path)
    {
        using var buyer = await SignInAsync("buyer");

        (await Client.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await buyer.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [TestCase("/api/leads/asker-1/score", "id")]
    [TestCase("/api/leads/%7Cown-car/score", "id")]
    [TestCase("/api/dealers/demo-dealer/leads?days=0", "days")]
    [TestCase("/api/dealers/demo-dealer/leads?days=91", "days")]
    [TestCase("/api/dealers/demo-dealer/leads?limit=101", "limit")]
    public async Task What_leads_cannot_be_asked_for_is_refused_with_its_name(string path, string field) => await RefusedAsync(await dealer.GetAsync(path), field);

    [Test]
    public async Task Days_to_sale_are_told_at_the_price_and_at_others_and_a_lower_price_never_takes_longer()
    {
        var answer = await Client.GetFromJsonAsync<JsonElement>($"/api/vehicles/{Own}/days-to-sale");

        answer.GetProperty("daysOnline").GetDouble().ShouldBe(20, 1);
        var days = answer.GetProperty("prices").EnumerateArray().Select(one => one.GetProperty("days").GetDouble()).ToList();
        days.Count.ShouldBe(7);
        days.ShouldBe(days.Order());
        var at = answer.GetProperty("atPrice");
        at.GetProperty("low").GetDouble().ShouldBeLessThanOrEqualTo(at.GetProperty("days").GetDouble());
        at.GetProperty("days").GetDouble().ShouldBeLessThanOrEqualTo(at.GetProperty("high").GetDouble());
        answer.GetProperty("text").GetString()!.ShouldContain("días");

        var cheaper = await PostAsync($"/api/vehicles/{Own}/days-to-sale", new { price = new { amount = 600_000, currency = "DOP" } });
        (await BodyAsync(cheaper)).GetProperty("atPrice").GetProperty("days").GetDouble().ShouldBeLessThanOrEqualTo(at.GetProperty("days").GetDouble());
    }

    [Test]
    public async Task Days_to_sale_of_a_vehicle_that_is_sold_or_unknown_are_not_told()
    {
        (await Client.GetAsync($"/api/vehicles/{Sold}/days-to-sale")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await Client.GetAsync("/api/vehicles/nothing/days-to-sale")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task Days_to_sale_meet_rollouts_by_person_and_every_answer_is_written_down()
    {
        var candidate = await AgainAsync(ModelNames.DaysToSalePredictor);
        var rollout = await StartAsync(ModelNames.DaysToSalePredictor, new { version = candidate, stages = new[] { new { name = "canary", share = 0.5, minutes = 60 } } });
        var path = $"/api/vehicles/{Own}/days-to-sale";

        var met = new Dictionary<string, string>();
        foreach (var n in Enumerable.Range(0, 24))
        {
            var first = await Client.GetFromJsonAsync<JsonElement>($"{path}?person=p{n}");
            var second = await BodyAsync(await PostAsync($"{path}?person=p{n}", new { price = new { amount = 600_000, currency = "DOP" } }));
            met[$"p{n}"] = first.GetProperty("source").GetString()!;
            second.GetProperty("source").GetString().ShouldBe(met[$"p{n}"]);
            first.GetProperty("modelVersion").GetInt32().ShouldBe(met[$"p{n}"] == "rollout:candidate" ? candidate : candidate - 1);
        }

        met.Values.Distinct().ShouldBe(["rollout:control", "rollout:candidate"], ignoreOrder: true);
        // Whoever is signed in speaks for himself alone; a key that is no id is refused.
        (await dealer.GetAsync($"{path}?person=victim")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await RefusedAsync(await Client.GetAsync($"{path}?person={new string('x', 201)}"), "person");
        // Who is not signed in speaks for no user: the vehicle decides.
        await ExecuteAsync("insert into tracking.users (user_id, first_at) values ('a-user', now())");
        (await Client.GetFromJsonAsync<JsonElement>($"{path}?person=a-user")).GetProperty("source").GetString().ShouldBe((await Client.GetFromJsonAsync<JsonElement>(path)).GetProperty("source").GetString());
        // One that cannot be stored as it is costs nobody else his place.
        (await Client.GetAsync($"{path}?person=zero%00character")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await Service<Exposures>().FlushAsync();
        await Service<PredictionStore>().FlushAsync();
        (await ScalarAsync<long>($"select count(*) from ml.exposures where rollout_id = '{rollout}' and user_key like 'p%'")).ShouldBe(24);
        (await ScalarAsync<long>($"select count(*) from ml.exposures where rollout_id = '{rollout}' and user_key in ('victim', 'a-user')")).ShouldBe(0);
        (await ScalarAsync<long>($"select count(*) from ml.predictions where rollout_id = '{rollout}' and user_key like 'p%' and entity_id = '{Own}' and inputs->>'make' is not null and value > 0")).ShouldBe(48);
        (await ScalarAsync<long>("select count(*) from ml.predictions where user_key in ('victim', 'a-user')")).ShouldBe(0);
        await EndAsync(ModelNames.DaysToSalePredictor, rollout);

        // A mean of two that say the same says the same, and names no version.
        var usual = (await Client.GetFromJsonAsync<JsonElement>($"{path}?person=p0")).GetProperty("atPrice").GetProperty("days").GetDouble();
        var mean = await StartAsync(ModelNames.DaysToSalePredictor, new
        {
            ensemble = new[] { new { version = candidate, weight = 1 }, new { version = candidate - 1, weight = 3 } }, stages = new[] { new { name = "canary", share = 0.9, minutes = 60 } },
        });
        var answers = new List<JsonElement>();
        for (var n = 0; n < 12; n++)
        {
            answers.Add(await Client.GetFromJsonAsync<JsonElement>($"{path}?person=m{n}"));
        }

        var means = answers.Where(answer => answer.GetProperty("source").GetString() == "rollout:candidate").ToList();
        means.ShouldNotBeEmpty();
        means.ShouldAllBe(answer => answer.GetProperty("modelVersion").ValueKind == JsonValueKind.Null && Math.Abs(answer.GetProperty("atPrice").GetProperty("days").GetDouble() - usual) < 0.11);
        await EndAsync(ModelNames.DaysToSalePredictor, mean);
    }

    [Test]
    public async Task A_text_meets_the_arm_of_its_person_and_is_written_down_nowhere()
    {
        var outcome = await Service<IMessageBus>().InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.DescriptionAnalyzer, "first"));
        await Service<ModelRegistry>().PublishAsync(ModelNames.DescriptionAnalyzer, outcome.Version, default);
        await Service<ServedModels>().RefreshAsync();
        var candidate = await AgainAsync(ModelNames.DescriptionAnalyzer);
        var ad = new { title = "Toyota Corolla 2016", description = "Toyota Corolla 2016 automático, 88,000 km." };
        var rollout = await StartAsync(ModelNames.DescriptionAnalyzer, new { version = candidate, stages = new[] { new { name = "shadow", share = 0.0, minutes = 60 }, new { name = "canary", share = 0.5, minutes = 60 } } });

        (await BodyAsync(await PostAsync("/api/listings/analyze?person=p1", ad))).GetProperty("source").GetString().ShouldBe("model");
        await Service<ShadowAnswers>().FlushAsync();
        (await ScalarAsync<long>($"select sum(agreed)::bigint from ml.shadow_minutes where rollout_id = '{rollout}'")).ShouldBe(1);
        (await admin.PostAsJsonAsync($"/api/ml/models/{ModelNames.DescriptionAnalyzer}/rollouts/{rollout}/advance", new { })).StatusCode.ShouldBe(HttpStatusCode.OK);
        await Service<ServedModels>().RefreshAsync();

        var met = new HashSet<string>();
        foreach (var n in Enumerable.Range(0, 24))
        {
            var source = (await BodyAsync(await PostAsync($"/api/listings/analyze?person=p{n}", ad))).GetProperty("source").GetString()!;
            (await BodyAsync(await PostAsync($"/api/listings/analyze?person=p{n}", ad))).GetProperty("source").GetString().ShouldBe(source);
            met.Add(source);
        }

        met.ShouldBe(["rollout:control", "rollout:candidate"], ignoreOrder: true);
        await Service<Exposures>().FlushAsync();
        await Service<PredictionStore>().FlushAsync();
        (await ScalarAsync<long>($"select count(*) from ml.exposures where rollout_id = '{rollout}'")).ShouldBe(24);
        (await ScalarAsync<long>($"select count(*) from ml.predictions where model = '{ModelNames.DescriptionAnalyzer}'")).ShouldBe(0);
        await EndAsync(ModelNames.DescriptionAnalyzer, rollout);
    }

    [TestCase("{}", "price")]
    [TestCase("""{"price":{"amount":0,"currency":"USD"}}""", "price.amount")]
    [TestCase("""{"price":{"amount":9000,"currency":"EUR"}}""", "price.currency")]
    [TestCase("""{"price":{"amount":9000}}""", "price.currency")]
    public async Task A_price_that_cannot_be_thought_of_is_refused_with_its_field(string body, string field) => await RefusedAsync(await PostTextAsync($"/api/vehicles/{Own}/days-to-sale", body), field);

    [Test]
    public async Task A_listing_is_classified_by_its_text()
    {
        var answer = await BodyAsync(await PostAsync(
            $"/api/ml/models/{ModelNames.VehicleClassifier}/predict", new { rows = new[] { new { title = "Toyota Corolla LE", description = "Sedán en buenas condiciones", year = 2019, price_usd = 15_000 } } }));

        var row = answer.GetProperty("predictions")[0];
        row.GetProperty("label").GetString().ShouldNotBeNullOrEmpty();
        row.GetProperty("probabilities").EnumerateObject().Sum(share => share.Value.GetDouble()).ShouldBe(1, 1e-6);
        await RefusedAsync(await PostAsync($"/api/ml/models/{ModelNames.VehicleClassifier}/predict", new { rows = Array.Empty<object>() }), "rows");
        (await Client.GetAsync("/api/ml/models/no-such-model/signature")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task An_ad_is_told_what_it_says_where_it_contradicts_itself_and_what_it_lacks()
    {
        var answer = await BodyAsync(await PostAsync("/api/listings/analyze", new
        {
            title = "Honda CR-V", description = "Honda CR-V 2018 automática, 62,000 km. Llámame al 809-555-1234.", attributes = new { make = "Honda", year = 2016 }, price = new { amount = 21_500, currency = "USD" },
        }));

        answer.GetProperty("facts").EnumerateArray().ShouldContain(fact => fact.GetProperty("name").GetString() == "transmission");
        answer.GetProperty("contradictions").EnumerateArray().ShouldHaveSingleItem().GetProperty("name").GetString().ShouldBe("year");
        answer.GetProperty("contacts").EnumerateArray().ShouldHaveSingleItem().GetProperty("kind").GetString().ShouldBe("telefono");
        answer.GetProperty("masked").GetString()!.ShouldNotContain("555");
        answer.GetProperty("quality").GetInt32().ShouldBeInRange(0, 99);
        answer.GetProperty("suggestion").GetProperty("text").GetString()!.ShouldNotContain("555");
    }

    [TestCase("{}", "title")]
    [TestCase("""{"title":""}""", "title")]
    [TestCase("""{"title":"Kia","pictures":101}""", "pictures")]
    [TestCase("""{"title":"Kia","price":{"amount":0,"currency":"USD"}}""", "price")]
    [TestCase("""{"title":"Kia","price":{"amount":9000,"currency":"EUR"}}""", "price")]
    [TestCase("""{"title":"Kia","attributes":{"extras":["aire"]}}""", "attributes.extras")]
    public async Task An_ad_that_cannot_be_read_is_refused_with_its_field(string body, string field) => await RefusedAsync(await PostTextAsync("/api/listings/analyze", body), field);

    [Test]
    public async Task An_ad_with_too_much_in_it_is_refused_with_its_field()
    {
        await RefusedAsync(await PostAsync("/api/listings/analyze", new { title = new string('x', 201) }), "title");
        await RefusedAsync(await PostAsync("/api/listings/analyze", new { title = "Kia", place = new string('x', 81) }), "place");
        await RefusedAsync(await PostAsync("/api/listings/analyze", new { title = "Kia", attributes = Enumerable.Range(0, 61).ToDictionary(n => $"a{n}", n => n) }), "attributes");
        await RefusedAsync(await PostAsync("/api/listings/analyze", new { title = "Kia", description = new string('x', 200_000) }), "description");
    }

    [Test]
    public async Task Praise_and_blame_are_told_apart_thing_by_thing()
    {
        var answer = await BodyAsync(await PostAsync("/api/texts/sentiment", new { text = "El vendedor fue muy amable, pero el precio está carísimo." }));

        var aspects = answer.GetProperty("aspects").EnumerateArray().ToDictionary(aspect => aspect.GetProperty("name").GetString()!, aspect => aspect.GetProperty("sentiment").GetString());
        aspects["service"].ShouldBe("positive");
        aspects["price"].ShouldBe("negative");
        (await BodyAsync(await PostAsync("/api/texts/sentiment", new { text = "Excelente trato, todo perfecto" }))).GetProperty("sentiment").GetString().ShouldBe("positive");
    }

    [Test]
    public async Task A_search_becomes_intent_slots_and_filters()
    {
        var answer = await BodyAsync(await PostAsync("/api/search/intent", new { query = "jeepeta toyota 2018 de menos de 1.2 millones en Santiago" }));

        answer.GetProperty("intent").GetString().ShouldBe("search");
        var filters = answer.GetProperty("filters");
        filters.GetProperty("make").GetString().ShouldBe("Toyota");
        filters.GetProperty("bodyType").GetString().ShouldBe("jeepeta");
        filters.GetProperty("place").GetString().ShouldBe("Santiago");
        filters.GetProperty("maxPriceUsd").GetDecimal().ShouldBeInRange(15_000, 30_000);
    }

    [TestCase("/api/texts/sentiment", "text", 4_001)]
    [TestCase("/api/search/intent", "query", 10_000)]
    public async Task A_text_that_is_missing_blank_or_too_long_is_refused_with_its_field(string path, string field, int tooLong)
    {
        await RefusedAsync(await PostTextAsync(path, "{}"), field);
        await RefusedAsync(await PostTextAsync(path, $$"""{"{{field}}":"   "}"""), field);
        await RefusedAsync(await PostTextAsync(path, $$"""{"{{field}}":"{{new string('x', tooLong)}}"}"""), field);
        (await PostTextAsync(path, "{\"")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    /// <summary>The serving version's artefact once more under another number.</summary>
    private async Task<int> AgainAsync(string model)
    {
        var registry = Service<ModelRegistry>();
        var serving = (await registry.VersionAsync(model, (await registry.ServingAsync(default))[model].Version, default))!;
        return await registry.SaveAsync(
            model, new TrainedModel(await registry.ArtefactAsync(model, serving.Version, default), new { }, new { }, serving.DataUntil, 1), serving.Metrics, "candidate", "By hand.", "test", 0,
            new VersionFacts([], serving.Signature, serving.Version, null), default);
    }

    private async Task<Guid> StartAsync(string model, object rollout)
    {
        using var begun = await admin.PostAsJsonAsync($"/api/ml/models/{model}/rollouts", rollout);
        begun.IsSuccessStatusCode.ShouldBeTrue(await begun.Content.ReadAsStringAsync());
        await Service<ServedModels>().RefreshAsync();
        return (await begun.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    private async Task EndAsync(string model, Guid rollout)
    {
        using var ended = await admin.PostAsJsonAsync($"/api/ml/models/{model}/rollouts/{rollout}/rollback", new { why = "over" });
        ended.IsSuccessStatusCode.ShouldBeTrue(await ended.Content.ReadAsStringAsync());
        await Service<ServedModels>().RefreshAsync();
    }

    private Task<HttpResponseMessage> PostAsync(string path, object body) => Client.PostAsJsonAsync(path, body);

    private Task<HttpResponseMessage> PostTextAsync(string path, string body) => Client.PostAsync(path, new StringContent(body, System.Text.Encoding.UTF8, "application/json"));

    private static async Task<JsonElement> BodyAsync(HttpResponseMessage answer)
    {
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static async Task RefusedAsync(HttpResponseMessage refused, string field)
    {
        var body = await refused.Content.ReadAsStringAsync();
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest, body);
        JsonDocument.Parse(body).RootElement.GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldContain(field, body);
    }
}
