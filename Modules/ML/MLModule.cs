using Microsoft.Extensions.DependencyInjection;

namespace OKLA.ML;

/// <summary>The ML room: what it registers.</summary>
public static class MLModule
{
    /// <summary>Adds the room's services.</summary>
    public static IServiceCollection AddML(this IServiceCollection services) => services;
}
