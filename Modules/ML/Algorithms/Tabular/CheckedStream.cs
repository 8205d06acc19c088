using System.Security.Cryptography;
using System.Text;

namespace OKLA.ML.Algorithms.Tabular;

/// <summary>The envelope of every saved model: four letters of kind, version, body length, body, SHA-256 of the body. Little-endian.</summary>
internal static class CheckedStream
{
    public static void Write(Stream stream, string kind, int version, Action<BinaryWriter> writeBody)
    {
        using var body = new MemoryStream();
        using (var writer = new BinaryWriter(body, Encoding.UTF8, leaveOpen: true)) writeBody(writer);
        var bytes = body.GetBuffer().AsSpan(0, (int)body.Length);
        using var envelope = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        envelope.Write(Encoding.ASCII.GetBytes(kind));
        envelope.Write(version);
        envelope.Write(bytes.Length);
        envelope.Write(bytes);
        envelope.Write(SHA256.HashData(bytes));
    }

    /// <summary>Reads one envelope; <paramref name="readBody"/> gets its version.</summary>
    /// <exception cref="InvalidDataException">Another kind, a newer version, cut off or changed content.</exception>
    public static T Read<T>(Stream stream, string kind, int newestVersion, Func<BinaryReader, int, T> readBody)
    {
        using var envelope = new BinaryReader(stream, Encoding.UTF8, leaveOpen: true);
        byte[] body;
        int version;
        try
        {
            if (!envelope.ReadBytes(4).AsSpan().SequenceEqual(Encoding.ASCII.GetBytes(kind))) throw new InvalidDataException($"Not a saved {kind}.");
            version = envelope.ReadInt32();
            if (version < 1 || version > newestVersion) throw new InvalidDataException($"Saved {kind} has version {version}; {newestVersion} is the newest known.");
            var length = envelope.ReadInt32();
            if (length < 0) throw new InvalidDataException($"Saved {kind} is damaged.");
            body = envelope.ReadBytes(length);
            if (body.Length != length || !envelope.ReadBytes(32).AsSpan().SequenceEqual(SHA256.HashData(body)))
                throw new InvalidDataException($"Saved {kind} is damaged.");
        }
        catch (EndOfStreamException cut)
        {
            throw new InvalidDataException($"Saved {kind} is cut off.", cut);
        }
        using var reader = new BinaryReader(new MemoryStream(body), Encoding.UTF8);
        return readBody(reader, version);
    }

    public static void WriteArray(this BinaryWriter writer, float[] values)
    {
        writer.Write(values.Length);
        foreach (var value in values) writer.Write(value);
    }

    public static float[] ReadSingles(this BinaryReader reader)
    {
        var values = new float[reader.ReadInt32()];
        for (var i = 0; i < values.Length; i++) values[i] = reader.ReadSingle();
        return values;
    }
}
