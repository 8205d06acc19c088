using Microsoft.Extensions.DependencyInjection;

namespace OKLA.Shared.Contracts;

/// <summary>
/// A named step by which data becomes other data; each module registers its own, so that the graph of them has no central list. Ends are
/// written <c>kind:name</c> with parts set off by dots: <c>event:item_viewed.visibleSeconds</c>, <c>table:tracking.sessions</c>,
/// <c>feature:…</c>, <c>model:…</c>, <c>screen:…</c>. A part <c>*</c> in an input stands for every name: <c>event:*.itemId</c>.
/// </summary>
/// <param name="Name">Its name; of a durable subscription's step the subscription's name, or that and more after a slash.</param>
/// <param name="Owner">Module that answers for it.</param>
/// <param name="Inputs">What it reads; a thing without a part is read for its being there and for its time and identities.</param>
/// <param name="Outputs">What it makes.</param>
/// <param name="Description">What it does, in one sentence.</param>
/// <param name="Code">File of its code, from the root of the repository.</param>
public sealed record Transformation(string Name, string Owner, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, string Description, string Code);

/// <summary>Transformations that are not known before the host runs, such as those of a registry of features; found by dependency injection.</summary>
public interface ILineageSource
{
    /// <summary>The transformations as they are now.</summary>
    public ValueTask<IReadOnlyList<Transformation>> ReadAsync(CancellationToken ct);
}

/// <summary>Registration of transformations.</summary>
public static class LineageSetup
{
    /// <summary>Adds steps to the lineage graph.</summary>
    public static IServiceCollection AddTransformations(this IServiceCollection services, params IEnumerable<Transformation> transformations)
    {
        foreach (var transformation in transformations)
        {
            services.AddSingleton(transformation);
        }

        return services;
    }
}
