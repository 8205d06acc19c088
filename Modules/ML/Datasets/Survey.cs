namespace OKLA.ML.Datasets;

/// <summary>A value and how many rows hold it.</summary>
internal sealed record ValueCount(string Value, long Count);

/// <summary>Where the values of a column lay, so that a later version can be compared: inner edges and counts of numbers, or counts of the most frequent values.</summary>
/// <param name="Edges">Inner edges between the bins of numbers; empty for values.</param>
/// <param name="Values">Values that have a bin of their own; empty for numbers.</param>
/// <param name="Counts">Rows in each bin; of values the last but one is all others. The last is the missing ones.</param>
internal sealed record Bins(IReadOnlyList<double> Edges, IReadOnlyList<string> Values, IReadOnlyList<long> Counts);

/// <summary>What a pass over all cells of a column found; kept with its version.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Missing">Cells without a value.</param>
/// <param name="Unreadable">Cells that are no number, or no date, in a column of them.</param>
/// <param name="Distinct">Different values.</param>
/// <param name="DistinctExact">Whether they were counted one by one; otherwise within a few per cent.</param>
/// <param name="Min">Smallest number; of dates, days since 1970.</param>
/// <param name="Max">Largest.</param>
/// <param name="Mean">Mean of the numbers.</param>
/// <param name="Deviation">Standard deviation of the numbers.</param>
/// <param name="Top">Most frequent values, of columns that are no numbers or have few of them.</param>
/// <param name="Bins">Where they lay; null when all are missing.</param>
internal sealed record ColumnStatistics(
    string Name, long Missing, long Unreadable, long Distinct, bool DistinctExact, double? Min, double? Max, double? Mean, double? Deviation,
    IReadOnlyList<ValueCount> Top, Bins? Bins);

/// <summary>What a pass over a table found.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">By column.</param>
/// <param name="DuplicateRows">Rows equal to an earlier one.</param>
/// <param name="DuplicatesWithoutIds">Rows equal to an earlier one in everything but ids.</param>
/// <param name="DuplicatesExact">Whether they were counted one by one.</param>
/// <param name="Sample">Rows drawn evenly, as numbers.</param>
/// <param name="Repeats">Repeats in the columns that were asked about, and whether they were counted one by one.</param>
internal sealed record Survey(
    long Rows, IReadOnlyList<ColumnStatistics> Columns, long DuplicateRows, long DuplicatesWithoutIds, bool DuplicatesExact, IReadOnlyList<SampledColumn> Sample,
    IReadOnlyDictionary<string, (long Repeats, bool Exact)> Repeats)
{
    // Numbers of the sample, in all columns together.
    private const int SampleCells = 4_000_000;
    private const int MaxSampleRows = 100_000;

    /// <summary>Looks at every cell once.</summary>
    /// <param name="cells">The table as <see cref="CanonicalCsv"/> reads it, header first.</param>
    /// <param name="guesses">What the columns are, in their order.</param>
    /// <param name="unique">Columns whose repeats are to be counted.</param>
    /// <param name="ct">Stops it.</param>
    public static async Task<Survey> TakeAsync(IAsyncEnumerable<string[]> cells, IReadOnlyList<ColumnGuess> guesses, IReadOnlySet<string> unique, CancellationToken ct)
    {
        var columns = guesses.Select(guess => new ColumnSurvey(guess, guesses.Count, unique.Contains(guess.Name))).ToArray();
        var places = new Reservoir<int>(Math.Clamp(SampleCells / columns.Length, 200, MaxSampleRows));
        var (all, withoutIds) = (new RepeatCount(), new RepeatCount());
        var hasIds = guesses.Any(guess => guess.Type == ColumnTypes.Id);
        var rows = -1L;
        await foreach (var row in cells.WithCancellation(ct))
        {
            if (++rows == 0)
            {
                continue;
            }

            var place = places.Place();
            if (place >= 0)
            {
                places.Put(place, 0);
            }

            var (hash, bare) = (0UL, 0UL);
            for (var c = 0; c < columns.Length; c++)
            {
                var cell = columns[c].Add(row[c], place);
                hash = StableHash.Mixed(hash, cell);
                bare = guesses[c].Type == ColumnTypes.Id ? bare : StableHash.Mixed(bare, cell);
            }

            all.Add(hash);
            if (hasIds)
            {
                withoutIds.Add(bare);
            }
        }

        var (statistics, sample) = (new ColumnStatistics[columns.Length], new SampledColumn[columns.Length]);
        for (var c = 0; c < columns.Length; c++)
        {
            sample[c] = columns[c].Sample();
            statistics[c] = columns[c].Statistics(rows, sample[c]);
        }

        return new Survey(
            rows, statistics, all.Repeats(), hasIds ? withoutIds.Repeats() : all.Repeats(), all.Exact, sample,
            columns.Where(column => column.Repeats is not null).ToDictionary(column => column.Guess.Name, column => (column.Repeats!.Repeats(), column.Repeats.Exact)));
    }
}

/// <summary>A column of the sampled rows.</summary>
/// <param name="Guess">What it is.</param>
/// <param name="Cells">A cell a row: a number, days since 1970, or the place of its value in <paramref name="Values"/> (its count for any other); NaN where it is missing.</param>
/// <param name="Values">The values of a column that is neither numbers nor dates.</param>
internal sealed record SampledColumn(ColumnGuess Guess, double[] Cells, IReadOnlyList<string> Values)
{
    /// <summary>Whether the cells are numbers or days.</summary>
    public bool IsNumeric => Guess.Type is ColumnTypes.Number or ColumnTypes.Date;
}

