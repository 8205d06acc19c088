using System.Text;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Shared.EventLog;
using Log = OKLA.Shared.EventLog.EventLog;

namespace OKLA.Tests.Shared.EventLog;

public sealed class SubscriptionTests : DatabaseTest
{
    private Log log = null!;

    [OneTimeSetUp]
    public Task CreateTableAsync() => ExecuteAsync("create table public.seen (reader text, position bigint, type text)");

    [SetUp]
    public async Task EmptyAsync()
    {
        log = new Log(Database, TimeProvider.System);
        await ExecuteAsync("truncate events.mt_streams cascade; truncate events.mt_event_progression, events.parked_events, events.subscription_types, public.seen");
    }

    [Test]
    public async Task Each_event_takes_effect_exactly_once_and_in_order()
    {
        var reader = new Reader("r");
        await AppendAsync(["a", "b", "a", "c"]);

        await Of(reader).CatchUpAsync();
        await AppendAsync(["d"]);
        await Of(reader).CatchUpAsync();
        await Of(reader).CatchUpAsync();

        (await SeenAsync("r")).ShouldBe("a b a c d");
    }

    [Test]
    public async Task What_a_subscription_appends_reaches_the_ones_before_it_in_the_same_catching_up()
    {
        await AppendAsync(["a", "b"]);

        await new Subscriptions(Database, [new Reader("r"), new Echo(log)], TimeProvider.System).CatchUpAsync();

        (await SeenAsync("r")).ShouldBe("a b echo");
    }

    [Test]
    public async Task A_filtered_subscription_passes_the_events_it_does_not_want()
    {
        var reader = new Reader("r") { Types = ["b"] };
        await AppendAsync(["a", "b", "a", "b", "a"]);

        await Of(reader).CatchUpAsync();

        (await SeenAsync("r")).ShouldBe("b b");
        (await Of(reader).StatusAsync()).Single().Lag.ShouldBe(0);
    }

    [Test]
    public async Task A_type_asked_for_after_events_of_it_were_passed_is_named_until_the_rebuild()
    {
        await AppendAsync(["a", "b", "c"]);
        var before = new Reader("r") { Types = ["a"] };
        (await Of(before).NoteTypesAsync()).ShouldBeEmpty();
        await Of(before).CatchUpAsync();

        var after = new Reader("r") { Types = ["a", "b", "not_yet_seen"] };
        for (var start = 0; start < 2; start++)
        {
            var passed = (await Of(after).NoteTypesAsync()).ShouldHaveSingleItem();
            (passed.Subscription, passed.Type).ShouldBe(("r", "b"));
        }

        await Of(after).RebuildAsync("r");
        (await Of(after).NoteTypesAsync()).ShouldBeEmpty();
        await Of(after).CatchUpAsync();
        (await SeenAsync("r")).ShouldBe("a b");
    }

    [Test]
    public async Task A_subscription_that_writes_more_than_before_is_rebuilt_once_and_the_others_stay()
    {
        await AppendAsync(["a", "b"]);
        Reader first = new("first"), second = new("second");
        await new Subscriptions(Database, [first, second], TimeProvider.System).CatchUpAsync();
        await ExecuteAsync("update public.seen set type = 'of the old version'");

        Reader newer = new("first") { OfVersion = 2 }, fresh = new("third") { OfVersion = 5 };
        var after = new Subscriptions(Database, [newer, second, fresh], TimeProvider.System);
        (await after.RebuildOutdatedAsync()).ShouldHaveSingleItem().ShouldBe(new OutdatedTables("first", 1, null));
        await after.CatchUpAsync();

        (await SeenAsync("first")).ShouldBe("a b");
        (await SeenAsync("second")).ShouldBe("of the old version of the old version");
        (await SeenAsync("third")).ShouldBe("a b");
        (await after.RebuildOutdatedAsync()).ShouldBeEmpty();
        // A host of the version before, still at work beside this one, takes nothing back.
        (await new Subscriptions(Database, [first], TimeProvider.System).RebuildOutdatedAsync()).ShouldBeEmpty();
    }

    [Test]
    public async Task A_crash_in_the_middle_of_a_batch_leaves_neither_result_nor_position()
    {
        var reader = new Reader("r") { FailAfterWriting = true };
        await AppendAsync(["a", "b"]);

        await Should.ThrowAsync<InvalidDataException>(() => Of(reader).CatchUpAsync());
        (await SeenAsync("r")).ShouldBe("");

        reader.FailAfterWriting = false;
        await Of(reader).CatchUpAsync();
        (await SeenAsync("r")).ShouldBe("a b");
    }

    [Test]
    public async Task Of_two_hosts_one_works_at_a_time_and_the_other_takes_over()
    {
        var slow = new Reader("r") { Hold = new TaskCompletionSource() };
        var other = new Reader("r");
        await AppendAsync(["a", "b"]);

        var working = Of(slow).AdvanceAsync(slow);
        await slow.Started.Task;
        (await Of(other).AdvanceAsync(other)).Handled.ShouldBe(0);

        // The first host dies: its connection breaks and the other goes on from the position that was committed.
        slow.Hold!.SetException(new IOException("host died"));
        await Should.ThrowAsync<IOException>(() => working);
        (await Of(other).AdvanceAsync(other)).Handled.ShouldBe(2);
        (await SeenAsync("r")).ShouldBe("a b");
    }

