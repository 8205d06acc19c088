using System.Text.Json;
using OKLA.ML.Algorithms.Tuning;

namespace OKLA.ML.Algorithms.Tests.Tuning;

internal sealed class StoppingTests
{
    private static readonly SearchSpace Line = new(Parameter.Real("x", 0, 1));

    // A learning curve that falls to x.
    private static double Curve(Trial trial, int resource) => trial.Parameters["x"] + 1.0 / resource;

    [Test]
    public void Brackets_have_the_sizes_of_the_papers_table()
    {
        // Li et al. (2018), table 1: R = 81, η = 3.
        var brackets = Hyperband.Brackets(81, 3).Select(rounds => rounds.Select(r => (r.Trials, r.Resource)).ToArray()).ToArray();
        brackets.Length.ShouldBe(5);
        brackets[0].ShouldBe([(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)]);
        brackets[1].ShouldBe([(34, 3), (11, 9), (3, 27), (1, 81)]);
        brackets[2].ShouldBe([(15, 9), (5, 27), (1, 81)]);
        brackets[3].ShouldBe([(8, 27), (2, 81)]);
        brackets[4].ShouldBe([(5, 81)]);
    }

    [Test]
    public void Hyperband_finishes_the_best_of_each_bracket()
    {
        var study = new Study(Line, new RandomSampler());
        Hyperband.Run(study, 27, Curve);
        var first = study.Trials.Take(27).ToArray();
        var winner = first.MinBy(t => t.Parameters["x"])!;
        winner.State.ShouldBe(TrialState.Completed);
        winner.Reports.Select(r => r.Step).ShouldBe([1, 3, 9, 27]);
        first.Count(t => t.State == TrialState.Completed).ShouldBe(1);
        first.Count(t => t.Reports.Count == 1).ShouldBe(18);
        // Brackets of 27, 12, 6 and 4 trials.
        study.Trials.Count.ShouldBe(49);
        study.Trials.ShouldAllBe(t => t.State == TrialState.Completed || t.State == TrialState.Pruned);
    }

    [Test]
    public void Hyperband_broken_off_goes_on_without_asking_anything_twice()
    {
        var whole = new Study(Line, new TpeSampler());
        Hyperband.Run(whole, 27, Curve);
        var broken = new Study(Line, new TpeSampler());
        var calls = 0;
        Should.Throw<OperationCanceledException>(() => Hyperband.Run(broken, 27, (t, r) => ++calls > 50 ? throw new OperationCanceledException() : Curve(t, r)));
        var resumed = new Study(Line, new TpeSampler(), trials: JsonSerializer.Deserialize<Trial[]>(JsonSerializer.Serialize(broken.Trials)));
        calls--;
        Hyperband.Run(resumed, 27, (t, r) =>
        {
            calls++;
            return Curve(t, r);
        });
        JsonSerializer.Serialize(resumed.Trials).ShouldBe(JsonSerializer.Serialize(whole.Trials));
        calls.ShouldBe(whole.Trials.Sum(t => t.Reports.Count));
    }

    [Test]
    public void The_median_rule_stops_a_bad_trial_and_no_good_one()
    {
        var study = new Study(Line, new RandomSampler(), new() { Pruner = new MedianPruner(startupTrials: 3, warmUpSteps: 2) });
        foreach (var level in (double[])[1, 2, 3])
        {
            var trial = study.Ask();
            for (var step = 1; step <= 4; step++) study.Report(trial.Number, step, level).ShouldBeFalse();
            study.Tell(trial.Number, level);
        }
        var (good, bad) = (study.Ask(), study.Ask());
        study.Report(good.Number, 2, 2).ShouldBeFalse();
        study.Report(bad.Number, 1, 50).ShouldBeFalse();
        study.Report(bad.Number, 2, 50).ShouldBeTrue();
        study.TellPruned(bad.Number);
        study.Trials[bad.Number].State.ShouldBe(TrialState.Pruned);
        study.Trials[bad.Number].Values.ShouldBe([50]);
        Should.Throw<ArgumentException>(() => study.Report(good.Number, 2, 1));
    }

    [Test]
    public void Of_many_worse_the_median_rule_knows_which_side_is_better()
    {
        var study = new Study(Line, new RandomSampler(), new() { Maximize = [true], Pruner = new MedianPruner(startupTrials: 1) });
        var first = study.Ask();
        study.Report(first.Number, 1, 10);
        study.Tell(first.Number, 10);
        study.Report(study.Ask().Number, 1, 9).ShouldBeTrue();
        study.Report(study.Ask().Number, 1, 11).ShouldBeFalse();
    }

    [Test]
    public void A_trial_stopped_early_ranks_behind_those_that_went_further()
    {
        FinishedTrial[] trials = [new(0, [0], [1], 3), new(1, [0], [5], int.MaxValue), new(2, [0], [0.5], 3), new(3, [0], [2], 9), new(4, [0], [4], int.MaxValue)];
        Domination.Order(trials).Select(t => t.Number).ShouldBe([4, 1, 3, 2, 0]);
    }

    [Test]
    public void Halving_lets_a_third_pass_each_rung()
    {
        var study = new Study(Line, new RandomSampler(), new() { Pruner = new SuccessiveHalvingPruner(leastResource: 2) });
        // The first at a rung always passes; then only the best third of those seen.
        double[] values = [5, 6, 4, 7, 4.5, 1];
        bool[] stops = [false, true, false, true, true, false];
        for (var t = 0; t < values.Length; t++)
        {
            var trial = study.Ask();
            study.Report(trial.Number, 1, 100).ShouldBeFalse();
            study.Report(trial.Number, 2, values[t]).ShouldBe(stops[t]);
        }
    }
}
