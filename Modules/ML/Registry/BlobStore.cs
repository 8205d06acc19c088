using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Npgsql;

namespace OKLA.ML.Registry;

/// <summary>Bytes that the store holds.</summary>
/// <param name="Sha256">Their checksum in hexadecimal, which is their name.</param>
/// <param name="Bytes">Their number.</param>
/// <param name="StoredBytes">What they take up, compressed.</param>
internal sealed record BlobInfo(string Sha256, long Bytes, long StoredBytes);

/// <summary>
/// Bytes by their SHA-256, compressed, in PostgreSQL or in the folder <c>ML:Artefacts:Folder</c>. Written and read as streams, a chunk in memory at a time. A blob is
/// seen when it is whole; what was read is checked against its name; what a foreign key refers to cannot be deleted.
/// </summary>
internal sealed class BlobStore(NpgsqlDataSource database, IOptions<MLOptions> options, TimeProvider clock)
{
    private const int ChunkBytes = 4 << 20;
    private const string LockKey = "hashtextextended('ml.blob.' || $1, 0)";

    private string? Folder => options.Value.Artefacts.Folder;

    /// <summary>Keeps the rest of a stream in a transaction of its own. Bytes that are there already are not kept twice.</summary>
    public async Task<BlobInfo> WriteAsync(Stream content, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var info = await WriteAsync(transaction, content, ct);
        await transaction.CommitAsync(ct);
        return info;
    }

    /// <summary>Keeps the rest of a stream together with what the caller's transaction writes to refer to it, or not at all.</summary>
    public async Task<BlobInfo> WriteAsync(NpgsqlTransaction transaction, Stream content, CancellationToken ct)
    {
        await using var number = new NpgsqlCommand("select nextval('ml.blob_ids')", transaction.Connection);
        var id = (long)(await number.ExecuteScalarAsync(ct))!;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var draft = Folder is null ? null : Draft();
        try
        {
            await using Stream target = draft is null ? new ChunkWriter(transaction.Connection!, id) : new FileStream(draft, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
            var bytes = 0L;
            await using (var packed = new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true))
            {
                var buffer = new byte[1 << 17];
                int read;
                while ((read = await content.ReadAsync(buffer, ct)) > 0)
                {
                    hash.AppendData(buffer, 0, read);
                    await packed.WriteAsync(buffer.AsMemory(0, read), ct);
                    bytes += read;
                }
            }

            await target.FlushAsync(ct);
            var info = new BlobInfo(Convert.ToHexStringLower(hash.GetHashAndReset()), bytes, target.Position);
            if (target is FileStream file)
            {
                file.Flush(flushToDisk: true);
            }

            // Until the transaction ends nobody deletes these bytes, from the table or from the folder.
            await using var turn = new NpgsqlCommand($"select pg_advisory_xact_lock({LockKey})", transaction.Connection) { Parameters = { new() { Value = info.Sha256 } } };
            await turn.ExecuteNonQueryAsync(ct);
            if (draft is not null)
            {
                await target.DisposeAsync();
                Directory.CreateDirectory(Path.GetDirectoryName(PathOf(info.Sha256))!);
                File.Move(draft, PathOf(info.Sha256), overwrite: true);
            }

            return await RegisterAsync(transaction, id, info, ct);
        }
        finally
        {
            if (draft is not null)
            {
                File.Delete(draft);
            }
        }
    }

    /// <summary>The bytes of that checksum from their beginning, unpacked as they are read; false bytes end in an <see cref="InvalidDataException"/> at the latest at their end.</summary>
    /// <exception cref="InvalidDataException">There is no such blob, or its file is gone.</exception>
    public async Task<Stream> OpenAsync(string sha256, CancellationToken ct)
    {
        await using var command = database.CreateCommand("select id, bytes, in_folder from ml.blobs where sha256 = $1");
        command.Parameters.Add(new() { Value = sha256 });
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
        {
            throw new InvalidDataException($"There is no blob {sha256}.");
        }

        var (id, bytes, inFolder) = (row.GetInt64(0), row.GetInt64(1), row.GetBoolean(2));
        Stream stored = inFolder ? OpenFile(sha256) : new ChunkReader(database, id);
        return new VerifiedStream(new GZipStream(stored, CompressionMode.Decompress), sha256, bytes);
    }

