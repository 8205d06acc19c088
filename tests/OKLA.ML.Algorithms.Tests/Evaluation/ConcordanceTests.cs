using FsCheck;
using FsCheck.Fluent;
using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Algorithms.Tests.Evaluation;

public class ConcordanceTests
{
    [Test]
    public void The_index_is_the_share_of_comparable_pairs_in_order() => Prop.ForAll(
        Gen.Choose(1, 5).Zip(Gen.Elements(true, false)).Zip(Gen.Choose(0, 3)).ArrayOf().ToArbitrary(),
        cases =>
        {
            double right = 0;
            int pairs = 0;
            foreach (var ((time, happened), risk) in cases)
                foreach (var ((otherTime, otherHappened), otherRisk) in cases)
                {
                    if (!happened || !(time < otherTime || (time == otherTime && !otherHappened))) continue;
                    pairs++;
                    right += risk > otherRisk ? 1 : risk == otherRisk ? 0.5 : 0;
                }

            double index = Concordance.Index(cases.Select(c => (double)c.Item1.Item1).ToArray(), cases.Select(c => c.Item1.Item2).ToArray(), cases.Select(c => (double)c.Item2).ToArray());
            return pairs == 0 ? double.IsNaN(index) : Math.Abs(index - right / pairs) < 1e-12;
        }).QuickCheckThrowOnFailure();

    [Test]
    public void Without_censoring_the_reversed_risk_gives_one_less_the_index()
    {
        double[] time = [5, 3, 9, 1], risk = [0.2, 0.9, 0.1, 0.4];
        bool[] happened = [true, true, true, true];
        // Pairs by hand: (1<3) .4 vs .9 wrong, (1<5) right, (1<9) right, (3<5) right, (3<9) right, (5<9) right.
        Concordance.Index(time, happened, risk).ShouldBe(5.0 / 6, 1e-12);
        Concordance.Index(time, happened, [-0.2, -0.9, -0.1, -0.4]).ShouldBe(1.0 / 6, 1e-12);
    }
}
