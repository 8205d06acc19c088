using System.Globalization;
using OKLA.Shared.Contracts;

namespace OKLA.Host.Cli;

/// <summary>Where a verb writes.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Progress and what went wrong.</param>
/// <param name="IsInteractive">Whether a person watches <paramref name="Error"/>.</param>
/// <param name="Clock">Time, for rates.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Error, bool IsInteractive, TimeProvider Clock)
{
    public static Terminal OfConsole() => new(Console.Out, Console.Error, !Console.IsErrorRedirected, TimeProvider.System);

    /// <summary>Writes rows of cells in aligned columns, numbers to the right; the first row is the header, empty when there is none.</summary>
    public void Table(IReadOnlyList<string> header, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        IReadOnlyList<IReadOnlyList<string>> all = header.Count == 0 ? rows : [header, .. rows];
        if (all.Count == 0)
        {
            return;
        }

        var widths = Enumerable.Range(0, all[0].Count).Select(column => all.Max(row => row[column].Length)).ToArray();
        var right = Enumerable.Range(0, all[0].Count).Select(column => rows.All(row => row[column].Length == 0 || char.IsAsciiDigit(row[column][0]) || row[column][0] == '-')).ToArray();
        foreach (var row in all)
        {
            Out.WriteLine(("  " + string.Join("  ", row.Select((cell, i) => right[i] ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i])))).TrimEnd());
        }
    }

    /// <summary>A number with separators of thousands.</summary>
    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A length of time as people say it.</summary>
    public static string Duration(double seconds) => seconds < 90
        ? seconds.ToString(seconds < 10 ? "0.0" : "0", CultureInfo.InvariantCulture) + " s"
        : TimeSpan.FromSeconds(Math.Round(seconds)).ToString(seconds < 3600 ? @"m\:ss" : @"h\:mm\:ss", CultureInfo.InvariantCulture);
}

/// <summary>
/// One line that says how far a long work is: percentage, rate, time left, step. Redrawn at most ten times a second for a person; for
/// a file, one line at each tenth of the work.
/// </summary>
internal sealed class ProgressLine(Terminal terminal) : IProgress<WorkProgress>
{
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(100);
    private readonly Lock gate = new();
    private readonly long started = terminal.Clock.GetTimestamp();
    private long? drawn;
    private int tenth;
    private int width;

    public void Report(WorkProgress value)
    {
        lock (gate)
        {
            var fraction = double.IsNaN(value.Fraction) ? 0 : Math.Clamp(value.Fraction, 0, 1);
            if (terminal.IsInteractive)
            {
                if (fraction < 1 && drawn is { } last && terminal.Clock.GetElapsedTime(last) < Redraw)
                {
                    return;
                }

                drawn = terminal.Clock.GetTimestamp();
                var line = Line(fraction, value.Step);
                terminal.Error.Write("\r" + line.PadRight(width));
                width = line.Length;
            }
            else if ((int)(fraction * 10) > tenth)
            {
                tenth = (int)(fraction * 10);
                terminal.Error.WriteLine(Line(fraction, value.Step));
            }
        }
    }

    /// <summary>Ends the line, so that what follows starts on a new one.</summary>
    public void Done()
    {
        lock (gate)
        {
            if (width > 0)
            {
                terminal.Error.WriteLine();
                width = 0;
            }
        }
    }

    private string Line(double fraction, string step)
    {
        var seconds = terminal.Clock.GetElapsedTime(started).TotalSeconds;
        var percent = string.Create(CultureInfo.InvariantCulture, $"{100 * fraction,5:0.0} %");
        return fraction <= 0 || seconds < 0.5 ? $"{percent}  {step}"
            : fraction >= 1 ? $"{percent}  {Terminal.Duration(seconds)}  {step}"
            : string.Create(CultureInfo.InvariantCulture, $"{percent}  {100 * fraction / seconds:0.0} %/s  {Terminal.Duration(seconds * (1 - fraction) / fraction)} left  {step}");
    }
}
