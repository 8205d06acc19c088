using System.Buffers;
using System.Text;

namespace OKLA.Shared.Privacy;

/// <summary>Kind of personal data that <see cref="PersonalData"/> knows.</summary>
public enum PersonalDataKind
{
    /// <summary>Dominican identity card: 11 digits, the last one by Luhn.</summary>
    Cedula,

    /// <summary>Dominican tax number of a company: 9 digits, the last one by weights modulo 11.</summary>
    Rnc,

    /// <summary>Dominican telephone number: area 809, 829 or 849.</summary>
    Phone,

    /// <summary>E-mail address.</summary>
    Email,

    /// <summary>Payment card: 13 to 19 digits, the last one by Luhn.</summary>
    Card,
}

/// <summary>A piece of personal data in a text.</summary>
/// <param name="Start">Index of its first character.</param>
/// <param name="Length">Number of characters.</param>
/// <param name="Kind">What it is.</param>
public readonly record struct PersonalDataSpan(int Start, int Length, PersonalDataKind Kind);

/// <summary>
/// Finds and masks personal data in free text, as people in the Dominican Republic write it. One pass, no backtracking: the time is
/// linear in the text's length whatever it holds.
/// </summary>
public static class PersonalData
{
    private const int LongestNumber = 19;
    private const int LongestGap = 3;
    private const int LongestLocalPart = 64;
    private const int LongestDomain = 253;
    private static readonly SearchValues<char> Gaps = SearchValues.Create(" -./()\u00A0–");
    private static readonly int[] RncWeights = [7, 9, 8, 6, 5, 4, 3, 2];
    private static readonly string[] Masks = ["[cédula]", "[rnc]", "[teléfono]", "[correo]", "[tarjeta]"];

    /// <summary>A quick no: false when a text cannot hold personal data. UTF-8, as it stands between the quotes of JSON.</summary>
    public static bool MayBeIn(ReadOnlySpan<byte> utf8)
    {
        var digits = 0;
        foreach (var unit in utf8)
        {
            if (unit is >= (byte)'0' and <= (byte)'9')
            {
                if (++digits == 9)
                {
                    return true;
                }
            }
            else if (unit is (byte)'@' or (byte)'%')
            {
                return true;
            }
        }

        return utf8.Length > 12 && utf8.IndexOf("rroba"u8) >= 0;
    }

    /// <summary>The text with a word in place of each piece of personal data; the same object when there is none.</summary>
    public static string Mask(string text)
    {
        var found = Find(text);
        if (found.Count == 0)
        {
            return text;
        }

        var masked = new StringBuilder(text.Length);
        var from = 0;
        foreach (var (start, length, kind) in found)
        {
            masked.Append(text, from, start - from).Append(Masks[(int)kind]);
            from = start + length;
        }

        return masked.Append(text, from, text.Length - from).ToString();
    }

    /// <summary>The pieces of personal data in a text, in order, none within another.</summary>
    public static IReadOnlyList<PersonalDataSpan> Find(string text)
    {
        List<PersonalDataSpan>? found = null;
        var end = 0;
        for (var i = 0; i < text.Length;)
        {
            PersonalDataSpan? span = null;
            var next = i + 1;
            switch (text[i])
            {
                case '@':
                    span = Email(text, i, 1, end);
                    break;
                case '%' when text.AsSpan(i).StartsWith("%40"):
                    span = Email(text, i, 3, end);
                    break;
                case 'a' or 'A' when i > 0 && text.AsSpan(i).StartsWith("arroba", StringComparison.OrdinalIgnoreCase):
                    span = SpelledEmail(text, i, end);
                    break;
                case >= '0' and <= '9':
                    next = ReadNumbers(text, i, end, ref found);
                    end = found is { Count: > 0 } ? Math.Max(end, found[^1].Start + found[^1].Length) : end;
                    break;
                default:
                    break;
            }

            if (span is { } piece)
            {
                (found ??= []).Add(piece);
                next = end = piece.Start + piece.Length;
            }

            i = next;
        }

        return found is null ? [] : found;
    }

