using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Training;
using OKLA.Shared.EventLog;
using OKLA.Shared.Jobs;

namespace OKLA.ML.Models;

/// <summary>All models that can be trained and asked, by name: those of this house, and those that users brought, which the database holds.</summary>
internal sealed partial class ModelCatalog(IEnumerable<ModelDefinition> house, NpgsqlDataSource database, Tables tables, IOptions<MLOptions> options, TimeProvider clock)
{
    private const string Select = "select name, definition::text, owner, notes from ml.models";

    private static readonly TimeSpan Forgotten = TimeSpan.FromSeconds(2);
    private const int MostMissing = 1_000;

    private readonly Dictionary<string, ModelDefinition> house = house.ToDictionary(model => model.Name, StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, BroughtModel> brought = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> missing = new(StringComparer.Ordinal);

    /// <summary>The models of this house, by name.</summary>
    public IReadOnlyCollection<string> House => house.Keys;

    /// <summary>
    /// The model of a name; null when there is none. One that a user brought is read once and then remembered, for its name and its way to answer; how it is
    /// trained now says <see cref="FindAsync"/>.
    /// </summary>
    public ModelDefinition? Find(string name)
    {
        if (house.TryGetValue(name, out var found))
        {
            return found;
        }

        if (brought.TryGetValue(name, out var known))
        {
            return known;
        }

        if (!IsName(name) || (missing.TryGetValue(name, out var at) && clock.GetElapsedTime(at) < Forgotten))
        {
            return null;
        }

        using var connection = database.OpenConnection();
        return Remember(name, connection.QuerySingleOrDefault<Row>($"{Select} where name = @name", new { name }));
    }

    /// <summary>The model of a name as the database has it now; null when there is none.</summary>
    public async Task<ModelDefinition?> FindAsync(string name, CancellationToken ct)
    {
        if (house.TryGetValue(name, out var found))
        {
            return found;
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        return Remember(name, await connection.QuerySingleOrDefaultAsync<Row>(new CommandDefinition($"{Select} where name = @name", new { name }, cancellationToken: ct)));
    }

    /// <summary>All names: the house's, then those that users brought.</summary>
    public async Task<IReadOnlyList<string>> NamesAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return [.. house.Keys, .. await connection.QueryAsync<string>(new CommandDefinition("select name from ml.models order by name", cancellationToken: ct))];
    }

    /// <summary>Keeps a model that a user brought, or changes it.</summary>
    public async Task<BroughtModel> PutAsync(TableDefinition definition, string owner, string? notes, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var row = await connection.QuerySingleAsync<Row>(new CommandDefinition("""
            insert into ml.models as m (name, kind, definition, owner, notes, created_at, changed_at) values (@Name, 'table', @json::jsonb, @owner, coalesce(@notes, ''), @now, @now)
            on conflict (name) do update set definition = excluded.definition, notes = coalesce(@notes, m.notes), changed_at = excluded.changed_at
            returning name, definition::text, owner, notes
            """, new { definition.Name, json = JsonSerializer.Serialize(definition, EventJson.Options), owner, notes, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
        return Remember(row.Name, row)!;
    }

    /// <summary>A new run of a model.</summary>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public ModelTraining NewTraining(string name) => Find(name)?.NewTraining()
        ?? throw new ArgumentException($"There is no model named {name}; there are {string.Join(" and ", house.Keys.Order(StringComparer.Ordinal))}.", nameof(name));

    /// <summary>Whether a model may bear this name: 2 to 60 lower case letters, digits and dashes, a letter first.</summary>
    public static bool IsName(string name) => NamePattern().IsMatch(name);

    private BroughtModel? Remember(string name, Row? row)
    {
        if (row is null)
        {
            brought.TryRemove(name, out _);
            if (missing.Count > MostMissing)
            {
                missing.Clear();
            }

            missing[name] = clock.GetTimestamp();
            return null;
        }

        missing.TryRemove(name, out _);
        return brought[name] = new BroughtModel(JsonSerializer.Deserialize<TableDefinition>(row.Definition, EventJson.Options)!, row.Owner, row.Notes, tables, options.Value, clock);
    }

    [GeneratedRegex("^[a-z][a-z0-9-]{1,59}$")]
    private static partial Regex NamePattern();

    private sealed record Row(string Name, string Definition, string Owner, string Notes);
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
            TrainingSetup.JobOf(name), $"Queues a training of {name}", JobSchedule.Weekly(DayOfWeek.Sunday, new TimeOnly(3, 0)),
            progress => new QueueTrainings(name, progress.Reason == "schedule" ? "weekly" : progress.Reason));
    }
}
