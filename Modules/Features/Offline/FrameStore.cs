using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using OKLA.Features.Facts;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Features.Offline;

/// <summary>
/// Training frames: each is fixed by its spine, its features with their versions, and a place in the log; its values are computed when it is read,
/// so many rows at a time that memory stays bounded, and come out the same each time.
/// </summary>
internal sealed class FrameStore(
    NpgsqlDataSource database, FeatureRegistry registry, PointInTime pointInTime, Subscriptions subscriptions, ExchangeRates rates, IOptions<FeaturesOptions> options, TimeProvider clock)
{
    private static readonly string[] Sources = [FactSubscription.SubscriptionName, "features.catalog"];

    /// <summary>Fixes a frame and reads it once for its hash.</summary>
    /// <exception cref="FrameRefusedException">A feature does not exist, or a row is about the future.</exception>
    public Task<FrameInfo> CreateAsync(BuildFrame wanted, CancellationToken ct) => CreateAsync(wanted, null, ct);

    /// <summary>The same, and its values, in memory or to who takes them: they are worked out once for both.</summary>
    public async Task<FrameTable> CreateTableAsync(BuildFrame wanted, Action<FrameLine>? take, CancellationToken ct)
    {
        var lines = new List<FrameLine>(take is null ? wanted.Spine.Count : 0);
        return new FrameTable(await CreateAsync(wanted, take ?? lines.Add, ct), lines);
    }

    private async Task<FrameInfo> CreateAsync(BuildFrame wanted, Action<FrameLine>? take, CancellationToken ct)
    {
        var features = wanted.Features.Select(name => registry.TryGet(name, out var feature) ? feature : throw new FrameRefusedException($"There is no feature {name}.")).ToList();
        var now = clock.GetUtcNow();
        if (wanted.Spine.FirstOrDefault(row => row.At > now) is { } future)
        {
            throw new FrameRefusedException($"A row is about {future.At:u}, which is in the future.");
        }

        // What both projections have taken in; what the log gets later is not in this frame, however old it claims to be.
        var position = (await subscriptions.StatusAsync(ct)).Where(status => Sources.Contains(status.Name)).Min(status => status.Position);
        var id = Guid.CreateVersion7(now);
        await using (var connection = await database.OpenConnectionAsync(ct))
        await using (var transaction = await connection.BeginTransactionAsync(ct))
        {
            await using var insert = new NpgsqlCommand(
                "insert into features.frames (id, features, versions, log_position, rows, created_at, created_by) values ($1, $2, $3, $4, $5, $6, $7)", connection, transaction);
            foreach (var value in new object[] { id, features.Select(feature => feature.Id.ToString()).ToArray(), features.Select(feature => feature.Version).ToArray(), position, (long)wanted.Spine.Count, now, wanted.By })
            {
                insert.Parameters.Add(new NpgsqlParameter { Value = value });
            }

            await insert.ExecuteNonQueryAsync(ct);
            await WriteSpineAsync(connection, id, wanted.Spine, ct);
            await transaction.CommitAsync(ct);
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var info = await CheckAsync(id, ct);
        hash.AppendData(FrameCsv.Header(info.Features).Span);
        await foreach (var (rows, values) in EvaluateAsync(info, ct))
        {
            hash.AppendData(FrameCsv.Lines(rows, values).Span);
            if (take is not null)
            {
                foreach (var line in Lines(rows, values))
                {
                    take(line);
                }
            }
        }

        await using var update = database.CreateCommand("update features.frames set sha256 = $2 where id = $1");
        update.Parameters.Add(new NpgsqlParameter { Value = id });
        update.Parameters.Add(new NpgsqlParameter { Value = Convert.ToHexStringLower(hash.GetHashAndReset()) });
        await update.ExecuteNonQueryAsync(ct);
        return (await FindAsync(id, ct))!;
    }

    /// <summary>What a frame is; null when there is none.</summary>
    public async Task<FrameInfo?> FindAsync(Guid id, CancellationToken ct) => (await FindWithVersionsAsync(id, ct))?.Info;

    /// <summary>The frame as CSV, some rows at a time.</summary>
    /// <exception cref="FrameRefusedException">There is no such frame, or a feature means something else by now.</exception>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadCsvAsync(Guid id, [EnumeratorCancellation] CancellationToken ct)
    {
        var info = await CheckAsync(id, ct);
        yield return FrameCsv.Header(info.Features);
        await foreach (var (rows, values) in EvaluateAsync(info, ct))
        {
            yield return FrameCsv.Lines(rows, values);
        }
    }

    /// <summary>The frame as values in memory.</summary>
    /// <exception cref="FrameRefusedException">There is no such frame, or a feature means something else by now.</exception>
    public async Task<FrameTable> ReadAsync(Guid id, CancellationToken ct)
    {
        var info = await CheckAsync(id, ct);
        var lines = new List<FrameLine>();
        await foreach (var (rows, values) in EvaluateAsync(info, ct))
        {
            lines.AddRange(Lines(rows, values));
        }

        return new FrameTable(info, lines);
    }

    private static IEnumerable<FrameLine> Lines(IReadOnlyList<StoredRow> rows, Value[][] values) =>
        rows.Select((row, place) => new FrameLine(row.Number, row.Label, Array.ConvertAll(values[place], value => value.Plain), row.Ids.GetValueOrDefault(Entity.User)));

    private async IAsyncEnumerable<(IReadOnlyList<StoredRow> Rows, Value[][] Values)> EvaluateAsync(FrameInfo info, [EnumeratorCancellation] CancellationToken ct)
    {
        var plan = new LeadPlan(registry, [.. info.Features.Select(name => registry.TryGet(name, out var feature) ? feature.Id : throw new FrameRefusedException($"There is no feature {name} any more."))]);
        var catalogue = new CatalogueHistory(database, rates);
        await catalogue.ReadOnAsync(info.LogPosition, ct);
        var evaluation = new FrameEvaluation(pointInTime, catalogue, info.LogPosition);
        var atOnce = Math.Max(1_000, options.Value.FrameCells / Math.Max(1, plan.Parts.Values.Sum(part => part.Steps.Count) + plan.Wanted.Count));
        var rows = new List<StoredRow>(atOnce);
        await foreach (var row in ReadSpineAsync(info.Id, ct))
        {
            rows.Add(row);
            if (rows.Count == atOnce)
            {
                yield return (rows, await evaluation.EvaluateAsync(plan, rows, ct));
                rows.Clear();
            }
        }

        if (rows.Count > 0)
        {
            yield return (rows, await evaluation.EvaluateAsync(plan, rows, ct));
        }
    }

    private async Task<FrameInfo> CheckAsync(Guid id, CancellationToken ct)
    {
        var (info, versions) = await FindWithVersionsAsync(id, ct) ?? throw new FrameRefusedException($"There is no frame {id}.");
        for (var i = 0; i < versions.Length; i++)
        {
            if (!registry.TryGet(info.Features[i], out var feature) || feature.Version != versions[i])
            {
                throw new FrameRefusedException($"The frame was made with version {versions[i]} of {info.Features[i]}, which is gone.");
            }
        }

        return info;
    }

    private async Task<(FrameInfo Info, int[] Versions)?> FindWithVersionsAsync(Guid id, CancellationToken ct)
    {
        await using var command = database.CreateCommand("select features, log_position, rows, sha256, created_at, versions from features.frames where id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct)
            ? (new FrameInfo(id, reader.GetFieldValue<string[]>(0), reader.GetInt64(1), reader.GetInt64(2), reader.IsDBNull(3) ? null : reader.GetString(3), reader.GetFieldValue<DateTimeOffset>(4)), reader.GetFieldValue<int[]>(5))
            : null;
    }

    private static async Task WriteSpineAsync(NpgsqlConnection connection, Guid id, IReadOnlyList<SpineRow> spine, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy features.frame_rows (frame_id, row, at, label, user_id, item_id, session_id, dealer_id, campaign_id, request) from stdin (format binary)", ct);
        for (var row = 0; row < spine.Count; row++)
        {
            var said = spine[row];
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(id, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync((long)row, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(said.At.UtcDateTime, NpgsqlDbType.TimestampTz, ct);
            await WriteAsync(said.Label, NpgsqlDbType.Double);
            foreach (var entity in new[] { said.UserId, said.ItemId, said.SessionId, said.DealerId, said.CampaignId })
            {
                await WriteAsync(entity, NpgsqlDbType.Text);
            }

            await WriteAsync(said.Request is { Count: > 0 } request ? JsonSerializer.Serialize(request) : null, NpgsqlDbType.Jsonb);
        }

        await copy.CompleteAsync(ct);

        Task WriteAsync<T>(T? value, NpgsqlDbType type) => value is null ? copy.WriteNullAsync(ct) : copy.WriteAsync(value, type, ct);
    }

    /// <summary>The spine in an order that keeps an entity's rows together, so that its facts are read once.</summary>
    private async IAsyncEnumerable<StoredRow> ReadSpineAsync(Guid id, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand("""
            select row, at, label, user_id, item_id, session_id, dealer_id, campaign_id, request::text from features.frame_rows
            where frame_id = $1 order by coalesce(user_id, item_id, dealer_id, campaign_id, session_id) collate "C", at, row
            """, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var ids = new Dictionary<Entity, string>();
            foreach (var (entity, column) in StoredRow.Columns)
            {
                if (!reader.IsDBNull(column))
                {
                    ids[entity] = reader.GetString(column);
                }
            }

            var said = reader.IsDBNull(8) ? Request.NoParameters : JsonSerializer.Deserialize<Dictionary<string, string>>(reader.GetString(8))!;
            yield return new StoredRow(reader.GetInt64(0), reader.IsDBNull(2) ? null : reader.GetDouble(2), reader.GetDateTime(1).Ticks, ids, said);
        }
    }
}

/// <summary>A row of a frame with its place in the spine and its label.</summary>
internal sealed record StoredRow(long Number, double? Label, long At, IReadOnlyDictionary<Entity, string> Ids, IReadOnlyDictionary<string, string> Parameters) : FrameRow(At, Ids, Parameters)
{
    /// <summary>Columns of ids in the stored spine and in the CSV.</summary>
    public static readonly (Entity Entity, int Column)[] Columns = [(Entity.User, 3), (Entity.Item, 4), (Entity.Session, 5), (Entity.Dealer, 6), (Entity.Campaign, 7)];
}

/// <summary>Answers <see cref="BuildFrame"/>.</summary>
internal static class BuildFrameHandler
{
    public static Task<FrameInfo> Handle(BuildFrame query, FrameStore frames, CancellationToken ct) => frames.CreateAsync(query, ct);
}

/// <summary>Answers <see cref="ReadFrame"/>.</summary>
internal static class ReadFrameHandler
{
    public static Task<FrameTable> Handle(ReadFrame query, FrameStore frames, CancellationToken ct) => frames.ReadAsync(query.Id, ct);
}

/// <summary>Answers <see cref="BuildFrameTable"/>.</summary>
internal static class BuildFrameTableHandler
{
    public static Task<FrameTable> Handle(BuildFrameTable query, FrameStore frames, CancellationToken ct) => frames.CreateTableAsync(query.Frame, query.Take, ct);
}
