using OKLA.Host.Cli;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Host.Cli;

public sealed class TerminalTests
{
    [Test]
    public void A_file_gets_one_line_at_each_tenth()
    {
        var (terminal, _, error) = CommandLineTests.Screen();
        var line = new ProgressLine(terminal);

        for (var i = 0; i <= 1000; i++)
        {
            line.Report(new WorkProgress(i / 1000.0, "rows"));
        }

        error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(10);
    }

    [Test]
    public void A_person_sees_percentage_rate_and_time_left()
    {
        var clock = new SteppedClock();
        var (terminal, _, error) = CommandLineTests.Screen(interactive: true, clock);
        var line = new ProgressLine(terminal);

        clock.Now = TimeSpan.FromSeconds(10);
        line.Report(new WorkProgress(0.25, "5,000 rows"));
        clock.Now = TimeSpan.FromSeconds(10.05);
        line.Report(new WorkProgress(0.26, "too soon to draw"));
        clock.Now = TimeSpan.FromSeconds(40);
        line.Report(new WorkProgress(1, "20,000 rows"));
        line.Done();

        // A quarter in ten seconds: 2.5 % a second, thirty seconds left.
        const string First = " 25.0 %  2.5 %/s  30 s left  5,000 rows";
        error.ToString().ShouldBe($"\r{First}\r{"100.0 %  40 s  20,000 rows".PadRight(First.Length)}{Environment.NewLine}");
    }

    [Test]
    public void Tables_align_words_left_and_numbers_right()
    {
        var (terminal, output, _) = CommandLineTests.Screen();

        terminal.Table(["metric", "model"], [["AUC", "0.9"], ["NDCG@10", "0.25"]]);

        output.ToString().Split(Environment.NewLine).ShouldBe(["  metric   model", "  AUC        0.9", "  NDCG@10   0.25", ""]);
    }

    [TestCase(0.04, "0.0 s")]
    [TestCase(42, "42 s")]
    [TestCase(150, "2:30")]
    [TestCase(7265, "2:01:05")]
    public void Lengths_of_time_read_well(double seconds, string expected) => Terminal.Duration(seconds).ShouldBe(expected);

    internal sealed class SteppedClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
