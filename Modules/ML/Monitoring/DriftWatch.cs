using System.Globalization;
using System.Text.Json;
using Dapper;
using Npgsql;
using OKLA.ML.Algorithms.Drift;
using OKLA.ML.Serving;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Monitoring;

/// <summary>
/// What a version was trained on, as a sample: values of each input as a request would send them, and the version's own answers. A training keeps it
/// in the version's data under <c>reference</c>; a thousand rows are plenty. The values of an input stand in an order of their own and are nobody's (<see cref="Models.Anonymous"/>).
/// </summary>
/// <param name="Inputs">Values by input; null where one is missing.</param>
/// <param name="Predictions">Answers to such rows.</param>
internal sealed record ReferenceSample(IReadOnlyDictionary<string, string?[]> Inputs, double[] Predictions)
{
    /// <summary>Stands for a value that too few rows had.</summary>
    public const string Rare = "\u2026";
}

/// <summary>How far what is served lies from a reference.</summary>
/// <param name="Version">The version.</param>
/// <param name="Reference">training, or first_served when the version brought no sample and its first served rows stand in; none before there are enough.</param>
/// <param name="ReferenceRows">Rows of it.</param>
/// <param name="Rows">Newest served rows held against it.</param>
/// <param name="Inputs">Every input.</param>
/// <param name="Predictions">The answers; null when too few.</param>
internal sealed record DriftReport(int Version, string Reference, int ReferenceRows, int Rows, IReadOnlyList<DriftFigure> Inputs, DriftFigure? Predictions)
{
    /// <summary>The largest drift of an input beyond what chance explains.</summary>
    public double Worst => Inputs.Count == 0 ? 0 : Inputs.Max(input => input.Beyond);
}

/// <summary>Drift of one input, or of the answers.</summary>
/// <param name="Name">The input; <c>prediction</c> for the answers.</param>
/// <param name="Psi">Population stability index over classes of the reference, missing values a class of their own.</param>
/// <param name="Chance">What so few rows make of it without any drift: its mean and two standard deviations.</param>
/// <param name="Missing">Share of missing values.</param>
/// <param name="MissingBefore">The same in the reference.</param>
/// <param name="Drifted">Whether it lies beyond the limit and chance.</param>
internal sealed record DriftFigure(string Name, double Psi, double Chance, double Missing, double MissingBefore, bool Drifted)
{
    /// <summary>What chance does not explain.</summary>
    public double Beyond => Math.Max(0, Psi - Chance);
}

/// <summary>Holds the newest served rows of a version against its reference.</summary>
internal static class DriftWatch
{
    private const int Bins = 10;
    private const int MostCategories = 30;

