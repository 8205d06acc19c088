using System.ComponentModel.DataAnnotations;

namespace OKLA.ML.Training;

/// <summary>
/// What a training is to be good at beside quality. Of what was tried and no other one is better than in everything (the Pareto front), the one with the least weighted
/// sum of losses is chosen, each counted from the best to the worst of the front; limits come first.
/// </summary>
internal sealed record Objective
{
    /// <summary>Weight of the loss on rows held out.</summary>
    [Range(0, 1_000)]
    public double Quality { get; init; } = 1;

    /// <summary>Weight of the time that a row takes.</summary>
    [Range(0, 1_000)]
    public double Latency { get; init; }

    /// <summary>Weight of the artefact's size.</summary>
    [Range(0, 1_000)]
    public double Size { get; init; }

    /// <summary>Weight of the gap between groups of the declared columns.</summary>
    [Range(0, 1_000)]
    public double Fairness { get; init; }

    /// <summary>Most microseconds that a row may take; null for any.</summary>
    [Range(1, 60_000_000)]
    public double? MaxRowMicroseconds { get; init; }

    /// <summary>Largest artefact in bytes; null for any.</summary>
    [Range(1, 1_000_000_000)]
    public long? MaxBytes { get; init; }

    /// <summary>Largest gap between groups; null for any.</summary>
    [Range(0, 1_000)]
    public double? MaxGroupGap { get; init; }

    /// <summary>The field at fault and what is wrong with it; null when all is well.</summary>
    public (string Field, string Message)? Fault(bool hasGroups) =>
        Quality + Latency + Size + Fairness is not > 0 ? ("objective", "One weight at least must be above 0.")
        : (Fairness > 0 || MaxGroupGap is not null) && !hasGroups ? ("objective.fairness", "Name the columns whose groups must be served alike (fairness).")
        : null;

    /// <summary>The place of the one to take among what was tried whole; those on the front are marked.</summary>
    /// <exception cref="ArgumentException">Nothing was tried.</exception>
    public int Choose(IReadOnlyList<TriedModel> tried)
    {
        if (tried.Count == 0)
        {
            throw new ArgumentException("Nothing was tried.", nameof(tried));
        }

        int[] front = [.. Enumerable.Range(0, tried.Count).Where(i => tried[i].OnFront)];
        front = front.Length > 0 ? front : [.. Enumerable.Range(0, tried.Count)];
        int[] within = [.. front.Where(i => Excess(tried[i]) == 0)];
        if (within.Length == 0)
        {
            // Nothing keeps the limits: the least beyond them, which the gates will judge.
            return front.MinBy(i => Excess(tried[i]));
        }

        (double Weight, double[] Values)[] losses =
        [
            (Quality, Scaled(within, i => tried[i].Loss)), (Latency, Scaled(within, i => tried[i].RowMicroseconds ?? 0)), (Size, Scaled(within, i => tried[i].Bytes ?? 0)),
            (Fairness, Scaled(within, i => tried[i].GroupGap ?? 0)),
        ];
        return within[Enumerable.Range(0, within.Length).MinBy(at => losses.Sum(loss => loss.Weight * loss.Values[at]))];
    }

    /// <summary>From 0 for the best to 1 for the worst; all 0 where none differs.</summary>
    private static double[] Scaled(int[] which, Func<int, double> value)
    {
        var values = Array.ConvertAll(which, i => value(i));
        double least = values.Min(), range = values.Max() - least;
        return Array.ConvertAll(values, v => range > 0 ? (v - least) / range : 0);
    }

    /// <summary>By how much it goes beyond its limits, as shares of them.</summary>
    private double Excess(TriedModel model)
    {
        static double Over(double? value, double? most) => value is { } seen && most is { } limit && seen > limit ? seen / Math.Max(limit, 1e-9) - 1 : 0;
        return Over(model.RowMicroseconds, MaxRowMicroseconds) + Over(model.Bytes, MaxBytes) + Over(model.GroupGap, MaxGroupGap);
    }
}
