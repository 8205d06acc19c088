using System.Buffers;
using System.Globalization;
using System.Text;
using OKLA.Features.Registry;

namespace OKLA.Features.Offline;

/// <summary>Frames as CSV (RFC 4180, UTF-8, line feeds): row, time, label, ids, then the features; numbers in the shortest form that reads back the same.</summary>
internal static class FrameCsv
{
    private static readonly SearchValues<char> Special = SearchValues.Create(",\"\n\r");

    public static ReadOnlyMemory<byte> Header(IEnumerable<string> features) =>
        Encoding.UTF8.GetBytes($"row,at,label,{string.Join(',', StoredRow.Columns.Select(column => $"{column.Entity.Name}_id"))},{string.Join(',', features)}\n");

    public static ReadOnlyMemory<byte> Lines(IReadOnlyList<StoredRow> rows, Value[][] values)
    {
        var buffer = new ArrayBufferWriter<byte>(rows.Count * 256);
        for (var i = 0; i < rows.Count; i++)
        {
            Write(buffer, rows[i].Number);
            buffer.Write(","u8);
            Write(buffer, new DateTime(rows[i].At, DateTimeKind.Utc), "O");
            buffer.Write(","u8);
            if (rows[i].Label is { } label)
            {
                Write(buffer, label);
            }

            foreach (var (entity, _) in StoredRow.Columns)
            {
                buffer.Write(","u8);
                Write(buffer, rows[i].Ids.GetValueOrDefault(entity));
            }

            foreach (var value in values[i])
            {
                buffer.Write(","u8);
                if (value.Other is { } other)
                {
                    Write(buffer, other.ToString());
                }
                else if (!double.IsNaN(value.Number))
                {
                    Write(buffer, value.Number);
                }
            }

            buffer.Write("\n"u8);
        }

        return buffer.WrittenMemory;
    }

    private static void Write<T>(ArrayBufferWriter<byte> buffer, T value, string? format = null)
        where T : IUtf8SpanFormattable
    {
        value.TryFormat(buffer.GetSpan(40), out var written, format, CultureInfo.InvariantCulture);
        buffer.Advance(written);
    }

    private static void Write(ArrayBufferWriter<byte> buffer, string? text)
    {
        if (text is null)
        {
            return;
        }

        var quoted = text.AsSpan().ContainsAny(Special) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
        buffer.Advance(Encoding.UTF8.GetBytes(quoted, buffer.GetSpan(Encoding.UTF8.GetMaxByteCount(quoted.Length))));
    }
}
