using Microsoft.Extensions.DependencyInjection;
using OKLA.Host;
using OKLA.Host.Cli;
using OKLA.Shared.Contracts;
using OKLA.Shared.Jobs;

namespace OKLA.Tests.Modules.ML.Training;

/// <summary>The calendar of trainings, with hosts that keep it.</summary>
public sealed class WeeklyTrainingTests : DatabaseTest
{
    [Test]
    public async Task A_week_that_no_host_saw_is_caught_up_once_when_one_comes()
    {
        await ExecuteAsync("insert into ml.models (name, kind, definition, owner, created_at, changed_at) values ('weekly-model', 'table', '{\"name\":\"weekly-model\",\"dataset\":\"none\",\"target\":\"y\"}', 'ana', now(), now())");

        await WithHostAsync(() => TrainingsAsync(1));
        // Another host in the same week finds it done.
        await WithHostAsync(() => SucceededAsync("train-brought-models", 1));
        (await CountAsync()).ShouldBe(1);

        await ExecuteAsync("update jobs.runs set started_at = started_at - interval '8 days', finished_at = finished_at - interval '8 days' where job = 'train-brought-models'");
        await WithHostAsync(() => TrainingsAsync(2));
        (await ScalarAsync<string>("select string_agg(distinct reason, ',') from ml.training_jobs where model = 'weekly-model'")).ShouldBe("weekly");
    }

    [Test]
    public async Task Every_model_of_the_house_is_trained_on_Sunday_at_3_in_Santo_Domingo()
    {
        await using var host = await OklaHost.BuildAsync(["--environment", "Development", "--ConnectionStrings:Okla", ConnectionString, "--Logging:LogLevel:Default", "Warning"], serving: false);
        var states = await host.App.Services.GetRequiredService<JobRuns>().ListAsync();

        foreach (var model in ModelNames.All)
        {
            states.Single(job => job.Name == $"train-{model}").Schedule.ShouldBe("weekly, Sunday 03:00");
        }

        // Three in the morning there is seven in UTC; a success the minute before is last week's, one the minute after is this week's.
        var weekly = JobSchedule.Weekly(DayOfWeek.Sunday, new TimeOnly(3, 0));
        var sunday = new DateTimeOffset(2026, 6, 7, 7, 0, 0, TimeSpan.Zero);
        weekly.NextDue(sunday.AddHours(2), sunday.AddMinutes(-1)).ShouldBe(sunday);
        weekly.NextDue(sunday.AddHours(2), sunday.AddMinutes(1)).ShouldBe(sunday.AddDays(7));
        weekly.NextDue(sunday.AddDays(20), sunday.AddMinutes(1)).ShouldBe(sunday.AddDays(14));
    }

    private Task<long> CountAsync() => ScalarAsync<long>("select count(*) from ml.training_jobs where model = 'weekly-model'");

    private async Task TrainingsAsync(long wanted) => await UntilAsync(async () => await CountAsync() >= wanted);

    private async Task SucceededAsync(string job, long wanted) =>
        await UntilAsync(async () => await ScalarAsync<long>($"select count(*) from jobs.runs where job = '{job}' and outcome = 'succeeded'") >= wanted);

    private async Task WithHostAsync(Func<Task> look)
    {
        await using BuiltHost host = await OklaHost.BuildAsync(
        [
            "--urls", "http://127.0.0.1:0", "--environment", "Development", "--ConnectionStrings:Okla", ConnectionString, "--Logging:LogLevel:Default", "Error", "--Jobs:Scheduled", "true",
            "--Jobs:CheckInterval", "00:00:01", "--ML:TrainingProcess", "false",
        ]);
        await host.App.StartAsync();
        await look();
        await host.App.StopAsync();
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
        {
            await Task.Delay(100, deadline.Token);
        }
    }
}
