using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Models;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Registry;
using OKLA.ML.Rollout;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Serving;

/// <summary>Which versions of a model answer now.</summary>
/// <param name="Version">The one that serves.</param>
/// <param name="Previous">The one before it.</param>
/// <param name="Rollout">The rollout under way.</param>
internal sealed record LiveVersions(int Version, int? Previous, ActiveRollout? Rollout);

/// <summary>Told by a host when it turns to another version of a model, whichever process published it, and of each when it starts.</summary>
internal sealed record VersionServes(string Model, int Version);

/// <summary>A version in memory.</summary>
internal sealed record ServedVersion(string Model, int Version, IServedModel Answers, int Bytes)
{
    /// <summary>Names of its inputs, in the order of a row.</summary>
    public string[] Names { get; } = [.. Answers.Signature.Inputs.Select(input => input.Name)];

    /// <summary>Places of its inputs by name.</summary>
    public Dictionary<string, int> Places { get; } = RowReader.Places(Answers.Signature);
}

/// <summary>
/// The versions that answer rows, in memory: read when first asked for, the ones asked longest ago let go when there is too much. One loop looks for
/// publications and rollouts every few seconds and loads what is new of a model in use, and asks it a few times, before requests turn to it, so that none of them waits for it.
/// </summary>
internal sealed class ServedModels(ModelCatalog catalog, ModelRegistry registry, NpgsqlDataSource database, IMessageBus bus, IOptions<MLOptions> options, TimeProvider clock, ILogger<ServedModels> logger)
    : BackgroundService
{
    /// <summary>How long a version that could not be read is left alone.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);

    /// <summary>Between looks that requests bring about.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(250);

    /// <summary>The runtime compiles anew, and well, what was called thirty times.</summary>
    private const int MostWarmUps = 35;

    /// <summary>What warming a version up may take; a clock that stands still leaves it at <see cref="MostWarmUps"/>.</summary>
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<(string Model, int Version), Slot> slots = new();
    private long lookedAt;
    private volatile bool readsAhead;
    private volatile FrozenDictionary<string, LiveVersions> live = FrozenDictionary<string, LiveVersions>.Empty;

    /// <summary>From now on what is published of any model is read before it is seen; answers those of which a version was published by now.</summary>
    public IReadOnlyList<string> ReadAhead()
    {
        readsAhead = true;
        return [.. live.Keys.Where(model => !ItemKind.Recommends(model))];
    }

    /// <summary>Which versions of a model answer; null when none was published.</summary>
    public LiveVersions? Find(string model) => live.GetValueOrDefault(model);

    /// <summary>The same; a model that is known and has no version yet is looked for once more, since it may have been published since the last look.</summary>
    public async ValueTask<LiveVersions?> FindAsync(string model, CancellationToken ct)
    {
        if (Find(model) is { } known)
        {
            return known;
        }

        var last = Interlocked.Read(ref lookedAt);
        if (catalog.Find(model) is null || clock.GetElapsedTime(last) < LeastPause || Interlocked.CompareExchange(ref lookedAt, clock.GetTimestamp(), last) != last)
        {
            return Find(model);
        }

        await TryRefreshAsync(ct);
        return Find(model);
    }

    /// <summary>Bytes of artefacts in memory.</summary>
    public long Bytes => slots.Values.Sum(slot => slot.Loading is { IsCompletedSuccessfully: true, Result: { } served } ? served.Bytes : 0L);

    /// <summary>A version, loaded when it is not in memory; null when its artefact is damaged, gone or of a model that is not asked for rows.</summary>
    public ValueTask<ServedVersion?> GetAsync(string model, int version)
    {
        var slot = slots.GetOrAdd((model, version), static _ => new Slot());
        slot.LastUsed = clock.GetTimestamp();
        var loading = slot.Loading;
        if (loading is { IsCompletedSuccessfully: true } && (loading.Result is not null || clock.GetElapsedTime(slot.ReadAt) < Rest))
        {
            return new ValueTask<ServedVersion?>(loading.Result);
        }

        lock (slot)
        {
            if (slot.Loading is not { } running || running.IsFaulted || (running is { IsCompletedSuccessfully: true, Result: null } && clock.GetElapsedTime(slot.ReadAt) >= Rest))
            {
                slot.ReadAt = clock.GetTimestamp();
                slot.Loading = Task.Run(() => LoadAsync(model, version));
            }

            return new ValueTask<ServedVersion?>(slot.Loading);
        }
    }

    /// <summary>Whether a version can be read by who answers with it, by rows or through an endpoint of its own.</summary>
    public async Task<bool> IsReadableAsync(string model, int version, CancellationToken ct)
    {
        if (await GetAsync(model, version) is not null)
        {
            return true;
        }

        try
        {
            // What answers no rows is read for nothing else than to see that it is whole.
            return catalog.Find(model) is { } definition && definition.Check(await registry.ArtefactAsync(model, version, ct)) is null;
        }
        catch (Exception damaged) when (damaged is not (NpgsqlException or TimeoutException or OutOfMemoryException or OperationCanceledException))
        {
            Log.ArtefactDamaged(logger, model, version, damaged);
            return false;
        }
    }

    /// <summary>The version that serves, or the one before it when it cannot be read; null when neither can.</summary>
    public async ValueTask<ServedVersion?> BestAsync(string model) =>
        await FindAsync(model, CancellationToken.None) is not { } now ? null : await GetAsync(model, now.Version) ?? (now.Previous is { } before ? await GetAsync(model, before) : null);

    /// <summary>What the serving version says when no model can: the value stored with it as <c>baseline</c>; null when there is none.</summary>
    public async Task<Prediction?> BaselineAsync(string model, int version, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var json = await connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            "select data->>'baseline' from ml.model_versions where model = @model and version = @version and jsonb_typeof(data->'baseline') = 'object'", new { model, version }, cancellationToken: ct));
        return json is null ? null : JsonSerializer.Deserialize<Prediction>(json, EventJson.Options);
    }

    /// <summary>Takes in what was published and which rollouts are under way.</summary>
    public async Task RefreshAsync(CancellationToken ct = default)
    {
        var serving = await registry.ServingAsync(ct);
        List<ActiveRollout> rollouts;
        await using (var connection = await database.OpenConnectionAsync(ct))
        {
            rollouts = await RolloutStore.RunningAsync(connection, ct);
        }

        var next = serving.ToFrozenDictionary(
            row => row.Key, row => new LiveVersions(row.Value.Version, row.Value.Previous, rollouts.Find(rollout => rollout.Model == row.Key)), StringComparer.Ordinal);
        foreach (var (model, versions) in next.Where(row => (readsAhead ? !ItemKind.Recommends(row.Key) : slots.Keys.Any(slot => slot.Model == row.Key)) && !(live.TryGetValue(row.Key, out var old) && Same(old, row.Value))))
        {
            foreach (var version in (int[])[versions.Version, .. versions.Rollout?.Versions ?? []])
            {
                await GetAsync(model, version);
            }
        }

        var before = Interlocked.Exchange(ref live, next);
        Trim();
        foreach (var (model, versions) in next.Where(row => before.GetValueOrDefault(row.Key)?.Version != row.Value.Version))
        {
            await bus.PublishAsync(new VersionServes(model, versions.Version), ct);
        }
    }

    /// <inheritdoc />
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await TryRefreshAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(options.Value.RefreshSeconds), clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested)
            {
                await TryRefreshAsync(stoppingToken);
            }
        }
    }

    private static bool Same(LiveVersions a, LiveVersions b) => a.Version == b.Version && a.Previous == b.Previous && a.Rollout?.Id == b.Rollout?.Id;

    private async Task TryRefreshAsync(CancellationToken ct)
    {
        try
        {
            await RefreshAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return;
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException or InvalidOperationException or IOException or JsonException)
        {
            Log.RefreshFailed(logger, fault);
        }
    }

    private async Task<ServedVersion?> LoadAsync(string model, int version)
    {
        if (catalog.Find(model) is not { } definition)
        {
            return null;
        }

        try
        {
            var artefact = await registry.ArtefactAsync(model, version, CancellationToken.None);
            if (definition.Load(artefact) is not { } answers)
            {
                return null;
            }

            WarmUp(model, version, answers);
            Log.Loaded(logger, model, version, "rows");
            return new ServedVersion(model, version, answers, artefact.Length);
        }
        catch (Exception damaged) when (damaged is not (NpgsqlException or TimeoutException or OutOfMemoryException))
        {
            // Whatever a damaged artefact makes its reader throw: the next fallback answers.
            Log.ArtefactDamaged(logger, model, version, damaged);
            return null;
        }
    }

    /// <summary>Asks a version what it will be asked, so that nobody who waits pays for what only first answers cost. One that fails here is at fault when it is asked, and the next fallback answers then.</summary>
    private void WarmUp(string model, int version, IServedModel answers)
    {
        try
        {
            string?[][] row = [[.. answers.Signature.Inputs.Select(Example)]];
            var began = clock.GetTimestamp();
            for (var time = 0; time < MostWarmUps && clock.GetElapsedTime(began) < LongestWarmUp; time++)
            {
                answers.Predict(row);
                answers.Explain(row);
            }
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            Log.PredictionFailed(logger, model, version, fault);
        }
    }

    /// <summary>A value such as the version learned from.</summary>
    private static string? Example(ModelInput input) =>
        input is { Min: { } least, Max: { } most } && input.Type == "number" ? ((least + most) / 2).ToString("R", CultureInfo.InvariantCulture) : input.Categories is [var often, ..] ? often : input.Example;

    /// <summary>Lets versions go, the ones asked longest ago first, until the rest fits; one at least stays.</summary>
    private void Trim()
    {
        var most = options.Value.Serving.MemoryMegabytes * 1_048_576L;
        var total = Bytes;
        foreach (var (key, slot) in slots.OrderBy(item => item.Value.LastUsed))
        {
            if (total <= most || slots.Count <= 1)
            {
                return;
            }

            if (slot.Loading is { IsCompletedSuccessfully: true } loaded && slots.TryRemove(key, out _))
            {
                total -= loaded.Result?.Bytes ?? 0;
            }
        }
    }

    private sealed class Slot
    {
        private long lastUsed;
        private Task<ServedVersion?>? loading;

        public long LastUsed
        {
            get => Volatile.Read(ref lastUsed);
            set => Volatile.Write(ref lastUsed, value);
        }

        public long ReadAt { get; set; }

        public Task<ServedVersion?>? Loading
        {
            get => Volatile.Read(ref loading);
            set => Volatile.Write(ref loading, value);
        }
    }
}
