using System.Globalization;
using OKLA.ML.Algorithms.Automatic;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tests.Automatic;

internal sealed class AutomaticTableTests
{
    // Only the standing algorithms, so that tests take seconds.
    private static readonly AutomaticOptions Short = new() { BudgetSeconds = 60, StandingOnly = true };

    private static string Text(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    // Price by a text number with unit, a category, a date and noise.
    private static (RawColumn[] Columns, float[] Y) Cars(int rows, int seed)
    {
        var random = new Random(seed);
        var (km, make, listed, id, y) = (new string?[rows], new string?[rows], new string?[rows], new string?[rows], new float[rows]);
        for (var r = 0; r < rows; r++)
        {
            double driven = random.Next(1000, 200000), age = random.Next(0, 2000);
            var which = random.Next(15);
            km[r] = r % 13 == 0 ? "N/D" : $"{driven.ToString("N0", CultureInfo.InvariantCulture)} km";
            make[r] = $"make {which}";
            listed[r] = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Unspecified).AddDays(age).ToString("dd/MM/yyyy", CultureInfo.InvariantCulture);
            id[r] = $"{random.NextInt64():x}";
            y[r] = (float)(20000 + 1500 * which - driven / 20 + 4 * age + 500 * random.NextDouble());
        }
        return ([new("km", km), new("make", make), new("listed", listed), new("id", id)], y);
    }

    [Test]
    public void Messy_columns_are_learned_and_columns_absent_or_in_another_order_are_borne()
    {
        var (train, y) = Cars(600, 1);
        var (test, truth) = Cars(300, 2);
        var model = AutomaticTable.Fit(train, y, Short);
        model.Candidates.Select(c => c.Name).ShouldBe(["baseline", "linear", "extra trees", "gradient boosting"]);
        R2(model, test, truth).ShouldBeGreaterThan(0.93);
        var shuffled = R2(model, [test[2], test[3], test[0], test[1], new("extra", new string?[300])], truth);
        shuffled.ShouldBe(R2(model, test, truth), 1e-6);
        R2(model, [test[1], test[2]], truth).ShouldBeLessThan(shuffled - 0.1);
    }

    private static double R2(AutomaticTableModel model, RawColumn[] columns, float[] truth) =>
        RegressionMetrics.R2(Array.ConvertAll(truth, v => (double)v), Array.ConvertAll(model.Predict(model.Encode(columns)), v => (double)v));

    [Test]
    public void A_shuffled_target_gives_chance_on_held_out_and_on_test_rows()
    {
        var (columns, _) = Cars(900, 3);
        // A wide category invites a target statistic to leak.
        columns[3] = new RawColumn("agent", [.. Enumerable.Range(0, 900).Select(r => $"agent {r / 3}")]);
        var random = new Random(4);
        var y = Enumerable.Range(0, 900).Select(_ => (float)random.Next(2)).ToArray();
        var model = AutomaticTable.Fit([.. columns.Select(c => new RawColumn(c.Name, [.. c.Values.Take(600)]))], y[..600], Short with { Classes = 2 });
        var test = model.Predict(model.Encode([.. columns.Select(c => new RawColumn(c.Name, [.. c.Values.Skip(600)]))]));
        Auc(test, y[600..]).ShouldBe(0.5, 0.1);
        Auc(model.HeldOutAnswers(model.Candidates[^1]), y[..600]).ShouldBe(0.5, 0.1);
        model.HeldOutLoss.ShouldBeGreaterThan(0.67);
    }

    private static double Auc(float[] scores, float[] y) => BinaryMetrics.RocAuc(Array.ConvertAll(scores, v => (double)v), Array.ConvertAll(y, v => v > 0));

