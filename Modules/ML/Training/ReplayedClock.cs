using System.IO.Compression;

namespace OKLA.ML.Training;

/// <summary>
/// A clock whose readings are kept, so that a search that a time budget cuts short can be made again exactly: replayed, every reading is the one it was. Only
/// a search on one thread reads its clock in one order.
/// </summary>
internal sealed class ReplayedClock(TimeProvider clock, IReadOnlyList<long>? readings = null) : TimeProvider
{
    private const long Milliseconds = 1_000;
    private readonly Lock reading = new();
    private readonly List<long> kept = [];
    private readonly long started = clock.GetTimestamp();

    public override long TimestampFrequency => Milliseconds;

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    public override long GetTimestamp()
    {
        lock (reading)
        {
            var now = readings is not null && kept.Count < readings.Count ? readings[kept.Count] : (long)clock.GetElapsedTime(started).TotalMilliseconds;
            kept.Add(now);
            return now;
        }
    }

    /// <summary>All readings so far, packed: differences of few milliseconds, mostly 0.</summary>
    public byte[] Pack()
    {
        using var packed = new MemoryStream();
        using (var writer = new BinaryWriter(new BrotliStream(packed, CompressionLevel.Fastest)))
        {
            lock (reading)
            {
                writer.Write(kept.Count);
                long last = 0;
                foreach (var at in kept)
                {
                    writer.Write7BitEncodedInt64(at - last);
                    last = at;
                }
            }
        }

        return packed.ToArray();
    }

    /// <summary>Reads what <see cref="Pack"/> wrote.</summary>
    public static long[] Unpack(byte[] packed)
    {
        using var reader = new BinaryReader(new BrotliStream(new MemoryStream(packed), CompressionMode.Decompress));
        var readings = new long[reader.ReadInt32()];
        long last = 0;
        for (var i = 0; i < readings.Length; i++)
        {
            readings[i] = last += reader.Read7BitEncodedInt64();
        }

        return readings;
    }
}
