using System.Diagnostics;
using System.Net.Http.Headers;

namespace OKLA.Benchmarks;

/// <summary>A closed-loop HTTP load on this machine: some workers, each sending its next request when the last was answered.</summary>
internal static class Load
{
    /// <summary>Sends every body once and reports the rate and the latency, from sending to the last byte; a worker rests between two requests when told to.</summary>
    public static async Task<LoadResult> PostAsync(HttpClient client, string path, IReadOnlyList<byte[]> bodies, int workers, TimeSpan rest = default)
    {
        var next = -1;
        var latencies = new double[bodies.Count];
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            int mine;
            while ((mine = Interlocked.Increment(ref next)) < bodies.Count)
            {
                var started = Stopwatch.GetTimestamp();
                using var content = new ByteArrayContent(bodies[mine]);
                content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                using var response = await client.PostAsync(path, content);
                response.EnsureSuccessStatusCode();
                await response.Content.CopyToAsync(Stream.Null);
                latencies[mine] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
                if (rest > TimeSpan.Zero)
                {
                    await Task.Delay(rest);
                }
            }
        })));
        return new LoadResult(bodies.Count, clock.Elapsed.TotalSeconds, latencies);
    }

    /// <summary>Sends GET requests at a fixed rate; see <see cref="SendAsync"/>.</summary>
    public static Task<LoadResult> GetAsync(HttpClient client, IReadOnlyList<string> paths, double perSecond) =>
        SendAsync(client, paths.Count, i => new HttpRequestMessage(HttpMethod.Get, paths[i]), perSecond);

    /// <summary>Sends requests at a fixed rate (open loop): a slow answer does not slow the load down, and waiting counts.</summary>
    public static async Task<LoadResult> SendAsync(HttpClient client, int requests, Func<int, HttpRequestMessage> request, double perSecond)
    {
        var latencies = new double[requests];
        var clock = Stopwatch.StartNew();
        var running = new List<Task>(requests);
        for (var i = 0; i < requests; i++)
        {
            var due = TimeSpan.FromSeconds(i / perSecond);
            while (clock.Elapsed < due)
            {
                await Task.Delay(1);
            }

            running.Add(OneAsync(i, due));
        }

        await Task.WhenAll(running);
        return new LoadResult(requests, clock.Elapsed.TotalSeconds, latencies);

        async Task OneAsync(int index, TimeSpan due)
        {
            using var message = request(index);
            using var response = await client.SendAsync(message);
            response.EnsureSuccessStatusCode();
            await response.Content.CopyToAsync(Stream.Null);
            latencies[index] = (clock.Elapsed - due).TotalMilliseconds;
        }
    }
}

/// <summary>What a load measured; latencies in milliseconds.</summary>
internal sealed record LoadResult(int Requests, double Seconds, double[] Latencies)
{
    public double PerSecond => Requests / Seconds;

    /// <summary>Several loads as one.</summary>
    public static LoadResult Of(IReadOnlyList<LoadResult> parts) => new(parts.Sum(part => part.Requests), parts.Sum(part => part.Seconds), [.. parts.SelectMany(part => part.Latencies)]);

    public double Percentile(double p)
    {
        var sorted = Latencies.Order().ToArray();
        return sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * p))];
    }
}
