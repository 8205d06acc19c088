using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>Interactions to learn from, and for every user the set of held-out items (empty when none).</summary>
/// <param name="Train">Users × items to learn from.</param>
/// <param name="Test">Held-out items by user; none of them is in the user's training row.</param>
public sealed record InteractionSplit(SparseMatrix Train, IReadOnlyList<IReadOnlySet<int>> Test)
{
    /// <summary>When each pair of <see cref="Train"/> first happened, in its pattern; null where times play no part.</summary>
    public SparseMatrix? TrainTimes { get; init; }
}

/// <summary>A way to hold interactions out.</summary>
public enum InteractionProtocol
{
    /// <summary>user-75-25: a share of each user's items.</summary>
    PerUser,

    /// <summary>item-75-25: a share of each item's users.</summary>
    PerItem,

    /// <summary>time-80-20: the latest pairs.</summary>
    ByTime,
}

/// <summary>The protocols by which recommenders are compared. A pair of user and item is held out or learned from as a whole.</summary>
public static class InteractionSplits
{
    /// <summary>user-75-25: within each user a random ⌊n · share⌋ of the n distinct items is held out.</summary>
    public static InteractionSplit PerUser(SparseMatrix data, double testShare = 0.25, int seed = 42)
    {
        ArgumentNullException.ThrowIfNull(data);
        var random = new Random(seed);
        var held = new bool[data.Count];
        for (int u = 0; u < data.Rows; u++)
        {
            var entries = Enumerable.Range(data.RowStarts[u], data.RowCount(u)).ToArray();
            random.Shuffle(entries);
            int test = (int)(entries.Length * testShare + 1e-9);
            for (int n = 0; n < test; n++) held[entries[n]] = true;
        }

        return Part(data, held);
    }

    /// <summary>item-75-25: within each item a random round(n · (1 − share)) of its n users learn (half to even) and the rest are held out.</summary>
    public static InteractionSplit PerItem(SparseMatrix data, double testShare = 0.25, int seed = 42)
    {
        ArgumentNullException.ThrowIfNull(data);
        var random = new Random(seed);
        var byItem = new List<int>[data.Columns];
        for (int i = 0; i < byItem.Length; i++) byItem[i] = [];
        for (int entry = 0; entry < data.Count; entry++) byItem[data.Indices[entry]].Add(entry);
        var held = new bool[data.Count];
        foreach (var list in byItem)
        {
            var entries = list.ToArray();
            random.Shuffle(entries);
            for (int n = (int)Math.Round(entries.Length * (1 - testShare)); n < entries.Length; n++) held[entries[n]] = true;
        }

        return Part(data, held);
    }

    /// <summary>
    /// time-80-20: pairs stand at the time of their first event; the earliest ⌊n · (1 − share)⌋ pairs learn, with the sum of their weights up to the cut,
    /// and the later pairs are held out. Events of one time keep their order.
    /// </summary>
    public static InteractionSplit ByTime<T>(int users, int items, IReadOnlyList<(int User, int Item, float Weight, T Time)> events, double testShare = 0.2)
        where T : IComparable<T>
    {
        ArgumentNullException.ThrowIfNull(events);
        var ordered = events.OrderBy(e => e.Time).ToArray();
        var rank = new Dictionary<(int, int), int>();
        foreach (var e in ordered) rank.TryAdd((e.User, e.Item), rank.Count);
        int cut = (int)(rank.Count * (1 - testShare) + 1e-9);
        var test = EmptySets(users);
        var train = new List<(int, int, float)>();
        int met = 0;
        foreach (var e in ordered)
        {
            int mine = rank[(e.User, e.Item)];
            if (mine >= cut) test[e.User].Add(e.Item);
            met = Math.Max(met, mine + 1);
            if (mine < cut && met <= cut) train.Add((e.User, e.Item, e.Weight));
        }

        return new InteractionSplit(SparseMatrix.FromTriples(users, items, train), test);
    }

    /// <summary>
    /// time-80-20 of distinct pairs: the earliest ⌊n · (1 − share)⌋ learn, the later ones are held out. <paramref name="times"/> has the pattern of
    /// <paramref name="data"/>; pairs of one time keep the order of users and items.
    /// </summary>
    public static InteractionSplit ByTime(SparseMatrix data, SparseMatrix times, double testShare = 0.2)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(times);
        if (data.Count != times.Count) throw new ArgumentException("Times and pairs must be equally many.", nameof(times));
        var (order, keys) = (Enumerable.Range(0, data.Count).ToArray(), times.Values.ToArray());
        Array.Sort(order, (a, b) => keys[a] != keys[b] ? keys[a].CompareTo(keys[b]) : a.CompareTo(b));
        var held = new bool[data.Count];
        foreach (int entry in order.AsSpan((int)(data.Count * (1 - testShare) + 1e-9))) held[entry] = true;
        return Part(data, held) with { TrainTimes = Part(times, held).Train };
    }

    /// <summary>Holds out by a protocol; <see cref="InteractionProtocol.ByTime"/> needs <paramref name="times"/> in the pattern of <paramref name="data"/>.</summary>
    public static InteractionSplit Hold(InteractionProtocol protocol, SparseMatrix data, SparseMatrix? times, double testShare, int seed) => protocol switch
    {
        InteractionProtocol.PerUser => PerUser(data, testShare, seed),
        InteractionProtocol.PerItem => PerItem(data, testShare, seed),
        _ => ByTime(data, times ?? throw new ArgumentNullException(nameof(times)), testShare),
    };

    private static InteractionSplit Part(SparseMatrix data, bool[] held)
    {
        var test = EmptySets(data.Rows);
        var train = new List<(int, int, float)>(data.Count);
        for (int u = 0; u < data.Rows; u++)
            for (int at = data.RowStarts[u]; at < data.RowStarts[u + 1]; at++)
            {
                if (held[at]) test[u].Add(data.Indices[at]);
                else train.Add((u, data.Indices[at], data.Values[at]));
            }

        return new InteractionSplit(SparseMatrix.FromTriples(data.Rows, data.Columns, train), test);
    }

    private static HashSet<int>[] EmptySets(int users)
    {
        var sets = new HashSet<int>[users];
        for (int u = 0; u < users; u++) sets[u] = [];
        return sets;
    }
}
