using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models;
using OKLA.ML.Training;

namespace OKLA.Tests.Modules.ML.Training;

public sealed class TableTrainingTests
{
    private static readonly string[] Inputs = ["age", "km", "transmission", "place", "noise"];

    private static TableDefinition Of(string target) => new() { Target = target, Columns = Inputs, Profile = "fast", BudgetSeconds = 1, Seed = 7 };

    [Test]
    public async Task A_number_is_learned_up_to_its_noise_and_its_intervals_hold_what_they_promise()
    {
        var training = SmallTables.Training(Of("price"), SmallTables.Cars(1_500, 1));

        var heldOut = await training.EvaluateAsync(null, null, default);

        // Noise of 800 has a mean absolute error of 800 · √(2/π) = 638.
        heldOut.Metrics[0].Name.ShouldBe("MAE");
        heldOut.Metrics[0].Model.ShouldBeInRange(580, 900);
        heldOut.Metrics.Single(metric => metric.Name == "R2").Model.ShouldBeGreaterThan(0.93);
        heldOut.Coverage!.Held.Upper.ShouldBeGreaterThan(0.87);
        heldOut.Coverage.Held.Lower.ShouldBeLessThan(0.95);
        heldOut.Folds.Count.ShouldBe(5);
        heldOut.Importance.Take(3).Select(one => one.Column).ShouldBe(["age", "km", "transmission"], ignoreOrder: true);
        Gate.Decide(heldOut, false, null, 0.05).Publish.ShouldBeTrue();
    }

    [Test]
    public async Task Two_classes_are_calibrated_and_rank_better_than_chance()
    {
        var heldOut = await SmallTables.Training(Of("sold"), SmallTables.Cars(1_500, 2)).EvaluateAsync(null, null, default);

        heldOut.Metrics[0].Name.ShouldBe("log loss");
        heldOut.Metrics.Single(metric => metric.Name == "AUC").Model.ShouldBeInRange(0.7, 0.95);
        heldOut.CalibrationError!.Value.Estimate.ShouldBeLessThan(0.12);
        heldOut.Metrics[0].Model.ShouldBeLessThan(heldOut.Metrics[0].Baseline!.Value);
        heldOut.Cases!.Model.Average().ShouldBe(heldOut.Metrics[0].Model, 1e-9);
    }

    [Test]
    public async Task Metrics_have_intervals_that_draw_groups_where_the_table_has_them()
    {
        var cars = SmallTables.Cars(1_500, 2);
        RawColumn[] owned = [.. cars, new RawColumn("owner", [.. Enumerable.Range(0, 1_500).Select(row => $"owner {row / 50}")])];
        var definition = Of("sold") with { Precision = 0.9 };

        var (free, bound) = (await SmallTables.Training(definition, cars).EvaluateAsync(null, null, default), await SmallTables.Training(definition with { Group = "owner" }, owned).EvaluateAsync(null, null, default));

        foreach (var name in new[] { "log loss", "AUC", "F1", "Brier", "accuracy", "calibration error", "precision at the operating threshold" })
        {
            var metric = free.Metrics.Single(row => row.Name == name);
            metric.Model.ShouldBeInRange(metric.Low!.Value, metric.High!.Value, name);
        }

        // A share of n cases errs by √(p (1 − p) / n).
        var accuracy = free.Metrics.Single(row => row.Name == "accuracy");
        var width = 2 * 1.96 * Math.Sqrt(accuracy.Model * (1 - accuracy.Model) / free.RowsMeasured);
        (accuracy.High - accuracy.Low)!.Value.ShouldBe(width, 0.2 * width);
        (free.RowsLearned + free.RowsMeasured).ShouldBe(1_500);

        // Of six owners nothing can be told.
        (bound.RowsMeasured, bound.Metrics[0].Low).ShouldBe((300, null));
    }

    [Test]
    public async Task A_fold_in_which_all_are_of_one_class_says_nothing()
    {
        var cars = SmallTables.Cars(1_500, 2);
        RawColumn Sold(int none) => new("sold", [.. cars.Single(column => column.Name == "sold").Values.Select((sold, row) => row < none ? "no" : sold)]);
        async Task<HeldOut> MeasuredAsync(int none) =>
            await SmallTables.Training(Of("sold") with { Time = "day" }, [.. cars.Where(column => column.Name != "sold"), Sold(none)]).EvaluateAsync(null, null, default);

        var (all, late) = (await MeasuredAsync(0), await MeasuredAsync(700));

        all.Folds.Count.ShouldBe(5);
        late.Folds.Count.ShouldBeInRange(1, 3);
        late.Folds.ShouldAllBe(fold => fold.Baseline > 0.1);
    }

