using System.Buffers;
using System.Text.Json;
using OKLA.Features.Registry;

namespace OKLA.Features.Online;

/// <summary>
/// The answer about an entity (<see cref="GetFeatures.FeatureVector"/>) as JSON, written once; an answer with some of its features is put
/// together from pieces of it, so that a kept vector is never written again.
/// </summary>
internal sealed class EncodedVector
{
    // Of each feature where its name begins, and after the last one where the next would.
    private readonly int[] starts;

    private EncodedVector(byte[] whole, int[] starts) => (Whole, this.starts) = (whole, starts);

    /// <summary>All features.</summary>
    public byte[] Whole { get; }

    /// <summary>Writes the answer about an entity.</summary>
    public static EncodedVector Of(string entity, string id, bool known, long at, IReadOnlyList<Feature> features, IReadOnlyList<Value> values)
    {
        var buffer = new ArrayBufferWriter<byte>(256 + (32 * features.Count));
        var starts = new int[features.Count + 1];
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("entity"u8, entity);
        json.WriteString("id"u8, id);
        json.WriteBoolean("known"u8, known);
        json.WriteString("at"u8, new DateTimeOffset(at, TimeSpan.Zero));
        json.WriteStartObject("values"u8);
        for (var i = 0; i < features.Count; i++)
        {
            starts[i] = At(json) + (i > 0 ? 1 : 0);
            json.WritePropertyName(features[i].Id.Name);
            Write(json, values[i]);
        }

        starts[^1] = At(json) + 1;
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return new EncodedVector(buffer.WrittenSpan.ToArray(), starts);
    }

    /// <summary>Only the features at these places, in this order.</summary>
    public byte[] Only(ReadOnlySpan<int> places)
    {
        var head = Whole.AsSpan(0, starts[0]);
        var tail = "}}"u8;
        var length = head.Length + tail.Length + Math.Max(0, places.Length - 1);
        foreach (var place in places)
        {
            length += starts[place + 1] - 1 - starts[place];
        }

        var answer = new byte[length];
        head.CopyTo(answer);
        var written = head.Length;
        for (var i = 0; i < places.Length; i++)
        {
            if (i > 0)
            {
                answer[written++] = (byte)',';
            }

            var piece = Whole.AsSpan(starts[places[i]]..(starts[places[i] + 1] - 1));
            piece.CopyTo(answer.AsSpan(written));
            written += piece.Length;
        }

        tail.CopyTo(answer.AsSpan(written));
        return answer;
    }

    private static int At(Utf8JsonWriter json) => (int)json.BytesCommitted + json.BytesPending;

    private static void Write(Utf8JsonWriter json, Value value)
    {
        switch (value.Other)
        {
            case Shares shares:
                json.WriteStartObject();
                foreach (var (key, share) in shares.Entries)
                {
                    json.WriteNumber(key, share);
                }

                json.WriteEndObject();
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            default:
                if (value.IsNone)
                {
                    json.WriteNullValue();
                }
                else
                {
                    json.WriteNumberValue(value.Number);
                }

                break;
        }
    }
}
