namespace OKLA.ML.Algorithms.Text;

/// <summary>How far two short texts are apart by letters.</summary>
public static class EditDistance
{
    /// <summary>
    /// Insertions, deletions, substitutions and swaps of neighbours that turn one text into the other, no part edited twice (Damerau 1964; optimal string
    /// alignment). Only the band of 2·<paramref name="most"/> + 1 diagonals is computed (Ukkonen 1985): above <paramref name="most"/> the answer is most + 1.
    /// </summary>
    public static int Damerau(ReadOnlySpan<char> a, ReadOnlySpan<char> b, int most = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(most);
        most = Math.Min(most, Math.Max(a.Length, b.Length));
        if (Math.Abs(a.Length - b.Length) > most) return most + 1;
        var width = b.Length + 1;
        Span<int> cells = 3 * width <= 256 ? stackalloc int[3 * width] : new int[3 * width];
        Span<int> before = cells[..width], previous = cells.Slice(width, width), current = cells[(2 * width)..];
        var beyond = most + 1;
        for (var j = 0; j < width; j++) previous[j] = Math.Min(j, beyond);
        for (var i = 1; i <= a.Length; i++)
        {
            int from = Math.Max(1, i - most), to = Math.Min(b.Length, i + most), least = beyond;
            current.Fill(beyond);
            if (from == 1) least = current[0] = Math.Min(i, beyond);
            for (var j = from; j <= to; j++)
            {
                var cost = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                cost = Math.Min(cost, Math.Min(previous[j], current[j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) cost = Math.Min(cost, before[j - 2] + 1);
                current[j] = Math.Min(cost, beyond);
                least = Math.Min(least, current[j]);
            }
            // A swap reaches back two rows, so one row beyond the bound is not enough to stop.
            if (least == beyond && i > 1 && previous.IndexOfAnyInRange(0, most) < 0) return beyond;
            var free = before;
            before = previous;
            previous = current;
            current = free;
        }
        return previous[b.Length];
    }

    /// <summary>1 − distance / length of the longer text; 1 for two empty ones.</summary>
    public static double Similarity(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        var longest = Math.Max(a.Length, b.Length);
        return longest == 0 ? 1 : 1 - (double)Damerau(a, b) / longest;
    }

    /// <summary>
    /// Jaro's similarity (1989) raised by a common beginning of up to four letters (Winkler 1990) with <paramref name="prefixWeight"/> a letter; 0 to 1.
    /// </summary>
    public static double JaroWinkler(ReadOnlySpan<char> a, ReadOnlySpan<char> b, double prefixWeight = 0.1)
    {
        if (a.Length == 0 || b.Length == 0) return a.Length == b.Length ? 1 : 0;
        var window = Math.Max(0, Math.Max(a.Length, b.Length) / 2 - 1);
        Span<bool> inA = a.Length <= 256 ? stackalloc bool[a.Length] : new bool[a.Length];
        Span<bool> inB = b.Length <= 256 ? stackalloc bool[b.Length] : new bool[b.Length];
        inA.Clear();
        inB.Clear();
        var matches = 0;
        for (var i = 0; i < a.Length; i++)
        {
            for (var j = Math.Max(0, i - window); j < Math.Min(b.Length, i + window + 1); j++)
            {
                if (inB[j] || a[i] != b[j]) continue;
                inA[i] = inB[j] = true;
                matches++;
                break;
            }
        }
        if (matches == 0) return 0;
        var outOfOrder = 0;
        for (int i = 0, j = 0; i < a.Length; i++)
        {
            if (!inA[i]) continue;
            while (!inB[j]) j++;
            if (a[i] != b[j++]) outOfOrder++;
        }
        double m = matches, jaro = (m / a.Length + m / b.Length + (m - outOfOrder / 2) / m) / 3;
        var prefix = 0;
        while (prefix < Math.Min(4, Math.Min(a.Length, b.Length)) && a[prefix] == b[prefix]) prefix++;
        return jaro + prefix * prefixWeight * (1 - jaro);
    }
}
