using System.Globalization;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Monitoring;
using OKLA.ML.Serving;

namespace OKLA.ML.Models;

/// <summary>
/// Samples of training data that a version carries, made so that no row is anybody's and no value is one person's own: numbers and dates are means of at least five
/// neighbours (univariate microaggregation, Domingo-Ferrer and Mateo-Sanz 2002), other values stand in at least five rows, and rows are put together from values
/// of different rows. What nobody is in needs no erasure.
/// </summary>
internal static class Anonymous
{
    /// <summary>How many rows share a value at least.</summary>
    public const int Least = 5;

    /// <summary>Columns whose values are shared: a rare text becomes <see cref="ReferenceSample.Rare"/>, a long one as many signs as it has words.</summary>
    /// <param name="columns">The columns.</param>
    /// <param name="inputs">What each one is, in the same order.</param>
    public static RawColumn[] Shared(IReadOnlyList<RawColumn> columns, IReadOnlyList<ModelInput> inputs) => [.. columns.Select((column, c) => inputs[c].Type switch
    {
        "number" => Averaged(column, Number, Text),
        "date" => Averaged(column, Day, number => DateTime.UnixEpoch.AddSeconds(Math.Round(number)).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)),
        "text" => Averaged(column, Words, number => string.Join(' ', Enumerable.Repeat("·", Math.Max(1, (int)Math.Round(number)))), keep: FrequentValues(column)),
        _ => Frequent(column, _ => ReferenceSample.Rare),
    })];

    /// <summary>The same columns, each in an order of its own, so that what stands side by side belongs to nobody.</summary>
    public static RawColumn[] Shuffled(IReadOnlyList<RawColumn> shared, int seed) => [.. shared.Select((column, c) =>
    {
        var values = column.Values.ToArray();
        new Random(seed + c).Shuffle(values);
        return new RawColumn(column.Name, values);
    })];

    /// <summary>
    /// Rows that stand for all: each is drawn column by column from a part of the rows, so that what goes together stays together as far as <paramref name="order"/> tells.
    /// A value that is rare is missing.
    /// </summary>
    /// <param name="shared">Columns as <see cref="Shared"/> gives them.</param>
    /// <param name="order">All rows, alike ones near each other.</param>
    /// <param name="count">Rows wanted at most; fewer where parts would be too small.</param>
    /// <param name="seed">Seed of the draw.</param>
    public static string?[][] Rows(IReadOnlyList<RawColumn> shared, IReadOnlyList<int> order, int count, int seed)
    {
        var random = new Random(seed);
        count = Math.Clamp(order.Count / Least, 1, count);
        return [.. Enumerable.Range(0, count).Select(part =>
        {
            var (from, to) = ((int)((long)order.Count * part / count), (int)((long)order.Count * (part + 1) / count));
            return shared.Select(column => column.Values[order[random.Next(from, to)]] is { } text && text != ReferenceSample.Rare ? text : null).ToArray();
        })];
    }

    /// <summary>Values of a column that stand in enough rows.</summary>
    private static HashSet<string> FrequentValues(RawColumn column) =>
        column.Values.OfType<string>().CountBy(text => text, StringComparer.Ordinal).Where(pair => pair.Value >= Least).Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal);

    private static RawColumn Frequent(RawColumn column, Func<string, string?> rare)
    {
        var frequent = FrequentValues(column);
        return new RawColumn(column.Name, [.. column.Values.Select(text => TableSignature.IsMissing(text) ? null : frequent.Contains(text!) ? text : rare(text!))]);
    }

    /// <summary>Each number becomes the mean of its part of five or more in order; what is no number becomes rare.</summary>
    private static RawColumn Averaged(RawColumn column, Func<string, double?> read, Func<double, string> write, HashSet<string>? keep = null)
    {
        var values = column.Values.Select(text => TableSignature.IsMissing(text) ? null : keep?.Contains(text!) == true ? text : ReferenceSample.Rare).ToArray();
        var known = Enumerable.Range(0, values.Length).Where(row => values[row] == ReferenceSample.Rare).Select(row => (Row: row, Number: read(column.Values[row]!)))
            .Where(pair => pair.Number is { } number && double.IsFinite(number)).OrderBy(pair => pair.Number).ThenBy(pair => pair.Row).ToArray();
        var parts = known.Length / Least;
        for (var part = 0; part < parts; part++)
        {
            var some = known.AsSpan((int)((long)known.Length * part / parts)..(int)((long)known.Length * (part + 1) / parts)).ToArray();
            var mean = some[0].Number == some[^1].Number ? some[0].Number!.Value : some.Average(pair => pair.Number!.Value);
            foreach (var (row, _) in some)
            {
                values[row] = write(mean);
            }
        }

        return new RawColumn(column.Name, values);
    }

    private static double? Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private static double? Day(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? (at - DateTimeOffset.UnixEpoch).TotalSeconds : null;

    private static double? Words(string text) => text.Count(char.IsWhiteSpace) + 1;
}
