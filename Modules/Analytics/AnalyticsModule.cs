using Microsoft.Extensions.DependencyInjection;

namespace OKLA.Analytics;

/// <summary>The Analytics room: what it registers.</summary>
public static class AnalyticsModule
{
    /// <summary>Adds the room's services.</summary>
    public static IServiceCollection AddAnalytics(this IServiceCollection services) => services;
}
