using System.Diagnostics;
using System.Globalization;

namespace OKLA.Benchmarks.Algorithms;

/// <summary>How long something took by the clock, and how long the processor worked on it.</summary>
internal readonly record struct Seconds(double Wall, double Cpu)
{
    public static Seconds Of(Action work)
    {
        using var process = Process.GetCurrentProcess();
        var before = process.UserProcessorTime;
        var started = Stopwatch.GetTimestamp();
        work();
        var wall = Stopwatch.GetElapsedTime(started).TotalSeconds;
        process.Refresh();
        return new Seconds(wall, (process.UserProcessorTime - before).TotalSeconds);
    }

    /// <summary>The lesser of both, each for itself: what the work takes when nothing else disturbs it.</summary>
    public Seconds Least(Seconds other) => new(Math.Min(Wall, other.Wall), Math.Min(Cpu, other.Cpu));

    /// <summary>Both sides in turn, some rounds; the best of each. One round before them warms up.</summary>
    public static (Seconds Ours, Seconds Theirs) InTurn(int rounds, Action ours, Func<Seconds> theirs)
    {
        var (a, b) = (new Seconds(double.MaxValue, double.MaxValue), new Seconds(double.MaxValue, double.MaxValue));
        for (var round = -1; round < rounds; round++)
        {
            var mine = Of(ours);
            var other = theirs();
            if (round < 0) continue;
            a = a.Least(mine);
            b = b.Least(other);
        }

        return (a, b);
    }

    public static Seconds Parse(string line)
    {
        var words = line.Split(' ');
        return new Seconds(double.Parse(words[0], CultureInfo.InvariantCulture), double.Parse(words[1], CultureInfo.InvariantCulture));
    }
}
