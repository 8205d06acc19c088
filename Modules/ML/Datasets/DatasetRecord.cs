using System.Text.Json;
using Npgsql;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Datasets;

/// <summary>What a person says a column is; null where the inferred one holds.</summary>
internal sealed record ColumnEdit(string? Type, string? Role);

/// <summary>The rules that a version was judged by, and what they made of it.</summary>
internal sealed record Quality(IReadOnlyList<QualityRule> Rules, IReadOnlyList<QualityFinding> Findings)
{
    /// <summary>pass, warn or block.</summary>
    public string Status => Findings.Any(finding => !finding.Passed && finding.Severity == QualityRules.Block) ? "block" : Findings.Any(finding => !finding.Passed) ? "warn" : "pass";
}

/// <summary>A version with all that is known of it.</summary>
/// <param name="Version">The version, with the types and roles that hold.</param>
/// <param name="Inferred">The columns as they were inferred.</param>
/// <param name="Edits">What people said instead, by column.</param>
/// <param name="Statistics">What a pass over all cells found.</param>
/// <param name="Profile">Its profile.</param>
/// <param name="Quality">What the rules made of it when it was last looked at.</param>
/// <param name="Source">Where it came from.</param>
/// <param name="By">Who brought it.</param>
/// <param name="Bytes">Size as CSV.</param>
/// <param name="Models">The models that learned from it, each with its version.</param>
internal sealed record DatasetRecord(
    DatasetVersion Version, IReadOnlyList<DatasetColumn> Inferred, IReadOnlyDictionary<string, ColumnEdit> Edits, IReadOnlyList<ColumnStatistics> Statistics, TableProfile Profile,
    Quality Quality, string Source, string By, long Bytes, IReadOnlyList<string> Models)
{
    /// <summary>The columns with what people said about them. A role that only one column can have goes from the one it was inferred for to the one it was said of.</summary>
    public static IReadOnlyList<DatasetColumn> Effective(IReadOnlyList<DatasetColumn> inferred, IReadOnlyDictionary<string, ColumnEdit> edits)
    {
        var given = edits.Values.Select(edit => edit.Role).Where(role => role is ColumnRoles.Target or ColumnRoles.Time or ColumnRoles.Weight).ToHashSet();
        return
        [
            .. inferred.Select(column =>
            {
                var edit = edits.GetValueOrDefault(column.Name);
                return column with { Type = edit?.Type ?? column.Type, Role = edit?.Role ?? (given.Contains(column.Role) ? ColumnRoles.Feature : column.Role) };
            }),
        ];
    }

    /// <summary>What was said about an earlier version, as far as it can hold for columns of this one.</summary>
    public static IReadOnlyDictionary<string, ColumnEdit> Inherited(IReadOnlyDictionary<string, ColumnEdit> edits, IReadOnlyList<DatasetColumn> inferred)
    {
        var kept = edits.Where(edit => inferred.Any(column => column.Name == edit.Key)).ToDictionary();
        while (kept.Count > 0 && EditColumns.Faults(inferred, kept) is { Count: > 0 } faults)
        {
            var before = kept.Count;
            foreach (var name in kept.Keys.Where(name => faults.ContainsKey($"{name}.role") || faults.ContainsKey($"{name}.type")).ToList())
            {
                kept.Remove(name);
            }

            if (kept.Count == before)
            {
                kept.Clear();
            }
        }

        return kept;
    }

    /// <summary>What the rules make of it at a time: tables grow old.</summary>
    public Quality QualityNow(DateTimeOffset now) => Quality with
    {
        Findings =
        [
            .. Quality.Findings.Select(finding =>
                finding.Rule == QualityRules.Fresh && Quality.Rules.FirstOrDefault(rule => rule.Rule == QualityRules.Fresh && rule.Column == finding.Column) is { } rule
                && Version.Columns.Any(column => column.Name == finding.Column && column.Type == ColumnTypes.Date)
                && QualityRules.IsFresh(rule, Statistics.First(column => column.Name == finding.Column), now) is var (passed, message)
                    ? finding with { Passed = passed, Message = message } : finding),
        ],
    };
}

/// <summary>Reading <c>ml.dataset_versions</c>.</summary>
internal static class DatasetRows
{
    private const string Columns =
        "v.dataset, v.version, v.sha256, v.rows, v.created_at, v.columns, v.edits, v.statistics, v.profile, v.findings, v.source, v.created_by, b.bytes, array(select u.model || ' ' || u.model_version from ml.dataset_uses u where u.dataset = v.dataset and u.version = v.version order by u.model, u.model_version)";

    /// <summary>A version, the newest one without a number.</summary>
    public static Task<DatasetRecord?> FindAsync(NpgsqlConnection connection, string name, int? version, CancellationToken ct) =>
        FirstAsync(connection, "v.dataset = $1 and ($2 = 0 or v.version = $2)", name, version ?? 0, ct);

    /// <summary>The version before another one.</summary>
    public static Task<DatasetRecord?> BeforeAsync(NpgsqlConnection connection, string name, int version, CancellationToken ct) =>
        FirstAsync(connection, "v.dataset = $1 and v.version < $2", name, version, ct);

    /// <summary>The form in which parts of a version are kept.</summary>
    public static string Json<T>(T value) => JsonSerializer.Serialize(value, EventJson.Options);

    private static async Task<DatasetRecord?> FirstAsync(NpgsqlConnection connection, string where, string name, int version, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"select {Columns} from ml.dataset_versions v join ml.blobs b using (sha256) where {where} order by v.version desc limit 1", connection)
        {
            Parameters = { new() { Value = name }, new() { Value = version } },
        };
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
        {
            return null;
        }

        T Read<T>(int column) => JsonSerializer.Deserialize<T>(row.GetString(column), EventJson.Options)!;
        var (inferred, edits) = (Read<DatasetColumn[]>(5), Read<Dictionary<string, ColumnEdit>>(6));
        return new DatasetRecord(
            new DatasetVersion(row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetInt64(3), DatasetRecord.Effective(inferred, edits), row.GetFieldValue<DateTimeOffset>(4)),
            inferred, edits, Read<ColumnStatistics[]>(7), Read<TableProfile>(8), Read<Quality>(9), row.GetString(10), row.GetString(11), row.GetInt64(12), row.GetFieldValue<string[]>(13));
    }
}