    [TestCase("price", "fast")]
    [TestCase("sold", "fast")]
    [TestCase("level", "fast")]
    [TestCase("sold", "accurate")]
    [TestCase("level", "accurate")]
    public async Task A_saved_model_answers_the_same_and_its_contributions_add_up(string target, string profile)
    {
        var columns = SmallTables.Cars(400, 3);
        var training = SmallTables.Training(Of(target) with { Profile = profile }, columns);
        await training.EvaluateAsync(null, null, default);
        var artefact = training.Refit(null, default).Artefact;

        var model = TableModel.Load(artefact);
        var rows = Enumerable.Range(0, 5).Select(columns.Named(Inputs).Row).ToArray();
        var answers = model.Predict(rows);

        model.Profile.ShouldBe(profile);
        TableModel.Load(model.Save()).Predict(rows).Select(answer => answer.Value).ShouldBe(answers.Select(answer => answer.Value));
        foreach (var explanation in model.Explain(rows))
        {
            explanation.Contributions.Count.ShouldBe(Inputs.Length);
            (explanation.Base + explanation.Contributions.Sum()).ShouldBe(explanation.Output, 1e-4 * Math.Max(1, Math.Abs(explanation.Output)));
        }

        if (target == "price")
        {
            answers.ShouldAllBe(answer => answer.Low < answer.Value && answer.Value < answer.High);
        }
        else
        {
            answers.ShouldAllBe(answer => Math.Abs(answer.Probabilities!.Sum() - 1) < 1e-5 && model.Signature.Classes.Contains(answer.Label));
        }

        artefact[^100] ^= 1;
        Should.Throw<InvalidDataException>(() => TableModel.Load(artefact));
        Should.Throw<InvalidDataException>(() => TableModel.Load([1, 2, 3]));
    }

    [Test]
    public async Task Trees_contributions_on_log_odds_are_those_of_the_answer_itself()
    {
        var columns = SmallTables.Cars(600, 4);
        var training = SmallTables.Training(Of("sold"), columns);
        await training.EvaluateAsync(null, null, default);
        var model = TableModel.Load(training.Refit(null, default).Artefact);
        var row = columns.Named(Inputs).Row(0);

        var (explanation, answer) = (model.Explain([row])[0], model.Predict([row])[0]);

        explanation.Scale.ShouldBe("log odds");
        (1 / (1 + Math.Exp(-explanation.Output))).ShouldBe(answer.Value, 1e-5);
    }

    [Test]
    public async Task A_wanted_precision_decides_from_where_a_row_is_called_positive()
    {
        var columns = SmallTables.Cars(1_500, 2);
        var training = SmallTables.Training(Of("sold") with { Precision = 0.9 }, columns);
        var heldOut = await training.EvaluateAsync(null, null, default);
        var model = TableModel.Load(training.Measured().Artefact);

        var threshold = heldOut.Metrics.Single(metric => metric.Name == "operating threshold").Model;
        model.Signature.Threshold.ShouldBe(threshold);
        Math.Abs(threshold - 0.5).ShouldBeGreaterThan(0.01);
        var rows = Enumerable.Range(0, 300).Select(columns.Named(Inputs).Row).ToArray();
        foreach (var answer in model.Predict(rows))
        {
            (answer.Label == model.Signature.Classes[1]).ShouldBe(answer.Probabilities![1] >= threshold);
        }
    }

    [Test]
    public async Task The_signature_tells_types_ranges_and_categories()
    {
        var training = SmallTables.Training(Of("price"), SmallTables.Cars(300, 5));
        await training.EvaluateAsync(null, null, default);

        var inputs = training.Signature!.Inputs;

        inputs.Select(input => input.Name).ShouldBe(Inputs);
        (inputs[0].Type, inputs[0].Min, inputs[0].Max).ShouldBe(("number", 0.0, 15.0));
        (inputs[2].Type, inputs[2].Categories!.Order()).ShouldSatisfyAllConditions(pair => pair.Type.ShouldBe("category"), pair => pair.Item2.ShouldBe(["automática", "mecánica"]));
    }

