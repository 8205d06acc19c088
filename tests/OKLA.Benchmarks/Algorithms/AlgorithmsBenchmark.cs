namespace OKLA.Benchmarks.Algorithms;

/// <summary>How fast the learning algorithms are, each beside its peer in the same run and in turns with it.</summary>
internal static class AlgorithmsBenchmark
{
    /// <summary><c>algorithms [trees|arithmetic|search|scale] [--quick] [--data FOLDER]</c>: all parts, or one of them.</summary>
    public static void Run(string[] arguments)
    {
        var quick = arguments.Contains("--quick");
        var at = Array.IndexOf(arguments, "--data");
        var folder = at >= 0 && at + 1 < arguments.Length ? arguments[at + 1] : null;
        var part = arguments.FirstOrDefault(word => word is "trees" or "arithmetic" or "search" or "scale");
        if (part is null or "trees")
        {
            if (folder is null) Console.WriteLine("Without --data FOLDER only drawn data is used.");

            // On one thread too: where others use the machine, two threads wait for each other.
            foreach (var threads in new[] { 2, 1 })
            {
                using var peer = Peer.Start(threads);
                Console.WriteLine(peer is null ? "There is no /usr/bin/python3 with xgboost and scikit-learn here: the peer's figures are left out." : $"The peer is XGBoost {peer.Version} and Debian's scikit-learn.");
                TreeAndTextSpeed.Run(peer, threads, folder, quick);
            }
        }

        if (part is null or "arithmetic") ArithmeticSpeed.Run(quick);
        if (part is null or "search") SearchSpeed.Run(quick);
        if (part is null or "scale") ScaleTable.Run(quick);
    }
}
