using OKLA.Features.Facts;

namespace OKLA.Features.Registry;

/// <summary>
/// A part of what happened to an entity: events of some types, perhaps only some of them, each with a number or a key. Features that
/// share one share its work.
/// </summary>
internal sealed record FactStream
{
    /// <summary>Types of events, as the log names them.</summary>
    public required IReadOnlyList<string> Types { get; init; }

    /// <summary>Properties that the filter, the number and the key read, for the lineage.</summary>
    public IReadOnlyList<string> Reads { get; init; } = [];

    /// <summary>Which of the events; all when null.</summary>
    public Func<Fact, bool>? Filter { get; init; }

    /// <summary>The number of an event; an event without one is left out.</summary>
    public Func<Fact, double?>? Measure { get; init; }

    /// <summary>The key of an event; an event without one is left out.</summary>
    public Func<Fact, string?>? Key { get; init; }

    /// <summary>All events of these types.</summary>
    public static FactStream Of(params string[] types) => new() { Types = types };

    /// <summary>Only those that pass.</summary>
    public FactStream Where(string reads, Func<Fact, bool> filter) => this with { Filter = Filter is { } before ? fact => before(fact) && filter(fact) : filter, Reads = [.. Reads, reads] };

    /// <summary>With a number, kept to a millionth and within a thousand million.</summary>
    public FactStream Measured(string reads, Func<Fact, double?> measure) => this with { Measure = measure, Reads = [.. Reads, reads] };

    /// <summary>With a key.</summary>
    public FactStream By(string reads, Func<Fact, string?> key) => this with { Key = key, Reads = [.. Reads, reads] };
}

/// <summary>Condenses the entries of a window, oldest first, to one value. It must be a pure function of them and of the time asked for.</summary>
internal delegate Value Reduce(Slice slice);

/// <summary>The reductions that features are made of.</summary>
internal static class Reductions
{
    /// <summary>Number of events.</summary>
    public static Value Count(Slice slice) => slice.Count;

    /// <summary>Sum of the numbers.</summary>
    public static Value Sum(Slice slice) => slice.Sum;

    /// <summary>Mean of the numbers.</summary>
    public static Value Mean(Slice slice) => slice.Count == 0 ? Value.None : slice.Sum / slice.Count;

    /// <summary>Standard deviation of the numbers.</summary>
    public static Value Deviation(Slice slice)
    {
        if (slice.Count < 2)
        {
            return Value.None;
        }

        var (mean, squares) = (slice.Sum / slice.Count, 0.0);
        for (var i = 0; i < slice.Count; i++)
        {
            squares += (slice.Number(i) - mean) * (slice.Number(i) - mean);
        }

        return Math.Sqrt(squares / slice.Count);
    }

    /// <summary>Smallest number.</summary>
    public static Value Least(Slice slice) => Extreme(slice, -1);

    /// <summary>Largest number.</summary>
    public static Value Most(Slice slice) => Extreme(slice, 1);

    /// <summary>The latest event's number.</summary>
    public static Value Last(Slice slice) => slice.Count == 0 ? Value.None : slice.Number(slice.Count - 1);

    /// <summary>The earliest event's number.</summary>
    public static Value First(Slice slice) => slice.Count == 0 ? Value.None : slice.Number(0);

    /// <summary>The latest event's key.</summary>
    public static Value LastKey(Slice slice) => slice.Count == 0 ? Value.None : slice.Key(slice.Count - 1);

    /// <summary>The earliest event's key.</summary>
    public static Value FirstKey(Slice slice) => slice.Count == 0 ? Value.None : slice.Key(0);

    /// <summary>Days since the earliest event, to a thousandth.</summary>
    public static Value DaysSinceFirst(Slice slice) => slice.Count == 0 ? Value.None : Days(slice.AskedAt - slice.At(0));

    /// <summary>Days since the latest event, to a thousandth.</summary>
    public static Value DaysSinceLast(Slice slice) => slice.Count == 0 ? Value.None : Days(slice.AskedAt - slice.At(slice.Count - 1));

