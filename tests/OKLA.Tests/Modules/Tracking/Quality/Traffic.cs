using System.Globalization;
using System.Text;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tests.Modules.Tracking.Quality;

/// <summary>Seeded visitors with the simulator's day: few at night, most in the evening; faults can be planted.</summary>
internal sealed class Traffic(int seed)
{
    // Weights of the hours in Santo Domingo, four hours behind UTC.
    private static readonly double[] HourWeights = [1, .5, .3, .2, .2, .4, 1, 2, 3, 4, 4.5, 5, 6, 5.5, 5, 4.5, 4.5, 5, 6, 7, 8, 7.5, 5, 2.5];
    private static readonly string[] Origins = ["search", "search", "search", "list", "recommendation", "favorites"];

    private readonly Random random = new(seed);

    /// <summary>Share of events that come at all.</summary>
    public Func<string, DateTimeOffset, double> Volume { get; set; } = static (_, _) => 1;

    /// <summary>Properties of an event after a fault.</summary>
    public Func<string, DateTimeOffset, string, string> Fault { get; set; } = static (_, _, properties) => properties;

    /// <summary>The events of a stretch of time, in order; about <paramref name="perDay"/> looks a day and a third as many searches.</summary>
    public List<StreamEvent> Between(DateTimeOffset from, DateTimeOffset to, int perDay = 4_000)
    {
        var events = new List<StreamEvent>();
        for (var minute = from; minute < to; minute = minute.AddMinutes(1))
        {
            var weekend = minute.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 1.2 : 1;
            var looks = weekend * perDay * HourWeights[(minute.Hour + 20) % 24] / HourWeights.Sum() / 60;
            Add(events, EventTypes.ItemViewed, minute, looks, () =>
                string.Create(CultureInfo.InvariantCulture, $$"""" "visibleSeconds":{{Math.Round(3 - (60 * Math.Log(1 - random.NextDouble())), 1)}},"scrollDepth":{{random.NextDouble():0.##}},"origin":"{{Origins[random.Next(Origins.Length)]}}","position":{{random.Next(24)}} """"));
            Add(events, EventTypes.Searched, minute, looks / 3, () =>
                string.Create(CultureInfo.InvariantCulture, $$"""" "query":"jeepeta","resultCount":{{(int)Math.Exp(3 + (1.2 * Gaussian()))}} """"));
            Add(events, EventTypes.PageViewed, minute, looks / 2, () => "\"path\":\"/vehiculos\"");
        }

        return events;
    }

    /// <summary>One event.</summary>
    public static StreamEvent Event(string type, string visitor, string properties, DateTimeOffset occurred, DateTimeOffset known) => new(
        BehaviourEvent.StreamOf(visitor, null),
        new NewEvent(type, Encoding.UTF8.GetBytes($$"""{"anonymousId":"{{visitor}}","sessionId":"{{visitor}}-1","itemId":"car-1","properties":{ {{properties}} } }""")) { OccurredAt = occurred, KnownAt = known });

    private void Add(List<StreamEvent> events, string type, DateTimeOffset minute, double mean, Func<string> properties)
    {
        for (var n = Poisson(mean * Volume(type, minute)); n > 0; n--)
        {
            var at = minute.AddSeconds(random.Next(60));
            events.Add(Event(type, $"v{random.Next(2_000)}", Fault(type, minute, properties()), at, at));
        }
    }

    // Knuth: multiply uniforms until they fall below e^-mean.
    private int Poisson(double mean)
    {
        var (count, product, limit) = (0, random.NextDouble(), Math.Exp(-mean));
        for (; product > limit; count++)
        {
            product *= random.NextDouble();
        }

        return count;
    }

    private double Gaussian() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
