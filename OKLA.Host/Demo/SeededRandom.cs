using OKLA.Shared.Texts;

namespace OKLA.Host.Demo;

/// <summary>
/// SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", figure 17): the same numbers on every
/// machine and every release of the runtime, which <see cref="Random"/> does not promise.
/// </summary>
internal struct SeededRandom(ulong state)
{
    private ulong state = state;

    /// <summary>A generator whose numbers depend on nothing but the keys.</summary>
    public static SeededRandom Of(ulong seed, ulong key, ulong second = 0) => new(Mix(Mix(Mix(seed) ^ key) ^ second));

    /// <summary>A key made of a text.</summary>
    public static ulong Key(string text) => StableHash.Of(text);

    public ulong Next64() => Mix(state += 0x9E3779B97F4A7C15UL);

    /// <summary>Uniform in [0, 1).</summary>
    public double Next() => (Next64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in 0 … <paramref name="bound"/> - 1.</summary>
    public int Next(int bound) => (int)(Next() * bound);

    /// <summary>Whether something of this probability happens.</summary>
    public bool Chance(double probability) => Next() < probability;

    /// <summary>Normal with mean 0 and deviation 1 (Box and Muller 1958).</summary>
    public double Gaussian() => Math.Sqrt(-2 * Math.Log(1 - Next())) * Math.Cos(2 * Math.PI * Next());

    /// <summary>Exponential with this mean.</summary>
    public double Exponential(double mean) => -mean * Math.Log(1 - Next());

    /// <summary>A count with this mean (Knuth 1969, algorithm Q of section 3.4.1; above 50 the rounded normal, which differs by less than a hundredth).</summary>
    public int Poisson(double mean)
    {
        if (mean > 50)
        {
            return (int)Math.Max(0, Math.Round(mean + (Math.Sqrt(mean) * Gaussian())));
        }

        var (count, product, limit) = (0, Next(), Math.Exp(-mean));
        while (product > limit)
        {
            count++;
            product *= Next();
        }

        return count;
    }

    /// <summary>An index drawn with probability proportional to its weight.</summary>
    public int Pick(ReadOnlySpan<double> weights)
    {
        var total = 0.0;
        foreach (var weight in weights)
        {
            total += weight;
        }

        var left = Next() * total;
        for (var i = 0; i < weights.Length; i++)
        {
            left -= weights[i];
            if (left < 0)
            {
                return i;
            }
        }

        return weights.Length - 1;
    }

    /// <summary>An event id out of 122 random bits, marked as version 8 (RFC 9562: made by the application's own rule).</summary>
    public Guid NextId()
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, Next64());
        BitConverter.TryWriteBytes(bytes[8..], Next64());
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
