namespace OKLA.ML.Algorithms.Trees;

/// <summary>Parallel loops with a thread limit; one thread runs in place.</summary>
internal static class Workers
{
    private const int FewRows = 256;

    /// <summary>Threads for work on so many rows: a few are done sooner than another thread wakes up, and whoever asks for one row has company.</summary>
    public static int ForRows(int rows) => rows < FewRows ? 1 : 0;

    public static int Count(int threads) => threads > 0 ? threads : Environment.ProcessorCount;

    public static void For(int threads, int count, Action<int> body)
    {
        threads = Math.Min(Count(threads), count);
        if (threads <= 1)
        {
            for (var i = 0; i < count; i++) body(i);
            return;
        }
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, body);
    }

    /// <summary>Runs <paramref name="body"/>(chunk, from, to) on consecutive ranges of <paramref name="count"/>, one a thread.</summary>
    public static void Ranges(int threads, int count, Action<int, int, int> body)
    {
        if (threads <= 1)
        {
            body(0, 0, count);
            return;
        }
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads },
            t => body(t, (int)((long)count * t / threads), (int)((long)count * (t + 1) / threads)));
    }
}
