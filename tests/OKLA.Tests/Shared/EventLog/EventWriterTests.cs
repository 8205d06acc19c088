using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Shared.EventLog;
using Log = OKLA.Shared.EventLog.EventLog;

namespace OKLA.Tests.Shared.EventLog;

public sealed class EventWriterTests : DatabaseTest
{
    [Test]
    public async Task Many_requests_at_once_are_each_acknowledged_and_all_on_disk()
    {
        using var writer = await StartAsync(Database);

        var receipts = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => writer.WriteAsync([Event($"many-{i % 20}"), Event($"many-{i % 7}")])));

        receipts.ShouldAllBe(receipt => receipt.Status == WriteStatus.Written && receipt.Repeated.SequenceEqual(new[] { false, false }));
        (await ScalarAsync<long>("select count(*) from events.mt_events where stream_id like 'many-%'")).ShouldBe(1000);
        (await ScalarAsync<long>("select count(*) from events.mt_streams s where s.version <> (select count(*) from events.mt_events e where e.stream_id = s.id)")).ShouldBe(0);
        await writer.StopAsync(CancellationToken.None);
    }

    [Test]
    public async Task The_same_ids_sent_by_several_at_once_are_written_once()
    {
        using var writer = await StartAsync(Database);
        var same = Enumerable.Range(0, 50).Select(_ => Event("same")).ToArray();

        var receipts = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => writer.WriteAsync(same)));

        receipts.Sum(receipt => receipt.Repeated.Count(known => !known)).ShouldBe(50);
        (await ScalarAsync<long>("select count(*) from events.mt_events where stream_id = 'same'")).ShouldBe(50);
        await writer.StopAsync(CancellationToken.None);
    }

    [Test]
    public async Task A_small_group_is_written_as_a_large_one_is([Values(0, 10_000)] int smallGroup)
    {
        using var writer = new EventWriter(
            new Log(Database, TimeProvider.System), Database, Options.Create(new EventLogOptions { SmallGroup = smallGroup }), NullLogger<EventWriter>.Instance);
        await writer.StartAsync(CancellationToken.None);
        var (stream, at) = ($"group-{smallGroup}", new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));
        var first = new StreamEvent(stream, new NewEvent("first", Encoding.UTF8.GetBytes("""{"n":1}""")) { OccurredAt = at, KnownAt = at.AddHours(1), SchemaVersion = 3 });
        var second = new StreamEvent(stream, new NewEvent("second", Encoding.UTF8.GetBytes("""{"n":2}""")) { OccurredAt = at });
        var other = new StreamEvent($"{stream}-b", new NewEvent("other", Encoding.UTF8.GetBytes("{}")));

        (await writer.WriteAsync([first])).Repeated.ShouldBe([false]);
        // One that the log holds, one twice in the batch.
        (await writer.WriteAsync([second, first, other, second])).Repeated.ShouldBe([false, true, false, true]);

        var events = new List<string>();
        await using var command = Database.CreateCommand("""
            select type || ' ' || version || ' ' || data || ' v' || schema_version || ' ' || (occurred_at = '2026-05-04 12:00Z') || ' ' || (timestamp = '2026-05-04 13:00Z')
                || ' ' || (occurred_at = timestamp) || ' ' || (timestamp <= clock_timestamp())
            from events.mt_events where stream_id like $1 order by seq_id
            """);
        command.Parameters.Add(new() { Value = $"{stream}%" });
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            events.Add(reader.GetString(0));
        }

        events.ShouldBe(["""first 1 {"n": 1} v3 true true false true""", """second 2 {"n": 2} v1 true false false true""", "other 1 {} v1 false false true true"]);
        (await ScalarAsync<long>($"select sum(version)::bigint from events.mt_streams where id like '{stream}%'")).ShouldBe(3);
        await writer.StopAsync(CancellationToken.None);
    }

    [Test]
    public async Task A_full_queue_answers_busy_and_keeps_nothing()
    {
        using var writer = new EventWriter(
            new Log(Database, TimeProvider.System), Database, Options.Create(new EventLogOptions { QueueCapacity = 1_000 }), NullLogger<EventWriter>.Instance);
        var waiting = writer.WriteAsync([.. Enumerable.Range(0, 1_000).Select(_ => Event("full"))]);

        (await writer.WriteAsync([Event("full")])).Status.ShouldBe(WriteStatus.Busy);

        await writer.StartAsync(CancellationToken.None);
        (await waiting).Status.ShouldBe(WriteStatus.Written);
        (await writer.WriteAsync([Event("full")])).Status.ShouldBe(WriteStatus.Written);
        await writer.StopAsync(CancellationToken.None);
        (await ScalarAsync<long>("select count(*) from events.mt_events where stream_id = 'full'")).ShouldBe(1_001);
    }

    [Test]
    public async Task An_event_that_the_database_refuses_fails_alone()
    {
        using var writer = new EventWriter(new Log(Database, TimeProvider.System), Database, Options.Create(new EventLogOptions()), NullLogger<EventWriter>.Instance);
        var good = writer.WriteAsync([Event("mixed")]);
        var bad = writer.WriteAsync([new StreamEvent("mixed", new NewEvent("t", Encoding.UTF8.GetBytes("""{"n":"\u0000"}""")))]);
        var alsoGood = writer.WriteAsync([Event("mixed")]);

        await writer.StartAsync(CancellationToken.None);

        (await Task.WhenAll(good, bad, alsoGood)).Select(receipt => receipt.Status).ShouldBe([WriteStatus.Written, WriteStatus.Refused, WriteStatus.Written]);
        await writer.StopAsync(CancellationToken.None);
    }

    [Test]
    public async Task A_server_that_is_away_makes_the_answer_unavailable_and_the_queue_goes_on()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=x;Password=x;Timeout=2");
        using var writer = await StartAsync(nowhere);

        (await writer.WriteAsync([Event("away")])).Status.ShouldBe(WriteStatus.Unavailable);
        (await writer.WriteAsync([Event("away")])).Status.ShouldBe(WriteStatus.Unavailable);
        await writer.StopAsync(CancellationToken.None);
    }

    [Test]
    public async Task What_was_queued_before_the_stop_is_still_written()
    {
        using var writer = await StartAsync(Database);
        var last = Enumerable.Range(0, 20).Select(_ => writer.WriteAsync([Event("last")])).ToArray();

        await writer.StopAsync(CancellationToken.None);

        (await Task.WhenAll(last)).ShouldAllBe(receipt => receipt.Status == WriteStatus.Written);
    }

    private static async Task<EventWriter> StartAsync(NpgsqlDataSource database)
    {
        var writer = new EventWriter(new Log(database, TimeProvider.System), database, Options.Create(new EventLogOptions()), NullLogger<EventWriter>.Instance);
        await writer.StartAsync(CancellationToken.None);
        return writer;
    }

    private static StreamEvent Event(string stream) => new(stream, new NewEvent("t", Encoding.UTF8.GetBytes("""{"n":1}""")));
}
