using System.Globalization;
using System.Runtime.InteropServices;
using OKLA.ML.Algorithms.Factorization;
using OKLA.Shared.Files;

namespace OKLA.Host.Cli.Evaluate;

/// <summary>Users, items and when: a file of events as distinct pairs.</summary>
/// <param name="Pairs">Users × items, 1 where a pair occurs.</param>
/// <param name="Times">When each pair first occurred, from 0 (earliest) to 1 (latest); null without a column of times.</param>
/// <param name="Events">Rows read.</param>
internal sealed record InteractionFile(SparseMatrix Pairs, SparseMatrix? Times, int Events)
{
    private static readonly string[] HeaderWords = ["user", "item", "visitor", "product", "movie", "event", "session", "customer", "article", "song", "book", "rating", "usuario", "cliente"];

    /// <summary>Reads columns by their places from 0. Ids may be any text; a first row that is no event is taken for a header.</summary>
    /// <exception cref="UnreadableFileException">A column is not there, a time or rating cannot be read, or there are too few pairs.</exception>
    public static InteractionFile Read(string path, int userColumn, int itemColumn, int? timeColumn, int? ratingColumn)
    {
        var (users, items) = (new Dictionary<string, int>(), new Dictionary<string, int>());
        var (userOf, itemOf, timeOf) = (new List<int>(), new List<int>(), new List<double>());
        int[] wanted = [userColumn, itemColumn, .. Optional(timeColumn), .. Optional(ratingColumn)];
        var number = 0;
        string[]? first = null;
        foreach (var row in EvaluationRows.Read(path))
        {
            number++;
            if (wanted.FirstOrDefault(column => column >= row.Length, -1) is >= 0 and var beyond)
            {
                throw new UnreadableFileException(string.Create(
                    CultureInfo.InvariantCulture, $"'{path}', row {number:N0} has {row.Length} columns, numbered from 0; there is no column {beyond}."));
            }

            if (number == 1)
            {
                first = row;
                continue;
            }

            if (number == 2 && !IsHeader(first!, row, userColumn, itemColumn, timeColumn, ratingColumn))
            {
                Add(first!, 1);
            }

            Add(row, number);
        }

        if (number == 1 || userOf.Count < 2)
        {
            throw new UnreadableFileException($"'{path}' holds fewer than two events.");
        }

        return Build(users.Count, items.Count, CollectionsMarshal.AsSpan(userOf), CollectionsMarshal.AsSpan(itemOf), timeColumn is null ? null : timeOf);

        void Add(string[] row, int at)
        {
            if (row[userColumn].Length == 0 || row[itemColumn].Length == 0)
            {
                return;
            }

            userOf.Add(Id(users, row[userColumn]));
            itemOf.Add(Id(items, row[itemColumn]));
            if (timeColumn is { } time)
            {
                timeOf.Add(EvaluationRows.Time(row[time]) ?? throw new UnreadableFileException(string.Create(
                    CultureInfo.InvariantCulture, $"'{path}', row {at:N0}: '{EvaluationRows.Short(row[time])}' is neither a number nor a date.")));
            }

            if (ratingColumn is { } rating)
            {
                EvaluationRows.Number(row[rating], path, at);
            }
        }
    }

    private static InteractionFile Build(int users, int items, ReadOnlySpan<int> userOf, ReadOnlySpan<int> itemOf, List<double>? times)
    {
        var ones = new float[userOf.Length];
        if (times is null)
        {
            Array.Fill(ones, 1);
            return new InteractionFile(SparseMatrix.FromTriples(users, items, userOf, itemOf, ones).Map((_, _, _) => 1), null, userOf.Length);
        }

        // The first event of a pair stands for it.
        double earliest = times.Min(), span = Math.Max(times.Max() - earliest, 1e-9);
        var first = new Dictionary<long, int>(userOf.Length);
        for (var i = 0; i < userOf.Length; i++)
        {
            ref var kept = ref CollectionsMarshal.GetValueRefOrAddDefault(first, ((long)userOf[i] << 32) | (uint)itemOf[i], out var known);
            kept = !known || times[i] < times[kept] ? i : kept;
        }

        var (rows, columns, at) = (new int[first.Count], new int[first.Count], new float[first.Count]);
        var n = 0;
        foreach (var entry in first.Values)
        {
            (rows[n], columns[n], at[n++]) = (userOf[entry], itemOf[entry], (float)((times[entry] - earliest) / span));
        }

        var matrix = SparseMatrix.FromTriples(users, items, rows, columns, at);
        return new InteractionFile(matrix.Map((_, _, _) => 1), matrix, userOf.Length);
    }

    private static int Id(Dictionary<string, int> ids, string text)
    {
        ref var id = ref CollectionsMarshal.GetValueRefOrAddDefault(ids, text, out var known);
        return known ? id : id = ids.Count - 1;
    }

    /// <summary>A header names its columns: a time or rating that is none, an id without a digit above ids with digits, or a usual word.</summary>
    private static bool IsHeader(string[] first, string[] second, int user, int item, int? time, int? rating) =>
        (time is { } t && EvaluationRows.Time(first[t]) is null)
        || (rating is { } r && EvaluationRows.Time(first[r]) is null)
        || ((int[])[user, item]).Any(column => (!first[column].Any(char.IsDigit) && second[column].Any(char.IsDigit))
            || HeaderWords.Any(word => first[column].Contains(word, StringComparison.OrdinalIgnoreCase) && !second[column].Contains(word, StringComparison.OrdinalIgnoreCase)));

    private static IEnumerable<int> Optional(int? column) => column is { } known ? [known] : [];
}
