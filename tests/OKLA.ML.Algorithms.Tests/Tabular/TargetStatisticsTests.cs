using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Tabular;

internal sealed class TargetStatisticsTests
{
    [Test]
    public void Without_a_target_there_is_no_statistic()
    {
        var table = new Dataset([Column.Categorical("make", [.. Enumerable.Range(0, 60).Select(r => r % 20)])]);

        var (statistics, training) = TargetStatistics.Fit(table, []);

        training.ShouldBeEmpty();
        statistics.Transform(table).ShouldBeEmpty();
    }

    [Test]
    public void A_training_row_never_sees_its_own_target()
    {
        // Every category is one row's own: whatever its target, the row's figure must be the same.
        var x = new Dataset([Column.Categorical("id", [.. Enumerable.Range(0, 40)])]);
        var y = Enumerable.Range(0, 40).Select(r => r % 2 == 0 ? 0f : 1f).ToArray();
        var before = TargetStatistics.Fit(x, [y]).Training[0].Numbers.ToArray();
        for (var r = 0; r < y.Length; r++)
        {
            var changed = (float[])y.Clone();
            changed[r] = 100;
            TargetStatistics.Fit(x, [changed]).Training[0].Numbers[r].ShouldBe(before[r]);
        }
    }

    [Test]
    public void A_category_with_many_rows_has_nearly_its_own_mean_and_a_rare_one_the_mean_of_its_make()
    {
        // Two makes of six models each; models differ little from their make; the last model of each make has one row.
        var (makes, models, y) = (new List<int>(), new List<int>(), new List<float>());
        var random = new Random(3);
        for (var make = 0; make < 10; make++)
        {
            for (var model = 0; model < 6; model++)
            {
                for (var row = 0; row < (model == 5 ? 1 : 40); row++)
                {
                    makes.Add(make);
                    models.Add(make * 6 + model);
                    y.Add(100 * make + 10 * model + (float)random.NextDouble());
                }
            }
        }
        var x = new Dataset([Column.Categorical("make", [.. makes]), Column.Categorical("model", [.. models])]);
        var statistics = TargetStatistics.Fit(x, [[.. y]]).Statistics;
        var made = statistics.Transform(new Dataset([Column.Categorical("make", [3, 3]), Column.Categorical("model", [3 * 6 + 1, -1])]));
        made[0].Name.ShouldBe("make → target 0");
        made[0].Numbers[0].ShouldBe(320, 5);
        made[2].Numbers[0].ShouldBe(310.5f, 2);
        made[3].Numbers[0].ShouldBe(40);
    }

    [Test]
    public void Few_categories_need_no_statistics() =>
        TargetStatistics.Fit(new Dataset([Column.Categorical("c", [0, 1, 0, 1])]), [[1f, 2, 3, 4]]).Statistics.IsEmpty.ShouldBeTrue();
}
