using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tuning;
using OKLA.ML.Models;
using OKLA.ML.Tuning;
using OKLA.Tests.Modules.ML.Training;

namespace OKLA.Tests.Modules.ML.Tuning;

public sealed class TableSearchTests
{
    [Test]
    public void A_search_that_was_cut_off_goes_on_after_its_trials_as_if_it_had_not_been()
    {
        var whole = new Book([]);
        var tried = Search().Run(After(6), whole, default);
        var cut = new Book([]);
        Search().Run(After(3), cut, default);

        var resumed = new Book(cut.Latest);
        var again = Search().Run(After(3), resumed, default);

        cut.Latest.Count.ShouldBe(3);
        resumed.Latest.Select(trial => trial.Values[0]).ShouldBe(whole.Latest.Select(trial => trial.Values[0]));
        again[0].ShouldBe(tried[0]);
        tried.Count.ShouldBe(6 + BoostingSettings.Shapes.Count);
        tried.Select(one => one.Loss).ShouldBeInOrder();
    }

    private static TableSearch Search()
    {
        var columns = SmallTables.Cars(200, 3).Named(["age", "km", "transmission"]);
        float[] y = [.. SmallTables.Cars(200, 3).Single(column => column.Name == "price").Values.Select(text => float.Parse(text!, System.Globalization.CultureInfo.InvariantCulture))];
        return new TableSearch(new FoldTables(columns, y, 0, false, 5), Splits.KFold(200, 2), 1);
    }

    /// <summary>Says enough after so many trials.</summary>
    private static Func<bool> After(int trials)
    {
        var asked = 0;
        return () => asked++ == trials;
    }

    private sealed class Book(IReadOnlyList<Trial> kept) : ITrialBook
    {
        public IReadOnlyList<Trial> Kept { get; } = kept;

        public IReadOnlyList<Trial> Latest { get; private set; } = kept;

        public void Keep(IReadOnlyList<Trial> trials) => Latest = trials;
    }
}
