using OKLA.ML.Models;
using OKLA.ML.Training;

namespace OKLA.Tests.Modules.ML.Training;

public sealed class ObjectiveTests
{
    // Good and slow, middling, quick and poor; the last one is worse than the second in everything.
    private static readonly TriedModel[] Tried =
    [
        new("good", 1.0, 100, 1_000, 0.1, true), new("middling", 1.2, 20, 400, 0.3, true), new("quick", 2.0, 10, 100, 0.2, true), new("beaten", 1.3, 30, 500, 0.4, false),
    ];

    [TestCase(1, 0, 0, 0, "good")]
    [TestCase(0, 1, 0, 0, "quick")]
    [TestCase(0, 0, 1, 0, "quick")]
    [TestCase(0, 0, 0, 1, "good")]
    // From best to worst of the front, good has (0, 1), middling (0.2, 0.111), quick (1, 0) in loss and time.
    [TestCase(1, 1, 0, 0, "middling")]
    [TestCase(1, 0.1, 0, 0, "good")]
    public void Weights_choose_the_point_of_the_front(double quality, double latency, double size, double fairness, string expected) =>
        Tried[new Objective { Quality = quality, Latency = latency, Size = size, Fairness = fairness }.Choose(Tried)].Name.ShouldBe(expected);

    [Test]
    public void Limits_come_before_weights_and_the_least_beyond_them_is_taken_where_none_keeps_them()
    {
        Tried[new Objective { MaxRowMicroseconds = 50 }.Choose(Tried)].Name.ShouldBe("middling");
        Tried[new Objective { MaxBytes = 150 }.Choose(Tried)].Name.ShouldBe("quick");
        Tried[new Objective { MaxGroupGap = 0.15, MaxRowMicroseconds = 10_000 }.Choose(Tried)].Name.ShouldBe("good");
        Tried[new Objective { MaxBytes = 50 }.Choose(Tried)].Name.ShouldBe("quick");
    }

    [Test]
    public void Weights_of_nothing_and_fairness_without_groups_are_faults()
    {
        new Objective { Quality = 0 }.Fault(true)!.Value.Field.ShouldBe("objective");
        new Objective { Fairness = 1 }.Fault(false)!.Value.Field.ShouldBe("objective.fairness");
        new Objective { MaxGroupGap = 1 }.Fault(false)!.Value.Field.ShouldBe("objective.fairness");
        new Objective { Fairness = 1 }.Fault(true).ShouldBeNull();
    }

    [Test]
    public async Task A_small_model_is_chosen_where_size_counts_and_the_front_is_kept()
    {
        var cars = SmallTables.Cars(400, 9);
        var definition = new TableDefinition { Target = "price", Columns = ["age", "km", "transmission"], Profile = "fast", BudgetSeconds = 5 };
        var plain = SmallTables.Training(definition, cars);
        var weighed = SmallTables.Training(definition with { Objective = new Objective { Quality = 0.01, Size = 1 } }, cars);

        await plain.EvaluateAsync(null, null, default);
        var heldOut = await weighed.EvaluateAsync(null, null, default);

        var chosen = heldOut.Tried.Single(one => one.Chosen);
        chosen.OnFront.ShouldBeTrue();
        chosen.Bytes.ShouldBe(heldOut.Tried.Where(one => one.Bytes is not null).Min(one => one.Bytes));
        heldOut.Tried.Count(one => one.OnFront).ShouldBeGreaterThan(1);
        weighed.Measured().Artefact.Length.ShouldBeLessThan(plain.Measured().Artefact.Length);

        // The same settings again, from the recipe alone.
        var again = SmallTables.Training(definition with { Objective = new Objective { Quality = 0.01, Size = 1 } }, cars, weighed.Recipe);
        await again.EvaluateAsync(null, null, default);
        again.Measured().Artefact.ShouldBe(weighed.Measured().Artefact);
    }
}