/// <summary>Takes in the cells of one column.</summary>
internal sealed class ColumnSurvey
{
    private const int MostTop = 1_000;
    private const int FewestTop = 20;
    private const int MaxBins = 50;
    private const int LongestKey = 120;

    private readonly bool numeric;
    private readonly int mostValues;
    private readonly int mostTop;
    private readonly Dictionary<string, int> places = new(StringComparer.Ordinal);
    private readonly List<long> counts = [];
    private readonly List<double> sample = [];
    private readonly RepeatCount distinct;
    private bool overflowed;
    private long known;
    private long missing;
    private long unreadable;
    private double min = double.PositiveInfinity;
    private double max = double.NegativeInfinity;
    private double mean;
    private double squares;
    private long numbers;

    public ColumnSurvey(ColumnGuess guess, int columns, bool unique)
    {
        Guess = guess;
        numeric = guess.Type is ColumnTypes.Number or ColumnTypes.Date;
        mostTop = Math.Clamp(200_000 / columns, FewestTop, MostTop);
        mostValues = Math.Clamp(2_000_000 / columns, 100, guess.Type is ColumnTypes.Category or ColumnTypes.Boolean ? 20_000 : MostTop);
        distinct = new RepeatCount(unique ? RepeatCount.MostExact : Math.Clamp(2_000_000 / columns, 1_000, 100_000), columns <= 500 ? 14 : 11);
        Repeats = unique ? distinct : null;
    }

    /// <summary>What the column is.</summary>
    public ColumnGuess Guess { get; }

    /// <summary>Its repeats, where they were asked for.</summary>
    public RepeatCount? Repeats { get; }

    /// <summary>Takes a cell in, keeps it at a place of the sample (-1 for none), and answers its hash.</summary>
    public ulong Add(string text, int place)
    {
        if (Inference.IsMissing(text))
        {
            missing++;
            Keep(place, double.NaN);
            return 0;
        }

        known++;
        var hash = StableHash.Of(text);
        var value = (double)Place(text, hash);
        Keep(place, numeric ? Number(text) : value);
        return hash;
    }

    /// <summary>The sampled rows.</summary>
    public SampledColumn Sample() => new(Guess, [.. sample], numeric ? [] : [.. places.Keys]);

    /// <summary>What was found, in a table of so many rows.</summary>
    public ColumnStatistics Statistics(long rows, SampledColumn sampled)
    {
        IReadOnlyList<ValueCount> top = overflowed && numeric ? []
            : [.. places.Select(entry => new ValueCount(entry.Key, counts[entry.Value])).OrderByDescending(entry => entry.Count).ThenBy(entry => entry.Value, StringComparer.Ordinal).Take(mostTop)];
        var deviation = numbers > 1 ? Math.Sqrt(squares / (numbers - 1)) : 0;
        return new ColumnStatistics(
            Guess.Name, missing, unreadable, known - distinct.Repeats(), distinct.Exact,
            numbers > 0 ? min : null, numbers > 0 ? max : null, numbers > 0 ? mean : null, numbers > 0 && double.IsFinite(deviation) ? deviation : null, top,
            known == 0 ? null : numeric ? NumberBins(sampled.Cells) : ValueBins(top, rows));
    }

    private static Bins? NumberBins(double[] cells)
    {
        double[] sorted = [.. cells.Where(cell => !double.IsNaN(cell)).Order()];
        double[] edges = sorted.Length == 0 ? [] : [.. Enumerable.Range(1, 9).Select(tenth => sorted[(int)((long)sorted.Length * tenth / 10)]).Distinct()];
        return sorted.Length == 0 ? null : new Bins(edges, [], Drift.Counts(edges, cells));
    }

    private Bins ValueBins(IReadOnlyList<ValueCount> top, long rows)
    {
        var own = top.Take(MaxBins).ToList();
        return new Bins([], [.. own.Select(entry => entry.Value)], [.. own.Select(entry => entry.Count), rows - missing - own.Sum(entry => entry.Count), missing]);
    }

    private void Keep(int place, double cell)
    {
        if (place < 0)
        {
            return;
        }

        if (place == sample.Count)
        {
            sample.Add(cell);
        }
        else
        {
            sample[place] = cell;
        }
    }

    private int Place(string text, ulong hash)
    {
        distinct.Add(hash);
        if (numeric && overflowed)
        {
            return -1;
        }

        var key = text.Length <= LongestKey ? text : $"{text.AsSpan(0, LongestKey - 20)}… {hash:x16}";
        if (places.TryGetValue(key, out var place))
        {
            counts[place]++;
            return place;
        }

        if (places.Count < mostValues)
        {
            places.Add(key, place = places.Count);
            counts.Add(1);
            return place;
        }

        overflowed = true;
        return places.Count;
    }

    private double Number(string text)
    {
        var value = double.NaN;
        var read = Guess.Type == ColumnTypes.Number ? Guess.Format.TryNumber(text, out value) : Guess.Format.TryDate(text, out var date) && !double.IsNaN(value = (date - DateTime.UnixEpoch).TotalDays);
        // Farther out a sum of squares is no number any more.
        if (!read || Math.Abs(value) > 1e140)
        {
            unreadable++;
            return double.NaN;
        }

        numbers++;
        (min, max) = (Math.Min(min, value), Math.Max(max, value));
        // Welford 1962: mean and sum of squares in one pass.
        var step = value - mean;
        mean += step / numbers;
        squares += step * (value - mean);
        return value;
    }
}
