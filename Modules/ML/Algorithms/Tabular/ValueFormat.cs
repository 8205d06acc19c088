namespace OKLA.ML.Algorithms.Tabular;

/// <summary>How a column writes its numbers and dates, learned from some of its texts; what <see cref="TableEncoder"/> reads as a number or a date, this does.</summary>
public sealed class ValueFormat
{
    private readonly bool _decimalComma;
    private readonly DateStyle? _dates;

    private ValueFormat(bool decimalComma, DateStyle? dates) => (_decimalComma, _dates) = (decimalComma, dates);

    /// <summary>Whether the texts learned from were dates.</summary>
    public bool HoldsDates => _dates is not null;

    /// <summary>Learns from <paramref name="texts"/>, missing marks left out.</summary>
    public static ValueFormat Learn(IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return new ValueFormat(LooseNumber.UsesDecimalComma(texts), LooseDate.StyleOf(texts, 0.9));
    }

    /// <summary>Reads a number with what may stand around it: a currency, a unit, separators of thousands.</summary>
    public bool TryNumber(string text, out double value) => LooseNumber.TryRead(text, _decimalComma, out value, out _);

    /// <summary>Reads a date in the column's style; without one, in the order day, month, year where a text leaves it open.</summary>
    public bool TryDate(string text, out DateTime date) => LooseDate.TryRead(text, _dates ?? DateStyle.DayFirst, out date);
}
