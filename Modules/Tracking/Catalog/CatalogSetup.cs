using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace OKLA.Tracking.Catalog;

/// <summary>The catalogue: what it registers and maps.</summary>
internal static class CatalogSetup
{
    /// <summary>Adds the catalogue's options; its handlers are found by the bus.</summary>
    public static IServiceCollection AddCatalog(this IServiceCollection services)
    {
        services.AddOptions<ImportOptions>().BindConfiguration("Import").ValidateDataAnnotations().ValidateOnStart();
        return services;
    }

    /// <summary>Maps the catalogue's endpoints.</summary>
    public static void MapCatalog(this IEndpointRouteBuilder routes)
    {
        CatalogEndpoints.Map(routes);
        Kinds.Map(routes);
        UploadItems.Map(routes);
    }
}
