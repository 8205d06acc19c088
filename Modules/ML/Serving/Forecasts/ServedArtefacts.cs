using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OKLA.ML.Registry;

namespace OKLA.ML.Serving.Forecasts;

/// <summary>A version in memory and who speaks: model or previous.</summary>
internal sealed record ServedArtefact<T>(int Version, string Source, T Model);

/// <summary>
/// The serving versions of models that are asked through endpoints of their own, read when first asked for and again when another one serves; the one before where the
/// bytes are damaged.
/// </summary>
internal sealed class ServedArtefacts(ModelRegistry registry, IOptions<MLOptions> options, TimeProvider clock, ILogger<ServedArtefacts> logger) : IDisposable
{
    private readonly ConcurrentDictionary<string, object> loaded = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim looking = new(1);
    private IReadOnlyDictionary<string, (int Version, int? Previous)> serving = new Dictionary<string, (int, int?)>();
    private long? lookedAt;

    /// <summary>What serves; null when nothing does, or nothing that can be read.</summary>
    public async Task<ServedArtefact<T>?> FindAsync<T>(string model, Func<byte[], T> load, CancellationToken ct)
        where T : class
    {
        if (!(await LookAsync(ct)).TryGetValue(model, out var wanted))
        {
            return null;
        }

        if (loaded.TryGetValue(model, out var known) && known is ServedArtefact<T> same && same.Version == wanted.Version)
        {
            return same;
        }

        foreach (var (version, source) in wanted.Previous is { } previous ? [(wanted.Version, "model"), (previous, "previous")] : ((int, string)[])[(wanted.Version, "model")])
        {
            if (known is ServedArtefact<T> kept && kept.Version == version)
            {
                return kept;
            }

            try
            {
                var served = new ServedArtefact<T>(version, source, load(await registry.ArtefactAsync(model, version, ct)));
                loaded[model] = served;
                Log.Loaded(logger, model, version, source);
                return served;
            }
            catch (Exception damaged) when (damaged is InvalidDataException or EndOfStreamException or JsonException)
            {
                Log.ArtefactDamaged(logger, model, version, damaged);
            }
        }

        return null;
    }

    /// <inheritdoc />
    public void Dispose() => looking.Dispose();

    private async Task<IReadOnlyDictionary<string, (int Version, int? Previous)>> LookAsync(CancellationToken ct)
    {
        await looking.WaitAsync(ct);
        try
        {
            if (lookedAt is not { } at || clock.GetElapsedTime(at).TotalSeconds >= options.Value.RefreshSeconds)
            {
                serving = await registry.ServingAsync(ct);
                lookedAt = clock.GetTimestamp();
            }

            return serving;
        }
        finally
        {
            looking.Release();
        }
    }
}
