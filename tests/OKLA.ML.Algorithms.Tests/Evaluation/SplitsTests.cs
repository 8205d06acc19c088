using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Algorithms.Tests.Evaluation;

public class SplitsTests
{
    [Test]
    public void The_latest_fifth_is_the_test_and_equal_times_keep_their_order()
    {
        var split = Splits.ByTime([5, 1, 1, 9, 3], 0.4);

        split.Train.ShouldBe([1, 2, 4]);
        split.Test.ShouldBe([0, 3]);
    }

    [Test]
    public void Every_way_uses_every_row_once()
    {
        var groups = Enumerable.Range(0, 103).Select(i => i % 11).ToArray();
        Split[] all = [Splits.Random(103), Splits.ByTime(groups), Splits.Grouped(groups), Splits.Stratified(groups),
            .. Splits.KFold(103, 5), .. Splits.StratifiedKFold(groups, 5), .. Splits.GroupKFold(groups, 5)];

        foreach (var split in all) split.Train.Concat(split.Test).Order().ShouldBe(Enumerable.Range(0, 103));
        Splits.KFold(103, 5).SelectMany(f => f.Test).Order().ShouldBe(Enumerable.Range(0, 103));
    }

    [Test]
    public void No_group_stands_on_both_sides()
    {
        var groups = Enumerable.Range(0, 200).Select(i => "g" + i * 7 % 23).ToArray();
        foreach (var split in Splits.GroupKFold(groups, 4).Append(Splits.Grouped(groups)))
            split.Train.Select(i => groups[i]).Intersect(split.Test.Select(i => groups[i])).ShouldBeEmpty();
        foreach (var split in Splits.GroupKFold(groups, 4)) split.Test.Length.ShouldBeInRange(40, 60);
    }

    [Test]
    public void Each_class_keeps_its_share()
    {
        var classes = Enumerable.Range(0, 100).Select(i => i < 90 ? "no" : "yes").ToArray();

        Splits.Stratified(classes).Test.Count(i => i >= 90).ShouldBe(2);
        Splits.Stratified(classes).Test.Length.ShouldBe(20);
        foreach (var split in Splits.StratifiedKFold(classes, 5)) split.Test.Count(i => i >= 90).ShouldBe(2);
    }

    [Test]
    public void Time_folds_never_learn_from_the_future_and_keep_the_gap()
    {
        var times = Enumerable.Range(0, 60).Select(i => i * 37 % 60).ToArray();
        var folds = Splits.TimeFolds(times, 4, gap: 3);

        folds.Count.ShouldBe(4);
        foreach (var fold in folds) fold.Train.Max(i => times[i]).ShouldBe(fold.Test.Min(i => times[i]) - 4);
        folds[^1].Test.Length.ShouldBe(12);
    }

    [Test]
    public void Inner_splits_stay_inside_the_outer_training_rows()
    {
        foreach (var round in Splits.Nested(Splits.KFold(50, 5), rows => Splits.KFold(rows.Length, 4)))
            foreach (var inner in round.Inner)
            {
                inner.Train.Concat(inner.Test).Order().ShouldBe(round.Outer.Train);
                inner.Test.Intersect(round.Outer.Test).ShouldBeEmpty();
            }
    }

    [Test]
    public void The_same_seed_gives_the_same_parts_and_another_does_not()
    {
        Splits.Random(100).Test.ShouldBe(Splits.Random(100).Test);
        Splits.Random(100, seed: 1).Test.ShouldNotBe(Splits.Random(100, seed: 2).Test);
        Should.Throw<ArgumentOutOfRangeException>(() => Splits.Random(10, 1));
    }
}
