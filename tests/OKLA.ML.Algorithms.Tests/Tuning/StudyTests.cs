using System.Text.Json;
using OKLA.ML.Algorithms.Tuning;

namespace OKLA.ML.Algorithms.Tests.Tuning;

internal sealed class StudyTests
{
    private static readonly SearchSpace Space = new(
        Parameter.Categorical("kind", "a", "b"), Parameter.Real("x", -5, 5), Parameter.LogReal("y", 1e-3, 10).When("kind", "b"));

    private static double Value(Trial trial) => Math.Pow(trial.Parameters["x"] - 1, 2) + (trial.Parameters.TryGetValue("y", out var y) ? Math.Abs(Math.Log(y)) : 2);

    private static Sampler[] Samplers => [new RandomSampler(), new TpeSampler(), new GaussianProcessSampler(), new Nsga2Sampler(8)];

    private static void Continue(Study study, int until)
    {
        while (true)
        {
            var trial = study.Ask();
            if (trial.Number >= until) return;
            study.Tell(trial.Number, Value(trial));
        }
    }

    [Test]
    public void A_resumed_study_equals_the_uninterrupted_one([Range(0, 3)] int sampler)
    {
        var whole = new Study(Space, Samplers[sampler]);
        Continue(whole, 40);
        var first = new Study(Space, Samplers[sampler]);
        Continue(first, 23);
        // Trial 23 was asked for and never told; it comes back from JSON to be tried again.
        var trials = JsonSerializer.Deserialize<Trial[]>(JsonSerializer.Serialize(first.Trials))!;
        trials[^1].State.ShouldBe(TrialState.Running);
        var second = new Study(Space, Samplers[sampler], trials: trials);
        Continue(second, 40);
        JsonSerializer.Serialize(second.Trials).ShouldBe(JsonSerializer.Serialize(whole.Trials));
    }

    [Test]
    public void More_can_be_better()
    {
        var study = new Study(new SearchSpace(Parameter.Real("x", 0, 1)), new TpeSampler(), new() { Maximize = [true] });
        for (var t = 0; t < 50; t++)
        {
            var trial = study.Ask();
            study.Tell(trial.Number, trial.Parameters["x"]);
        }
        study.Best!.Parameters["x"].ShouldBeGreaterThan(0.97);
        study.Best.Values[0].ShouldBe(study.Trials.Max(t => t.Values[0]));
    }

    [Test]
    public void A_run_that_an_exception_ended_tries_the_same_trial_again()
    {
        var whole = new Study(Space, new TpeSampler());
        whole.Run(30, Value);
        var broken = new Study(Space, new TpeSampler());
        Should.Throw<InvalidDataException>(() => broken.Run(30, trial => trial.Number == 17 ? throw new InvalidDataException() : Value(trial)));
        var resumed = new Study(Space, new TpeSampler(), trials: broken.Trials);
        resumed.Run(30, Value);
        JsonSerializer.Serialize(resumed.Trials).ShouldBe(JsonSerializer.Serialize(whole.Trials));
    }

    [Test]
    public void A_failed_trial_is_kept_and_disturbs_nothing()
    {
        var study = new Study(Space, new TpeSampler());
        study.TellFailed(study.Ask().Number);
        study.Tell(study.Ask().Number, double.NaN);
        study.Trials.Select(t => t.State).ShouldAllBe(state => state == TrialState.Failed);
        Continue(study, 30);
        study.Best!.Values[0].ShouldBeLessThan(4);
        Should.Throw<ArgumentException>(() => study.Tell(0, 1));
        Should.Throw<ArgumentException>(() => study.Tell(study.Ask().Number, 1, 2));
    }

    [Test]
    public void The_front_holds_what_nothing_beats()
    {
        var study = new Study(new SearchSpace(Parameter.Real("x", 0, 1)), new RandomSampler(), new() { Maximize = [true, false] });
        foreach (var values in (double[][])[[1, 3], [2, 2], [0, 9], [3, 1], [3, 4]]) study.Tell(study.Ask().Number, values);
        // Much of the first and little of the second: (3, 1) beats all.
        study.Front().Select(t => t.Number).ShouldBe([3]);
    }

    [Test]
    public void Spaces_that_make_no_sense_are_refused()
    {
        Should.Throw<ArgumentException>(() => new SearchSpace());
        Should.Throw<ArgumentException>(() => new SearchSpace(Parameter.LogReal("x", 0, 1)));
        Should.Throw<ArgumentException>(() => new SearchSpace(Parameter.Real("x", 2, 1)));
        Should.Throw<ArgumentException>(() => new SearchSpace(Parameter.Real("x", 0, 1), Parameter.Real("x", 0, 1)));
        Should.Throw<ArgumentException>(() => new SearchSpace(Parameter.Real("x", 0, 1).When("y", "a")));
        Should.Throw<ArgumentException>(() => new SearchSpace(Parameter.Categorical("y", "b"), Parameter.Real("x", 0, 1).When("y", "a")));
    }
}