    /// <summary>The report of a version; inputs are judged by the types that its signature names.</summary>
    public static async Task<DriftReport> ReadAsync(NpgsqlConnection connection, string model, int version, ModelSignature signature, MonitoringKnobs knobs, CancellationToken ct)
    {
        var kept = await connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            "select data->>'reference' from ml.model_versions where model = @model and version = @version and jsonb_typeof(data->'reference') = 'object'", new { model, version }, cancellationToken: ct));
        var reference = kept is null ? null : JsonSerializer.Deserialize<ReferenceSample>(kept, EventJson.Options);
        var source = reference is null ? "first_served" : "training";
        var served = await RowsAsync(connection, "order by at, request_id, row limit @limit", model, version, knobs.ReferenceRows, null, ct);
        var after = reference is null && served.Count > 0 ? served[^1].At : (DateTime?)null;
        reference ??= new ReferenceSample(signature.Inputs.ToDictionary(input => input.Name, input => served.Select(row => row.Inputs.GetValueOrDefault(input.Name)).ToArray()), [.. served.Select(row => row.Value)]);
        var now = await RowsAsync(connection, "order by at desc, request_id, row limit @limit", model, version, knobs.CurrentRows, after, ct);
        if (reference.Predictions.Length < knobs.MinDriftRows || now.Count < knobs.MinDriftRows || (source == "first_served" && reference.Predictions.Length < knobs.ReferenceRows))
        {
            return new DriftReport(version, reference.Predictions.Length == 0 ? "none" : source, reference.Predictions.Length, now.Count, [], null);
        }

        var inputs = signature.Inputs.Where(input => reference.Inputs.ContainsKey(input.Name))
            .Select(input => Judge(input.Name, input.Type, reference.Inputs[input.Name], [.. now.Select(row => row.Inputs.GetValueOrDefault(input.Name))], knobs.Drift)).ToList();
        return new DriftReport(version, source, reference.Predictions.Length, now.Count, inputs, Judge("prediction", "number", [.. reference.Predictions.Select(Text)], [.. now.Select(row => Text(row.Value))], knobs.Drift));
    }

    /// <summary>Judges one input.</summary>
    internal static DriftFigure Judge(string name, string type, string?[] before, string?[] now, double limit)
    {
        var (p, q) = type is "number" or "date" or "text" ? Classes(before, now, text => Number(type, text)) : Categories(before, now);
        var psi = DistributionDrift.Psi(p, q);
        // Under no drift PSI · (n·m / (n + m)) is about a chi-square of (classes − 1) degrees of freedom (Yurdakul and Naranjo 2020, section 3).
        var used = p.Zip(q).Count(pair => pair.First + pair.Second > 0) - 1;
        var scale = 1.0 / before.Length + 1.0 / now.Length;
        var chance = scale * (used + 2 * Math.Sqrt(2 * used));
        return new DriftFigure(name, psi, chance, Missing(now), Missing(before), psi > limit + chance);
    }

    private static double Missing(string?[] values) => values.Length == 0 ? 0 : (double)values.Count(value => value is null) / values.Length;

    private static double? Number(string type, string text) => type switch
    {
        "date" => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? (at - DateTimeOffset.UnixEpoch).TotalDays : null,
        "text" => text.Count(char.IsWhiteSpace) + 1,
        _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null,
    };

    /// <summary>Counts by tenths of the reference, missing values last.</summary>
    private static (long[] Before, long[] Now) Classes(string?[] before, string?[] now, Func<string, double?> read)
    {
        var (a, b) = (before.Select(text => text is null ? null : read(text)).ToArray(), now.Select(text => text is null ? null : read(text)).ToArray());
        var sorted = a.OfType<double>().Order().ToArray();
        double[] edges = sorted.Length == 0 ? [] : [.. Enumerable.Range(1, Bins - 1).Select(i => sorted[(int)((long)sorted.Length * i / Bins)]).Distinct()];
        return (Count(a), Count(b));

        long[] Count(double?[] values)
        {
            var counts = new long[edges.Length + 2];
            foreach (var value in values)
            {
                var at = value is { } number ? Array.BinarySearch(edges, number) : 0;
                counts[value is null ? ^1 : at >= 0 ? at + 1 : ~at]++;
            }

            return counts;
        }
    }

    /// <summary>Counts by the most frequent values of both, all others together, missing values last.</summary>
    private static (long[] Before, long[] Now) Categories(string?[] before, string?[] now)
    {
        // What was rare is counted with all that is rare now.
        var known = before.Concat(now).OfType<string>().Where(value => value != ReferenceSample.Rare).GroupBy(value => value, StringComparer.OrdinalIgnoreCase).OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal)
            .Take(MostCategories).Select((group, place) => (group.Key, place)).ToDictionary(pair => pair.Key, pair => pair.place, StringComparer.OrdinalIgnoreCase);
        return (Count(before), Count(now));

        long[] Count(string?[] values)
        {
            var counts = new long[known.Count + 2];
            foreach (var value in values)
            {
                counts[value is null ? ^1 : known.TryGetValue(value, out var place) ? place : ^2]++;
            }

            return counts;
        }
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static async Task<List<(DateTime At, Dictionary<string, string?> Inputs, double Value)>> RowsAsync(
        NpgsqlConnection connection, string order, string model, int version, int limit, DateTime? after, CancellationToken ct)
    {
        var rows = await connection.QueryAsync<(DateTime At, string Inputs, double Value)>(new CommandDefinition($"""
            select at, inputs::text, value from ml.predictions
            where model = @model and version = @version and value is not null and (@after::timestamptz is null or at > @after) {order}
            """, new { model, version, limit, after }, cancellationToken: ct));
        return [.. rows.Select(row => (row.At, JsonSerializer.Deserialize<Dictionary<string, string?>>(row.Inputs)!, row.Value))];
    }
}
