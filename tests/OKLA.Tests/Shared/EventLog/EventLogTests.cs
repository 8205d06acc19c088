using System.Text;
using OKLA.Shared.EventLog;
using Log = OKLA.Shared.EventLog.EventLog;

namespace OKLA.Tests.Shared.EventLog;

public sealed class EventLogTests : DatabaseTest
{
    private Log log = null!;

    [SetUp]
    public async Task EmptyLogAsync()
    {
        log = new Log(Database, TimeProvider.System);
        await ExecuteAsync("truncate events.mt_streams cascade");
    }

    [Test]
    public async Task Events_of_a_stream_come_back_in_order_with_versions_without_gaps()
    {
        await log.AppendAsync("car-1", ExpectedVersion.NoStream, [Event("a"), Event("b")]);
        var second = await log.AppendAsync("car-1", ExpectedVersion.Exactly(2), [Event("c")]);

        second.StreamVersion.ShouldBe(3);
        var events = await log.ReadStreamAsync("car-1").ToListAsync();
        events.Select(e => (e.Version, e.Type)).ShouldBe([(1, "a"), (2, "b"), (3, "c")]);
        events.Select(e => e.Position).ShouldBeInOrder();
    }

    [Test]
    public async Task A_stream_with_another_version_than_expected_stays_as_it_is()
    {
        await log.AppendAsync("car-1", ExpectedVersion.NoStream, [Event("a")]);

        (await log.AppendAsync("car-1", ExpectedVersion.NoStream, [Event("b")])).ShouldBe(new AppendResult(AppendStatus.VersionConflict, 1, []), new ResultComparer());
        (await log.AppendAsync("car-1", ExpectedVersion.Exactly(7), [Event("b")])).Status.ShouldBe(AppendStatus.VersionConflict);
        (await log.ReadStreamAsync("car-1").CountAsync()).ShouldBe(1);
    }

