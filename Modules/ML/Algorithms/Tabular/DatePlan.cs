namespace OKLA.ML.Algorithms.Tabular;

/// <summary>What is taken from a date.</summary>
internal enum DatePart : byte
{
    /// <summary>Days since the first of January 2000, with the time as a fraction: its age but for a constant.</summary>
    Days,

    /// <summary>The year.</summary>
    Year,

    /// <summary>1 to 12.</summary>
    Month,

    /// <summary>1 to 31.</summary>
    DayOfMonth,

    /// <summary>0, Sunday, to 6.</summary>
    DayOfWeek,

    /// <summary>0 to 24, with minutes as a fraction.</summary>
    Hour,
}

/// <summary>One part of a date.</summary>
internal sealed class DatePlan(string name, string source, DateStyle style, DatePart part) : ColumnPlan(name, source)
{
    public const byte Kind = 4;

    private static readonly DateTime Start = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Unspecified);

    public DateStyle Style => style;

    protected override byte Tag => Kind;

    protected override void WriteBody(BinaryWriter writer)
    {
        writer.Write((byte)style);
        writer.Write((byte)part);
    }

    public override Column Encode(Source source, int rows, HashSet<string> missing) =>
        Numbers(source, rows, missing, text => LooseDate.TryRead(text, style, out var date) ? Of(date, part) : float.NaN);

    public static float Of(DateTime date, DatePart part) => part switch
    {
        DatePart.Days => (float)(date - Start).TotalDays,
        DatePart.Year => date.Year,
        DatePart.Month => date.Month,
        DatePart.DayOfMonth => date.Day,
        DatePart.DayOfWeek => (int)date.DayOfWeek,
        DatePart.Hour => (float)date.TimeOfDay.TotalHours,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "Unknown part."),
    };
}

/// <summary>Days from one date of a row to another.</summary>
internal sealed class DifferencePlan(string name, string first, DateStyle firstStyle, string second, DateStyle secondStyle) : ColumnPlan(name, first)
{
    public const byte Kind = 5;

    protected override byte Tag => Kind;

    protected override void WriteBody(BinaryWriter writer)
    {
        writer.Write((byte)firstStyle);
        writer.Write(second);
        writer.Write((byte)secondStyle);
    }

    public override Column Encode(Source source, int rows, HashSet<string> missing)
    {
        IReadOnlyList<string?>? from = source(From), to = source(second);
        var days = new float[rows];
        for (var r = 0; r < rows; r++)
        {
            days[r] = from is not null && to is not null && Known(from[r], missing) is { } a && Known(to[r], missing) is { } b
                && LooseDate.TryRead(a, firstStyle, out var start) && LooseDate.TryRead(b, secondStyle, out var end) ? (float)(end - start).TotalDays : float.NaN;
        }
        return Column.Numeric(Name, days);
    }
}
