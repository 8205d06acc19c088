using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace OKLA.Benchmarks;

/// <summary>
/// One caller in a process of its own, as callers are: its garbage, its threads and what its client counts are not the host's. It sends its next request
/// when the last one was answered.
/// </summary>
internal static class Caller
{
    /// <summary>First argument of a process that only calls.</summary>
    public const string Verb = "call";

    /// <summary>Sends bodies and measures all but the first ones.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="warmUp">Sent first.</param>
    /// <param name="bodies">Sent then, and measured.</param>
    /// <param name="rest">Rest between two requests.</param>
    public static async Task<LoadResult> PostAsync(Uri address, IReadOnlyList<byte[]> warmUp, IReadOnlyList<byte[]> bodies, TimeSpan rest = default)
    {
        var file = Path.GetTempFileName();
        try
        {
            await using (var writer = new BinaryWriter(File.Create(file)))
            {
                foreach (var some in new[] { warmUp, bodies })
                {
                    writer.Write(some.Count);
                    foreach (var body in some)
                    {
                        writer.Write(body.Length);
                        writer.Write(body);
                    }
                }
            }

            var start = new ProcessStartInfo(Environment.ProcessPath!) { Environment = { ["DOTNET_gcServer"] = "0" } };
            if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            {
                start.ArgumentList.Add(typeof(Caller).Assembly.Location);
            }

            foreach (var argument in new[] { Verb, address.ToString(), file, rest.TotalMilliseconds.ToString(CultureInfo.InvariantCulture) })
            {
                start.ArgumentList.Add(argument);
            }

            using var process = Process.Start(start)!;
            await process.WaitForExitAsync();
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException($"The caller ended with {process.ExitCode}.");
            }

            var latencies = MemoryMarshal.Cast<byte, double>(await File.ReadAllBytesAsync(file)).ToArray();
            return new LoadResult(bodies.Count, latencies.Sum() / 1_000, latencies);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>What the process does: reads the bodies from the file and leaves the milliseconds of each there.</summary>
    public static async Task RunAsync(Uri address, string file, TimeSpan rest)
    {
        byte[][] warmUp, bodies;
        using (var reader = new BinaryReader(File.OpenRead(file)))
        {
            (warmUp, bodies) = (Read(reader), Read(reader));
        }

        using var client = new HttpClient { BaseAddress = address };
        await Load.PostAsync(client, "", warmUp, 1);
        var result = await Load.PostAsync(client, "", bodies, 1, rest);
        await File.WriteAllBytesAsync(file, MemoryMarshal.AsBytes(result.Latencies.AsSpan()).ToArray());
    }

    private static byte[][] Read(BinaryReader reader)
    {
        var bodies = new byte[reader.ReadInt32()][];
        for (var i = 0; i < bodies.Length; i++)
        {
            bodies[i] = reader.ReadBytes(reader.ReadInt32());
        }

        return bodies;
    }
}
