using Microsoft.AspNetCore.OpenApi;

namespace OKLA.Host;

/// <summary>The OpenAPI document at <c>/openapi/v1.json</c>.</summary>
internal static class ApiDocument
{
    /// <summary>Adds it; a type inside a slice is named after both (<c>RecommendVehiclesResponse</c>), as many slices have a <c>Response</c>.</summary>
    public static IServiceCollection AddApiDocument(this IServiceCollection services) => services.AddOpenApi(document =>
        document.CreateSchemaReferenceId = json =>
            OpenApiOptions.CreateDefaultSchemaReferenceId(json) is { } name && json.Type is { DeclaringType: { } slice, IsGenericType: false } ? slice.Name + name : OpenApiOptions.CreateDefaultSchemaReferenceId(json));
}
