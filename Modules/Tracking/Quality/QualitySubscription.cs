using System.Text.Json;
using Npgsql;
using OKLA.Shared.EventLog;

namespace OKLA.Tracking.Quality;

/// <summary>Counts what every field of every event holds, by the hour and the day in which it became known; three reads and two writes a batch.</summary>
internal sealed class QualitySubscription(QualityOptions options, TimeProvider clock) : Subscription
{
    public override string Name => "tracking.quality";

    public override int BatchSize => 5_000;

    public override async Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var watch = await Watch.LoadAsync(transaction.Connection!, ct);
        var profiles = Count(watch, events, options);
        await ProfileTable.AddAsync(transaction, profiles, ct);
        await AddArrivalsAsync(profiles, transaction, ct);
    }

    public override async Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("truncate tracking.quality_profiles", transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Notes what came while it was new. What was brought in from a past says nothing about when the next is due.</summary>
    private async Task AddArrivalsAsync(Dictionary<ProfileKey, FieldProfile> profiles, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var newest = clock.GetUtcNow().UtcDateTime.AddHours(-1);
        var live = profiles.Where(profile => profile.Key is { Grain: 1, Field: Watch.Whole, Late: false } && profile.Key.StartsAt.AddHours(1) > newest).ToArray();
        if (live.Length == 0)
        {
            return;
        }

        await using var command = new NpgsqlCommand("""
            insert into tracking.quality_arrivals as a (type, hour, rows) select * from unnest($1, $2, $3)
            on conflict (type, hour) do update set rows = a.rows + excluded.rows
            """, transaction.Connection, transaction);
        command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(live, profile => profile.Key.Type) });
        command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(live, profile => profile.Key.StartsAt) });
        command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(live, profile => profile.Value.Rows) });
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The profiles of a batch, of hours and of days.</summary>
    internal static Dictionary<ProfileKey, FieldProfile> Count(Watch watch, IEnumerable<RecordedEvent> events, QualityOptions options)
    {
        var hours = new Dictionary<ProfileKey, FieldProfile>();
        var names = new Dictionary<(string, JsonValueKind), string>();
        foreach (var e in events)
        {
            using var json = JsonDocument.Parse(e.Data);
            var body = json.RootElement;
            if (watch.TypeOf(e.Type, body) is not { } type)
            {
                continue;
            }

            var known = e.KnownAt.UtcDateTime;
            var start = new DateTime(known.Year, known.Month, known.Day, known.Hour, 0, 0, DateTimeKind.Utc);
            var late = e.KnownAt - e.OccurredAt > TimeSpan.FromHours(options.LateHours);
            var whole = Of(Watch.Whole);
            foreach (var rule in watch.RulesOf(type))
            {
                Of(rule.Field).Add(Drop(rule, rule.Look(body)));
            }

            if (Watch.PropertiesOf(type, body) is { ValueKind: JsonValueKind.Object } properties)
            {
                foreach (var property in properties.EnumerateObject().Where(property => property.Value.ValueKind != JsonValueKind.Null))
                {
                    whole.Count(NameOf(names, Watch.FieldOf(type, property.Name), property.Value.ValueKind), 1);
                }
            }

            FieldProfile Of(string field)
            {
                var key = new ProfileKey(1, start, type, field, late);
                if (!hours.TryGetValue(key, out var profile))
                {
                    hours[key] = profile = new FieldProfile();
                }

                profile.See(e.Position, e.KnownAt);
                return profile;
            }
        }

        var all = new Dictionary<ProfileKey, FieldProfile>(hours);
        foreach (var (key, profile) in hours)
        {
            var day = key with { Grain = 24, StartsAt = key.StartsAt.Date };
            if (!all.TryGetValue(day, out var whole))
            {
                all[day] = whole = new FieldProfile();
            }

            whole.Merge(profile);
        }

        return all;
    }

    /// <summary>Without a followed shape the key is dropped.</summary>
    private static Observation Drop(FieldRule rule, Observation seen) => rule.HasShape || !rule.IsTyped ? seen : seen with { Key = null };

    /// <summary>A property as the shape of the whole counts it: its name and the kind of its value.</summary>
    private static string NameOf(Dictionary<(string, JsonValueKind), string> names, string field, JsonValueKind kind)
    {
        if (!names.TryGetValue((field, kind), out var name))
        {
            var word = kind is JsonValueKind.True or JsonValueKind.False ? "boolean" : Expectation.Word(kind);
            names[(field, kind)] = name = field.Length > 60 ? FieldProfile.Others : $"{field}:{word}";
        }

        return name;
    }
}
