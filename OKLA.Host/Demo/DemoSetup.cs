namespace OKLA.Host.Demo;

/// <summary>The simulated marketplace: what it registers.</summary>
internal static class DemoSetup
{
    /// <summary>Adds the simulation's options; its handlers are found by the bus.</summary>
    public static IServiceCollection AddDemo(this IServiceCollection services)
    {
        services.AddOptions<DemoOptions>().BindConfiguration("Demo").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<DemoSeedOptions>().BindConfiguration("DemoSeed").ValidateDataAnnotations().ValidateOnStart();
        return services;
    }
}