    [Test]
    public async Task Two_writers_that_expect_the_same_version_cannot_both_win()
    {
        await log.AppendAsync("car-1", ExpectedVersion.NoStream, [Event("a")]);

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => log.AppendAsync("car-1", ExpectedVersion.Exactly(1), [Event("b")])));

        results.Count(result => result.Status == AppendStatus.Appended).ShouldBe(1);
    }

    [Test]
    public async Task A_repeated_event_id_changes_nothing()
    {
        var first = Event("a");
        await log.AppendAsync("car-1", ExpectedVersion.Any, [first]);

        var again = await log.AppendAsync("car-2", ExpectedVersion.Any, [first, first with { Type = "other" }, Event("b")]);

        again.Repeated.ShouldBe([true, true, false]);
        (await log.ReadAsync(0).ToListAsync()).Select(e => e.Type).ShouldBe(["a", "b"]);
        (await log.ReadStreamAsync("car-2").ToListAsync()).Select(e => e.Version).ShouldBe([1L]);
    }

    [Test]
    public async Task Two_open_transactions_lose_no_event()
    {
        await using var slow = await Database.OpenConnectionAsync();
        await using var slowTransaction = await slow.BeginTransactionAsync();
        await log.AppendAsync(slowTransaction, [new StreamEvent("slow", Event("first"))]);

        await using var quick = await Database.OpenConnectionAsync();
        await using var quickTransaction = await quick.BeginTransactionAsync();
        var quickAppend = log.AppendAsync(quickTransaction, [new StreamEvent("quick", Event("second"))]);

        // While the first is open the second may not become visible above it: a reader sees neither.
        (await Task.WhenAny(quickAppend, Task.Delay(300))).ShouldNotBe(quickAppend);
        (await log.HighWaterMarkAsync()).ShouldBe(0);

        await slowTransaction.CommitAsync();
        var afterFirst = await log.HighWaterMarkAsync();
        await quickAppend;
        await quickTransaction.CommitAsync();

        (await log.ReadAsync(0).ToListAsync()).Select(e => e.Type).ShouldBe(["first", "second"]);
        (await log.ReadAsync(afterFirst).ToListAsync()).Select(e => e.Type).ShouldBe(["second"]);
    }

    [Test]
    public async Task An_append_that_is_rolled_back_leaves_no_trace()
    {
        await using (var connection = await Database.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await log.AppendAsync(transaction, [new StreamEvent("car-1", Event("a"))]);
        }

        (await log.ReadAsync(0).CountAsync()).ShouldBe(0);
        (await log.AppendAsync("car-1", ExpectedVersion.NoStream, [Event("b")])).StreamVersion.ShouldBe(1);
    }

    [Test]
    public async Task Reading_by_type_skips_the_others_and_honours_the_limit()
    {
        await log.AppendAsync("s", ExpectedVersion.Any, [Event("a"), Event("b"), Event("a"), Event("a")]);

        var read = await log.ReadAsync(0, ["a"], limit: 2).ToListAsync();

        read.Select(e => (e.Type, e.Version)).ShouldBe([("a", 1L), ("a", 3L)]);
    }

    [Test]
    public async Task Event_time_and_known_at_time_are_kept_apart()
    {
        var happened = new DateTimeOffset(2022, 4, 22, 10, 30, 0, TimeSpan.FromHours(-4));
        var known = new DateTimeOffset(2022, 4, 23, 0, 0, 0, TimeSpan.Zero);

        await log.AppendAsync("s", ExpectedVersion.Any, [Event("a") with { OccurredAt = happened, KnownAt = known }]);

        var read = await log.ReadStreamAsync("s").SingleAsync();
        (read.OccurredAt, read.KnownAt).ShouldBe((happened, known));
        read.OccurredAt.Offset.ShouldBe(TimeSpan.Zero);
    }

    [Test]
    public async Task The_tables_have_the_columns_that_Marten_expects()
    {
        var columns = await ScalarAsync<string>("""
            select string_agg(table_name || '.' || column_name || ':' || data_type || ':' || is_nullable, E'\n' order by table_name, ordinal_position)
            from information_schema.columns where table_schema = 'events' and table_name like 'mt\_%'
            """);

        columns.Split('\n').ShouldBe(
        [
            "mt_event_progression.name:character varying:NO", "mt_event_progression.last_seq_id:bigint:YES", "mt_event_progression.last_updated:timestamp with time zone:YES",
            "mt_event_progression.projection_version:integer:NO",
            "mt_events.seq_id:bigint:NO", "mt_events.id:uuid:NO", "mt_events.stream_id:character varying:NO", "mt_events.version:bigint:NO", "mt_events.data:jsonb:NO",
            "mt_events.bdata:bytea:YES", "mt_events.type:character varying:NO", "mt_events.timestamp:timestamp with time zone:NO", "mt_events.tenant_id:character varying:YES",
            "mt_events.mt_dotnet_type:character varying:YES", "mt_events.is_archived:boolean:YES", "mt_events.occurred_at:timestamp with time zone:NO", "mt_events.schema_version:smallint:NO",
            "mt_streams.id:character varying:NO", "mt_streams.type:character varying:YES", "mt_streams.version:bigint:YES", "mt_streams.timestamp:timestamp with time zone:NO",
            "mt_streams.created:timestamp with time zone:NO", "mt_streams.tenant_id:character varying:YES", "mt_streams.is_archived:boolean:YES",
        ]);
    }

    [Test]
    public async Task Every_event_has_its_stream_though_no_row_is_checked()
    {
        (await ScalarAsync<bool>("select not conenforced from pg_constraint where conname = 'mt_events_stream_id_fkey'")).ShouldBeTrue();
        await log.AppendAsync("visitor-1", ExpectedVersion.Any, [Event("item_viewed"), Event("item_viewed")]);
        await log.AppendAtOnceAsync([new StreamEvent("visitor-1", Event("item_viewed")), new StreamEvent("visitor-2", Event("item_viewed"))]);
        (await ScalarAsync<string>("""
            select string_agg(s.id || ' ' || s.version || ' ' || e.n, ',' order by s.id)
            from (select stream_id, count(*) as n from events.mt_events group by 1) e left join events.mt_streams s on s.id = e.stream_id
            """)).ShouldBe("visitor-1 3 3,visitor-2 1 1");
    }

    private static NewEvent Event(string type) => new(type, Encoding.UTF8.GetBytes("""{"n":1}"""));

    private sealed class ResultComparer : IEqualityComparer<AppendResult>
    {
        public bool Equals(AppendResult? x, AppendResult? y) => x?.Status == y?.Status && x?.StreamVersion == y?.StreamVersion && x!.Repeated.SequenceEqual(y!.Repeated);

        public int GetHashCode(AppendResult obj) => obj.StreamVersion.GetHashCode();
    }
}
