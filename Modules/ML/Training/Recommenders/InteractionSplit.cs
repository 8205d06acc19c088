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

    /// <summary>Some rows of a frame alone; people, items and lists shown stay as they are.</summary>
    public static InteractionFrame Only(this InteractionFrame frame, int[] rows)
    {
        T[] Pick<T>(T[] column) => column.Length == 0 ? [] : Array.ConvertAll(rows, row => column[row]);
        return rows.Length == frame.Count ? frame
            : frame with
            {
                Person = Pick(frame.Person), Item = Pick(frame.Item), Weight = Pick(frame.Weight), OccurredAt = Pick(frame.OccurredAt), KnownAt = Pick(frame.KnownAt), Position = Pick(frame.Position), Id = Pick(frame.Id),
            };
    }

    /// <summary>What some people did, drawn by a seed, each with all that she did, about as many interactions as wanted; all when there are no more.</summary>
    public static InteractionFrame OfSomePeople(this InteractionFrame frame, int most, int seed)
    {
        if (frame.Count <= most)
        {
            return frame;
        }

        var random = new Random(seed);
        var share = (double)most / frame.Count;
        var drawn = Array.ConvertAll(frame.People, _ => random.NextDouble() < share);
        return frame.Only([.. Enumerable.Range(0, frame.Count).Where(row => drawn[frame.Person[row]])]);
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