    [Test]
    public void Copies_of_a_row_are_judged_together()
    {
        // Each row five times over and a target of pure noise: only its own copies could foretell it.
        var random = new Random(5);
        var values = Enumerable.Range(0, 120).Select(_ => Text(random.NextDouble())).ToArray();
        var noise = Enumerable.Range(0, 120).Select(_ => (float)random.NextDouble()).ToArray();
        var rows = Enumerable.Range(0, 600).ToArray();
        var model = AutomaticTable.Fit([new RawColumn("x", [.. rows.Select(r => values[r % 120])])], [.. rows.Select(r => noise[r % 120])], Short);
        var heldOut = Array.ConvertAll(model.HeldOutAnswers(model.Candidates[^1]), v => (double)v);
        RegressionMetrics.R2([.. rows.Select(r => (double)noise[r % 120])], heldOut).ShouldBeLessThan(0.1);
    }

    [Test]
    public void Many_classes_with_one_of_a_single_row_are_learned()
    {
        var random = new Random(6);
        var x = Enumerable.Range(0, 200).Select(_ => 3 * random.NextDouble()).ToArray();
        var y = x.Select(v => (float)Math.Floor(v)).ToArray();
        y[17] = 3;
        var columns = new[] { new RawColumn("x", [.. x.Select(Text)]) };
        var model = AutomaticTable.Fit(columns, y, Short with { Classes = 4 });
        var answers = model.Predict(model.Encode(columns));
        answers.Length.ShouldBe(800);
        for (var r = 0; r < 200; r++) answers.AsSpan(4 * r, 4).ToArray().Sum().ShouldBe(1, 1e-4);
        Enumerable.Range(0, 200).Count(r => Array.IndexOf(answers[(4 * r)..(4 * r + 4)], answers[(4 * r)..(4 * r + 4)].Max()) == (int)y[r]).ShouldBeGreaterThan(190);
    }

    [Test]
    public void Free_text_is_scored_by_its_words()
    {
        string[] good = ["cuidado como nuevo", "impecable un solo dueño", "mantenimiento al día"], bad = ["chocado para piezas", "motor fundido barato", "sin papeles urgente"];
        var random = new Random(7);
        var y = Enumerable.Range(0, 300).Select(_ => (float)random.Next(2)).ToArray();
        var texts = y.Select((v, r) => $"vendo vehículo {(v > 0 ? good : bad)[random.Next(3)]} número {r} llamar tarde o temprano {random.Next(99)}").ToArray();
        var model = AutomaticTable.Fit([new RawColumn("description", texts[..200])], y[..200], Short with { Classes = 2 });
        Auc(model.Predict(model.Encode([new RawColumn("description", texts[200..])])), y[200..]).ShouldBeGreaterThan(0.98);
    }

    [Test]
    public void Twenty_rows_a_log_target_and_a_wide_table_are_borne()
    {
        var random = new Random(8);
        var columns = Enumerable.Range(0, 150).Select(c => new RawColumn($"c{c}", [.. Enumerable.Range(0, 20).Select(_ => Text(random.NextDouble()))])).ToArray();
        var y = Enumerable.Range(0, 20).Select(r => (float)Math.Pow(10, r % 5)).ToArray();
        var model = AutomaticTable.Fit(columns, y, Short with { Log = true });
        model.Predict(model.Encode(columns)).ShouldAllBe(v => float.IsFinite(v) && v > -1);
        model.HeldOutAnswers(model.Candidates[0]).ShouldAllBe(v => v > 1 && v < 10000);
        model.Weights.Sum(w => w.Weight).ShouldBe(1, 1e-9);
    }

    // Each look at it passes a tenth of a second.
    private sealed class HastyClock : TimeProvider
    {
        private long _looks;

        public override long TimestampFrequency => 10;

        public override long GetTimestamp() => Interlocked.Increment(ref _looks);
    }

