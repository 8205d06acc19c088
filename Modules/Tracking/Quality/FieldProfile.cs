using System.Globalization;
using System.Numerics;
using OKLA.Shared.Texts;

namespace OKLA.Tracking.Quality;

/// <summary>
/// What a field held: counts, extremes and a shape (numbers by the half powers of two that they lie between, texts of few values by value), in
/// a size that does not grow with the number of rows. Profiles of parts add up to the profile of the whole.
/// </summary>
internal sealed class FieldProfile
{
    /// <summary>Different values of a shape; further ones are counted together.</summary>
    public const int MaxShape = 64;

    /// <summary>Key of the values that are counted together.</summary>
    public const string Others = "…";

    private const int Registers = 64;

    /// <summary>Rows seen.</summary>
    public long Rows { get; set; }

    /// <summary>Rows without a value.</summary>
    public long Missing { get; set; }

    /// <summary>Rows with a value of another type.</summary>
    public long Mistyped { get; set; }

    /// <summary>Numbers out of bounds.</summary>
    public long OutOfRange { get; set; }

    /// <summary>Texts that are not of the list.</summary>
    public long OutOfSet { get; set; }

    /// <summary>Numbers seen.</summary>
    public long Numbers { get; set; }

    /// <summary>Least number; meaningless without numbers.</summary>
    public double Least { get; set; } = double.MaxValue;

    /// <summary>Greatest number; meaningless without numbers.</summary>
    public double Greatest { get; set; } = double.MinValue;

    /// <summary>Sum of the numbers.</summary>
    public double Total { get; set; }

    /// <summary>Rows by value.</summary>
    public Dictionary<string, long> Shape { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Sketch of the different values (HyperLogLog, 64 registers; Flajolet et al. 2007); null when none was counted.</summary>
    public byte[]? Sketch { get; set; }

    /// <summary>Position of the first row in the log.</summary>
    public long FirstPosition { get; set; } = long.MaxValue;

    /// <summary>Position of the last row in the log.</summary>
    public long LastPosition { get; set; }

    /// <summary>When the last row became known (UTC).</summary>
    public DateTimeOffset LastKnown { get; set; }

    /// <summary>Estimated number of different values; standard error 13 %.</summary>
    public double Distinct
    {
        get
        {
            if (Sketch is null)
            {
                return 0;
            }

            var (sum, empty) = (0.0, 0);
            foreach (var register in Sketch)
            {
                sum += Math.ScaleB(1, -register);
                empty += register == 0 ? 1 : 0;
            }

            var estimate = 0.709 * Registers * Registers / sum;
            return estimate <= 2.5 * Registers && empty > 0 ? Registers * Math.Log((double)Registers / empty) : estimate;
        }
    }

    /// <summary>Key of a number's place in a shape: half powers of two, so that a change of unit moves everything.</summary>
    public static string Bucket(double number) => number == 0 || !double.IsFinite(number) ? "0"
        : (Math.Sign(number) * Math.Clamp((int)Math.Floor(2 * Math.Log2(Math.Abs(number))) + 65, 1, 190)).ToString(CultureInfo.InvariantCulture);

    /// <summary>Notes where a row stands.</summary>
    public void See(long position, DateTimeOffset known)
    {
        Rows++;
        FirstPosition = Math.Min(FirstPosition, position);
        LastPosition = Math.Max(LastPosition, position);
        LastKnown = known > LastKnown ? known : LastKnown;
    }

    /// <summary>Counts one observation.</summary>
    public void Add(Observation seen)
    {
        switch (seen.Finding)
        {
            case Finding.Missing:
                Missing++;
                return;
            case Finding.Mistyped:
                Mistyped++;
                return;
            case Finding.OutOfRange:
                OutOfRange++;
                break;
            case Finding.OutOfSet:
                OutOfSet++;
                break;
        }

        if (seen.Number is { } number)
        {
            Numbers++;
            Least = Math.Min(Least, number);
            Greatest = Math.Max(Greatest, number);
            Total += number;
        }

        if (seen.Key is { } key)
        {
            Count(key, 1);
        }

        if (seen.Identity is { } identity)
        {
            AddIdentity(identity);
        }
    }

    /// <summary>Counts a value of the shape.</summary>
    public void Count(string key, long rows)
    {
        if (!Shape.ContainsKey(key) && Shape.Count >= MaxShape && key != Others)
        {
            key = Others;
        }

        Shape[key] = Shape.GetValueOrDefault(key) + rows;
    }

    /// <summary>Adds another part.</summary>
    public void Merge(FieldProfile other)
    {
        (Rows, Missing, Mistyped) = (Rows + other.Rows, Missing + other.Missing, Mistyped + other.Mistyped);
        (OutOfRange, OutOfSet, Numbers, Total) = (OutOfRange + other.OutOfRange, OutOfSet + other.OutOfSet, Numbers + other.Numbers, Total + other.Total);
        (Least, Greatest) = (Math.Min(Least, other.Least), Math.Max(Greatest, other.Greatest));
        (FirstPosition, LastPosition) = (Math.Min(FirstPosition, other.FirstPosition), Math.Max(LastPosition, other.LastPosition));
        LastKnown = other.LastKnown > LastKnown ? other.LastKnown : LastKnown;
        foreach (var (key, rows) in other.Shape)
        {
            Count(key, rows);
        }

        if (other.Sketch is { } sketch)
        {
            Sketch ??= new byte[Registers];
            for (var i = 0; i < Registers; i++)
            {
                Sketch[i] = Math.Max(Sketch[i], sketch[i]);
            }
        }
    }

    private void AddIdentity(string identity)
    {
        Sketch ??= new byte[Registers];
        var hash = Hash(identity);
        var register = (int)(hash & (Registers - 1));
        var rank = (byte)(BitOperations.LeadingZeroCount(hash | (Registers - 1)) + 1);
        Sketch[register] = Math.Max(Sketch[register], rank);
    }

    /// <summary>FNV-1a with the finaliser of SplitMix64, whose low bits FNV alone leaves too regular.</summary>
    private static ulong Hash(string text)
    {
        var hash = StableHash.Of(text);
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9UL;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBUL;
        return hash ^ (hash >> 31);
    }
}
