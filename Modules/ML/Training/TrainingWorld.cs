using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using OKLA.ML.Datasets;
using OKLA.ML.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Training;

/// <summary>Time and settings of a run whose data are no table; with what it read they are enough to make it again.</summary>
/// <param name="At">The time that it took for now.</param>
/// <param name="Threads">Threads used.</param>
/// <param name="HoldOutShare">Share of the newest data that it was measured on.</param>
/// <param name="Price">Knobs of the price model.</param>
/// <param name="Recommender">Knobs of the recommenders.</param>
/// <param name="Rates">Exchange rates.</param>
/// <param name="Read">Checksum of all that it read.</param>
internal sealed record WorldRecipe(
    DateTimeOffset At, int Threads, double HoldOutShare, PriceKnobs Price, RecommenderKnobs Recommender, IReadOnlyList<ExchangeRate> Rates, string Read);

/// <summary>
/// What a training may know beside its own code: a time that stands still, settings, and answers of the bus and the log. In a first run it writes down what is
/// read; a run that is made again reads that, or asks the log once more as of that time.
/// </summary>
internal sealed class TrainingWorld : IMessageBus, IDisposable
{
    /// <summary>More is not kept, and has to be read from the log again: some four million interactions.</summary>
    private const long MostKept = 256L << 20;