    [Test]
    public async Task A_rebuild_reads_the_log_again_from_zero_while_the_others_stay()
    {
        Reader first = new("first"), second = new("second");
        await AppendAsync(["a", "b"]);
        var both = new Subscriptions(Database, [first, second], TimeProvider.System);
        await both.CatchUpAsync();

        await both.RebuildAsync("first");

        (await SeenAsync("first")).ShouldBe("");
        (await SeenAsync("second")).ShouldBe("a b");
        await both.CatchUpAsync();
        (await SeenAsync("first")).ShouldBe("a b");
        (await SeenAsync("second")).ShouldBe("a b");
    }

    [Test]
    public async Task A_poison_event_is_parked_with_its_reason_and_the_others_go_on_until_it_is_replayed()
    {
        var reader = new Reader("r") { Poison = "bad" };
        var subscriptions = Of(reader);
        using var runner = Runner(subscriptions);
        await runner.StartAsync(CancellationToken.None);
        await AppendAsync(["a", "bad", "b"]);

        await UntilAsync(async () => await SeenAsync("r") == "a b");
        var parked = (await subscriptions.ParkedAsync()).Single();
        parked.Type.ShouldBe("bad");
        parked.Reason.ShouldContain("cannot digest bad");

        reader.Poison = null;
        (await subscriptions.ReplayParkedAsync("r")).ShouldBe((1, 0));
        (await SeenAsync("r")).ShouldBe("a b bad");
        (await subscriptions.ParkedAsync()).ShouldBeEmpty();
        await runner.StopAsync(CancellationToken.None);
    }

    [Test]
    public async Task An_append_wakes_the_subscription_without_waiting_for_the_poll()
    {
        var reader = new Reader("r");
        using var runner = Runner(Of(reader), pollSeconds: 600);
        await runner.StartAsync(CancellationToken.None);
        await AppendAsync(["first"]);
        await UntilAsync(async () => await SeenAsync("r") == "first");

        await AppendAsync(["second"]);

        await UntilAsync(async () => await SeenAsync("r") == "first second");
        await runner.StopAsync(CancellationToken.None);
    }

    [Test]
    public async Task A_lost_connection_parks_nothing_and_the_subscription_goes_on()
    {
        var reader = new Reader("r");
        using var runner = Runner(Of(reader));
        await runner.StartAsync(CancellationToken.None);
        await AppendAsync(["a"]);
        await UntilAsync(async () => await SeenAsync("r") == "a");

        await ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
        await using (var reconnected = NpgsqlDataSource.Create(ConnectionString))
        {
            await new Log(reconnected, TimeProvider.System).AppendAsync("s", ExpectedVersion.Any, [new NewEvent("b", Encoding.UTF8.GetBytes("{}"))]);
        }


        Database.Clear();
        await UntilAsync(async () => await SeenAsync("r") == "a b");
        (await Of(reader).ParkedAsync()).ShouldBeEmpty();
        await runner.StopAsync(CancellationToken.None);
    }

    private Subscriptions Of(Subscription reader) => new(Database, [reader], TimeProvider.System);

    private SubscriptionRunner Runner(Subscriptions subscriptions, double pollSeconds = 0.2) => new(
        subscriptions, Database, Options.Create(new EventLogOptions { PollSeconds = pollSeconds }), TimeProvider.System, NullLogger<SubscriptionRunner>.Instance);

    private async Task AppendAsync(string[] types) =>
        await log.AppendAsync("s", ExpectedVersion.Any, [.. types.Select(type => new NewEvent(type, Encoding.UTF8.GetBytes("{}")))]);

    private Task<string> SeenAsync(string reader) => ScalarAsync<string>($"select coalesce(string_agg(type, ' ' order by ctid), '') from public.seen where reader = '{reader}'");

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }

    /// <summary>Appends an event for each "a".</summary>
    private sealed class Echo(Log log) : Subscription
    {
        public override string Name => "echo";

        public override IReadOnlyCollection<string> EventTypes => ["a"];

        public override async Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct) =>
            await log.AppendAsync(transaction, [.. events.Select(_ => new StreamEvent("echoes", NewEvent.Of("echo", new { }, DateTimeOffset.UtcNow)))], ct);

        public override Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct) => Task.CompletedTask;
    }

    private sealed class Reader(string name) : Subscription
    {
        public override string Name => name;

        public override IReadOnlyCollection<string>? EventTypes => Types;

        public int OfVersion { get; init; } = 1;

        public override int Version => OfVersion;

        public string[]? Types { get; init; }

        public bool FailAfterWriting { get; set; }

        public string? Poison { get; set; }

        public TaskCompletionSource? Hold { get; init; }

        public TaskCompletionSource Started { get; } = new();

        public override async Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
        {
            Started.TrySetResult();
            foreach (var item in events)
            {
                if (item.Type == Poison)
                {
                    throw new InvalidDataException($"cannot digest {item.Type}");
                }

                await transaction.Connection!.ExecuteAsync("insert into public.seen values (@name, @Position, @Type)", new { name, item.Position, item.Type }, transaction);
            }

            await (Hold?.Task ?? Task.CompletedTask);
            if (FailAfterWriting)
            {
                throw new InvalidDataException("crash");
            }
        }

        public override Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct) =>
            transaction.Connection!.ExecuteAsync("delete from public.seen where reader = @name", new { name }, transaction);
    }
}
