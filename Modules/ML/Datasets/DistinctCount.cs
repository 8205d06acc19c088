using System.Numerics;
using System.Runtime.InteropServices;

namespace OKLA.ML.Datasets;

/// <summary>Counts different things in a fixed piece of memory (HyperLogLog: Flajolet et al. 2007, with linear counting while few): off by 1.04 / √registers.</summary>
/// <param name="bits">Logarithm of the number of registers, 4 to 16.</param>
internal sealed class DistinctCount(int bits = 12)
{
    private readonly byte[] registers = new byte[1 << bits];

    /// <summary>Standard error, as a share.</summary>
    public double Error => 1.04 / Math.Sqrt(registers.Length);

    /// <summary>Counts the thing of that hash.</summary>
    public void Add(ulong hash)
    {
        ref var register = ref registers[hash >> (64 - bits)];
        var rank = (byte)(BitOperations.LeadingZeroCount((hash << bits) | (1UL << (bits - 1))) + 1);
        register = Math.Max(register, rank);
    }

    /// <summary>The number of different things so far.</summary>
    public long Estimate()
    {
        var m = (double)registers.Length;
        var raw = 0.7213 / (1 + (1.079 / m)) * m * m / registers.Sum(register => Math.ScaleB(1, -register));
        var empty = registers.Count(register => register == 0);
        return (long)Math.Round(raw <= 2.5 * m && empty > 0 ? m * Math.Log(m / empty) : raw);
    }
}

/// <summary>Hashes of texts that are the same in every process.</summary>
internal static class StableHash
{
    /// <summary>64 bits of a text.</summary>
    public static ulong Of(ReadOnlySpan<char> text)
    {
        var hash = Mixed(0x9E3779B97F4A7C15, (ulong)text.Length);
        var words = MemoryMarshal.Cast<char, ulong>(text);
        foreach (var word in words)
        {
            hash = Mixed(hash, word);
        }

        foreach (var rest in text[(words.Length * 4)..])
        {
            hash = Mixed(hash, rest);
        }

        return Mixed(hash, 0);
    }

    /// <summary>A hash of what was hashed so far and one thing more (the finaliser of SplitMix64: Steele, Lea and Flood 2014).</summary>
    public static ulong Mixed(ulong hash, ulong next)
    {
        hash = (hash ^ next) + 0x9E3779B97F4A7C15;
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
        return hash ^ (hash >> 31);
    }
}

/// <summary>Counts which of many things come again: exactly as long as their hashes fit, then estimated.</summary>
/// <param name="mostExact">Different things that are kept one by one.</param>
/// <param name="bits">Logarithm of the registers of the estimate.</param>
internal sealed class RepeatCount(int mostExact = RepeatCount.MostExact, int bits = 14)
{
    /// <summary>Hashes of 4 million things take some 100 MiB.</summary>
    public const int MostExact = 4_000_000;

    private readonly DistinctCount estimate = new(bits);
    private HashSet<ulong>? seen = [];
    private long total;

    /// <summary>Whether the count is exact.</summary>
    public bool Exact => seen is not null;

    /// <summary>Counts the thing of that hash.</summary>
    public void Add(ulong hash)
    {
        total++;
        estimate.Add(hash);
        if (seen is not null && seen.Add(hash) && seen.Count > mostExact)
        {
            seen = null;
        }
    }

    /// <summary>How many came that had come before; an estimate below its error is no repeat.</summary>
    public long Repeats()
    {
        if (seen is not null)
        {
            return total - seen.Count;
        }

        var repeats = total - estimate.Estimate();
        return repeats > 3 * estimate.Error * total ? repeats : 0;
    }
}
