using OKLA.ML.Training.Jobs;

namespace OKLA.Tests.Modules.ML.Training;

public sealed class QuietThreadTests
{
    [Test]
    [Platform("Linux")]
    public async Task Work_stands_back_for_others_and_stays_on_its_thread_after_an_await()
    {
        using var thread = new QuietThread("test");

        var (before, after, nice) = await thread.RunAsync(async () =>
        {
            var first = Environment.CurrentManagedThreadId;
            await Task.Yield();
            await Task.Delay(1);
            // Field 19 of proc(5)'s stat, counted after the name in brackets.
            var stat = File.ReadAllText("/proc/thread-self/stat");
            return (first, Environment.CurrentManagedThreadId, stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16]);
        });

        after.ShouldBe(before);
        nice.ShouldBe("10");
    }

    [Test]
    public async Task What_nobody_waited_for_ends_although_the_thread_is_gone()
    {
        var (hold, left) = (new TaskCompletionSource(), Task.CompletedTask);
        using (var thread = new QuietThread("test"))
        {
            await thread.RunAsync(() =>
            {
                left = AfterAsync(hold.Task);
                return Task.FromResult(true);
            });
        }

        hold.SetResult();

        await left.WaitAsync(TimeSpan.FromSeconds(30));
        left.IsCompletedSuccessfully.ShouldBeTrue();
    }

    private static async Task AfterAsync(Task held) => await held;
}
