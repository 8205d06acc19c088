using System.Globalization;

namespace OKLA.Host.Demo;

/// <summary>Everything a simulation depends on; body of the first event of stream <c>simulation-{seed}</c>.</summary>
/// <param name="Seed">Seed; one simulation a seed.</param>
/// <param name="Visitors">People.</param>
/// <param name="Days">Days, the last one ending at <paramref name="Start"/> + this.</param>
/// <param name="Start">First moment (UTC).</param>
/// <param name="Listings">Listings generated; 0 when the catalogue that was there is used.</param>
/// <param name="Choice">How people choose.</param>
/// <param name="Kind">What the catalogue holds: <c>vehicle</c> or <c>activity</c>.</param>
/// <param name="Campaigns">Advertising campaigns that run beside.</param>
public sealed record SimulationRun(
    ulong Seed, int Visitors, int Days, DateTimeOffset Start, int Listings, DemoOptions Choice, string Kind = SimulationRun.Vehicles, int Campaigns = 0)
{
    /// <summary>Kind of item that a simulation of vehicles is about.</summary>
    public const string Vehicles = "vehicle";

    /// <summary>Kind of item that a simulation of things to do in a city is about.</summary>
    public const string Activities = "activity";

    /// <summary>Type of the event that starts a simulation (body: <see cref="SimulationRun"/>).</summary>
    public const string StartedType = "simulation_run";

    /// <summary>Type of the event after each day (body: <see cref="SimulatedDay"/>).</summary>
    public const string DayType = "simulation_day";

    private const string VisitorPrefix = "sim-";
    private const string UserPrefix = "sim-user-";

    /// <summary>Stream of the simulation with this seed.</summary>
    public static string StreamOf(ulong seed) => $"simulation-{seed}";

    /// <summary>A person's browser: device 1 or 2.</summary>
    public string AnonymousId(int person, int device) => device == 1 ? $"{VisitorPrefix}{Seed}-{person}" : $"{VisitorPrefix}{Seed}-{person}.{device}";

    /// <summary>A person's account.</summary>
    public string UserId(int person) => $"{UserPrefix}{Seed}-{person}";

    /// <summary>The seed and number of a simulated person by any of the person's ids; null for everybody else.</summary>
    public static (ulong Seed, int Person)? PersonOf(string id)
    {
        var rest = id.StartsWith(UserPrefix, StringComparison.Ordinal) ? id[UserPrefix.Length..]
            : id.StartsWith(VisitorPrefix, StringComparison.Ordinal) ? id[VisitorPrefix.Length..] : "";
        return rest.Split('-') is [var seedText, var personText]
            && ulong.TryParse(seedText, NumberStyles.None, CultureInfo.InvariantCulture, out var seed)
            && int.TryParse(personText.Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var person)
            ? (seed, person)
            : null;
    }
}

/// <summary>What one simulated day came to.</summary>
/// <param name="Day">From 0.</param>
/// <param name="Sessions">Visits.</param>
/// <param name="Events">Behaviour events.</param>
public sealed record SimulatedDay(int Day, int Sessions, int Events);
