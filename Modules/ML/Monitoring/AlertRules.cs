using Dapper;
using Npgsql;

namespace OKLA.ML.Monitoring;

/// <summary>When somebody is told.</summary>
/// <param name="Id">Its id; empty for a rule of the house.</param>
/// <param name="Name">Its name.</param>
/// <param name="Model">The model; null for every one.</param>
/// <param name="Metric">error_rate, p95_ms, requests, cache_hit_rate, input_drift, prediction_drift, or quality.{figure} such as quality.mae.</param>
/// <param name="Threshold">Limit.</param>
/// <param name="Above">Whether values above it are bad; otherwise those below.</param>
/// <param name="ForSeconds">How long it must last.</param>
/// <param name="Channels">Any of page, log, webhook and email.</param>
/// <param name="Enabled">Whether it is looked at.</param>
internal sealed record AlertRule(Guid Id, string Name, string? Model, string Metric, double Threshold, bool Above, int ForSeconds, IReadOnlyList<string> Channels, bool Enabled = true)
{
    /// <summary>Every channel there is.</summary>
    public static readonly string[] AllChannels = ["page", "log", "webhook", "email"];

    private static readonly string[] Plain = ["error_rate", "p95_ms", "requests", "cache_hit_rate", "input_drift", "prediction_drift"];

    /// <summary>Whether there is such a metric.</summary>
    public static bool Knows(string metric) => Plain.Contains(metric) || (metric.StartsWith("quality.", StringComparison.Ordinal) && metric.Length is > 8 and < 60);

    /// <summary>Whether a value is bad.</summary>
    public bool IsBreach(double value) => Above ? value > Threshold : value < Threshold;

    /// <summary>The rules of the house.</summary>
    public static IEnumerable<AlertRule> House(MonitoringKnobs knobs) =>
    [
        new(Guid.Empty, "errors", null, "error_rate", knobs.ErrorRate, true, 0, AllChannels),
        new(Guid.Empty, "latency", null, "p95_ms", knobs.LatencyMilliseconds, true, 60, AllChannels),
        new(Guid.Empty, "input-drift", null, "input_drift", knobs.Drift, true, 0, AllChannels),
        new(Guid.Empty, "prediction-drift", null, "prediction_drift", knobs.Drift, true, 0, AllChannels),
    ];

    /// <summary>Rules that admins put.</summary>
    public static async Task<List<AlertRule>> OwnAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var rows = await connection.QueryAsync<(Guid Id, string Name, string? Model, string Metric, double Threshold, bool Above, int For, string[] Channels, bool Enabled)>(new CommandDefinition(
            "select id, name, model, metric, threshold, above, for_seconds, channels, enabled from ml.alert_rules order by name, id", cancellationToken: ct));
        return [.. rows.Select(row => new AlertRule(row.Id, row.Name, row.Model, row.Metric, row.Threshold, row.Above, row.For, row.Channels, row.Enabled))];
    }
}
