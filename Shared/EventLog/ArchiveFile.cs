using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OKLA.Shared.EventLog;

/// <summary>What a file holds, counted while it was written or read.</summary>
internal sealed class ArchiveContent
{
    private readonly Dictionary<string, SortedSet<short>> versions = new(StringComparer.Ordinal);

    public long Events { get; private set; }

    public long FirstPosition { get; private set; }

    public long LastPosition { get; private set; }

    public DateTimeOffset? FirstKnownAt { get; private set; }

    public DateTimeOffset? LastKnownAt { get; private set; }

    public IReadOnlyDictionary<string, short[]> SchemaVersions => versions.ToDictionary(pair => pair.Key, pair => pair.Value.ToArray());

    /// <summary>Counts an event.</summary>
    /// <exception cref="FormatException">Its position is not above the one before.</exception>
    public void Add(RecordedEvent item)
    {
        if (item.Position <= LastPosition)
        {
            throw new FormatException($"Position {item.Position} follows {LastPosition}.");
        }

        FirstPosition = Events++ == 0 ? item.Position : FirstPosition;
        LastPosition = item.Position;
        FirstKnownAt = FirstKnownAt is { } first && first <= item.KnownAt ? first : item.KnownAt;
        LastKnownAt = LastKnownAt is { } last && last >= item.KnownAt ? last : item.KnownAt;
        if (!versions.TryGetValue(item.Type, out var ofType))
        {
            versions[item.Type] = ofType = [];
        }

        ofType.Add(item.SchemaVersion);
    }

    /// <summary>Whether it is what a manifest says.</summary>
    public bool Fits(ArchiveManifest manifest) => (Events, FirstPosition, LastPosition) == (manifest.Events, manifest.FirstPosition, manifest.LastPosition);
}

/// <summary>The files of the archive: gzip of one JSON object a line, in the order of the log.</summary>
internal static class ArchiveFile
{
    /// <summary>
    /// The line of an event (SQL over <c>events.mt_events e</c>). PostgreSQL writes all of it, so that a text in it is escaped as
    /// <c>to_json</c> escapes it and a search for that form misses nothing.
    /// </summary>
    public const string Line = """
        '{"position":' || e.seq_id || ',"id":"' || e.id || '","stream":' || to_json(e.stream_id::text)::text || ',"version":' || e.version || ',"type":' || to_json(e.type::text)::text
        || ',"schemaVersion":' || e.schema_version || ',"occurredAt":"' || to_char(e.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || '","knownAt":"' || to_char(e.timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '","data":' || e.data::text || '}'
        """;

    private static readonly JsonReaderOptions Deep = new() { MaxDepth = 512 };

    /// <summary>Opens a file for lines; what is written is on the disk when it is closed with <see cref="Writer.FinishAsync"/>.</summary>
    public static Writer Create(string path) => new(path);

    /// <summary>The lines of a file. A line is valid until the next one is asked for.</summary>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> LinesAsync(string path, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
        await using var gzip = new GZipStream(file, CompressionMode.Decompress);
        var pipe = PipeReader.Create(gzip, new StreamPipeReaderOptions(bufferSize: 1 << 18, minimumReadSize: 1 << 16));
        while (true)
        {
            var read = await pipe.ReadAsync(ct);
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                var line = rest.Slice(0, end);
                yield return line.IsSingleSegment ? line.First : line.ToArray();
                rest = rest.Slice(rest.GetPosition(1, end));
            }

            pipe.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
            {
                if (!rest.IsEmpty)
                {
                    throw new InvalidDataException("The last line is cut off.");
                }

                break;
            }
        }

        await pipe.CompleteAsync();
    }

    /// <summary>Reads a line.</summary>
    /// <exception cref="JsonException">No such line.</exception>
    public static RecordedEvent Parse(ReadOnlyMemory<byte> line)
    {
        var json = new Utf8JsonReader(line.Span, Deep);
        long position = 0, version = 0;
        short schemaVersion = 0;
        Guid id = default;
        string? stream = null, type = null;
        DateTimeOffset occurredAt = default, knownAt = default;
        ReadOnlyMemory<byte> data = default;
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString();
            json.Read();
            switch (name)
            {
                case "position": position = json.GetInt64(); break;
                case "id": id = json.GetGuid(); break;
                case "stream": stream = json.GetString(); break;
                case "version": version = json.GetInt64(); break;
                case "type": type = json.GetString(); break;
                case "schemaVersion": schemaVersion = json.GetInt16(); break;
                case "occurredAt": occurredAt = json.GetDateTimeOffset(); break;
                case "knownAt": knownAt = json.GetDateTimeOffset(); break;
                case "data":
                    var start = (int)json.TokenStartIndex;
                    json.Skip();
                    data = line[start..(int)json.BytesConsumed];
                    break;
                default: throw new JsonException($"A line has a field {name}.");
            }
        }

        return stream is null || type is null || position < 1 || data.IsEmpty || json.BytesConsumed != line.Length
            ? throw new JsonException("A line is no event.")
            : new RecordedEvent(position, id, stream, version, type, schemaVersion, data, occurredAt, knownAt);
    }

    /// <summary>The line of an event, stream and body given in JSON as PostgreSQL writes it.</summary>
    public static byte[] Write(RecordedEvent item, string streamJson, string dataJson) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
        $$"""{"position":{{item.Position}},"id":"{{item.Id}}","stream":{{streamJson}},"version":{{item.Version}},"type":{{JsonSerializer.Serialize(item.Type)}},"schemaVersion":{{item.SchemaVersion}},"occurredAt":"{{item.OccurredAt.UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffffZ}}","knownAt":"{{item.KnownAt.UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffffZ}}","data":{{dataJson}}}"""));

    /// <summary>Reads a whole file: its hash and size, the hash of its lines and what they hold.</summary>
    /// <exception cref="ArchiveException">It cannot be read to its end.</exception>
    public static async Task<(ArchiveContent Content, string LinesHash, string Sha256, long Bytes)> ReadAsync(string path, CancellationToken ct)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
            var sha = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct));
            var content = new ArchiveContent();
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await foreach (var line in LinesAsync(path, ct))
            {
                hash.AppendData(line.Span);
                content.Add(Parse(line));
            }

            return (content, Convert.ToHexStringLower(hash.GetHashAndReset()), sha, file.Length);
        }
        catch (Exception damage) when (damage is IOException or UnauthorizedAccessException or InvalidDataException or JsonException or FormatException or InvalidOperationException)
        {
            throw new ArchiveException($"{Path.GetFileName(path)} cannot be read: {damage.Message}", damage);
        }
    }

    /// <summary>Writes lines to a new file.</summary>
    internal sealed class Writer : IAsyncDisposable
    {
        private static readonly byte[] NewLine = [(byte)'\n'];
        private readonly FileStream file;
        private readonly GZipStream gzip;
        private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public Writer(string path)
        {
            file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
            gzip = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true);
        }

        public void Add(ReadOnlySpan<byte> line)
        {
            hash.AppendData(line);
            gzip.Write(line);
            gzip.Write(NewLine);
        }

        /// <summary>Ends the file; it is on the disk after that.</summary>
        /// <returns>SHA-256 of the lines.</returns>
        public async Task<string> FinishAsync()
        {
            await gzip.DisposeAsync();
            file.Flush(flushToDisk: true);
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }

        public async ValueTask DisposeAsync()
        {
            hash.Dispose();
            await file.DisposeAsync();
        }
    }
}
