using System.Globalization;

namespace OKLA.ML.Algorithms.Tabular;

/// <summary>How a column writes its dates.</summary>
internal enum DateStyle : byte
{
    /// <summary>Day before month, where the order is open: 31/12/2024.</summary>
    DayFirst,

    /// <summary>Month before day: 12/31/2024.</summary>
    MonthFirst,

    /// <summary>Eight digits: 20241231.</summary>
    Compact,

    /// <summary>Seconds since 1970.</summary>
    UnixSeconds,

    /// <summary>Milliseconds since 1970.</summary>
    UnixMilliseconds,
}

/// <summary>Reads dates, with or without a time, in the forms that tables hold: ISO, day/month/year, month/day/year, with month names in Spanish or English.</summary>
internal static class LooseDate
{
    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] Meses = ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"];

    private static readonly HashSet<string> Fillers = new(
        ["de", "del", "of", "at", "t", "z", "st", "nd", "rd", "th", "utc", "gmt", "a", "las", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "lun", "mie", "mié", "jue", "vie", "sab", "sáb", "dom",
         "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "lunes", "martes", "miércoles", "miercoles", "jueves", "viernes", "sábado", "sabado", "domingo"],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The style in which at least <paramref name="share"/> of <paramref name="texts"/> are dates; null when none does.</summary>
    public static DateStyle? StyleOf(IReadOnlyList<string> texts, double share)
    {
        if (texts.Count == 0) return null;
        foreach (var style in new[] { DateStyle.Compact, DateStyle.UnixSeconds, DateStyle.UnixMilliseconds })
        {
            if (texts.All(text => TryRead(text, style, out _))) return style;
        }
        int read = 0, dayFirst = 0, monthFirst = 0;
        foreach (var text in texts)
        {
            if (!TryRead(text, DateStyle.DayFirst, out var asDay)) continue;
            read++;
            // A day above 12 is the same date in either order of reading, and stands where its order puts it.
            if (!TryRead(text, DateStyle.MonthFirst, out var asMonth) || asDay != asMonth || asDay.Day <= 12) continue;
            if (!StartsWithTwoNumbers(text, out var first)) continue;
            if (first > 12) dayFirst++;
            else monthFirst++;
        }
        if (read < share * texts.Count) return null;
        return monthFirst > dayFirst ? DateStyle.MonthFirst : DateStyle.DayFirst;
    }

    /// <summary>Reads one date; a day and month that only make sense the other way round are taken so.</summary>
    public static bool TryRead(string text, DateStyle style, out DateTime date)
    {
        date = default;
        if (style >= DateStyle.Compact) return TryDigits(text, style, out date);
        Span<int> numbers = stackalloc int[8];
        Span<int> lengths = stackalloc int[8];
        int count = 0, month = 0, timeFrom = -1;
        var afternoon = 0;
        for (var i = 0; i < text.Length;)
        {
            var c = text[i];
            var from = i;
            if (char.IsAsciiDigit(c))
            {
                while (i < text.Length && char.IsAsciiDigit(text[i])) i++;
                if (i - from > 9) return false;
                // A fraction of a second or an offset from UTC moves no day that matters here.
                if (timeFrom >= 0 && count >= timeFrom + 2 && from > 0 && text[from - 1] is '.' or '+' or '-' or ',') break;
                if (count == numbers.Length) return false;
                (numbers[count], lengths[count]) = (int.Parse(text.AsSpan(from, i - from), CultureInfo.InvariantCulture), i - from);
                if (timeFrom < 0 && i < text.Length && text[i] == ':') timeFrom = count;
                count++;
            }
            else if (char.IsLetter(c))
            {
                while (i < text.Length && char.IsLetter(text[i])) i++;
                var word = text[from..i];
                if (word.Equals("am", StringComparison.OrdinalIgnoreCase)) afternoon = -1;
                else if (word.Equals("pm", StringComparison.OrdinalIgnoreCase)) afternoon = 1;
                else if (month == 0 && MonthOf(word) is var named and > 0) month = named;
                else if (!Fillers.Contains(word)) return false;
            }
            else
            {
                if (c is not ('-' or '/' or '.' or ',' or ':' or ' ' or '+' or '\u00A0')) return false;
                i++;
            }
        }
        var days = timeFrom < 0 ? count : timeFrom;
        if (!TryDay(numbers[..days], lengths[..days], month, style == DateStyle.DayFirst, out date)) return false;
        if (timeFrom < 0) return true;
        int hour = numbers[timeFrom], minute = timeFrom + 1 < count ? numbers[timeFrom + 1] : 0, second = timeFrom + 2 < count ? numbers[timeFrom + 2] : 0;
        if (hour > 24 || minute > 59 || second > 60) return false;
        if (afternoon != 0 && hour == 12) hour = 0;
        if (afternoon > 0) hour += 12;
        date = date.AddSeconds(hour * 3600 + minute * 60 + second);
        return true;
    }

    private static bool TryDay(ReadOnlySpan<int> n, ReadOnlySpan<int> length, int month, bool dayFirst, out DateTime date)
    {
        date = default;
        if (month > 0)
        {
            if (n.Length == 1) return length[0] == 4 && TryMake(n[0], month, 1, out date);
            if (n.Length != 2) return false;
            return length[0] == 4 ? TryMake(n[0], month, n[1], out date) : TryMake(Year(n[1], length[1]), month, n[0], out date);
        }
        if (n.Length == 2) return length[0] == 4 && length[1] == 2 && TryMake(n[0], n[1], 1, out date);
        if (n.Length != 3) return false;
        if (length[0] == 4) return TryMake(n[0], n[1], n[2], out date);
        var year = Year(n[2], length[2]);
        return dayFirst
            ? TryMake(year, n[1], n[0], out date) || TryMake(year, n[0], n[1], out date)
            : TryMake(year, n[0], n[1], out date) || TryMake(year, n[1], n[0], out date);
    }

    private static int Year(int number, int length) => length switch { 4 => number, 2 => number < 70 ? 2000 + number : 1900 + number, _ => 0 };

    private static bool TryMake(int year, int month, int day, out DateTime date)
    {
        date = default;
        if (year is < 1800 or > 2200 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        date = new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Unspecified);
        return true;
    }

    private static int MonthOf(string word)
    {
        if (word.Length < 3) return 0;
        var start = word[..3];
        for (var m = 0; m < 12; m++)
        {
            if (start.Equals(Months[m], StringComparison.OrdinalIgnoreCase) || start.Equals(Meses[m], StringComparison.OrdinalIgnoreCase)) return Fillers.Contains(word) ? 0 : m + 1;
        }
        return 0;
    }

    private static bool TryDigits(string text, DateStyle style, out DateTime date)
    {
        date = default;
        if (text.EndsWith(".0", StringComparison.Ordinal)) text = text[..^2];
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        if (style == DateStyle.Compact) return text.Length == 8 && number / 10000 is >= 1900 and <= 2100 && TryMake((int)(number / 10000), (int)(number / 100 % 100), (int)(number % 100), out date);
        // 2001 to 2036, as nothing else that tables count lies there alone.
        if (style == DateStyle.UnixMilliseconds) number = number is >= 978_307_200_000 and <= 2_082_758_400_000 ? number / 1000 : 0;
        if (number is < 978_307_200 or > 2_082_758_400) return false;
        date = DateTime.UnixEpoch.AddSeconds(number);
        return true;
    }

    private static bool StartsWithTwoNumbers(string text, out int first)
    {
        var end = 0;
        while (end < text.Length && char.IsAsciiDigit(text[end])) end++;
        first = 0;
        return end is 1 or 2 && end + 1 < text.Length && text[end] is '/' or '-' or '.' && char.IsAsciiDigit(text[end + 1])
            && int.TryParse(text.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out first);
    }
}
