using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace OKLA.ML.Algorithms.Factorization;

/// <summary>
/// Writes a model as: eight bytes of kind, a version, the fields, and the SHA-256 of all before it. Little-endian.
/// The stream is left open and may be one that cannot seek.
/// </summary>
internal sealed class ChecksummedWriter : IDisposable
{
    private readonly Stream stream;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public ChecksummedWriter(Stream stream, string kind, int version)
    {
        ArgumentNullException.ThrowIfNull(stream);
        this.stream = stream;
        Put(Encoding.ASCII.GetBytes(kind.PadRight(8)));
        Write(version);
    }

    public void Write(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        Put(bytes);
    }

    public void Write(float value) => Write(BitConverter.SingleToInt32Bits(value));

    public void Write(double value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        Put(bytes);
    }

    public void Write<T>(ReadOnlySpan<T> values) where T : unmanaged
    {
        ChecksummedReader.RequireLittleEndian();
        Write(values.Length);
        for (int at = 0; at < values.Length; at += ChecksummedReader.Block)
            Put(MemoryMarshal.AsBytes(values.Slice(at, Math.Min(ChecksummedReader.Block, values.Length - at))));
    }

    /// <summary>Writes the checksum; nothing may follow.</summary>
    public void Finish() => stream.Write(hash.GetHashAndReset());

    public void Dispose() => hash.Dispose();

    private void Put(ReadOnlySpan<byte> bytes)
    {
        hash.AppendData(bytes);
        stream.Write(bytes);
    }
}

/// <summary>Reads what <see cref="ChecksummedWriter"/> wrote; throws <see cref="InvalidDataException"/> when kind, version or checksum are not right.</summary>
internal sealed class ChecksummedReader : IDisposable
{
    internal const int Block = 1 << 20;
    private readonly Stream stream;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public ChecksummedReader(Stream stream, string kind, int newestVersion)
    {
        ArgumentNullException.ThrowIfNull(stream);
        this.stream = stream;
        Span<byte> found = stackalloc byte[8];
        Get(found);
        if (!found.SequenceEqual(Encoding.ASCII.GetBytes(kind.PadRight(8)))) throw new InvalidDataException($"This is not a saved model of kind '{kind}'.");
        Version = ReadInt32();
        if (Version < 1 || Version > newestVersion) throw new InvalidDataException($"Version {Version} of '{kind}' is not known; the newest known is {newestVersion}.");
    }

    public int Version { get; }

    public int ReadInt32()
    {
        Span<byte> bytes = stackalloc byte[4];
        Get(bytes);
        return BinaryPrimitives.ReadInt32LittleEndian(bytes);
    }

    public float ReadSingle() => BitConverter.Int32BitsToSingle(ReadInt32());

    public double ReadDouble()
    {
        Span<byte> bytes = stackalloc byte[8];
        Get(bytes);
        return BinaryPrimitives.ReadDoubleLittleEndian(bytes);
    }

    public T[] ReadArray<T>() where T : unmanaged
    {
        RequireLittleEndian();
        int length = ReadInt32();
        if (length < 0 || length > Array.MaxLength) throw new InvalidDataException("The saved model is damaged: a list has an impossible length.");

        // Grown block by block: a damaged length then ends at the end of the stream, not in an allocation of gigabytes.
        var values = new T[Math.Min(length, Block)];
        for (int at = 0; at < length;)
        {
            int take = Math.Min(Block, length - at);
            if (at + take > values.Length) Array.Resize(ref values, (int)Math.Min(length, Math.Max((long)at + take, 2L * values.Length)));
            Get(MemoryMarshal.AsBytes(values.AsSpan(at, take)));
            at += take;
        }

        return values;
    }

    /// <summary>Compares the checksum; call after the last field.</summary>
    public void Finish()
    {
        var computed = hash.GetHashAndReset();
        var stored = new byte[computed.Length];
        if (stream.ReadAtLeast(stored, stored.Length, throwOnEndOfStream: false) < stored.Length || !stored.AsSpan().SequenceEqual(computed))
            throw new InvalidDataException("The saved model is damaged: its checksum does not match.");
    }

    public void Dispose() => hash.Dispose();

    internal static void RequireLittleEndian()
    {
        if (!BitConverter.IsLittleEndian) throw new PlatformNotSupportedException("Saved models are little-endian.");
    }

    private void Get(Span<byte> bytes)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length) throw new InvalidDataException("The saved model ends too early.");
        hash.AppendData(bytes);
    }
}
