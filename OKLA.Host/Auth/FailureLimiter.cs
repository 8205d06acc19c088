using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace OKLA.Host.Auth;

/// <summary>
/// Counts refused credentials by client address in a leaky bucket each. Memory is one fixed table (16,384 slots): two
/// addresses of one slot push each other out, which only forgets failures and never blocks anybody for another's. Slots are
/// chosen by the process's random hash seed, so nobody can aim at one.
/// </summary>
internal sealed class FailureLimiter(IOptions<AuthOptions> options, TimeProvider time)
{
    private const int Slots = 16_384;
    private readonly int burst = options.Value.FailureBurst;
    private readonly double leakPerSecond = options.Value.FailuresPerMinute / 60.0;
    private readonly Bucket[] buckets = new Bucket[Slots];
    private readonly Lock gate = new();

    /// <summary>How long the address must wait before its next credential is looked at; zero when it need not.</summary>
    public TimeSpan WaitOf(IPAddress? address)
    {
        var key = KeyOf(address);
        lock (gate)
        {
            ref readonly var bucket = ref buckets[SlotOf(key)];
            if (bucket.Address != key) return TimeSpan.Zero;
            var excess = LevelOf(bucket) - (burst - 1);
            return excess > 0 ? TimeSpan.FromSeconds(excess / leakPerSecond) : TimeSpan.Zero;
        }
    }

    /// <summary>Notes a refused credential.</summary>
    public void Count(IPAddress? address)
    {
        var key = KeyOf(address);
        lock (gate)
        {
            ref var bucket = ref buckets[SlotOf(key)];
            var level = bucket.Address == key ? LevelOf(bucket) : 0;
            bucket = new Bucket(key, level + 1, time.GetTimestamp());
        }
    }

    private static int SlotOf(UInt128 key) => (int)((uint)HashCode.Combine(key) % Slots);

    // A home gets a whole IPv6 /64, so its addresses count as one (RFC 6177).
    private static UInt128 KeyOf(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        if (address is null) return 0;
        if (address.AddressFamily == AddressFamily.InterNetwork) address = address.MapToIPv6();
        address.TryWriteBytes(bytes, out _);
        if (!address.IsIPv4MappedToIPv6) bytes[8..].Clear();
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private double LevelOf(in Bucket bucket) =>
        Math.Max(0, bucket.Level - (time.GetElapsedTime(bucket.At).TotalSeconds * leakPerSecond));

    private readonly record struct Bucket(UInt128 Address, double Level, long At);
}