    /// <summary>Days from the event before the latest one, to a thousandth.</summary>
    public static Value DaysSinceOneBeforeLast(Slice slice) => slice.Count < 2 ? Value.None : Days(slice.AskedAt - slice.At(slice.Count - 2));

    /// <summary>Minutes from the earliest to the latest event, to a thousandth.</summary>
    public static Value MinutesBetween(Slice slice) => slice.Count == 0 ? Value.None : Math.Round((slice.At(slice.Count - 1) - slice.At(0)) / (double)TimeSpan.TicksPerMinute, 3);

    /// <summary>Mean hours between one event and the next.</summary>
    public static Value MeanGapHours(Slice slice) =>
        slice.Count < 2 ? Value.None : Math.Round((slice.At(slice.Count - 1) - slice.At(0)) / (double)TimeSpan.TicksPerHour / (slice.Count - 1), 3);

    /// <summary>Number of different keys.</summary>
    public static Value Distinct(Slice slice) => slice.Tally().Distinct;

    /// <summary>The most frequent key; of equals, the first by its letters.</summary>
    public static Value Top(Slice slice) => slice.Tally().Top().Key;

    /// <summary>Share of the most frequent key.</summary>
    public static Value TopShare(Slice slice) => slice.Count == 0 ? Value.None : slice.Tally().Top().Count / (double)slice.Count;

    /// <summary>Shannon entropy of the keys in bits: 0 when all are the same.</summary>
    public static Value Entropy(Slice slice) => slice.Count == 0 ? Value.None : slice.Tally().Entropy();

    /// <summary>Share of every key, at most the twenty largest.</summary>
    public static Value Distribution(Slice slice) => slice.Count == 0 ? Value.None : slice.Tally().Shares(20);

    /// <summary>Share of every key in the sum of the numbers, at most the twenty largest.</summary>
    public static Value DistributionOfSums(Slice slice)
    {
        if (slice.Count == 0 || slice.Sum <= 0)
        {
            return Value.None;
        }

        var sums = new Dictionary<string, double>(StringComparer.Ordinal);
        for (var i = 0; i < slice.Count; i++)
        {
            sums[slice.Key(i)] = sums.GetValueOrDefault(slice.Key(i)) + slice.Number(i);
        }

        return new Shares([.. sums.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(20)
            .Select(pair => KeyValuePair.Create(pair.Key, Math.Round(pair.Value / slice.Sum, 6)))]);
    }

    /// <summary>Share of every part of keys that are lists between commas, at most the forty largest.</summary>
    public static Value Parts(Slice slice)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var total = 0;
        for (var i = 0; i < slice.Count; i++)
        {
            foreach (var part in slice.Key(i).Split(','))
            {
                counts[part] = counts.GetValueOrDefault(part) + 1;
                total++;
            }
        }

        return total == 0 ? Value.None : new Shares([.. counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(40)
            .Select(pair => KeyValuePair.Create(pair.Key, Math.Round(pair.Value / (double)total, 6)))]);
    }

    /// <summary>Share of one key.</summary>
    public static Reduce ShareOf(string key) => slice => slice.Count == 0 ? Value.None : slice.Tally().CountOf(key) / (double)slice.Count;

    /// <summary>Number of events with one key.</summary>
    public static Reduce CountOf(string key) => slice => slice.Tally().CountOf(key);

    /// <summary>Days of some ticks, to a thousandth.</summary>
    public static double Days(long ticks) => Math.Round(ticks / (double)TimeSpan.TicksPerDay, 3);

    private static Value Extreme(Slice slice, int sign)
    {
        if (slice.Count == 0)
        {
            return Value.None;
        }

        var best = slice.Number(0);
        for (var i = 1; i < slice.Count; i++)
        {
            best = sign * slice.Number(i) > sign * best ? slice.Number(i) : best;
        }

        return best;
    }
}