    [Test]
    public void A_spent_budget_ends_every_standing_algorithm_with_what_it_has([Values(0, 2)] int classes)
    {
        var (columns, numbers) = Cars(300, 11);
        var y = classes == 0 ? numbers : [.. numbers.Select(v => v > 25000 ? 1f : 0f)];
        var clock = new HastyClock();
        var model = AutomaticTable.Fit(columns, y, new AutomaticOptions { Classes = classes, BudgetSeconds = 2, Threads = 1, Clock = clock });
        model.Candidates.Select(c => c.Name).ShouldBe(["baseline", "linear", "extra trees", "gradient boosting"]);
        // Every fold and every trial may look a few times; thousands of rounds did not.
        clock.GetTimestamp().ShouldBeLessThan(1_500);
        foreach (var candidate in model.Candidates.Skip(1)) candidate.Loss.ShouldBeLessThan(model.Candidates[0].Loss);
        model.Predict(model.Encode(columns)).ShouldAllBe(v => float.IsFinite(v));
    }

    [Test]
    public void A_forest_that_is_told_to_end_answers_the_mean_of_the_trees_it_has()
    {
        var random = new Random(12);
        var x = Enumerable.Range(0, 200).Select(_ => random.NextSingle()).ToArray();
        var table = new Dataset([Column.Numeric("x", x)]);
        var looks = 0;
        var options = new RandomForestOptions { Trees = 50, Threads = 1 };
        var few = RandomForest.Train(table, x, options with { Enough = () => ++looks >= 5 });
        few.Predict(table).ShouldBe(RandomForest.Train(table, x, options with { Trees = 5 }).Predict(table));
    }

    [Test]
    public void Wide_tables_get_fewer_folds()
    {
        var y = Enumerable.Range(0, 2_000).Select(r => (float)r).ToArray();
        int Folds(int columns) => FoldPlan.Of([.. Enumerable.Range(0, columns).Select(c => new RawColumn($"c{c}", new string?[y.Length]))], y, 0, 1).Count;
        Folds(10).ShouldBe(8);
        Folds(600).ShouldBe(4);
        Folds(3_500).ShouldBe(1);
    }

    [Test]
    public void A_saved_model_answers_alike()
    {
        var (columns, y) = Cars(120, 9);
        var regression = AutomaticTable.Fit(columns, y, Short);
        var classification = AutomaticTable.Fit(columns, [.. y.Select(v => v > 25000 ? 1f : 0f)], Short with { Classes = 2 });
        foreach (var model in new[] { regression, classification })
        {
            using var stream = new MemoryStream();
            model.Save(stream);
            var loaded = AutomaticTableModel.Load(new MemoryStream(stream.ToArray()));
            var rows = loaded.Encode(columns);
            loaded.Predict(rows).ShouldBe(model.Predict(model.Encode(columns)));
            foreach (var (one, other) in loaded.Candidates.Zip(model.Candidates)) loaded.Predict(one, rows).ShouldBe(model.Predict(other, model.Encode(columns)));
        }
    }

    [Test]
    public void What_cannot_be_learned_is_refused()
    {
        RawColumn[] columns = [new("x", ["1", "2", "3", "4", "5", "6", "7", "8"])];
        Should.Throw<ArgumentException>(() => AutomaticTable.Fit(columns, [1, 1, 1, 1, 1, 1, 1, 1], Short with { Classes = 2 })).Message.ShouldContain("one class");
        Should.Throw<ArgumentException>(() => AutomaticTable.Fit([new("x", ["1"])], [1], Short)).Message.ShouldContain("too few");
        Should.Throw<ArgumentException>(() => AutomaticTable.Fit(columns, [1, 2, 3, 4, 5, 6, 7, float.NaN], Short));
        Should.Throw<ArgumentException>(() => AutomaticTable.Fit(columns, [-1, 2, 3, 4, 5, 6, 7, 8], Short with { Log = true }));
    }

    [Test]
    public void Ensemble_weights_take_the_candidates_whose_errors_cancel()
    {
        float[] truth = [1, 2, 3, 4], high = [2, 3, 4, 5], low = [0, 1, 2, 3], wild = [9, -9, 9, -9];
        var weights = EnsembleSelection.Weights([high, wild, low], truth, 0);
        weights.ShouldBe([0.5, 0, 0.5]);
    }
}
