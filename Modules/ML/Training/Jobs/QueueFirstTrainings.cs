using OKLA.ML.Registry;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training.Jobs;

/// <summary>Answers <see cref="QueueFirstTrainings"/>; a model that was refused for want of data is left to the weekly training.</summary>
internal static class QueueFirstTrainingsHandler
{
    public static async Task HandleAsync(QueueFirstTrainings command, ModelRegistry registry, TrainingJobs jobs, CancellationToken ct)
    {
        var serving = await registry.ServingAsync(ct);
        foreach (var name in command.Models.Where(name => !serving.ContainsKey(name)))
        {
            if ((await jobs.ListAsync(name, null, 1, ct)).Count == 0)
            {
                await jobs.QueueAsync(name, "first", "house", -10, ct);
            }
        }
    }
}
