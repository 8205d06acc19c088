using System.Text.Json;
using OKLA.Shared.EventLog;

namespace OKLA.Tracking.Quality;

/// <summary>Looks in the log for the rows behind a breach, once when it is found: where it began, and some that show it.</summary>
internal static class FailingRows
{
    /// <summary>Rows kept with an alert.</summary>
    public const int Kept = 20;

    // Rows looked at, and in how many stretches where there are more than that.
    private const int Read = 5_000;
    private const int Stretches = 10;

    /// <summary>Whether a breach of the kind shows in single rows; where none is found, the counts were made by a rule that has changed since.</summary>
    public static bool ShowsIn(Expectation item) =>
        item.Kind is ExpectationKind.Type or ExpectationKind.Range or ExpectationKind.Set || (item.Kind == ExpectationKind.Completeness && item.Required);

    /// <summary>When the breach began, and positions of rows that show it; exact up to 5,000 rows, else as near as ten stretches of them tell.</summary>
    public static async Task<(DateTimeOffset Since, long[] Positions)> FindAsync(EventLog log, Watch watch, Judgement breach, Evidence evidence, CancellationToken ct)
    {
        var item = breach.Expectation;
        var from = new DateTimeOffset(breach.From, TimeSpan.Zero);
        if (item.Kind is ExpectationKind.Freshness or ExpectationKind.Volume or ExpectationKind.Uniqueness)
        {
            var shown = await PositionsAsync(log, watch, item.Type, Hours(evidence, item.Type, Watch.Whole, breach.From), static _ => true, ct);
            return (from, [.. shown.Select(row => row.Position).Take(Kept)]);
        }

        // Two hours more, so that the turn is seen when it lies before the window in which it was found.
        var whole = Hours(evidence, item.Type, Watch.Whole, breach.From.AddHours(-2));

        var usual = evidence.Usual.GetValueOrDefault((item.Type, item.Field)).Profile;
        var fails = Test(item, watch, breach, usual);
        var rows = await PositionsAsync(log, watch, item.Type, whole, fails, ct);
        var since = Change(rows) is { } began ? rows[began].Known : from;
        return (since, [.. rows.Where(row => row.Fails && row.Known >= since).Select(row => row.Position).Take(Kept)]);
    }

    /// <summary>
    /// Where a series of right and wrong turned: the split after which wrong ones are likelier than before it, by the likelihood of two
    /// Bernoulli series against one; null without a wrong one.
    /// </summary>
    internal static int? Change(IReadOnlyList<(long Position, DateTimeOffset Known, bool Fails)> rows)
    {
        var all = rows.Count(row => row.Fails);
        if (all == 0)
        {
            return null;
        }

        static double Likelihood(double wrong, double n) => wrong <= 0 || wrong >= n ? 0 : (wrong * Math.Log(wrong / n)) + ((n - wrong) * Math.Log(1 - (wrong / n)));
        var (best, place, before) = (Likelihood(all, rows.Count), 0, 0);
        for (var i = 1; i < rows.Count; i++)
        {
            before += rows[i - 1].Fails ? 1 : 0;
            var value = Likelihood(before, i) + Likelihood(all - before, rows.Count - i);
            if (value > best + 1e-9 && before / (double)i < (all - before) / (double)(rows.Count - i))
            {
                (best, place) = (value, i);
            }
        }

        return place;
    }

    /// <summary>Whether a row shows the breach.</summary>
    private static Func<JsonElement, bool> Test(Expectation item, Watch watch, Judgement breach, FieldProfile? usual)
    {
        if (item.Kind == ExpectationKind.Schema)
        {
            var known = usual?.Shape.Keys.Select(name => name[..Math.Max(0, name.LastIndexOf(':'))]).ToHashSet() ?? [];
            return body => Watch.PropertiesOf(item.Type, body) is { ValueKind: JsonValueKind.Object } properties
                && properties.EnumerateObject().Select(property => Watch.FieldOf(item.Type, property.Name)).Any(field => !known.Contains(field) && !watch.Declares(item.Type, field));
        }

        if (watch.Find(item.Type, item.Field) is not { } rule)
        {
            return static _ => true;
        }

        var rare = (usual?.Shape.Values.Sum() ?? 0) * 0.01;
        return item.Kind switch
        {
            ExpectationKind.Completeness => body => rule.Look(body).Finding == Finding.Missing,
            ExpectationKind.Type => body => rule.Look(body).Finding == Finding.Mistyped,
            ExpectationKind.Range => body => rule.Look(body).Finding == Finding.OutOfRange,
            ExpectationKind.Set => body => rule.Look(body).Finding == Finding.OutOfSet,
            ExpectationKind.Drift when breach.Vanished is { } gone => body => rule.Look(body).Key is { } key && key != gone,
            ExpectationKind.Drift => body => rule.Look(body).Key is { } key && (usual?.Shape.GetValueOrDefault(key) ?? 0) <= rare,
            _ => static _ => true,
        };
    }

    private static async Task<List<(long Position, DateTimeOffset Known, bool Fails)>> PositionsAsync(
        EventLog log, Watch watch, string type, List<HourOf> hours, Func<JsonElement, bool> fails, CancellationToken ct)
    {
        var found = new List<(long Position, DateTimeOffset Known, bool Fails)>();
        if (hours.Count == 0)
        {
            return found;
        }

        var (first, last, all) = (hours.Min(hour => hour.Profile.FirstPosition), hours.Max(hour => hour.Profile.LastPosition), hours.Sum(hour => hour.Profile.Rows));
        var stretches = all <= Read ? 1 : Stretches;
        for (var i = 0; i < stretches; i++)
        {
            var after = Math.Max(first - 1 + ((last - first) / stretches * i), found.Count > 0 ? found[^1].Position : 0);
            await foreach (var e in log.ReadAsync(after, Watch.EventsOf(type), Read / stretches, ct))
            {
                if (e.Position > last)
                {
                    break;
                }

                using var json = JsonDocument.Parse(e.Data);
                if (watch.TypeOf(e.Type, json.RootElement) == type)
                {
                    found.Add((e.Position, e.KnownAt, fails(json.RootElement)));
                }
            }
        }

        return found;
    }

    private static List<HourOf> Hours(Evidence evidence, string type, string field, DateTime from) =>
        evidence.Recent.TryGetValue((type, field), out var hours) ? [.. hours.Where(hour => hour.Hour >= from)] : [];
}
