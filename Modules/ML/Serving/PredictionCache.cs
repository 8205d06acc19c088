using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace OKLA.ML.Serving;

/// <summary>Answers that were given before, by model, version and the whole row: a promotion changes the version, so nothing of the old one is ever given again.</summary>
internal sealed class PredictionCache : IDisposable
{
    private const int Overhead = 100;
    private readonly MemoryCache? memory;
    private readonly TimeSpan keep;

    public PredictionCache(IOptions<MLOptions> options)
    {
        var knobs = options.Value.Serving;
        keep = knobs.CacheFor;
        memory = knobs.CacheMegabytes == 0 ? null : new MemoryCache(new MemoryCacheOptions { SizeLimit = knobs.CacheMegabytes * 1_000_000L, CompactionPercentage = 0.1 });
    }

    /// <summary>The answer to a row; null when it is not known. The key serves to keep it.</summary>
    public Prediction? Find(string model, int version, string?[] row, out object key)
    {
        // Values are set off by a character that no text may hold, and a missing one by another: two rows never meet in one key.
        key = (model, version, string.Join('\u001f', row.Select(value => value ?? "\u0000")));
        return memory is not null && memory.TryGetValue(key, out var found) ? (Prediction)found! : null;
    }

    /// <summary>Keeps an answer.</summary>
    public void Keep(object key, Prediction answer)
    {
        if (memory is null)
        {
            return;
        }

        var (_, _, text) = ((string, int, string))key;
        memory.Set(key, answer, new MemoryCacheEntryOptions { Size = text.Length + Overhead + (answer.Probabilities?.Count ?? 0) * 8, AbsoluteExpirationRelativeToNow = keep });
    }

    public void Dispose() => memory?.Dispose();
}
