using System.Text;
using System.Text.Json;
using Dapper;
using Npgsql;

namespace OKLA.Shared.EventLog;

/// <summary>A person in the files: everything of hers, and its erasure, by the rules of <see cref="PersonEvents"/>. Looks at every line.</summary>
public sealed partial class Archive
{
    private const string Readable = "state <> 'exporting'";

    /// <summary>Who an event's body names.</summary>
    private readonly record struct Named(string? UserId, string? AnonymousId);

    /// <summary>Makes the work on files wait until the caller's transaction ends.</summary>
    internal static Task HoldAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition("select pg_advisory_xact_lock(@ArchiveLock)", new { ArchiveLock }, commandTimeout: 0, cancellationToken: ct));

    /// <summary>Anonymous ids that came with a user in the files.</summary>
    internal async Task<HashSet<string>> AnonymousIdsOfAsync(NpgsqlConnection connection, string userId, CancellationToken ct)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        await ScanAsync(connection, [await QuotedAsync(connection, userId, ct)], (_, item) =>
        {
            var named = Read(item);
            if (named.UserId == userId && named.AnonymousId is { } anonymous && anonymous != userId)
            {
                found.Add(anonymous);
            }
        }, ct);
        return found;
    }

    /// <summary>Which of some anonymous ids came with another user in the files.</summary>
    internal async Task<HashSet<string>> SharedWithOthersAsync(NpgsqlConnection connection, IReadOnlyCollection<string> anonymousIds, string userId, CancellationToken ct)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var wanted = new List<byte[]>();
        foreach (var id in anonymousIds)
        {
            wanted.Add(await QuotedAsync(connection, id, ct));
        }

        await ScanAsync(connection, wanted, (_, item) =>
        {
            var named = Read(item);
            if (named.UserId is { } other && other != userId && named.AnonymousId is { } anonymous && anonymousIds.Contains(anonymous))
            {
                found.Add(anonymous);
            }
        }, ct);
        return found;
    }

    /// <summary>The person's events that are in files, in the order of the log; some may be in the log too.</summary>
    internal async Task<List<RecordedEvent>> OfPersonAsync(NpgsqlConnection connection, string personId, IReadOnlyCollection<string> identities, CancellationToken ct)
    {
        var events = new List<RecordedEvent>();
        var wanted = new List<byte[]>();
        foreach (var id in identities)
        {
            wanted.Add(await QuotedAsync(connection, id, ct));
        }

        await ScanAsync(connection, wanted, (_, item) =>
        {
            if (IsHers(Read(item), personId, identities))
            {
                events.Add(item);
            }
        }, ct);
        events.Sort((a, b) => a.Position.CompareTo(b.Position));
        return events;
    }

    /// <summary>
    /// Writes every file that names the person anew without her, within the caller's transaction, which holds the files. The files
    /// that are replaced are doomed by it: <see cref="SweepAsync(CancellationToken)"/> after the commit, or the next run, deletes them.
    /// </summary>
    /// <param name="transaction">The erasure's.</param>
    /// <param name="personId">The person.</param>
    /// <param name="identities">Her id and the anonymous ids that were hers alone.</param>
    /// <param name="streams">New names of her streams.</param>
    /// <param name="ct">Stops it; nothing is changed then.</param>
    /// <returns>Events of hers and of others that named her, of files whose events are not in the log.</returns>
    internal async Task<(int Own, int Mentions)> EraseAsync(
        NpgsqlTransaction transaction, string personId, IReadOnlyCollection<string> identities, IReadOnlyDictionary<string, string> streams, CancellationToken ct)
    {
        var connection = transaction.Connection!;
        var (own, mentions) = (0, 0);
        var quoted = new List<byte[]>();
        foreach (var text in identities.Concat(streams.Keys))
        {
            quoted.Add(await QuotedAsync(connection, text, ct));
        }

        foreach (var abandoned in await FindAsync(connection, "state = 'exporting'", ct))
        {
            // Nobody works on it, as the files are held here; it may be half a file that names her.
            await DoomAsync(connection, abandoned.File, ct);
            await connection.ExecuteAsync(new CommandDefinition("delete from events.archives where id = @Id", new { abandoned.Id }, cancellationToken: ct));
        }

        foreach (var file in await FindAsync(connection, Readable, ct))
        {
            var touched = new Dictionary<long, byte[]>();
            await foreach (var line in ArchiveFile.LinesAsync(PathOf(file.File), ct))
            {
                if (!Holds(line.Span, quoted))
                {
                    continue;
                }

                var item = ArchiveFile.Parse(line.ToArray());
                var hers = IsHers(Read(item), personId, identities);
                var data = hers ? Emptied(item) : Encoding.UTF8.GetString(item.Data.Span);
                for (var i = 0; i < identities.Count && !hers; i++)
                {
                    data = data.Replace(Encoding.UTF8.GetString(quoted[i]), "\"erased\"", StringComparison.Ordinal);
                }

                var stream = streams.GetValueOrDefault(item.StreamId, item.StreamId);
                touched[item.Position] = ArchiveFile.Write(item, Encoding.UTF8.GetString(await QuotedAsync(connection, stream, ct)), data);
                if (file.State == ArchiveState.Done)
                {
                    (own, mentions) = hers ? (own + 1, mentions) : (own, mentions + 1);
                }
            }

            if (touched.Count > 0)
            {
                await ReplaceAsync(connection, file, touched, ct);
            }
        }

        return (own, mentions);
    }

    private async Task ReplaceAsync(NpgsqlConnection connection, ArchiveManifest file, Dictionary<long, byte[]> touched, CancellationToken ct)
    {
        var name = $"{file.Day:yyyy-MM-dd}-{file.Part:000}-{Guid.NewGuid():N}.ndjson.gz";
        // Doomed before it is there, in a transaction of its own: if this one does not end, nobody will know the file.
        await using (var apart = await database.OpenConnectionAsync(ct))
        {
            await DoomAsync(apart, name, ct);
        }

        string written;
        try
        {
            await using var writer = ArchiveFile.Create(PathOf(name));
            await foreach (var line in ArchiveFile.LinesAsync(PathOf(file.File), ct))
            {
                writer.Add(touched.TryGetValue(ArchiveFile.Parse(line).Position, out var changed) ? changed : line.Span);
            }

            written = await writer.FinishAsync();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new ArchiveException($"{file.File} cannot be written anew in {folder}, and nothing was erased: {refused.Message}", refused);
        }

        var (content, read, sha256, bytes) = await ArchiveFile.ReadAsync(PathOf(name), ct);
        if (read != written || !content.Fits(file))
        {
            throw new ArchiveException($"{name} does not hold what was written to it; nothing was erased.");
        }

        var manifest = Describe(file, content, sha256, bytes) with { File = name };
        await WriteManifestAsync(manifest, ct);
        await connection.ExecuteAsync(new CommandDefinition("delete from events.doomed_files where file = @name", new { name }, cancellationToken: ct));
        await DoomAsync(connection, file.File, ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "update events.archives set file = @File, sha256 = @Sha256, bytes = @Bytes where id = @Id", new { manifest.Id, manifest.File, manifest.Sha256, manifest.Bytes }, cancellationToken: ct));
        AfterStep?.Invoke("replaced");
    }

    private static async Task DoomAsync(NpgsqlConnection connection, string file, CancellationToken ct) =>
        await connection.ExecuteAsync(new CommandDefinition("insert into events.doomed_files (file) values (@file) on conflict do nothing", new { file }, cancellationToken: ct));

    /// <summary>Hands over the events of all files whose lines hold one of the texts.</summary>
    private async Task ScanAsync(NpgsqlConnection connection, List<byte[]> quoted, Action<ArchiveManifest, RecordedEvent> found, CancellationToken ct)
    {
        if (quoted.Count == 0)
        {
            return;
        }

        foreach (var file in await FindAsync(connection, Readable, ct))
        {
            await foreach (var line in ArchiveFile.LinesAsync(PathOf(file.File), ct))
            {
                if (Holds(line.Span, quoted))
                {
                    found(file, ArchiveFile.Parse(line.ToArray()));
                }
            }
        }
    }

    private static bool Holds(ReadOnlySpan<byte> line, List<byte[]> quoted)
    {
        foreach (var text in quoted)
        {
            if (line.IndexOf(text) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A text in quotes as PostgreSQL writes it in JSON.</summary>
    private static async Task<byte[]> QuotedAsync(NpgsqlConnection connection, string text, CancellationToken ct) =>
        Encoding.UTF8.GetBytes((await connection.ExecuteScalarAsync<string>(new CommandDefinition("select to_json(@text::text)::text", new { text }, cancellationToken: ct)))!);

    private static bool IsHers(Named named, string personId, IReadOnlyCollection<string> identities) =>
        named.UserId == personId || (named.AnonymousId is { } anonymous && identities.Contains(anonymous) && (named.UserId is null || identities.Contains(named.UserId)));

    private static Named Read(RecordedEvent item)
    {
        using var body = JsonDocument.Parse(item.Data, new JsonDocumentOptions { MaxDepth = 512 });
        return body.RootElement.ValueKind != JsonValueKind.Object ? default : new Named(Text(body.RootElement, "userId"), Text(body.RootElement, "anonymousId"));
    }

    private static string Emptied(RecordedEvent item)
    {
        using var body = JsonDocument.Parse(item.Data, new JsonDocumentOptions { MaxDepth = 512 });
        return body.RootElement.ValueKind == JsonValueKind.Object && body.RootElement.TryGetProperty("itemId", out var itemId) && itemId.ValueKind != JsonValueKind.Null
            ? $$"""{"itemId": {{itemId.GetRawText()}}, "erased": true}""" : """{"erased": true}""";
    }

    private static string? Text(JsonElement body, string name) => body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
