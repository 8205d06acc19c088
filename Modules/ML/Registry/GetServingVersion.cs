using OKLA.Shared.Contracts;

namespace OKLA.ML.Registry;

/// <summary>Answers <see cref="GetServingVersion"/>.</summary>
internal static class GetServingVersionHandler
{
    public static async Task<ServingVersion> HandleAsync(GetServingVersion query, ModelRegistry registry, CancellationToken ct) =>
        new((await registry.ServingAsync(ct)).TryGetValue(query.Model, out var serving) ? serving.Version : null);
}
