namespace OKLA.ML.Algorithms.Tabular;

/// <summary>The columns that were read, by name; an absent one is null.</summary>
internal delegate IReadOnlyList<string?>? Source(string name);

/// <summary>How one column of text becomes one column of a <see cref="Dataset"/>. A column of text may have several.</summary>
internal abstract class ColumnPlan(string name, string source)
{
    /// <summary>The made column's name.</summary>
    public string Name { get; } = name;

    /// <summary>The column it is made from.</summary>
    public string From { get; } = source;

    public abstract Column Encode(Source source, int rows, HashSet<string> missing);

    protected abstract byte Tag { get; }

    protected abstract void WriteBody(BinaryWriter writer);

    public void Write(BinaryWriter writer)
    {
        writer.Write(Tag);
        writer.Write(Name);
        writer.Write(From);
        WriteBody(writer);
    }

    public static ColumnPlan Read(BinaryReader reader)
    {
        var tag = reader.ReadByte();
        string name = reader.ReadString(), source = reader.ReadString();
        return tag switch
        {
            NumberPlan.Kind => new NumberPlan(name, source, reader.ReadBoolean()),
            CategoryPlan.Kind => new CategoryPlan(name, source, (CategoryOf)reader.ReadByte(), reader.ReadBoolean(), ReadTexts(reader)),
            BooleanPlan.Kind => new BooleanPlan(name, source),
            DatePlan.Kind => new DatePlan(name, source, (DateStyle)reader.ReadByte(), (DatePart)reader.ReadByte()),
            DifferencePlan.Kind => new DifferencePlan(name, source, (DateStyle)reader.ReadByte(), reader.ReadString(), (DateStyle)reader.ReadByte()),
            InnerNumberPlan.Kind => new InnerNumberPlan(name, source, reader.ReadInt32()),
            TextSizePlan.Kind => new TextSizePlan(name, source),
            _ => throw new InvalidDataException($"Unknown kind of column {tag}."),
        };
    }

    internal static string[] ReadTexts(BinaryReader reader)
    {
        var texts = new string[reader.ReadInt32()];
        for (var i = 0; i < texts.Length; i++) texts[i] = reader.ReadString();
        return texts;
    }

    internal static void WriteTexts(BinaryWriter writer, IReadOnlyList<string> texts)
    {
        writer.Write(texts.Count);
        foreach (var text in texts) writer.Write(text);
    }

    /// <summary>The text without blanks around it; null where nothing is known.</summary>
    public static string? Known(string? text, HashSet<string> missing) => text?.Trim() is { } trimmed && !missing.Contains(trimmed) ? trimmed : null;

    protected Column Numbers(Source source, int rows, HashSet<string> missing, Func<string, float> read)
    {
        var texts = source(From);
        var numbers = new float[rows];
        for (var r = 0; r < rows; r++) numbers[r] = texts is not null && Known(texts[r], missing) is { } text ? read(text) : float.NaN;
        return Column.Numeric(Name, numbers);
    }
}

/// <summary>Numbers, however they are written; anything else is missing.</summary>
internal sealed class NumberPlan(string name, string source, bool decimalComma) : ColumnPlan(name, source)
{
    public const byte Kind = 1;

    protected override byte Tag => Kind;

    protected override void WriteBody(BinaryWriter writer) => writer.Write(decimalComma);

    public override Column Encode(Source source, int rows, HashSet<string> missing) =>
        Numbers(source, rows, missing, text => LooseNumber.TryRead(text, decimalComma, out var value, out _) && float.IsFinite((float)value) ? (float)value : float.NaN);
}

/// <summary>Yes and no in words or digits, as 1 and 0.</summary>
internal sealed class BooleanPlan(string name, string source) : ColumnPlan(name, source)
{
    public const byte Kind = 2;

    private static readonly HashSet<string> Yes = new(["yes", "y", "si", "sí", "s", "true", "t", "1", "on", "verdadero", "x", "cierto", "1.0"], StringComparer.OrdinalIgnoreCase);
    private static readonly HashSet<string> No = new(["no", "n", "false", "f", "0", "off", "falso", "0.0"], StringComparer.OrdinalIgnoreCase);

    protected override byte Tag => Kind;

    protected override void WriteBody(BinaryWriter writer)
    {
    }

    public static bool Fits(IReadOnlyCollection<string> distinct) => distinct.All(text => Yes.Contains(text) || No.Contains(text)) && distinct.Any(Yes.Contains) && distinct.Any(No.Contains);

    public override Column Encode(Source source, int rows, HashSet<string> missing) =>
        Numbers(source, rows, missing, text => Yes.Contains(text) ? 1 : No.Contains(text) ? 0 : float.NaN);
}

/// <summary>The number at a place among the numbers inside a text: 1.8 is the second of "Corolla 2015 1.8".</summary>
internal sealed class InnerNumberPlan(string name, string source, int place) : ColumnPlan(name, source)
{
    public const byte Kind = 6;

    protected override byte Tag => Kind;

    protected override void WriteBody(BinaryWriter writer) => writer.Write(place);

    public override Column Encode(Source source, int rows, HashSet<string> missing) => Numbers(source, rows, missing, text => Read(text, place));

    public static float Read(string text, int place)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsAsciiDigit(text[i])) continue;
            var from = i;
            while (i < text.Length && (char.IsAsciiDigit(text[i]) || (text[i] is '.' or ',' && i + 1 < text.Length && char.IsAsciiDigit(text[i + 1])))) i++;
            if (place-- > 0) continue;
            return LooseNumber.TryRead(text[from..i], false, out var value, out _) && Math.Abs(value) < 1e15 ? (float)value : float.NaN;
        }
        return float.NaN;
    }
}

/// <summary>The length of a free text in characters.</summary>
internal sealed class TextSizePlan(string name, string source) : ColumnPlan(name, source)
{
    public const byte Kind = 7;

    protected override byte Tag => Kind;

    protected override void WriteBody(BinaryWriter writer)
    {
    }

    public override Column Encode(Source source, int rows, HashSet<string> missing) => Numbers(source, rows, missing, text => text.Length);
}
