using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Numerics;
using System.Text.Json;
using OKLA.ML.Datasets;
using OKLA.ML.Training.Jobs;

namespace OKLA.Tests.Modules.ML.Training;

/// <summary>Trainings of a serving host, in the process that it starts for them.</summary>
// A trainer is of idle priority, and gets hardly a turn while classes beside it work.
[NonParallelizable]
public sealed class TrainingProcessTests : TrainingProcessTest
{
    [Test]
    public async Task A_training_runs_in_another_process_that_ends_after_it()
    {
        var done = await UntilAsync(await QueueAsync("apart", 5), job => job.IsOver);

        (done.State, done.Published).ShouldBe(("succeeded", true), done.Error ?? done.Message);
        ProcessOf(done).ShouldNotBe(Environment.ProcessId);
        await GoneAsync(ProcessOf(done));
    }

    [Test]
    public async Task A_trainer_that_is_killed_is_replaced_and_its_job_is_carried_through()
    {
        var id = await QueueAsync("killed", 20);
        var first = ProcessOf(await UntilAsync(id, job => job.State == "running"));
        if (OperatingSystem.IsLinux())
        {
            // The 41st field: 5 is idle, which steps aside for everything else. Fields are counted after the name, which is in brackets.
            (await File.ReadAllTextAsync($"/proc/{first}/stat")).Split(") ")[1].Split(' ')[38].ShouldBe("5");

            // One core is left to serving, where there are two.
            (await CoresAsync($"{first}")).ShouldBe(await CoresAsync("self") - (Environment.ProcessorCount > 1 ? 1 : 0));
        }

        Process.GetProcessById(first).Kill();

        var done = await UntilAsync(id, job => job.IsOver);
        (done.State, done.Attempt).ShouldBe(("succeeded", 2), done.Error ?? done.Message);
        ProcessOf(done).ShouldNotBe(first);
    }

    /// <summary>Cores that a process may run on.</summary>
    private static async Task<int> CoresAsync(string process) =>
        (await File.ReadAllLinesAsync($"/proc/{process}/status")).Single(line => line.StartsWith("Cpus_allowed:", StringComparison.Ordinal)).Split(':')[1]
            .Where(char.IsAsciiHexDigit).Sum(digit => BitOperations.PopCount(Convert.ToUInt32(digit.ToString(), 16)));
}

/// <summary>The end of a host that trains.</summary>
// As above: its trainer gets no turn to put the job back.
[NonParallelizable]
public sealed class TrainingProcessEndTests : TrainingProcessTest
{
    [Test]
    public async Task A_host_that_stops_takes_its_trainer_along_and_the_job_waits_for_the_next_however_busy_the_machine()
    {
        var id = await QueueAsync("stopped", 600);
        var trainer = ProcessOf(await UntilAsync(id, job => job.State == "running"));

        // A trainer of idle priority gets next to nothing beside these.
        var busy = true;
        void Spin()
        {
            while (Volatile.Read(ref busy))
            {
                Thread.SpinWait(1_000);
            }
        }

        Thread[] others = [.. Enumerable.Range(0, 8 * Environment.ProcessorCount).Select(_ => new Thread(Spin))];
        Array.ForEach(others, thread => thread.Start());
        try
        {
            await StopServingAsync();
        }
        finally
        {
            Volatile.Write(ref busy, false);
            Array.ForEach(others, thread => thread.Join());
        }

        var job = (await Service<TrainingJobs>().FindAsync(id, default))!;
        (job.State, job.Attempt).ShouldBe(("queued", 0), job.Error);
        await GoneAsync(trainer);
    }
}

/// <summary>A serving host that trains in a process of its own, and a table to train on.</summary>
public abstract class TrainingProcessTest : HostTest
{
    private HttpClient admin = null!;

    protected override string[] Settings => ["--ML:TrainingProcess", "true", "--ML:RefreshSeconds", "0.2", "--ML:TrainingLeaseSeconds", "3"];

    [OneTimeSetUp]
    public async Task SignInAsync()
    {
        admin = await SignInAsync("admin");
        await Service<DatasetStore>().AddAsync("cars", SmallTables.Csv(SmallTables.Cars(300, 31)), default);
    }

    [OneTimeTearDown]
    public void SignOut() => admin.Dispose();

    private protected static int ProcessOf(TrainingJob job) => int.Parse(job.Host!.Split('-')[^2], CultureInfo.InvariantCulture);

    private protected async Task<Guid> QueueAsync(string model, int seconds)
    {
        using var queued = await admin.PostAsJsonAsync("/api/ml/jobs", new { model, dataset = "cars", target = "price", columns = new[] { "age", "km", "transmission" }, profile = seconds > 5 ? "accurate" : "fast", budgetSeconds = seconds });
        return (await queued.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    private protected async Task<TrainingJob> UntilAsync(Guid id, Func<TrainingJob, bool> holds)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (true)
        {
            if (await Service<TrainingJobs>().FindAsync(id, deadline.Token) is { } job && holds(job))
            {
                return job;
            }

            await Task.Delay(50, deadline.Token);
        }
    }

    private protected static async Task GoneAsync(int process)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Process.GetProcesses().Any(one => one.Id == process))
        {
            await Task.Delay(50, deadline.Token);
        }
    }
}
