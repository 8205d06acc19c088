using System.Text.Json;
using OKLA.ML;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Training.Recommenders;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Models.Recommenders;

/// <summary>The engine without a database: vehicles and activities made by hand.</summary>
public sealed class ItemRecommenderTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ExchangeRates Rates = new(new MoneyOptions());
    private static readonly RecommenderKnobs Knobs = new() { Factors = 8, Iterations = 8, PriorPeople = 2, MachineIterations = 6, TowerIterations = 40, TowerHidden = 16, TowerDimension = 8, ContentDimension = 8 };
    private static readonly string[] Towns = ["Santo Domingo", "Santiago", "Punta Cana"];
    private static readonly GeoPoint[] Points = [new(18.486, -69.931), new(19.451, -70.697), new(18.582, -68.405)];
    private static readonly string[] Types = ["concierto", "deporte", "taller"];

    [Test]
    public void Every_part_learns_that_people_go_to_one_type_of_activity()
    {
        var (model, items) = Learned();

        model.Parts.Select(part => part.Name).ShouldBe(["als", "machine", "two-tower", "content", "trending"]);
        foreach (var part in new[] { "als", "machine", "two-tower", "content" })
        {
            var alone = model.Weighted(new Dictionary<string, double> { [part] = 1 }, new Dictionary<string, double>(), [0, 0]);
            var best = alone.Recommend(HistoryOf(items, "deporte", 3), 10, All(alone), []);
            best.Count(pick => items[pick.Index].Item.Text("type") == "deporte").ShouldBeGreaterThanOrEqualTo(7, part);
        }
    }

    [Test]
    public void A_saved_model_answers_as_before_and_a_damaged_one_is_refused()
    {
        var (model, items) = Learned();
        var weighted = model.Weighted(new Dictionary<string, double>(Knobs.StartWeights), new Dictionary<string, double>(), [0.1, 0.2]);
        var history = HistoryOf(items, "taller", 3);

        var bytes = weighted.Save();
        var read = ItemRecommender.Load(bytes, ItemKind.Activity);

        var moment = new ItemRecommender.Moment(Now, Points[0]);
        read.Recommend(history, 10, All(read), [], moment).ShouldBe(weighted.Recommend(history, 10, All(weighted), [], moment));
        Should.Throw<InvalidDataException>(() => ItemRecommender.Load(bytes, ItemKind.Vehicle));
        Should.Throw<InvalidDataException>(() => ItemRecommender.Load([.. bytes, 0], ItemKind.Activity));
    }

    [Test]
    public void A_part_of_weight_0_is_neither_kept_nor_stored()
    {
        var (model, _) = Learned();

        var some = model.Weighted(new Dictionary<string, double> { ["als"] = 1, ["content"] = 0.5, ["machine"] = 0 }, new Dictionary<string, double>(), [0, 0]);

        some.Parts.Select(part => part.Name).ShouldBe(["als", "content"]);
        some.Dimension.ShouldBe(16);
        some.Save().Length.ShouldBeLessThan(model.Save().Length);
    }

    [Test]
    public void An_activity_listed_a_minute_ago_is_recommended_to_those_of_its_kind()
    {
        var (model, items) = Learned();
        var fresh = Activity("fresh", "deporte", 1, Now.AddDays(3));

        var longer = model.Weighted(new Dictionary<string, double>(Knobs.StartWeights), new Dictionary<string, double>(), [0, 0]).With([fresh], Rates);

        longer.IndexOf("fresh").ShouldBe(items.Count);
        var place = Array.FindIndex(longer.Recommend(HistoryOf(items, "deporte", 3), items.Count + 1, All(longer), []), pick => longer.Ids[pick.Index] == "fresh");
        place.ShouldBeInRange(0, 24);
        longer.With([fresh], Rates).ShouldBeSameAs(longer);
    }

    [Test]
    public void Nearer_and_sooner_comes_first_where_all_else_is_the_same()
    {
        var (model, items) = Learned();
        ItemSnapshot[] added = [Activity("far", "deporte", 2, Now.AddDays(2)), Activity("near", "deporte", 0, Now.AddDays(2)), Activity("late", "deporte", 0, Now.AddDays(60))];
        var contextual = model.Weighted(new Dictionary<string, double> { ["trending"] = 1 }, new Dictionary<string, double>(), [1, 1]).With(added, Rates);
        var mask = new ItemMask(contextual.Ids.Count);
        foreach (var item in added)
        {
            mask[contextual.IndexOf(item.Item.Id)] = true;
        }

        var order = contextual.Recommend(HistoryOf(items, "deporte", 2), 3, mask, [], new ItemRecommender.Moment(Now, Points[0]));

        order.Select(pick => contextual.Ids[pick.Index]).ShouldBe(["near", "late", "far"]);
    }

    [Test]
    public void Santo_Domingo_lies_135_kilometres_from_Santiago() =>
        // By the haversine formula, worked out by hand from the two points above.
        ItemKind.Kilometres(Points[0], Points[1]).ShouldBe(134.5, 1.5);

    [Test]
    public void A_kind_declares_its_kin_and_tokens()
    {
        var activity = Activity("a", "taller", 1, new DateTimeOffset(2026, 6, 6, 23, 0, 0, TimeSpan.Zero));

        ItemKind.Activity.KinOf(activity, Rates).ShouldBe(["type+locality taller|santiago", "type+level taller|inicial", "type taller", "locality santiago"]);
        var tokens = ItemKind.Activity.TokensOf(activity, Rates);
        tokens.ShouldContain("tags=familia");
        tokens.ShouldContain("price=free");
        tokens.ShouldContain("weekday=Saturday");
        tokens.ShouldContain("hours=evening");
        ItemKind.OverAt(activity.Item).ShouldBe(new DateTimeOffset(2026, 6, 7, 1, 0, 0, TimeSpan.Zero));
        var car = new ItemSnapshot(Room.Car("c", "Kia", "sorento", 2021, 16_000, body: "jeepeta"), "live", Now, Now, Now, 1);
        ItemKind.Vehicle.KinOf(car, Rates).ShouldBe(["make+model kia|sorento", "make+bodyType kia|jeepeta", "bodyType+price jeepeta|27"]);
        ItemKind.Vehicle.TokensOf(car, Rates).ShouldContain("age=1010");
    }

    [Test]
    public void Places_that_are_seldom_clicked_count_more_up_to_the_clip()
    {
        // 1,000 lists of three; clicks fall 100, 50, 10. Smoothed by 50 at the mean rate 160/3000: (100+2.67)/1050, (50+2.67)/1050, (10+2.67)/1050.
        var chances = PositionBias.Chances([1_000, 1_000, 1_000], [100, 50, 10]);

        chances[0].ShouldBe(1);
        chances[1].ShouldBe(52.667f / 102.667f, 1e-4f);
        chances[2].ShouldBe(12.667f / 102.667f, 1e-4f);
        PositionBias.Chances([1_000, 1_000], [10, 90]).ShouldBe([1f, 1f]);
        PositionBias.Chances([], []).ShouldBeEmpty();
        var frame = Frame([(0, 0), (0, 1)]) with { Position = [2, -1], ListsShown = [.. Enumerable.Repeat(3, 1_000)] };
        var bias = new PositionBias(frame with { }, [0, 1], new RecommenderKnobs { MostInversePropensity = 4 });
        bias.Factor(1).ShouldBe(1);
        bias.Factor(0).ShouldBeInRange(1, 4);
    }

    [Test]
    public void A_rate_of_few_days_is_drawn_towards_the_mean()
    {
        // (10 + 2·1) / (1 + 2) and (70 + 2·1) / (7 + 2).
        TrendPart.SmoothedRate(10, 1, 1, 2).ShouldBe(4);
        TrendPart.SmoothedRate(70, 7, 1, 2).ShouldBe(8);
    }

    [Test]
    public void A_part_that_ranks_by_chance_gets_no_weight()
    {
        var random = new Random(3);
        var cases = Enumerable.Range(0, 120).Select(_ =>
        {
            var relevant = Enumerable.Range(0, 100).Select(i => i < 5).ToArray();
            float[] good = [.. relevant.Select(yes => (yes ? 1 : 0) + (float)random.NextDouble())], noise = [.. relevant.Select(_ => (float)random.NextDouble())];
            return new Stacking.Case([good, noise], relevant, 5);
        }).ToArray();

        Stacking.Choose([[1, 0], [1, 1], [0.5, 2]], cases).ShouldBe([1, 0]);
        cases[0].Ndcg([1, 0], 10).ShouldBe(1, 1e-9);
    }

    [TestCase("random")]
    [TestCase("popular")]
    [TestCase("hard")]
    public void Negatives_are_never_what_the_person_met(string sampling)
    {
        var (data, _) = Data();
        var content = ContentIndex.Learn(ItemKind.Activity, data.Items, Rates);
        var cuts = TrainingCuts.Of(data.Order, data.Weights, content, data.Items, Knobs);
        var random = new Random(1);

        cuts.All.Count.ShouldBeGreaterThan(50);
        foreach (var cut in cuts.All)
        {
            cut.Earlier.Items.Intersect(cut.Later).ShouldBeEmpty();
            cut.Known.ShouldNotContain(cuts.Negative(cut, sampling, content, new float[content.Tokens], random));
        }
    }

    [Test]
    public void The_trend_of_now_takes_the_place_of_the_one_of_the_training()
    {
        var (model, items) = Learned();
        var trending = model.Weighted(new Dictionary<string, double> { ["trending"] = 1 }, new Dictionary<string, double>(), [0, 0]);
        var weights = new double[items.Count];
        weights[17] = 500;

        var now = trending.With(TrendPart.Of(weights, [.. items.Select(item => (DateTimeOffset?)item.ListedAt)], Now.AddDays(-7), Now, 2));

        now.Recommend(HistoryOf(items, "taller", 3), 1, All(now), []).ShouldHaveSingleItem().Index.ShouldBe(17);
        trending.Recommend(HistoryOf(items, "taller", 3), 1, All(trending), []).ShouldHaveSingleItem().Index.ShouldNotBe(17);
        var deaf = model.Weighted(new Dictionary<string, double> { ["als"] = 1 }, new Dictionary<string, double>(), [0, 0]);
        deaf.With(TrendPart.Of(weights, new DateTimeOffset?[weights.Length], Now.AddDays(-7), Now, 2)).ShouldBeSameAs(deaf);
    }

    [Test]
    public void Somebody_new_is_shown_what_those_who_came_alike_looked_at_and_nothing_where_that_tells_nothing()
    {
        var (model, items) = Learned();
        // Who searched for deporte looked at deporte; the device says nothing.
        var visits = Enumerable.Range(0, 120).Select(n => new FirstVisit($"n{n}", Now.AddDays(-1), [$"body={Types[n % 3]}", n % 2 == 0 ? "device=mobile" : "device=desktop"], [$"a{(n * 3 % 90) + (n % 3):00}"])).ToArray();
        var cold = ColdStart.Fit(visits, model.Content, model.IndexOf, TrendPart.Fit(new double[items.Count], items, Now, Knobs), 1);
        var ready = model.With(cold);

        var found = ready.First(["body=deporte"], 10, All(ready), []);

        found.ShouldAllBe(item => items[item.Index].Item.Text("type") == "deporte");
        ready.First(["body=unheard"], 10, All(ready), []).ShouldBeEmpty();
        model.With(cold.Weighted(0)).First(["body=deporte"], 10, All(ready), []).ShouldBeEmpty();
        ItemRecommender.Load(ready.Save(), ItemKind.Activity).First(["body=deporte"], 10, All(ready), []).ShouldBe(found);
    }

    [Test]
    public void Who_asks_for_a_kind_of_thing_that_nobody_asked_for_before_is_shown_it_as_those_were_who_asked_for_others()
    {
        var (model, items) = Learned();
        // Nobody came for the third type yet.
        var visits = Enumerable.Range(0, 40).Select(n => new FirstVisit($"n{n}", Now.AddDays(-1), [$"type={Types[n % 2]}"], [$"a{(n * 3 % 90) + (n % 2):00}"])).ToArray();
        var ready = model.With(ColdStart.Fit(visits, model.Content, model.IndexOf, TrendPart.Fit(new double[items.Count], items, Now, Knobs), 1));

        var found = ready.First([$"type={Types[2]}"], 10, All(ready), []);

        found.Length.ShouldBe(10);
        found.ShouldAllBe(item => items[item.Index].Item.Text("type") == Types[2]);
        ItemRecommender.Load(ready.Save(), ItemKind.Activity).First([$"type={Types[2]}"], 10, All(ready), []).ShouldBe(found);
    }

    [Test]
    public void Words_that_tell_nothing_move_nothing_however_rare_what_was_looked_at()
    {
        var (model, items) = Learned();
        var random = new Random(3);
        var visits = Enumerable.Range(0, 200).Select(n => new FirstVisit(
            $"n{n}", Now.AddDays(-1), [$"began={(random.Next(2) == 0 ? "searched" : "item_viewed")}", $"device={(random.Next(3) == 0 ? "desktop" : "mobile")}"], [$"a{random.Next(90):00}"])).ToArray();
        var trend = TrendPart.Fit(new double[items.Count], items, Now, Knobs);

        var scores = ColdStart.Fit(visits, model.Content, model.IndexOf, trend, 1).Scores(["began=item_viewed", "device=desktop"], model.Content).ShouldNotBeNull();

        // Of 200 visits a half's counts differ by chance by a tenth and more, and those of rare tokens by a half.
        scores.Select((score, item) => Math.Abs(score - trend.Vectors[item])).Max().ShouldBeLessThan(0.1f);
    }

    private static (ItemRecommender Model, IReadOnlyList<ItemSnapshot> Items) Learned()
    {
        var (data, items) = Data();
        return (ItemRecommender.Fit(data, Knobs, Rates, 1), items);
    }

    /// <summary>90 activities and 60 people who go to one type, nine times in ten.</summary>
    private static (RecommenderData Data, IReadOnlyList<ItemSnapshot> Items) Data()
    {
        var items = Enumerable.Range(0, 90).Select(n => Activity($"a{n:00}", Types[n % 3], n / 3 % 3, Now.AddDays(1 + (n % 20)))).ToArray();
        var random = new Random(5);
        var events = Enumerable.Range(0, 60).SelectMany(person => Enumerable.Range(0, 12).Select(_ =>
            (person, (random.Next(10) == 0 ? random.Next(90) : (random.Next(30) * 3) + (person % 3))))).ToArray();
        var frame = Frame(events);
        return (RecommenderData.Of(ItemKind.Activity, frame, [.. Enumerable.Range(0, frame.Count)], items, Now, Knobs), items);
    }

    private static InteractionFrame Frame((int Person, int Item)[] events) => new(
        [.. Enumerable.Range(0, 60).Select(n => $"p{n}")], [.. Enumerable.Range(0, 90).Select(n => $"a{n:00}")], [.. events.Select(e => e.Person)], [.. events.Select(e => e.Item)], [.. events.Select(_ => 1f)],
        [.. events.Select((_, n) => Now.AddDays(-10).AddMinutes(n).UtcTicks)], [.. events.Select((_, n) => Now.AddDays(-10).AddMinutes(n).UtcTicks)]);

    private static ItemSnapshot Activity(string id, string type, int town, DateTimeOffset begins)
    {
        var attributes = new Dictionary<string, JsonElement>
        {
            ["type"] = JsonSerializer.SerializeToElement(type), ["tags"] = JsonSerializer.SerializeToElement(new[] { "familia", type + "s" }), ["locality"] = JsonSerializer.SerializeToElement(Towns[town]),
            ["level"] = JsonSerializer.SerializeToElement("inicial"), ["latitude"] = JsonSerializer.SerializeToElement(Points[town].Latitude), ["longitude"] = JsonSerializer.SerializeToElement(Points[town].Longitude),
            ["startsAt"] = JsonSerializer.SerializeToElement(begins), ["endsAt"] = JsonSerializer.SerializeToElement(begins.AddHours(2)),
        };
        return new ItemSnapshot(new CatalogItem(id, "activity", $"{type} en {Towns[town]}", new Money(0, "DOP"), attributes), "live", Now.AddDays(-20), Now, Now, 1);
    }

    private static HistoryItem[] HistoryOf(IReadOnlyList<ItemSnapshot> items, string type, int count) =>
        [.. items.Where(item => item.Item.Text("type") == type).Take(count).Select(item => new HistoryItem(item.Item.Id, 1, 1, EventTypes.ItemViewed, Now))];

    private static ItemMask All(ItemRecommender model) => new(model.Ids.Count, full: true);
}
