using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OKLA.Sdk;

/// <summary>
/// Sends events from a server to OKLA. One file that needs nothing but .NET 8 or newer (C# 12, implicit usings): copy it from <c>/sdk/OklaClient.cs</c>.
/// <code>
/// await using var okla = new OklaClient(http, new Uri("https://okla.example/api/events"), apiKey);
/// okla.Track(new OklaEvent("sold") { ItemId = "car-1042", Properties = new { amount = 950_000, currency = "DOP" } });   // later, in a batch
/// var outcomes = await okla.SendAsync([new OklaEvent("contacted") { UserId = "user-7", ItemId = "car-1042" }]);         // now: on OKLA's disk when it returns
/// </code>
/// An event has its id from the beginning, so what is sent twice counts once. What <see cref="Track"/> took lies in memory until it is sent: an event that must outlive a
/// crash of this process goes by <see cref="SendAsync"/>, or into a table of yours first.
/// </summary>
/// <remarks>
/// Refusals that will not change (400, 413, 422) are narrowed down by halves to the event at fault, which is given up and told to
/// <see cref="Lost"/>. Everything else is tried again after a random time that doubles up to a minute, never before the server's <c>Retry-After</c>.
/// Safe for any number of threads.
/// </remarks>
public sealed class OklaClient : IAsyncDisposable
{
    /// <summary>Most events of one request.</summary>
    public const int MaxBatch = 500;

    private const int MaxBytes = 900_000;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly HttpClient http;
    private readonly Uri address;
    private readonly string apiKey;
    private readonly TimeProvider clock;
    private readonly Random random;
    private readonly object gate = new();
    private readonly Queue<OklaEvent> waiting = new();
    private readonly SemaphoreSlim arrived = new(0);
    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource givingUp = new();
    private readonly Task sending;

    /// <summary>Starts to send.</summary>
    /// <param name="http">For the whole life of the client; it stays the caller's.</param>
    /// <param name="address">Where events go: <c>https://…/api/events</c>.</param>
    /// <param name="apiKey">A server's key of scope events:write.</param>
    /// <param name="clock">For tests; the system's when left out.</param>
    /// <param name="random">For tests; spreads the times of trying again.</param>
    public OklaClient(HttpClient http, Uri address, string apiKey, TimeProvider? clock = null, Random? random = null)
    {
        this.http = http;
        this.address = address;
        this.apiKey = apiKey;
        this.clock = clock ?? TimeProvider.System;
        this.random = random ?? Random.Shared;
        sending = Task.Run(SendWaitingAsync);
    }

    /// <summary>Hears of an event that is given up, and why: rejected by the server, or the queue was full. Its handlers must not throw.</summary>
    public event Action<OklaEvent, string>? Lost;

    /// <summary>Most events that wait; more are given up. 10,000 unless set.</summary>
    public int Capacity { get; init; } = 10_000;

    /// <summary>How long <see cref="DisposeAsync"/> goes on sending what waits. 10 seconds unless set.</summary>
    public TimeSpan Farewell { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Number of events that wait.</summary>
    public int Waiting
    {
        get
        {
            lock (gate) return waiting.Count;
        }
    }

    /// <summary>Takes an event to send it soon. False when the queue is full and the event is given up.</summary>
    /// <exception cref="JsonException">Its context or properties cannot be written as JSON.</exception>
    public bool Track(OklaEvent item)
    {
        ArgumentNullException.ThrowIfNull(item);
        ObjectDisposedException.ThrowIf(stopping.IsCancellationRequested, this);
        var at = Fixed(item);
        lock (gate)
        {
            if (waiting.Count < Capacity)
            {
                waiting.Enqueue(at);
                arrived.Release();
                return true;
            }
        }

        Lost?.Invoke(at, "The queue is full.");
        return false;
    }

    /// <summary>Sends events and answers what became of them, in order, when the accepted ones are on OKLA's disk. Tries again until then.</summary>
    /// <exception cref="HttpRequestException">The server refuses the key or the address (401, 403, 404).</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the events may have arrived, and sending the same ones again is safe.</exception>
    public async Task<IReadOnlyList<OklaOutcome>> SendAsync(IReadOnlyList<OklaEvent> events, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(events);
        var outcomes = new List<OklaOutcome>(events.Count);
        var all = events.Select(Fixed).ToList();
        for (var from = 0; from < all.Count; from += MaxBatch)
        {
            await SendBatchAsync(all.GetRange(from, Math.Min(MaxBatch, all.Count - from)), outcomes, patient: false, ct);
        }

        return outcomes;
    }

    /// <summary>Sends what waits, for as long as <see cref="Farewell"/> lasts, and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested) return;
        await stopping.CancelAsync();
        arrived.Release();
        givingUp.CancelAfter(Farewell);
        await sending;
        givingUp.Dispose();
        stopping.Dispose();
        arrived.Dispose();
    }

    // The time is now, and what the caller changes later does not change the event.
    private OklaEvent Fixed(OklaEvent item) => item with
    {
        OccurredAt = item.OccurredAt ?? clock.GetUtcNow(),
        Context = item.Context is null ? null : JsonSerializer.SerializeToElement(item.Context, Json),
        Properties = item.Properties is null ? null : JsonSerializer.SerializeToElement(item.Properties, Json),
    };

