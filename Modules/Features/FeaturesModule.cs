using Microsoft.Extensions.DependencyInjection;

namespace OKLA.Features;

/// <summary>The Features room: what it registers.</summary>
public static class FeaturesModule
{
    /// <summary>Adds the room's services.</summary>
    public static IServiceCollection AddFeatures(this IServiceCollection services) => services;
}
