using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Jobs;
using OKLA.Tracking.Schemas;

namespace OKLA.Tracking.Retention;

/// <summary>Handles <see cref="ArchiveEvents"/>.</summary>
internal static class ArchiveEventsHandler
{
    public static async Task<ArchiveReport> HandleAsync(
        ArchiveEvents command, Archive archive, CustomSchemas custom, IOptions<RetentionOptions> options, TimeProvider clock, CancellationToken ct)
    {
        var schemas = await custom.GetAsync(ct);
        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        IReadOnlyList<ArchiveRule> rules = command.Before is { } before
            ? [new ArchiveRule([.. schemas.Types.Select(versions => versions[0].Type)], before < today ? before : today)]
            : options.Value.Rules(schemas, today);
        return await archive.ExportAsync(rules, command.Progress, ct);
    }
}

/// <summary>Registration of retention.</summary>
internal static class RetentionSetup
{
    public static IServiceCollection AddRetention(this IServiceCollection services)
    {
        services.AddOptions<RetentionOptions>().BindConfiguration("Retention").ValidateDataAnnotations().ValidateOnStart();
        return services.AddJob(
            "archive-events", "Moves events that are past their time from the log into compressed files", JobSchedule.Daily(new TimeOnly(3, 30)),
            progress => new ArchiveEvents(Progress: progress));
    }
}