    [Test]
    public async Task With_a_time_the_newest_rows_are_the_test()
    {
        var columns = SmallTables.Cars(500, 6);
        var training = SmallTables.Training(Of("price") with { Time = "day" }, columns);

        var heldOut = await training.EvaluateAsync(null, null, default);

        heldOut.Split.ShouldContain("by day from 2025-01-17 16:00 UTC: 400 rows to learn from, 100 to measure on");
        training.Measured().DataUntil.ShouldBe(new DateTimeOffset(2025, 1, 17, 15, 0, 0, TimeSpan.Zero));
    }

    [Test]
    public async Task A_serving_version_that_has_not_seen_the_test_is_measured_on_it()
    {
        var old = SmallTables.Training(Of("price") with { Time = "day" }, SmallTables.Cars(300, 8).Rows([.. Enumerable.Range(0, 100)]));
        await old.EvaluateAsync(null, null, default);
        var weak = old.Refit(null, default);

        var heldOut = await SmallTables.Training(Of("price") with { Time = "day" }, SmallTables.Cars(1_000, 8)).EvaluateAsync((weak.Artefact, weak.DataUntil), null, default);

        heldOut.Cases!.Serving!.Average().ShouldBeGreaterThan(heldOut.Metrics[0].Model);
    }

    [Test]
    public async Task A_copy_of_the_target_and_a_column_that_gives_it_away_block()
    {
        var columns = SmallTables.Cars(600, 9);
        var price = columns.Single(column => column.Name == "price");
        RawColumn[] leaking =
        [
            .. columns, new("paid", price.Values), new("invoice", [.. price.Values.Select(text => (2 * double.Parse(text!, System.Globalization.CultureInfo.InvariantCulture)).ToString(System.Globalization.CultureInfo.InvariantCulture))]),
        ];
        var training = SmallTables.Training(Of("price") with { Columns = [.. Inputs, "paid", "invoice"] }, leaking);

        var heldOut = await training.EvaluateAsync(null, null, default);

        heldOut.Leaks!.ShouldContain("paid is a copy of price");
        heldOut.Leaks!.ShouldContain(leak => leak.StartsWith("invoice alone reaches"));
        Gate.Decide(heldOut, false, null, 0.05).Decision.ShouldContain("paid is a copy of price");
    }

    [Test]
    public async Task A_date_after_the_rows_time_is_a_leak_and_a_large_number_is_none()
    {
        var cars = SmallTables.Cars(300, 5);
        var days = cars.Single(column => column.Name == "day").Values;
        RawColumn[] table =
        [
            .. cars, new RawColumn("closed", [.. days.Select(day => DateTime.Parse(day!, System.Globalization.CultureInfo.InvariantCulture).AddDays(9).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture))]),
            new RawColumn("odometer", [.. days.Select((_, row) => (2_000 + (row * 7)).ToString(System.Globalization.CultureInfo.InvariantCulture))]),
        ];

        var leaks = (await SmallTables.Training(Of("price") with { Time = "day", Columns = [.. Inputs, "closed", "odometer"] }, table).EvaluateAsync(null, null, default)).Leaks!;

