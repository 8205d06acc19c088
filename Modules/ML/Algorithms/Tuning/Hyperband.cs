namespace OKLA.ML.Algorithms.Tuning;

/// <summary>One round of successive halving.</summary>
/// <param name="Trials">Trials tried (n_i).</param>
/// <param name="Resource">Resource each has had by its end (r_i).</param>
public sealed record HalvingRound(int Trials, int Resource);

/// <summary>
/// Hyperband (Li et al. 2018): brackets of successive halving (Jamieson and Talwalkar 2016) that trade many trials with little resource against few with
/// much. With a <see cref="TpeSampler"/> study it is BOHB (Falkner, Klein and Hutter 2018).
/// </summary>
public static class Hyperband
{
    /// <summary>
    /// The rounds of each bracket, the one with most trials first (algorithm 1): s from ⌊log_η R⌋ down to 0, n = ⌈(s_max + 1) η^s / (s + 1)⌉ trials with
    /// R·η^−s resource, then in round i ⌊n η^−i⌋ trials with R·η^(i−s).
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<HalvingRound>> Brackets(int mostResource, int reduction = 3)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(mostResource, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(reduction, 2);
        var largest = 0;
        for (long power = reduction; power <= mostResource; power *= reduction) largest++;
        var brackets = new List<IReadOnlyList<HalvingRound>>();
        for (var s = largest; s >= 0; s--)
        {
            var power = Power(reduction, s);
            // ⌈(s_max + 1) η^s / (s + 1)⌉ in whole numbers.
            var trials = ((largest + 1) * power + s) / (s + 1);
            brackets.Add([.. Enumerable.Range(0, s + 1).Select(i =>
                new HalvingRound((int)(trials / Power(reduction, i)), (int)(mostResource * Power(reduction, i) / power)))]);
        }
        return brackets;
    }

    /// <summary>
    /// Runs the brackets once. <paramref name="evaluate"/> gives the loss (or score, as the study's objective says) of a trial that has had so much
    /// resource in all; trials left behind are pruned. Losses are reported to the study before anything is decided, so that a run broken off goes on with a
    /// study made of its trials, asking <paramref name="evaluate"/> nothing twice.
    /// </summary>
    /// <exception cref="ArgumentException">The study has several objectives.</exception>
    public static void Run(Study study, int mostResource, Func<Trial, int, double> evaluate, int reduction = 3, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(study);
        ArgumentNullException.ThrowIfNull(evaluate);
        if (study.Objectives != 1) throw new ArgumentException("Hyperband takes one objective.", nameof(study));
        var first = 0;
        foreach (var rounds in Brackets(mostResource, reduction))
        {
            var numbers = Enumerable.Range(first, rounds[0].Trials).ToArray();
            first += numbers.Length;
            foreach (var number in numbers) study.AskNumbered(number);
            foreach (var (trials, resource) in rounds)
            {
                var kept = numbers.Take(trials).ToArray();
                foreach (var number in numbers.Skip(trials)) study.PruneIfRunning(number);
                foreach (var number in kept)
                {
                    cancellation.ThrowIfCancellationRequested();
                    var trial = study.Trials[number];
                    if (trial.Reports.All(r => r.Step < resource)) study.Report(number, resource, evaluate(trial, resource));
                }
                numbers = [.. kept.OrderBy(number => study.LossAt(number, resource)).ThenBy(number => number)];
            }
            foreach (var number in numbers) study.CompleteIfRunning(number);
        }
    }

    private static long Power(int reduction, int exponent)
    {
        long power = 1;
        for (var i = 0; i < exponent; i++) power *= reduction;
        return power;
    }
}