    private static readonly JsonSerializerOptions Json = new(EventJson.Options)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, Converters = { new RawJson(), new Packed<int>(), new Packed<long>(), new Packed<float>() },
    };

    private readonly IMessageBus bus;
    private readonly IReadOnlyDictionary<string, ReadOnlyMemory<byte>>? kept;
    private readonly TemporaryFile file = new();
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private FileStream? written;
    private long bytes;

    private TrainingWorld(IMessageBus bus, WorldRecipe recipe, IReadOnlyDictionary<string, ReadOnlyMemory<byte>>? kept)
    {
        this.bus = bus;
        this.kept = kept;
        Start = recipe;
        Clock = new StandingClock(recipe.At);
        Options = new MLOptions { TrainingThreads = recipe.Threads, HoldOutShare = recipe.HoldOutShare, Price = recipe.Price, Recommender = recipe.Recommender };
        var money = new MoneyOptions();
        foreach (var rate in recipe.Rates)
        {
            money.Rates.Add(rate);
        }

        Rates = new ExchangeRates(money);
    }

    /// <summary>The time of the run.</summary>
    public TimeProvider Clock { get; }

    /// <summary>The settings that are kept with it, and no others.</summary>
    public MLOptions Options { get; }

    /// <summary>The exchange rates.</summary>
    public ExchangeRates Rates { get; }

    /// <summary>Whether anything was read through it.</summary>
    public bool Used => bytes > 0;

    /// <summary>Whether it reads what an earlier run kept; otherwise the log.</summary>
    public bool FromKept => kept is not null;

    /// <summary>The recipe of the run; after its last reading.</summary>
    public WorldRecipe Recipe => Start with { Read = Convert.ToHexStringLower(hash.GetCurrentHash()) };

    /// <summary>The recipe that it was made from.</summary>
    public WorldRecipe Start { get; }

    /// <summary>The world as it is now, for a first run.</summary>
    public static TrainingWorld Now(IMessageBus bus, MLOptions options, ExchangeRates rates, TimeProvider clock) =>
        new(bus, new WorldRecipe(clock.GetUtcNow(), options.Threads, options.HoldOutShare, options.Price, options.Recommender, rates.Rates, ""), null);

    /// <summary>The world of an earlier run.</summary>
    /// <param name="bus">The bus.</param>
    /// <param name="recipe">What the run kept.</param>
    /// <param name="kept">What it read; null when that is not kept.</param>
    /// <param name="ct">Stops it.</param>
    public static async Task<TrainingWorld> AgainAsync(IMessageBus bus, WorldRecipe recipe, Stream? kept, CancellationToken ct)
    {
        if (kept is null)
        {
            return new TrainingWorld(bus, recipe, null);
        }

        var answers = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        await foreach (var (question, answer) in ReadingsAsync(kept, ct))
        {
            answers.TryAdd(question, answer);
        }

        return new TrainingWorld(bus, recipe, answers);
    }

    /// <summary>Questions and answers, as they were written down.</summary>
    public static async IAsyncEnumerable<(string Question, ReadOnlyMemory<byte> Answer)> ReadingsAsync(Stream kept, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        // JSON without indents holds no line break, so that one ends each part.
        using var all = new MemoryStream();
        await kept.CopyToAsync(all, ct);
        var rest = new ReadOnlyMemory<byte>(all.GetBuffer(), 0, (int)all.Length);
        while (rest.Length > 0)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            var question = Encoding.UTF8.GetString(rest.Span[..end]);
            rest = rest[(end + 1)..];
            end = rest.Span.IndexOf((byte)'\n');
            yield return (question, rest[..end]);
            rest = rest[(end + 1)..];
        }
    }

    /// <summary>All that was read, to be kept; null when it is too much or nothing.</summary>
    public async Task<Stream?> WrittenAsync(CancellationToken ct)
    {
        if (written is null || bytes > MostKept)
        {
            return null;
        }

        await written.FlushAsync(ct);
        return new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <summary>Reads something that is not asked of the bus.</summary>
    /// <param name="question">What tells it from other readings.</param>
    /// <param name="ask">Reads it as it is known at the time of the run.</param>
    /// <param name="ct">Stops it.</param>
    /// <exception cref="InvalidDataException">The earlier run did not read that.</exception>
    public async Task<T> ReadAsync<T>(string question, Func<Task<T>> ask, CancellationToken ct)
    {
        if (kept is not null)
        {
            bytes++;
            return kept.TryGetValue(question, out var known) ? JsonSerializer.Deserialize<T>(known.Span, Json)!
                : throw new InvalidDataException("The training reads something else than the run did: its code has changed since.");
        }

        var answer = await ask();
        await using var target = new Tally(this);
        await target.WriteAsync(Encoding.UTF8.GetBytes(question + "\n"), ct);
        await JsonSerializer.SerializeAsync(target, answer, Json, ct);
        await target.WriteAsync("\n"u8.ToArray(), ct);
        return answer;
    }

    // What a simulation knows stands beside the figures and is not learned from.
    public Task<T> InvokeAsync<T>(object message, CancellationToken ct = default) => typeof(T) == typeof(TrueProbabilities) || typeof(T) == typeof(TrueCampaignHours)
        ? bus.InvokeAsync<T>(message, ct)
        : ReadAsync($"{message.GetType().Name} {JsonSerializer.Serialize(message, message.GetType(), Json)}", () => bus.InvokeAsync<T>(message, ct), ct);

    public Task InvokeAsync(object message, CancellationToken ct = default) => throw new NotSupportedException("A training commands nothing.");

    public ValueTask PublishAsync(object message, CancellationToken ct = default) => throw new NotSupportedException("A training publishes nothing.");

    public void Dispose()
    {
        written?.Dispose();
        file.Dispose();
        hash.Dispose();
    }

    private sealed class StandingClock(DateTimeOffset at) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => at;
    }

    /// <summary>Takes what is read into the checksum, and into the file as long as it is not too much.</summary>
    private sealed class Tally(TrainingWorld world) : OneWayStream
    {
        public override bool CanWrite => true;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            world.hash.AppendData(buffer.Span);
            world.bytes += buffer.Length;
            if (world.bytes <= MostKept)
            {
                world.written ??= new FileStream(world.file.Path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
                await world.written.WriteAsync(buffer, cancellationToken);
            }
        }
    }

    /// <summary>Bodies of events, which are JSON already: as such, so that an erased person's id is found in them.</summary>
    private sealed class RawJson : JsonConverter<ReadOnlyMemory<byte>>
    {
        public override ReadOnlyMemory<byte> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => JsonSerializer.SerializeToUtf8Bytes(JsonElement.ParseValue(ref reader));

        public override void Write(Utf8JsonWriter writer, ReadOnlyMemory<byte> value, JsonSerializerOptions options) => writer.WriteRawValue(value.Span);
    }

    /// <summary>Arrays of numbers by their bits, a piece of a megabyte at a time: millions of them are written and read at once.</summary>
    private sealed class Packed<T> : JsonConverter<T[]>
        where T : unmanaged
    {
        private const int Piece = 1 << 20;

        public override T[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var all = new MemoryStream();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                all.Write(reader.GetBytesFromBase64());
            }

            return MemoryMarshal.Cast<byte, T>(all.GetBuffer().AsSpan(0, (int)all.Length)).ToArray();
        }

        public override void Write(Utf8JsonWriter writer, T[] value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            for (var rest = MemoryMarshal.AsBytes(value.AsSpan()); rest.Length > 0; rest = rest[Math.Min(Piece, rest.Length)..])
            {
                writer.WriteBase64StringValue(rest[..Math.Min(Piece, rest.Length)]);
            }

            writer.WriteEndArray();
        }
    }
}
