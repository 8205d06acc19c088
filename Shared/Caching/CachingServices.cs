using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace OKLA.Shared.Caching;

/// <summary>Registration of the cache.</summary>
public static class CachingServices
{
    /// <summary>Adds <see cref="HybridCache"/> (section <c>Cache</c>): memory, single flight, fail-safe, soft time-outs, tags, evictions told across nodes. Needs the data source.</summary>
    public static IServiceCollection AddCaching(this IServiceCollection services)
    {
        services.AddMetrics().AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<CacheOptions>().BindConfiguration("Cache").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<NodeCache>();
        services.AddSingleton<HybridCache>(s => s.GetRequiredService<NodeCache>());
        return services.AddHostedService<CacheBackplane>();
    }
}