    /// <summary>Whether digits end in the check digit of Luhn (ISO/IEC 7812-1), which cards and Dominican cédulas use.</summary>
    public static bool HasLuhnDigit(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var value = digits[^(i + 1)] - '0';
            sum += (i & 1) == 0 ? value : value > 4 ? (2 * value) - 9 : 2 * value;
        }

        return sum % 10 == 0;
    }

    /// <summary>Whether nine digits end in the check digit of an RNC: weights 7 9 8 6 5 4 3 2 modulo 11, remainders 0 and 1 giving 2 and 1 (DGII).</summary>
    public static bool HasRncDigit(ReadOnlySpan<char> digits)
    {
        if (digits.Length != 9)
        {
            return false;
        }

        var sum = 0;
        for (var i = 0; i < RncWeights.Length; i++)
        {
            sum += RncWeights[i] * (digits[i] - '0');
        }

        var remainder = sum % 11;
        return digits[8] - '0' == (remainder switch { 0 => 2, 1 => 1, _ => 11 - remainder });
    }

    /// <summary>Reads a chain of groups of digits with short gaps between and finds the numbers in it.</summary>
    /// <returns>Where to go on.</returns>
    private static int ReadNumbers(string text, int from, int after, ref List<PersonalDataSpan>? found)
    {
        Span<char> digits = stackalloc char[LongestNumber];
        Span<int> groups = stackalloc int[LongestNumber];
        var chainEnd = EndOfGroup(text, from);
        for (var start = from; ;)
        {
            // The longest number that begins at this group and ends with a group.
            var (count, total, stop) = (0, 0, start);
            PersonalDataSpan? longest = null;
            for (var position = start; position < text.Length && char.IsAsciiDigit(text[position]);)
            {
                var groupEnd = EndOfGroup(text, position);
                chainEnd = Math.Max(chainEnd, groupEnd);
                if (total + groupEnd - position > LongestNumber || count == LongestNumber)
                {
                    break;
                }

                text.AsSpan(position, groupEnd - position).CopyTo(digits[total..]);
                total += groupEnd - position;
                groups[count++] = groupEnd - position;
                if (total >= 9 && MayStartAt(text, start, after) && MayEndAt(text, groupEnd) && KindOf(digits[..total], groups[..count], text.AsSpan(start, groupEnd - start)) is { } kind)
                {
                    var first = start > after && text[start - 1] is '(' or '+' ? start - 1 : start;
                    first = first > after && text[first] == '(' && text[first - 1] == '+' ? first - 1 : first;
                    longest = new PersonalDataSpan(first, groupEnd - first, kind);
                }

                stop = groupEnd;
                position = AfterGap(text, groupEnd);
            }

            if (longest is { } piece)
            {
                (found ??= []).Add(piece);
                after = stop = piece.Start + piece.Length;
            }
            else
            {
                stop = EndOfGroup(text, start);
            }

            chainEnd = Math.Max(chainEnd, stop);
            start = AfterGap(text, stop);
            if (start >= text.Length || !char.IsAsciiDigit(text[start]))
            {
                return chainEnd;
            }
        }
    }

    private static PersonalDataKind? KindOf(ReadOnlySpan<char> digits, ReadOnlySpan<int> groups, ReadOnlySpan<char> written)
    {
        var oneByOne = groups.Length == digits.Length;
        switch (digits.Length)
        {
            case 9 when digits[0] is '1' or '4' or '5' && HasRncDigit(digits):
                return groups is [9] or [1, 2, 5, 1] or [3, 5, 1] or [1, 8] or [8, 1] ? PersonalDataKind.Rnc : null;
            case 10 when IsPhone(digits):
                return PersonalDataKind.Phone;
            case 11 when groups is [3, 7, 1] && written[3] == '-' && written[^2] == '-':
                // Written like this it is meant as one, even where a digit is wrong.
                return PersonalDataKind.Cedula;
            case 11 when HasLuhnDigit(digits) && digits.ContainsAnyExcept('0') && (oneByOne || groups is [11] or [3, 7, 1] or [3, 8] or [10, 1]):
                return PersonalDataKind.Cedula;
            case 11 when digits[0] == '1' && IsPhone(digits[1..]):
                return PersonalDataKind.Phone;
            case >= 13 when digits[0] is >= '2' and <= '6' && HasLuhnDigit(digits) && (oneByOne || groups is [_] or [4, 4, 4, _] or [4, 4, 4, 4, _] or [4, 6, _]):
                return PersonalDataKind.Card;
            default:
                return null;
        }
    }

    /// <summary>Area 809, 829 or 849, and an exchange that begins with 2 to 9.</summary>
    private static bool IsPhone(ReadOnlySpan<char> digits) => digits[0] == '8' && digits[1] is '0' or '2' or '4' && digits[2] == '9' && digits[3] is >= '2' and <= '9';

    /// <summary>Not within a word, behind a currency's sign or behind a decimal point.</summary>
    private static bool MayStartAt(string text, int start, int after) =>
        start == 0 || !(char.IsLetter(text[start - 1]) || text[start - 1] is '$' or '€' or ',' or '_'
            || (text[start - 1] == '.' && start - 1 > after && char.IsAsciiDigit(text[start - 2])));

    private static bool MayEndAt(string text, int end) =>
        end == text.Length || !(char.IsLetter(text[end]) || text[end] is '_' or '@' || (text[end] == ',' && end + 1 < text.Length && char.IsAsciiDigit(text[end + 1])));

    private static int EndOfGroup(string text, int position)
    {
        while (position < text.Length && char.IsAsciiDigit(text[position]))
        {
            position++;
        }

        return position;
    }

    private static int AfterGap(string text, int position)
    {
        var end = position;
        while (end < text.Length && end - position < LongestGap && Gaps.Contains(text[end]))
        {
            end++;
        }

        return end;
    }

    private static PersonalDataSpan? Email(string text, int at, int width, int after)
    {
        var start = LocalPart(text, at, after);
        if (start == at)
        {
            return null;
        }

        var domain = at + width;
        var end = domain;
        while (end < text.Length && end - domain < LongestDomain && (char.IsLetterOrDigit(text[end]) || text[end] is '.' or '-'))
        {
            end++;
        }

        while (end > domain && text[end - 1] is '.' or '-')
        {
            end--;
        }

        var name = text.AsSpan(domain, end - domain);
        var dot = name.LastIndexOf('.');
        return dot > 0 && name.Length - dot > 2 && char.IsLetter(name[^1]) ? new PersonalDataSpan(start, end - start, PersonalDataKind.Email) : null;
    }

    /// <summary>"juan arroba gmail punto com", the way to get an address past a filter.</summary>
    private static PersonalDataSpan? SpelledEmail(string text, int at, int after)
    {
        var gapBefore = BackOverGap(text, at, after);
        var start = LocalPart(text, gapBefore, after);
        var domain = AfterGap(text, at + "arroba".Length);
        if (gapBefore == at || start == gapBefore || domain == at + "arroba".Length)
        {
            return null;
        }

        var end = Word(text, domain);
        var dotted = AfterGap(text, end);
        if (end < text.Length && text[end] == '.')
        {
            end = Word(text, end + 1);
        }
        else if (dotted > end && text.AsSpan(dotted).StartsWith("punto ", StringComparison.OrdinalIgnoreCase))
        {
            end = Word(text, dotted + "punto ".Length);
        }
        else
        {
            return null;
        }

        return new PersonalDataSpan(start, end - start, PersonalDataKind.Email);
    }

    private static int LocalPart(string text, int at, int after)
    {
        var start = at;
        while (start > after && at - start < LongestLocalPart && (char.IsLetterOrDigit(text[start - 1]) || text[start - 1] is '.' or '_' or '%' or '+' or '-'))
        {
            start--;
        }

        return start;
    }

    private static int BackOverGap(string text, int position, int after)
    {
        var start = position;
        while (start > after && position - start < LongestGap && Gaps.Contains(text[start - 1]))
        {
            start--;
        }

        return start;
    }

    private static int Word(string text, int position)
    {
        var end = position;
        while (end < text.Length && end - position < LongestDomain && (char.IsLetterOrDigit(text[end]) || text[end] == '-'))
        {
            end++;
        }

        return end;
    }
}