        leaks.ShouldContain(leak => leak.StartsWith("closed lies after day"));
        leaks.ShouldNotContain(leak => leak.StartsWith("odometer lies"));
    }

    [Test]
    public async Task Declared_behaviour_is_tried()
    {
        var heldOut = await SmallTables.Training(
            Of("price") with
            {
                Invariances = [new InvarianceTest("noise", ["0", "1"], 0.1), new InvarianceTest("transmission", ["automática", "mecánica"], 0.02)],
                Directions = [new DirectionTest("age", 5, "down"), new DirectionTest("age", 5, "up")],
            },
            SmallTables.Cars(1_000, 10)).EvaluateAsync(null, null, default);

        heldOut.Behaviours[0].Share.ShouldBeLessThan(0.05);
        heldOut.Behaviours[1].Share.ShouldBeGreaterThan(0.5);
        heldOut.Behaviours[2].Share.ShouldBeLessThan(0.05);
        heldOut.Behaviours[3].Share.ShouldBeGreaterThan(0.5);
    }

    [Test]
    public async Task Groups_that_are_served_differently_are_told()
    {
        // Automatic cars sell far oftener, so that nearly all of them are called positive and few of the others.
        var heldOut = await SmallTables.Training(Of("sold") with { Fairness = ["transmission"] }, SmallTables.Cars(2_000, 14)).EvaluateAsync(null, null, default);

        var gap = heldOut.Groups.ShouldHaveSingleItem();
        (gap.Column, gap.Measure, gap.Highest).ShouldBe(("transmission", "true positive rate", "automática"));
        heldOut.GroupFigures.Select(figure => figure.Group).ShouldBe(["automática", "mecánica"], ignoreOrder: true);
        heldOut.Tried.Single(one => one.Bytes is not null).ShouldSatisfyAllConditions(one => one.OnFront.ShouldBeTrue(), one => one.GroupGap!.Value.ShouldBeGreaterThan(0));
        heldOut.GroupFigures.Sum(figure => figure.Rows).ShouldBe(400);
        var automatic = heldOut.GroupFigures.Single(figure => figure.Group == "automática");
        automatic.MeanAnswer!.Value.ShouldBe(automatic.MeanTruth!.Value, 0.1);
        (automatic.TruePositiveRate!.Value - heldOut.GroupFigures.Single(figure => figure.Group == "mecánica").TruePositiveRate!.Value).ShouldBe(gap.Size.Estimate, 1e-9);
    }

    [TestCase("fast")]
    [TestCase("accurate")]
    public async Task A_recipe_makes_the_same_artefact_bit_for_bit(string profile)
    {
        var columns = SmallTables.Cars(400, 11);
        var first = SmallTables.Training(Of("sold") with { Profile = profile }, columns);
        await first.EvaluateAsync(null, null, default);
        var artefact = first.Refit(null, default).Artefact;

        var again = SmallTables.Training(Of("sold") with { Profile = profile }, columns, first.Recipe);
        await again.EvaluateAsync(null, null, default);

        again.Refit(null, default).Artefact.ShouldBe(artefact);
    }

    [Test]
    public async Task Columns_that_help_nothing_are_left_out_when_asked()
    {
        var training = SmallTables.Training(Of("price") with { SelectColumns = true }, SmallTables.Cars(1_200, 12));

        await training.EvaluateAsync(null, null, default);

        training.Recipe.Columns.ShouldContain("age");
        training.Recipe.Columns.Count.ShouldBeLessThan(Inputs.Length);
    }

    [Test]
    public async Task A_rare_target_is_ranked_better_through_a_frequent_surrogate_and_answers_stay_its_own()
    {
        // Of what would sell one in twelve is known to be sold: the surrogate says of every row what the target says of few.
        var cars = SmallTables.Cars(4_000, 14);
        var (random, wanted) = (new Random(15), cars.Single(column => column.Name == "sold").Values);
        var rare = wanted.Select(value => value == "sí" && random.NextDouble() < 1 / 12.0 ? "sí" : "no").ToArray();
        RawColumn[] columns = [.. cars.Where(column => column.Name != "sold"), new RawColumn("sold", rare), new RawColumn("wanted", wanted)];

        var alone = SmallTables.Training(Of("sold") with { Positive = "sí" }, columns);
        var plain = await alone.EvaluateAsync(null, null, default);
        var through = SmallTables.Training(Of("sold") with { Positive = "sí", Surrogate = "wanted" }, columns);
        var helped = await through.EvaluateAsync(null, null, default);

        double Auc(HeldOut figures) => figures.Metrics.Single(metric => metric.Name == "AUC").Model;
        Auc(helped).ShouldBeGreaterThan(Auc(plain));
        helped.Metrics[0].Model.ShouldBeLessThan(helped.Metrics[0].Baseline!.Value);
        through.TestAnswers!.Average().ShouldBe(rare.Count(value => value == "sí") / 4_000.0, 0.02);
        through.Signature!.Inputs.Select(input => input.Name).ShouldBe(Inputs);
    }

    [Test]
    public async Task A_surrogate_of_a_number_is_refused_with_words()
    {
        (await Should.ThrowAsync<TooLittleDataException>(() => SmallTables.Training(Of("price") with { Surrogate = "sold" }, SmallTables.Cars(200, 16)).EvaluateAsync(null, null, default))).Message
            .ShouldContain("two classes only");
    }

    [Test]
    public async Task Too_few_rows_or_one_class_are_refused_with_words()
    {
        var columns = SmallTables.Cars(100, 13);

        (await Should.ThrowAsync<TooLittleDataException>(() => SmallTables.Training(Of("price"), columns.Rows([.. Enumerable.Range(0, 20)])).EvaluateAsync(null, null, default))).Message
            .ShouldBe("20 rows have a value of price; 60 are needed.");
        (await Should.ThrowAsync<TooLittleDataException>(() => SmallTables.Training(Of("nothing"), columns).EvaluateAsync(null, null, default))).Message.ShouldBe("The table has no column nothing.");
    }
}
