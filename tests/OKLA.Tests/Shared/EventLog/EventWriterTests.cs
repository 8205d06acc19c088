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
