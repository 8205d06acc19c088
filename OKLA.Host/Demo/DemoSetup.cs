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

    /// <summary>Fills an empty database at the start, if the settings say so; the host is not ready until that is done.</summary>
    public static IServiceCollection AddDemoSeed(this IServiceCollection services)
    {
        services.AddSingleton<DemoSeed>().AddHostedService(provider => provider.GetRequiredService<DemoSeed>());
        services.AddHealthChecks().AddCheck<DemoSeed>("demo", tags: ["ready"]);
        return services;
    }
}
