using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using OKLA.Shared.Web;

namespace OKLA.Host;

/// <summary>The OpenAPI document at <c>/openapi/v1.json</c>.</summary>
internal static class ApiDocument
{
    /// <summary>
    /// Adds it. A type inside a slice is named after both (<c>RecommendVehiclesResponse</c>), as many slices have a <c>Response</c>; what must be one of some words says which.
    /// </summary>
    public static IServiceCollection AddApiDocument(this IServiceCollection services) => services.AddOpenApi(document =>
    {
        document.CreateSchemaReferenceId = json =>
            OpenApiOptions.CreateDefaultSchemaReferenceId(json) is { } name && json.Type is { DeclaringType: { } slice, IsGenericType: false } ? slice.Name + name : OpenApiOptions.CreateDefaultSchemaReferenceId(json);
        document.AddSchemaTransformer((schema, context, _) =>
        {
            if (WordsOf(context) is { } allowed)
            {
                var mayBeNull = schema.Type?.HasFlag(JsonSchemaType.Null) == true;
                schema.Enum = [.. allowed.Values.Select(word => (JsonNode)word), .. mayBeNull ? (JsonNode[])[JsonNullSentinel.JsonNull] : []];
            }

            return Task.CompletedTask;
        });
    });

    /// <summary>What a parameter of an endpoint, a property, or the constructor's parameter behind a property asks for.</summary>
    private static OneOfAttribute? WordsOf(OpenApiSchemaTransformerContext context)
    {
        ICustomAttributeProvider?[] told =
        [
            context.JsonPropertyInfo?.AttributeProvider, context.JsonPropertyInfo?.AssociatedParameter?.AttributeProvider,
            context.JsonPropertyInfo is null && context.ParameterDescription?.ParameterDescriptor is IParameterInfoParameterDescriptor { ParameterInfo: var parameter } ? parameter : null,
        ];
        return told.SelectMany(one => one?.GetCustomAttributes(typeof(OneOfAttribute), true) ?? []).OfType<OneOfAttribute>().FirstOrDefault();
    }
}
