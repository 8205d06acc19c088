using OKLA.ML.Serving.Forecasts;

namespace OKLA.Tests.Modules.ML.Serving;

public sealed class KeptAnswersTests
{
    private readonly MovingClock clock = new();
    private int made;

    [SetUp]
    public void Reset() => made = 0;

    [Test]
    public async Task An_answer_is_made_once_for_all_who_ask_at_once()
    {
        var (answers, gate) = (new KeptAnswers(clock), new TaskCompletionSource());
        var asking = Enumerable.Range(0, 20).Select(_ => answers.FindAsync("q", async () =>
        {
            await gate.Task;
            return Interlocked.Increment(ref made);
        }, default)).ToArray();
        gate.SetResult();

        (await Task.WhenAll(asking)).ShouldAllBe(answer => answer == 1);
        (await answers.FindAsync("other", MakeAsync, default)).ShouldBe(2);
    }

    [Test]
    public async Task One_that_ages_is_given_while_another_is_made_and_one_too_old_is_not()
    {
        var answers = new KeptAnswers(clock);
        (await answers.FindAsync("q", MakeAsync, default)).ShouldBe(1);

        clock.Move(KeptAnswers.Fresh + TimeSpan.FromSeconds(1));
        (await answers.FindAsync("q", MakeAsync, default)).ShouldBe(1);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await answers.FindAsync("q", MakeAsync, default) != 2)
        {
            await Task.Delay(10, deadline.Token);
        }

        clock.Move(KeptAnswers.Oldest + TimeSpan.FromSeconds(1));
        (await answers.FindAsync("q", MakeAsync, default)).ShouldBe(3);
    }

    [Test]
    public async Task A_failure_is_told_and_not_kept()
    {
        var answers = new KeptAnswers(clock);

        await Should.ThrowAsync<InvalidOperationException>(() => answers.FindAsync<int>("q", () => throw new InvalidOperationException("no"), default));
        await Should.ThrowAsync<InvalidOperationException>(() => answers.FindAsync<int>("q", async () =>
        {
            await Task.Yield();
            throw new InvalidOperationException("no");
        }, default));
        (await answers.FindAsync("q", MakeAsync, default)).ShouldBe(1);
    }

    private Task<int> MakeAsync() => Task.FromResult(Interlocked.Increment(ref made));

    private sealed class MovingClock : TimeProvider
    {
        private long ticks = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref ticks);

        public void Move(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
    }
}
