using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using OKLA.Tracking.Schemas;

namespace OKLA.Tracking.Ingest;

/// <summary>A piece of a request's JSON that is stored otherwise than it was sent.</summary>
/// <param name="Start">Byte in the request's body.</param>
/// <param name="Length">Bytes replaced.</param>
/// <param name="Text">New text, without quotes; null for JSON's null.</param>
internal readonly record struct Edit(int Start, int Length, string? Text);

/// <summary>Writes an event's stored JSON into one buffer: parts of the request, with their edits, and what the server adds.</summary>
internal readonly struct EventBody(ArrayBufferWriter<byte> output, ReadOnlyMemory<byte> request, List<Edit> edits)
{
    /// <summary>Where JSON text begins: behind a name there is a comma.</summary>
    public static byte Open => (byte)'{';

    public void Text(ReadOnlySpan<byte> name, string? value, ref byte separator)
    {
        if (value is not null)
        {
            Name(name, ref separator);
            Quoted(value);
        }
    }

    public void Part(ReadOnlySpan<byte> name, (int Start, int Length) part, ref byte separator)
    {
        if (part.Length > 0)
        {
            Name(name, ref separator);
            Copy(part.Start, part.Start + part.Length);
        }
    }

    /// <summary>The context as it was sent, and the server's own words after it: of two equal names the last one counts.</summary>
    public void Context((int Start, int Length) part, string? addressHash, bool isBot, ref byte separator)
    {
        if (part.Length == 0 && addressHash is null && !isBot)
        {
            return;
        }

        Name("context"u8, ref separator);
        var inner = Open;
        if (part.Length > 0)
        {
            var end = part.Start + part.Length - 1;
            Copy(part.Start, end);
            inner = request.Span[(part.Start + 1)..end].ContainsAnyExcept(" \t\r\n"u8) ? (byte)',' : (byte)' ';
        }

        Text("ipHash"u8, addressHash, ref inner);
        if (isBot)
        {
            Name("bot"u8, ref inner);
            output.Write("true"u8);
        }

        output.Write(inner == Open ? "{}"u8 : "}"u8);
    }

    /// <summary>All that is kept of the context of an event that only counts.</summary>
    public void CountedContext(bool isBot, ref byte separator)
    {
        Name("context"u8, ref separator);
        output.Write(isBot ? """{"consent":"necessary","bot":true}"""u8 : """{"consent":"necessary"}"""u8);
    }

    /// <summary>Of the properties those that are declared and not in words.</summary>
    public void PlainProperties((int Start, int Length) part, EventSchema schema, ref byte separator)
    {
        if (part.Length == 0)
        {
            return;
        }

        Name("properties"u8, ref separator);
        var inner = Open;
        var reader = new Utf8JsonReader(request.Span.Slice(part.Start, part.Length));
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            // Names that are written with escapes are not worth finding.
            var field = reader.ValueIsEscaped ? -1 : schema.Find(reader.ValueSpan);
            var name = reader.ValueSpan;
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (field >= 0 && !schema.Fields[field].IsFreeText)
            {
                Name(name, ref inner);
                output.Write(request.Span.Slice(part.Start + start, (int)reader.BytesConsumed - start));
            }
        }

        output.Write(inner == Open ? "{}"u8 : "}"u8);
    }

    public void Name(ReadOnlySpan<byte> name, ref byte separator)
    {
        output.Write([separator, (byte)'"']);
        output.Write(name);
        output.Write("\":"u8);
        separator = (byte)',';
    }

    public void Quoted(string value)
    {
        output.Write("\""u8);
        if (value.AsSpan().IndexOfAny('"', '\\') >= 0 || value.AsSpan().ContainsAnyInRange('\0', '\x1f'))
        {
            output.Write(JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        }
        else
        {
            Encoding.UTF8.GetBytes(value, output);
        }

        output.Write("\""u8);
    }

    public void Copy(int start, int end)
    {
        foreach (var edit in edits)
        {
            if (edit.Start < start || edit.Start >= end)
            {
                continue;
            }

            output.Write(request.Span[start..edit.Start]);
            if (edit.Text is null)
            {
                output.Write("null"u8);
            }
            else
            {
                Quoted(edit.Text);
            }

            start = edit.Start + edit.Length;
        }

        output.Write(request.Span[start..end]);
    }
}
