using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Training.Recommenders;

/// <summary>Reading and parting interactions by time, as every training on them does.</summary>
internal static class InteractionSplit
{
    /// <summary>The vehicles and all interactions as they are known at a time; when the test begins, and when the slice before it on which choices are made.</summary>
    /// <exception cref="TooLittleDataException">There are too few of them to learn from.</exception>
    public static async Task<(IReadOnlyList<ItemSnapshot> Catalogue, InteractionFrame Frame, DateTimeOffset SplitAt, DateTimeOffset SliceAt)> ReadVehiclesAsync(
        IMessageBus bus, DateTimeOffset now, MLOptions options, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        progress?.Report(new WorkProgress(0, "reading interactions"));
        var knobs = options.Recommender;
        var catalogue = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(now), ct);
        var frame = await bus.InvokeAsync<InteractionFrame>(new GetInteractionFrame(now), ct);
        var count = frame.Weight.Count(weight => weight > 0);
        return count < knobs.MinInteractions || catalogue.Count == 0
            ? throw new TooLittleDataException($"There are {count} interactions with {catalogue.Count} vehicles; {knobs.MinInteractions} are needed.")
            : (catalogue, frame, frame.TimeOfShare(1 - options.HoldOutShare, DateTimeOffset.MaxValue), frame.TimeOfShare((1 - options.HoldOutShare) * (1 - Math.Max(0.1, knobs.StackShare)), DateTimeOffset.MaxValue));
    }

    /// <summary>The event time up to which a share of the interactions of positive weight lies, of those up to <paramref name="until"/>.</summary>
    /// <exception cref="TooLittleDataException">There are not two of them.</exception>
    public static DateTimeOffset TimeOfShare(this InteractionFrame frame, double share, DateTimeOffset until)
    {
        var times = Enumerable.Range(0, frame.Count).Where(row => frame.Weight[row] > 0 && frame.OccurredAt[row] <= until.UtcTicks).Select(row => frame.OccurredAt[row]).Order().ToArray();
        return times.Length < 2
            ? throw new TooLittleDataException("There are no interactions of positive weight.")
            : new DateTimeOffset(times[Math.Clamp((int)(times.Length * share) - 1, 0, times.Length - 2)], TimeSpan.Zero);
    }
}
