using OKLA.ML.Models.Language;
using OKLA.ML.Serving.Language;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Models.Language;

public sealed class SearchIntentTests
{
    private static readonly Gazetteer Names = new(StandingNames.All);
    private SearchIntentModel model = null!;

    [OneTimeSetUp]
    public void Learn() => model = SearchIntentModel.Fit(new QueryGrammar(Names, 7).Make(4_000, test: false), Names, 7, CancellationToken.None);

    [Test]
    public void A_query_tells_its_intent_its_slots_and_its_filters()
    {
        var understood = model.Understand("Jeepeta Toyota 2018 full menos de 1.2 millones en Santiago");

        understood.Intent.ShouldBe(QueryIntents.Search);
        understood.Slots.Select(slot => (slot.Name, slot.Text)).ShouldBe(
            [("body", "Jeepeta"), ("make", "Toyota"), ("year", "2018"), ("price_max", "1.2 millones"), ("place", "Santiago")]);
        var filters = UnderstandSearch.FiltersOf(understood, Names, Rates(60), DateTimeOffset.UnixEpoch);
        filters.ShouldBe(new UnderstandSearch.Filters("Toyota", null, "jeepeta", null, null, null, "Santiago", 2018, 2018, null, 20_000));
    }

    [Test]
    public void Queries_written_by_hand_are_understood_as_well_as_the_goal_asks()
    {
        var figures = QueryFigures.Of(model, WrittenQueries.Final);

        WrittenQueries.Final.Count.ShouldBeGreaterThanOrEqualTo(150);
        figures.SlotF1.ShouldBeGreaterThan(0.9);
        figures.SlotF1.ShouldBeGreaterThan(figures.NamesF1);
        figures.IntentF1.ShouldBeGreaterThan(0.9);
    }

    [Test]
    public void No_query_written_by_hand_is_among_those_learned_from()
    {
        var learned = new QueryGrammar(Names, 42).Make(12_000, test: false).Select(Key).ToHashSet();

        // A greeting or a bare model of two words is the same whoever writes it; a sentence is not.
        WrittenQueries.Final.Where(query => query.Tokens.Count > 4).Select(Key).ShouldAllBe(query => !learned.Contains(query));

        static string Key(TaggedQuery query) => string.Join(' ', query.Tokens.Select(token => token.Text));
    }

    [Test]
    public void Makes_to_test_on_are_not_among_those_learned_from()
    {
        var grammar = new QueryGrammar(Names, 42);

        static HashSet<string> Makes(IReadOnlyList<TaggedQuery> queries) =>
        [
            .. queries.SelectMany(query => query.Slots.Where(slot => slot.Slot == "make").Select(slot => Names.Resolve("make", string.Join(' ', query.Tokens.Skip(slot.First).Take(slot.Count).Select(token => token.Text)))))
                .OfType<SlotName>().Select(name => name.Value),
        ];
        // Misspelt ones may be nearest to another make: those said often are meant.
        var both = Makes(grammar.Make(3_000, test: false)).Intersect(Makes(grammar.Make(3_000, test: true))).ToArray();
        both.Length.ShouldBeLessThan(4);
    }

    [Test]
    public void A_model_that_was_saved_understands_the_same()
    {
        var read = SearchIntentModel.Load(model.Save());

        foreach (var query in WrittenQueries.Looked)
        {
            var (before, after) = (model.Understand(query.Text), read.Understand(query.Text));
            (after.Intent, after.Confidence).ShouldBe((before.Intent, before.Confidence));
            after.Slots.ShouldBe(before.Slots);
        }

        Should.Throw<InvalidDataException>(() => SearchIntentModel.Load(model.Save()[..500]));
    }

    [Test]
    public void A_query_of_signs_alone_is_answered_with_no_slots() => model.Understand("¿?!").Slots.ShouldBeEmpty();

    [TestCase("1.2 millones", 1_200_000, "DOP")]
    [TestCase("millón y medio", 1_500_000, "DOP")]
    [TestCase("un millon y medio", 1_500_000, "DOP")]
    [TestCase("medio millon", 500_000, "DOP")]
    [TestCase("1 millon 200 mil", 1_200_000, "DOP")]
    [TestCase("800 mil", 800_000, "DOP")]
    [TestCase("quinientos mil pesos", 500_000, "DOP")]
    [TestCase("RD$1,250,000", 1_250_000, "DOP")]
    [TestCase("rd$ 1.3m", 1_300_000, "DOP")]
    [TestCase("us$ 15 mil", 15_000, "USD")]
    [TestCase("20k dólares", 20_000, "USD")]
    [TestCase("25000", 25_000, "USD")]
    [TestCase("650000", 650_000, "DOP")]
    public void Amounts_are_read_as_Dominicans_write_them(string typed, int amount, string currency) =>
        SlotValues.Amount([.. QueryTokens.Of(typed).Select(token => token.Text)]).ShouldBe(new Money(amount, currency));

    [TestCase("entre 500 y 800 mil", 500_000, 800_000)]
    [TestCase("de 600 a 900 mil pesos", 600_000, 900_000)]
    public void The_lower_end_of_a_range_takes_the_scale_of_the_upper_one(string typed, int low, int high)
    {
        var slots = model.Understand($"jeepeta {typed}").Slots;

        slots.Single(slot => slot.Name == "price_min").Amount!.Amount.ShouldBe(low);
        slots.Single(slot => slot.Name == "price_max").Amount!.Amount.ShouldBe(high);
    }

    [Test]
    public void Misspelt_names_are_found_and_words_of_everyday_talk_are_not_taken_for_names()
    {
        Names.Resolve("make", "hyunday")!.Value.ShouldBe("Hyundai");
        Names.Resolve("model", "corola")!.Value.ShouldBe("Corolla");
        Names.Resolve("place", "sto dgo")!.Value.ShouldBe("Santo Domingo");
        Names.Find(QueryTokens.Of("quiero una carta para mi")).ShouldBeEmpty();
    }

    [Test]
    public void Without_a_version_known_names_speak()
    {
        var understood = SearchIntentModel.ByNames("honda civic 2015 en moca", Names);

        understood.Confidence.ShouldBe(0);
        understood.Slots.Select(slot => slot.Value).ShouldBe(["Honda", "Civic", "2015", "Espaillat"]);
    }

    private static ExchangeRates Rates(decimal pesos)
    {
        var money = new MoneyOptions();
        money.Rates.Add(new ExchangeRate { From = DateOnly.MinValue, DopPerUsd = pesos });
        return new ExchangeRates(money);
    }
}
