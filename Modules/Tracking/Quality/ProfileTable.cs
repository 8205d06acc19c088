using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace OKLA.Tracking.Quality;

/// <summary>What a profile is of.</summary>
/// <param name="Grain">Hours: 1 or 24.</param>
/// <param name="StartsAt">Beginning of the hour or day (UTC).</param>
/// <param name="Type">Type of rows.</param>
/// <param name="Field">Field, or <c>*</c>.</param>
/// <param name="Late">Whether its rows became known long after they happened.</param>
internal readonly record struct ProfileKey(short Grain, DateTime StartsAt, string Type, string Field, bool Late);

/// <summary>Reading and writing <c>tracking.quality_profiles</c>, whole sets at a time.</summary>
internal static class ProfileTable
{
    private const string Columns =
        "grain, starts_at, type, field, late, rows, missing, mistyped, out_of_range, out_of_set, numbers, lowest, highest, total, shape, sketch, first_position, last_position, last_known";

    /// <summary>Adds to what stands there: one read and one write, whatever the number of rows counted.</summary>
    public static async Task AddAsync(NpgsqlTransaction transaction, Dictionary<ProfileKey, FieldProfile> profiles, CancellationToken ct)
    {
        if (profiles.Count == 0)
        {
            return;
        }

        var starts = profiles.Keys.Select(key => key.StartsAt).Distinct().ToArray();
        var types = profiles.Keys.Select(key => key.Type).Distinct().ToArray();
        await foreach (var (key, stored) in ReadAsync(
            transaction.Connection!, "starts_at = any($1) and type = any($2)", [starts, types], ct))
        {
            if (profiles.TryGetValue(key, out var fresh))
            {
                fresh.Merge(stored);
            }
        }

        await using var command = new NpgsqlCommand($"""
            insert into tracking.quality_profiles ({Columns})
            select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
            on conflict (grain, starts_at, type, field, late) do update set rows = excluded.rows, missing = excluded.missing, mistyped = excluded.mistyped,
                out_of_range = excluded.out_of_range, out_of_set = excluded.out_of_set, numbers = excluded.numbers, lowest = excluded.lowest, highest = excluded.highest,
                total = excluded.total, shape = excluded.shape, sketch = excluded.sketch, first_position = excluded.first_position,
                last_position = excluded.last_position, last_known = excluded.last_known
            """, transaction.Connection, transaction);
        void Add<T>(NpgsqlDbType type, Func<ProfileKey, FieldProfile, T> value) => command.Parameters.Add(
            new NpgsqlParameter { Value = profiles.Select(pair => value(pair.Key, pair.Value)).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type });
        Add(NpgsqlDbType.Smallint, (key, _) => key.Grain);
        Add(NpgsqlDbType.TimestampTz, (key, _) => key.StartsAt);
        Add(NpgsqlDbType.Text, (key, _) => key.Type);
        Add(NpgsqlDbType.Text, (key, _) => key.Field);
        Add(NpgsqlDbType.Boolean, (key, _) => key.Late);
        Add(NpgsqlDbType.Bigint, (_, profile) => profile.Rows);
        Add(NpgsqlDbType.Bigint, (_, profile) => profile.Missing);
        Add(NpgsqlDbType.Bigint, (_, profile) => profile.Mistyped);
        Add(NpgsqlDbType.Bigint, (_, profile) => profile.OutOfRange);
        Add(NpgsqlDbType.Bigint, (_, profile) => profile.OutOfSet);
        Add(NpgsqlDbType.Bigint, (_, profile) => profile.Numbers);
        Add(NpgsqlDbType.Double, (_, profile) => profile.Least);
        Add(NpgsqlDbType.Double, (_, profile) => profile.Greatest);
        Add(NpgsqlDbType.Double, (_, profile) => profile.Total);
        Add(NpgsqlDbType.Jsonb, (_, profile) => JsonSerializer.Serialize(profile.Shape));
        Add(NpgsqlDbType.Bytea, (_, profile) => profile.Sketch);
        Add(NpgsqlDbType.Bigint, (_, profile) => profile.FirstPosition);
        Add(NpgsqlDbType.Bigint, (_, profile) => profile.LastPosition);
        Add(NpgsqlDbType.TimestampTz, (_, profile) => profile.LastKnown.UtcDateTime);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The profiles that a condition with parameters <c>$1</c>, <c>$2</c>, … holds for.</summary>
    public static async IAsyncEnumerable<(ProfileKey Key, FieldProfile Profile)> ReadAsync(
        NpgsqlConnection connection, string condition, object[] parameters, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"select {Columns} from tracking.quality_profiles where {condition}", connection);
        foreach (var value in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            yield return (
                new ProfileKey(row.GetInt16(0), row.GetDateTime(1), row.GetString(2), row.GetString(3), row.GetBoolean(4)),
                new FieldProfile
                {
                    Rows = row.GetInt64(5), Missing = row.GetInt64(6), Mistyped = row.GetInt64(7), OutOfRange = row.GetInt64(8), OutOfSet = row.GetInt64(9),
                    Numbers = row.GetInt64(10), Least = row.GetDouble(11), Greatest = row.GetDouble(12), Total = row.GetDouble(13),
                    Shape = JsonSerializer.Deserialize<Dictionary<string, long>>(row.GetString(14))!,
                    Sketch = row.IsDBNull(15) ? null : row.GetFieldValue<byte[]>(15),
                    FirstPosition = row.GetInt64(16), LastPosition = row.GetInt64(17), LastKnown = row.GetFieldValue<DateTimeOffset>(18),
                });
        }
    }
}
