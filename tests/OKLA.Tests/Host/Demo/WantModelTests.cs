using OKLA.Host.Demo;

namespace OKLA.Tests.Host.Demo;

public sealed class WantModelTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Test]
    public void SplitMix64_gives_the_numbers_of_its_reference()
    {
        // First outputs for the state 1234567, from the C code at prng.di.unimi.it/splitmix64.c as quoted by Rosetta Code, "Pseudo-random numbers/Splitmix64".
        var random = new SeededRandom(1234567);
        new[] { random.Next64(), random.Next64(), random.Next64(), random.Next64(), random.Next64() }.ShouldBe(
            [6457827717110365317UL, 3203168211198807973UL, 9817491932198370423UL, 4593380528125082431UL, 16408922859458223821UL]);
    }

    [Test]
    public void Without_taste_quality_alone_decides()
    {
        var model = Model(new DemoOptions { TasteStrength = 0 });
        var car = new Vehicle("a", "sedan", "toyota", 10, 2018, At.AddYears(-1));

        Enumerable.Range(0, 20).Select(person => model.Probability(person, car, At)).Distinct().Count().ShouldBe(1);
    }

    [Test]
    public void When_every_choice_is_a_distraction_the_probability_is_the_one_set()
    {
        var model = Model(new DemoOptions { Distraction = 1, DistractedInterest = 0.25 });
        model.Probability(3, new Vehicle("a", "sedan", "toyota", 10, 2018, At), At).ShouldBe(0.25, 1e-12);
    }

    [Test]
    public void A_price_far_above_the_budget_is_wanted_less_than_one_at_it()
    {
        var model = Model(new DemoOptions());
        for (var person = 0; person < 50; person++)
        {
            var budget = model.TasteOf(person).LogBudget;
            var fair = new Vehicle("a", "sedan", "toyota", budget, 2018, At);
            model.Probability(person, fair with { LogPrice = budget + 1 }, At).ShouldBeLessThan(model.Probability(person, fair, At));
            model.Probability(person, fair with { LogPrice = budget - 0.25 }, At).ShouldBeGreaterThan(model.Probability(person, fair with { LogPrice = budget + 0.25 }, At));
        }
    }

    [Test]
    public void A_fresh_listing_draws_more_than_the_same_one_a_month_old()
    {
        var model = Model(new DemoOptions());
        var car = new Vehicle("a", "jeepeta", "honda", 10, 2020, At);
        model.Probability(1, car, At).ShouldBeGreaterThan(model.Probability(1, car with { ListedAt = At.AddDays(-30) }, At));
    }

    private static WantModel Model(DemoOptions choice) => new(new SimulationRun(11, 100, 10, At, 0, choice));
}
