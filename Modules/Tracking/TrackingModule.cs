using Microsoft.Extensions.DependencyInjection;

namespace OKLA.Tracking;

/// <summary>The Tracking room: what it registers.</summary>
public static class TrackingModule
{
    /// <summary>Adds the room's services.</summary>
    public static IServiceCollection AddTracking(this IServiceCollection services) => services;
}