    /// <summary>Deletes bytes that nothing refers to any more; false when something does, or when there are none.</summary>
    public async Task<bool> DeleteAsync(string sha256, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var turn = new NpgsqlCommand($"select pg_advisory_lock({LockKey})", connection) { Parameters = { new() { Value = sha256 } } };
        await turn.ExecuteNonQueryAsync(ct);
        try
        {
            await using var command = new NpgsqlCommand("delete from ml.blobs where sha256 = $1 returning in_folder", connection) { Parameters = { new() { Value = sha256 } } };
            if (await command.ExecuteScalarAsync(ct) is not bool inFolder)
            {
                return false;
            }

            if (inFolder && Folder is not null)
            {
                File.Delete(PathOf(sha256));
            }

            return true;
        }
        catch (PostgresException used) when (used.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            return false;
        }
        finally
        {
            await using var done = new NpgsqlCommand($"select pg_advisory_unlock({LockKey})", connection) { Parameters = { new() { Value = sha256 } } };
            await done.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    private async Task<BlobInfo> RegisterAsync(NpgsqlTransaction transaction, long id, BlobInfo info, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            insert into ml.blobs as b (sha256, id, bytes, stored_bytes, in_folder, created_at) values ($1, $2, $3, $4, $5, $6)
            on conflict (sha256) do update set bytes = b.bytes returning id, stored_bytes, in_folder
            """, transaction.Connection);
        foreach (var value in new object[] { info.Sha256, id, info.Bytes, info.StoredBytes, Folder is not null, clock.GetUtcNow().UtcDateTime })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        var (known, stored) = (row.GetInt64(0), row.GetInt64(1));
        await row.DisposeAsync();
        if (known != id)
        {
            await using var spare = new NpgsqlCommand("delete from ml.blob_chunks where blob = $1", transaction.Connection) { Parameters = { new() { Value = id } } };
            await spare.ExecuteNonQueryAsync(ct);
        }

        return info with { StoredBytes = stored };
    }

    private FileStream OpenFile(string sha256)
    {
        if (Folder is null || !File.Exists(PathOf(sha256)))
        {
            throw new InvalidDataException($"The file of blob {sha256} is not in the folder of ML:Artefacts:Folder ({Folder ?? "not set"}).");
        }

        return new FileStream(PathOf(sha256), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16);
    }

    private string Draft()
    {
        Directory.CreateDirectory(Folder!);
        return Path.Combine(Folder!, $"draft-{Guid.NewGuid():N}");
    }

    private string PathOf(string sha256) => Path.Combine(Folder!, sha256[..2], sha256 + ".gz");

    /// <summary>Takes bytes and writes them as rows of <see cref="ChunkBytes"/>.</summary>
    private sealed class ChunkWriter(NpgsqlConnection connection, long blob) : OneWayStream
    {
        private readonly byte[] chunk = new byte[ChunkBytes];
        private int filled;
        private int number;
        private long total;

        public override bool CanWrite => true;

        public override long Position { get => total; set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            while (buffer.Length > 0)
            {
                var part = Math.Min(buffer.Length, ChunkBytes - filled);
                buffer[..part].CopyTo(chunk.AsMemory(filled));
                (filled, total, buffer) = (filled + part, total + part, buffer[part..]);
                if (filled == ChunkBytes)
                {
                    await FlushAsync(cancellationToken);
                }
            }
        }

        public override async Task FlushAsync(CancellationToken cancellationToken)
        {
            // The packer flushes at its own end only with what is left in it; a short row may be followed by others.
            if (filled == 0)
            {
                return;
            }

            await using var command = new NpgsqlCommand("insert into ml.blob_chunks (blob, number, bytes) values ($1, $2, $3)", connection)
            {
                Parameters = { new() { Value = blob }, new() { Value = number++ }, new() { Value = new ReadOnlyMemory<byte>(chunk, 0, filled) } },
            };
            await command.ExecuteNonQueryAsync(cancellationToken);
            filled = 0;
        }
    }

    /// <summary>Reads the rows of a blob one after the other; holds no connection in between.</summary>
    private sealed class ChunkReader(NpgsqlDataSource database, long blob) : OneWayStream
    {
        private ReadOnlyMemory<byte> chunk;
        private int number;

        public override bool CanRead => true;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (chunk.Length == 0)
            {
                await using var command = database.CreateCommand("select bytes from ml.blob_chunks where blob = $1 and number = $2");
                command.Parameters.Add(new() { Value = blob });
                command.Parameters.Add(new() { Value = number++ });
                chunk = await command.ExecuteScalarAsync(cancellationToken) as byte[] ?? [];
            }

            var part = Math.Min(buffer.Length, chunk.Length);
            chunk[..part].CopyTo(buffer);
            chunk = chunk[part..];
            return part;
        }
    }

    /// <summary>Hands bytes through and compares them with their checksum when they end.</summary>
    private sealed class VerifiedStream(Stream inner, string sha256, long bytes) : OneWayStream
    {
        private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private long total;
        private bool ended;

        public override bool CanRead => true;

        public override long Length => bytes;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (ended || buffer.Length == 0)
            {
                return 0;
            }

            var read = await inner.ReadAsync(buffer, cancellationToken);
            hash.AppendData(buffer.Span[..read]);
            total += read;
            ended = read == 0;
            return ended && (total != bytes || Convert.ToHexStringLower(hash.GetHashAndReset()) != sha256)
                ? throw new InvalidDataException($"Blob {sha256} is damaged: its checksum does not match.")
                : read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
                hash.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
