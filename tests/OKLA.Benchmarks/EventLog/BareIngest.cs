using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace OKLA.Benchmarks.EventLog;

/// <summary>
/// The least that a durable ingest can be: parse, queue, one COPY for all that waits, answer after its commit. It checks nothing, repeats what is
/// sent again, orders nothing and forgets a full disk.
/// </summary>
internal static class BareIngest
{
    public static async Task<WebApplication> StartAsync(NpgsqlDataSource database)
    {
        var queue = Channel.CreateUnbounded<(JsonElement Event, TaskCompletionSource Done)>(new UnboundedChannelOptions { SingleReader = true });
        var builder = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.MapPost("/bare", async (HttpRequest request) =>
        {
            using var body = await JsonDocument.ParseAsync(request.Body);
            var waits = new List<Task>();
            foreach (var one in body.RootElement.EnumerateArray())
            {
                var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waits.Add(done.Task);
                queue.Writer.TryWrite((one, done));
            }

            await Task.WhenAll(waits);
            return Results.Accepted();
        });
        app.Lifetime.ApplicationStopping.Register(() => queue.Writer.TryComplete());
        _ = WriteAsync(database, queue.Reader);
        await app.StartAsync();
        return app;
    }

    private static async Task WriteAsync(NpgsqlDataSource database, ChannelReader<(JsonElement Event, TaskCompletionSource Done)> queue)
    {
        var position = 0L;
        while (await queue.WaitToReadAsync())
        {
            var group = new List<TaskCompletionSource>();
            await using var connection = await database.OpenConnectionAsync();
            await using var copy = await connection.BeginBinaryImportAsync(
                "copy bench.ingested (seq_id, id, stream_id, version, data, type, timestamp, occurred_at, schema_version) from stdin (format binary)");
            while (group.Count < 8_000 && queue.TryRead(out var next))
            {
                group.Add(next.Done);
                await copy.StartRowAsync();
                await copy.WriteAsync(++position, NpgsqlDbType.Bigint);
                await copy.WriteAsync(next.Event.GetProperty("id").GetGuid(), NpgsqlDbType.Uuid);
                await copy.WriteAsync("visitor-" + next.Event.GetProperty("anonymousId").GetString(), NpgsqlDbType.Varchar);
                await copy.WriteAsync(position, NpgsqlDbType.Bigint);
                await copy.WriteAsync(next.Event.GetRawText(), NpgsqlDbType.Jsonb);
                await copy.WriteAsync(next.Event.GetProperty("type").GetString()!, NpgsqlDbType.Varchar);
                await copy.WriteAsync(DateTime.UtcNow, NpgsqlDbType.TimestampTz);
                await copy.WriteAsync(next.Event.GetProperty("occurredAt").GetDateTimeOffset().UtcDateTime, NpgsqlDbType.TimestampTz);
                await copy.WriteAsync((short)1, NpgsqlDbType.Smallint);
            }

            await copy.CompleteAsync();
            group.ForEach(done => done.TrySetResult());
        }
    }
}