    private async Task SendWaitingAsync()
    {
        while (true)
        {
            await arrived.WaitAsync();
            var batch = Take();
            if (batch.Count == 0)
            {
                if (stopping.IsCancellationRequested) return;
                continue;
            }

            try
            {
                await SendBatchAsync(batch, [], patient: true, givingUp.Token);
            }
            catch (OperationCanceledException)
            {
                batch.AddRange(Take(int.MaxValue));
                batch.ForEach(item => Lost?.Invoke(item, "The client was closed before the server took it."));
                return;
            }
        }
    }

    private List<OklaEvent> Take(int most = MaxBatch)
    {
        var batch = new List<OklaEvent>();
        lock (gate)
        {
            while (batch.Count < most && waiting.TryDequeue(out var item)) batch.Add(item);
            // The next round is due for what is left, and for the end.
            if (waiting.Count > 0 || (batch.Count > 0 && stopping.IsCancellationRequested)) arrived.Release();
        }

        return batch;
    }

    /// <summary>Sends one batch until every event of it has an outcome.</summary>
    private async Task SendBatchAsync(List<OklaEvent> batch, List<OklaOutcome> outcomes, bool patient, CancellationToken ct)
    {
        for (var failures = 0; ; failures++)
        {
            var (status, answer, asked) = await PostAsync(batch, ct);
            switch (status)
            {
                case HttpStatusCode.Accepted when answer is not null:
                    outcomes.AddRange(answer);
                    foreach (var (item, outcome) in batch.Zip(answer))
                    {
                        if (outcome.Status == "rejected") Lost?.Invoke(item, $"{outcome.Field}: {outcome.Reason}");
                    }

                    return;
                case HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity when batch.Count > 1:
                    await SendBatchAsync(batch[..(batch.Count / 2)], outcomes, patient, ct);
                    await SendBatchAsync(batch[(batch.Count / 2)..], outcomes, patient, ct);
                    return;
                case HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity:
                    outcomes.Add(new OklaOutcome(batch[0].Id, "rejected", null, $"The server answers {(int)status}."));
                    Lost?.Invoke(batch[0], outcomes[^1].Reason!);
                    return;
                case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound when !patient:
                    throw new HttpRequestException($"{address} answers {(int)status}.", null, status);
                default:
                    break;
            }

            var longest = Math.Min(LongestWait.TotalSeconds, Math.Pow(2, Math.Min(failures, 10)));
            await Task.Delay(asked + TimeSpan.FromSeconds(0.1 + (random.NextDouble() * longest)), clock, ct);
        }
    }

    private async Task<(HttpStatusCode Status, List<OklaOutcome>? Answer, TimeSpan Asked)> PostAsync(List<OklaEvent> batch, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var body = JsonSerializer.SerializeToUtf8Bytes(batch.Select(item => item with { SentAt = now }), Json);
        if (body.Length > MaxBytes && batch.Count > 1) return (HttpStatusCode.RequestEntityTooLarge, null, TimeSpan.Zero);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(Compress(body)) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Content.Headers.ContentEncoding.Add("gzip");
            request.Headers.Add("X-Api-Key", apiKey);
            using var response = await http.SendAsync(request, ct);
            var retry = response.Headers.RetryAfter;
            var asked = retry?.Delta ?? (retry?.Date - clock.GetUtcNow()) ?? TimeSpan.Zero;
            var answer = response.StatusCode == HttpStatusCode.Accepted ? JsonSerializer.Deserialize<Receipt>(await response.Content.ReadAsByteArrayAsync(ct), Json)?.Outcomes : null;
            return (response.StatusCode, answer, asked < TimeSpan.Zero ? TimeSpan.Zero : asked);
        }
        catch (Exception broken) when (broken is HttpRequestException or JsonException || (broken is OperationCanceledException && !ct.IsCancellationRequested))
        {
            // Not reached, or the answer broke off: it may have arrived, and the same ids go again.
            return (HttpStatusCode.ServiceUnavailable, null, TimeSpan.Zero);
        }
    }

    private static byte[] Compress(byte[] body)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(body);
        return packed.ToArray();
    }

    private sealed record Receipt(List<OklaOutcome>? Outcomes);
}

/// <summary>Something that happened.</summary>
/// <param name="Type">snake_case name, such as <c>contacted</c>; <c>GET /api/events/schemas</c> lists them.</param>
public sealed record OklaEvent(string Type)
{
    /// <summary>Identity; an event that is sent again has the same one.</summary>
    public Guid Id { get; init; } = Guid.NewGuid();

    /// <summary>When it happened; now when left out.</summary>
    public DateTimeOffset? OccurredAt { get; init; }

    /// <summary>Set when it is sent.</summary>
    public DateTimeOffset? SentAt { get; init; }

    /// <summary>The browser's identity, as the SDK's <c>anonymousId()</c> says it.</summary>
    public string? AnonymousId { get; init; }

    /// <summary>The signed-in person.</summary>
    public string? UserId { get; init; }

    /// <summary>The visit.</summary>
    public string? SessionId { get; init; }

    /// <summary>The item of the catalogue that it is about.</summary>
    public string? ItemId { get; init; }

    /// <summary>Where it happened, and <c>consent</c>: necessary, analytics or marketing.</summary>
    public object? Context { get; init; }

    /// <summary>What the type says about it: an object or a dictionary.</summary>
    public object? Properties { get; init; }
}

/// <summary>What became of an event.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="Status">accepted, repeated or rejected.</param>
/// <param name="Field">The field at fault, of a rejected one.</param>
/// <param name="Reason">What is wrong with it, of a rejected one.</param>
public sealed record OklaOutcome(Guid? Id, string Status, string? Field, string? Reason);
