using System.Text;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Shared.EventLog;
using OKLA.Tests.Host.Demo;
using Log = OKLA.Shared.EventLog.EventLog;

namespace OKLA.Tests.Modules.Tracking.Retention;

public sealed class ArchiveTests : DatabaseTest
{
    private static readonly DateTimeOffset Now = new(2026, 6, 15, 12, 0, 0, TimeSpan.Zero);
    private static readonly ArchiveRule Old = new(["page_viewed", "searched"], new DateOnly(2026, 6, 1));
    private string folder = "";
    private Log log = null!;

    [SetUp]
    public async Task EmptyAsync()
    {
        folder = Path.Combine(Directory.CreateTempSubdirectory("okla-archive-").FullName, "archive");
        log = new Log(Database, new StoppedClock(Now));
        await ExecuteAsync("truncate events.mt_streams cascade; truncate events.mt_event_progression, events.parked_events, events.archives, events.archived_ids, events.doomed_files");
    }

    [TearDown]
    public void DeleteFiles() => Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);

    [Test]
    public async Task A_subscription_that_is_added_later_is_told_of_what_left_the_log_before_it_came()
    {
        await FillAsync();
        await Node().ExportAsync([Old]);
        Subscriptions Of(params Late[] subscriptions) => new(Database, subscriptions, new StoppedClock(Now));
        var late = new Late("late", ["searched"]);

        var missed = (await Of(late, new Late("listings", ["item_listed"])).MissedAsync()).ShouldHaveSingleItem();

        (missed.Subscription, missed.Files).ShouldBe(("late", 6));
        foreach (var file in await Node().ListAsync())
        {
            await Node().LoadAsync(file.Id);
        }

        (await Of(late).MissedAsync()).ShouldBeEmpty();
    }

    private sealed class Late(string name, string[] types) : Subscription
    {
        public override string Name => name;

        public override IReadOnlyCollection<string> EventTypes => types;

        public override Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct) => Task.CompletedTask;

        public override Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct) => Task.CompletedTask;
    }

    [Test]
    public async Task Old_events_leave_for_a_file_a_day_and_come_back_as_they_were()
    {
        await FillAsync();
        var before = await LogAsync();
        var archive = Node();

        var report = await archive.ExportAsync([Old]);

        // 3 days of 60 page views and searches in files of 50; 60 listings, 60 new ones stay.
        (report.Files, report.Events, report.Waiting.Count).ShouldBe((6, 180L, 0));
        (await ScalarAsync<long>("select count(*) from events.mt_events")).ShouldBe(120);
        (await ScalarAsync<long>("select count(*) from events.mt_events where type = 'item_listed'")).ShouldBe(60);
        var files = await archive.ListAsync();
        files.Select(file => (file.Day.Day, file.Part, file.Events)).ShouldBe([(1, 1, 50), (1, 2, 10), (2, 1, 50), (2, 2, 10), (3, 1, 50), (3, 2, 10)]);
        files.ShouldAllBe(file => file.State == ArchiveState.Done && File.Exists(Path.Combine(folder, file.File)) && File.Exists(Path.Combine(folder, file.File + ".manifest.json")));
        files[0].SchemaVersions.Keys.Order().ShouldBe(["page_viewed", "searched"]);
        files[0].SchemaVersions["page_viewed"].ShouldBe([(short)2]);
        (await ScalarAsync<long>("select count(*) from events.mt_streams s where s.version < (select max(version) from events.mt_events e where e.stream_id = s.id)")).ShouldBe(0);

        foreach (var file in files)
        {
            (await archive.LoadAsync(file.Id)).ShouldBe(file.Events);
            (await archive.LoadAsync(file.Id)).ShouldBe(0);
        }

        (await LogAsync()).ShouldBe(before);
        (await ScalarAsync<long>("select count(*) from events.archived_ids")).ShouldBe(0);
        // A loaded file's events are not written again, and leave by themselves when their time is over.
        (await archive.ExportAsync([Old])).Events.ShouldBe(0);
        (await Node(now: Now.AddDays(8)).ExportAsync([])).Events.ShouldBe(180);
    }

    [TestCase("named")]
    [TestCase("written")]
    [TestCase("verified")]
    [TestCase("deleting")]
    [TestCase("batch")]
    [TestCase("done")]
    [TestCase("loading")]
    [TestCase("returned")]
    [TestCase("loaded")]
    public async Task Killed_after_any_step_nothing_is_lost_and_nothing_doubled(string step)
    {
        await FillAsync();
        var before = await LogAsync();
        var killed = Node(afterStep: name => _ = name == step ? throw new OperationCanceledException("killed") : 0);

        // Twice: the second one dies while it takes up what the first one left.
        for (var time = 0; time < 2; time++)
        {
            await DieAsync(() => killed.ExportAsync([Old]));
        }

        var archive = Node();
        await archive.ExportAsync([Old]);
        (await archive.ListAsync()).Sum(file => file.Events).ShouldBe(180);
        (await ScalarAsync<long>("select count(*) from events.mt_events")).ShouldBe(120);
        Directory.EnumerateFiles(folder, "*.gz").Count().ShouldBe((await archive.ListAsync()).Count);

        foreach (var file in await archive.ListAsync())
        {
            await DieAsync(() => killed.LoadAsync(file.Id));
            await archive.LoadAsync(file.Id);
        }

        (await LogAsync()).ShouldBe(before);

        static async Task DieAsync(Func<Task> work)
        {
            try
            {
                await work();
            }
            catch (OperationCanceledException killed)
            {
                killed.Message.ShouldBe("killed");
            }
        }
    }

    [Test]
    public async Task Two_nodes_at_once_write_each_event_once()
    {
        await FillAsync();

        await Task.WhenAll(Task.Run(() => Node().ExportAsync([Old])), Task.Run(() => Node().ExportAsync([Old])));

        (await Node().ListAsync()).Sum(file => file.Events).ShouldBe(180);
        (await ScalarAsync<long>("select count(*) from events.mt_events")).ShouldBe(120);
        (await ScalarAsync<long>("select count(*) from events.archived_ids")).ShouldBe(180);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Without_a_place_to_write_nothing_is_deleted_and_the_error_says_why(bool full)
    {
        await FillAsync();
        var before = await LogAsync();
        if (full)
        {
            // Writing to this device always ends with "no space left".
            Directory.CreateDirectory(folder);
            File.CreateSymbolicLink(Path.Combine(folder, "2026-05-01-001.ndjson.gz"), "/dev/full");
        }
        else
        {
            await File.WriteAllTextAsync(folder, "a file stands where the folder should be");
        }

        var refused = await Should.ThrowAsync<ArchiveException>(() => Node().ExportAsync([Old]));

        refused.Message.ShouldContain(folder);
        refused.Message.ShouldContain("nothing was deleted");
        (await LogAsync()).ShouldBe(before);
        (await Node().ListAsync()).ShouldBeEmpty();
    }

    [Test]
    public async Task Of_a_damaged_file_nothing_is_loaded()
    {
        await FillAsync();
        var archive = Node();
        await archive.ExportAsync([Old]);
        var file = (await archive.ListAsync())[0];
        var bytes = await File.ReadAllBytesAsync(Path.Combine(folder, file.File));
        bytes[bytes.Length / 2] ^= 0x10;
        await File.WriteAllBytesAsync(Path.Combine(folder, file.File), bytes);
        var before = await LogAsync();

        (await Should.ThrowAsync<ArchiveException>(() => archive.LoadAsync(file.Id))).Message.ShouldContain(file.File);

        (await LogAsync()).ShouldBe(before);
        (await archive.ListAsync())[0].State.ShouldBe(ArchiveState.Done);
        (await archive.LoadAsync(Guid.NewGuid())).ShouldBeNull();
    }

    [Test]
    public async Task Events_stay_until_every_subscription_has_read_them_and_a_rebuild_that_would_miss_some_is_refused()
    {
        await FillAsync();
        var (reader, other) = (new Reader("pages", ["page_viewed"]), new Reader("listings", ["item_listed"]));
        var subscriptions = new Subscriptions(Database, [reader, other], TimeProvider.System);
        var archive = Node(readers: [reader, other]);

        var report = await archive.ExportAsync([Old]);
        report.Events.ShouldBe(0);
        report.Waiting.Count.ShouldBe(2);
        report.Waiting[0].ShouldContain("listings has read to position 0");

        await subscriptions.CatchUpAsync();
        (await archive.ExportAsync([Old])).Events.ShouldBe(180);
        reader.Seen.ShouldBe(120);

        var refused = await Should.ThrowAsync<ArchiveException>(() => subscriptions.RebuildAsync("pages"));
        refused.Message.ShouldContain("archive load all");
        (await subscriptions.StatusAsync()).ShouldAllBe(status => status.Lag == 0);
        await subscriptions.RebuildAsync("listings");

        foreach (var file in await archive.ListAsync())
        {
            await archive.LoadAsync(file.Id);
        }

        await subscriptions.RebuildAsync("pages");
        // It is at zero now, so what was loaded stays for it however late it is.
        (await Node(now: Now.AddDays(30), readers: [reader, other]).ExportAsync([Old])).Events.ShouldBe(0);
        await subscriptions.CatchUpAsync();
        reader.Seen.ShouldBe(240);
        (await Node(now: Now.AddDays(30), readers: [reader, other]).ExportAsync([Old])).Events.ShouldBe(180);
    }

    [Test]
    public async Task An_archived_event_that_comes_again_is_a_repeat_until_its_id_is_forgotten()
    {
        await FillAsync();
        var id = await ScalarAsync<Guid>("select id from events.mt_events where type = 'page_viewed' order by seq_id limit 1");
        await Node().ExportAsync([Old]);

        (await AppendAsync(Event("page_viewed", Now) with { Id = id })).ShouldBeTrue();

        await Node(now: Now.AddDays(91)).ExportAsync([]);
        (await ScalarAsync<long>("select count(*) from events.archived_ids")).ShouldBe(0);
        (await AppendAsync(Event("page_viewed", Now) with { Id = id })).ShouldBeFalse();
        // It lives a second life now; the file brings back the others.
        var file = (await Node().ListAsync())[0];
        (await Node().LoadAsync(file.Id)).ShouldBe(file.Events - 1);
    }

    [Test]
    public async Task What_arrives_during_an_export_stays_and_leaves_with_the_next_one()
    {
        await FillAsync();
        var late = new List<Guid>();
        var archive = Node(afterStep: step =>
        {
            if (step == "written" && late.Count < 3)
            {
                var item = Event("page_viewed", Now.AddDays(-45)) with { OccurredAt = Now.AddYears(-3), KnownAt = new DateTimeOffset(2026, 5, 1, 10, 0, 0, TimeSpan.Zero) };
                late.Add(item.Id);
                AppendAsync(item).GetAwaiter().GetResult();
            }
        });

        (await archive.ExportAsync([Old])).Events.ShouldBe(180);
        (await ScalarAsync<long>("select count(*) from events.mt_events where type = 'page_viewed' and timestamp < '2026-06-01'")).ShouldBe(3);

        await AppendAsync(Event("page_viewed", Now));
        (await archive.ExportAsync([Old])).Events.ShouldBe(3);
        var files = await archive.ListAsync();
        files.Count(file => file.Day == new DateOnly(2026, 5, 1)).ShouldBe(3);
        foreach (var file in files)
        {
            await archive.LoadAsync(file.Id);
        }

        (await ScalarAsync<long>($"select count(*) from events.mt_events where id = any(array[{string.Join(',', late.Select(id => $"'{id}'::uuid"))}])")).ShouldBe(3);
    }

    [Test]
    public async Task The_newest_event_and_parked_ones_stay()
    {
        await AppendAsync(Event("searched", Now.AddDays(-60)));
        await AppendAsync(Event("searched", Now.AddDays(-60)));
        await AppendAsync(Event("searched", Now.AddDays(-60)));
        var parked = await ScalarAsync<long>("select min(seq_id) from events.mt_events");
        await ExecuteAsync($"insert into events.parked_events values ('r', {parked}, 'no', 1, now())");

        (await Node().ExportAsync([Old])).Events.ShouldBe(1);

        (await ScalarAsync<long>("select min(seq_id) from events.mt_events")).ShouldBe(parked);
        (await log.HighWaterMarkAsync()).ShouldBe(parked + 2);
    }

    private Archive Node(Action<string>? afterStep = null, DateTimeOffset? now = null, Subscription[]? readers = null) => new(
        Database, readers ?? [], Options.Create(new ArchiveOptions { Folder = folder, EventsPerFile = 50, BatchSize = 20 }), new StoppedClock(now ?? Now)) { AfterStep = afterStep };

    /// <summary>Three old days and a new one, 60 events of each of two kinds of behaviour on each half, and listings among them.</summary>
    private async Task FillAsync()
    {
        foreach (var day in new[] { new DateTimeOffset(2026, 5, 1, 1, 0, 0, TimeSpan.Zero), new(2026, 5, 2, 1, 0, 0, TimeSpan.Zero), new(2026, 5, 3, 1, 0, 0, TimeSpan.Zero), Now.AddHours(-3) })
        {
            await using var connection = await Database.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await log.AppendAsync(transaction, [.. Enumerable.Range(0, 75).Select(i => new StreamEvent(
                $"visitor-ana \"la\" \\ única\n{i % 7} 😀",
                Event(i % 5 == 4 ? "item_listed" : i % 5 < 2 ? "page_viewed" : "searched", day.AddSeconds(i)) with { SchemaVersion = (short)(i % 5 < 2 ? 2 : 1), OccurredAt = day.AddTicks(-i * 12_340) }))]);
            await transaction.CommitAsync();
        }
    }

    private async Task<bool> AppendAsync(NewEvent item) => (await log.AppendAsync("visitor-x", ExpectedVersion.Any, [item])).Repeated[0];

    private static NewEvent Event(string type, DateTimeOffset known) =>
        new(type, Encoding.UTF8.GetBytes("""{"anonymousId":"ana \"la\" única","itemId":"car-1","properties":{"texto":"jeepeta 😀 \\ \n \u0007","precio":1234567890.123456789,"nada":null,"lista":[1,2.50]}}"""))
        {
            KnownAt = known,
        };

    /// <summary>Every column of every row, in a hash.</summary>
    private Task<string> LogAsync() => ScalarAsync<string>("select md5(string_agg(e::text, '|' order by seq_id)) || count(*) from events.mt_events e");

    private sealed class Reader(string name, string[] types) : Subscription
    {
        public override string Name => name;

        public override IReadOnlyCollection<string> EventTypes => types;

        public int Seen { get; private set; }

        public override Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
        {
            Seen += events.Count;
            return Task.CompletedTask;
        }

        public override Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct) => Task.CompletedTask;
    }
}
