using System.Numerics;

namespace OKLA.ML.Algorithms.Retrieval;

/// <summary>A set of item indices as one bit an item; fast to test and to walk.</summary>
public sealed class ItemMask
{
    private readonly ulong[] words;

    /// <summary>An empty set over items 0 … <paramref name="length"/> − 1, or a full one.</summary>
    public ItemMask(int length, bool full = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        words = new ulong[(length + 63) / 64];
        if (!full) return;
        Array.Fill(words, ulong.MaxValue);
        if (length % 64 != 0) words[^1] = (1UL << (length % 64)) - 1;
    }

    /// <summary>How many items there are, in the set or not.</summary>
    public int Length { get; }

    /// <summary>How many items are in the set.</summary>
    public int Count
    {
        get
        {
            int count = 0;
            foreach (ulong word in words) count += BitOperations.PopCount(word);
            return count;
        }
    }

    /// <summary>Whether the item is in the set; an item beyond <see cref="Length"/> is not.</summary>
    public bool this[int item]
    {
        get => (uint)item < (uint)Length && (words[item >> 6] >> (item & 63) & 1) != 0;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(item);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(item, Length);
            if (value) words[item >> 6] |= 1UL << (item & 63);
            else words[item >> 6] &= ~(1UL << (item & 63));
        }
    }

    /// <summary>The items in the set, ascending.</summary>
    public IEnumerable<int> Items()
    {
        for (int w = 0; w < words.Length; w++)
            for (ulong rest = words[w]; rest != 0; rest &= rest - 1)
                yield return w * 64 + BitOperations.TrailingZeroCount(rest);
    }
}
