using Microsoft.Extensions.DependencyInjection;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.Jobs;

namespace OKLA.ML.Models;

/// <summary>All models that can be trained and asked, by name.</summary>
internal sealed class ModelCatalog(IEnumerable<ModelDefinition> house)
{
    private readonly Dictionary<string, ModelDefinition> house = house.ToDictionary(model => model.Name, StringComparer.Ordinal);

    /// <summary>The models of this house, by name.</summary>
    public IReadOnlyCollection<string> House => house.Keys;

    /// <summary>The model of a name; null when there is none.</summary>
    public ModelDefinition? Find(string name) => house.GetValueOrDefault(name);

    /// <summary>A new run of a model.</summary>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public ModelTraining NewTraining(string name) => Find(name)?.NewTraining()
        ?? throw new ArgumentException($"There is no model named {name}; there are {string.Join(" and ", house.Keys.Order(StringComparer.Ordinal))}.", nameof(name));
}

/// <summary>How a model of this house is registered.</summary>
internal static class ModelRegistration
{
    /// <summary>Adds a model and its weekly training.</summary>
    public static IServiceCollection AddModel<TModel>(this IServiceCollection services, string name)
        where TModel : ModelDefinition
    {
        services.AddSingleton<ModelDefinition, TModel>();
        return services.AddJob(
            TrainOnDemand.JobOf(name), $"Trains {name} and publishes it unless it is worse", JobSchedule.Weekly(DayOfWeek.Sunday, new TimeOnly(3, 0)),
            progress => new TrainModel(name, progress.Reason == "schedule" ? "weekly" : progress.Reason, progress));
    }
}
