namespace OKLA.ML.Algorithms.Trees;

/// <summary>SplitMix64 (Steele, Lea, Flood 2014): a small generator whose stream depends on the seed alone, the same on every runtime.</summary>
internal struct RandomSource(ulong seed)
{
    private ulong _state = seed;

    /// <summary>An independent stream for a numbered part (a tree, a depth, a node) of a seeded whole.</summary>
    public static RandomSource For(int seed, int part, int subPart = 0)
    {
        var mixed = new RandomSource(((ulong)(uint)seed << 32) ^ (uint)part);
        return new RandomSource(mixed.Next() ^ ((ulong)(uint)subPart * 0xD1342543DE82EF95UL));
    }

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [0, bound).</summary>
    public int NextInt(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>Draws <paramref name="count"/> of the numbers below <paramref name="from"/>, each set equally likely, in rising order (Knuth's algorithm S).</summary>
    public int[] Sample(int from, int count)
    {
        var drawn = new int[count];
        for (int i = 0, taken = 0; taken < count; i++)
        {
            if (NextDouble() * (from - i) < count - taken) drawn[taken++] = i;
        }
        return drawn;
    }
}
