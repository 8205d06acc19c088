using Dapper;
using Npgsql;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Serving;

namespace OKLA.ML.Monitoring;

/// <summary>How good served answers turned out to be.</summary>
/// <param name="Segment">Value of the input that was asked for; null for all.</param>
/// <param name="Cases">Answers whose outcome is known.</param>
/// <param name="Waiting">Answers whose outcome may still come; they count neither way.</param>
/// <param name="Metrics">Figures by name: MAE, bias, median APE and coverage; or AUC, log loss, Brier, accuracy and the positive share; or accuracy.</param>
internal sealed record QualityFigures(string? Segment, long Cases, long Waiting, IReadOnlyDictionary<string, double> Metrics);

/// <summary>Joins answers to what came of them: outcomes that were told, and for a model with a goal the events of the log.</summary>
internal static class Quality
{
    private const int MostCases = 50_000;
    private const int MostSegments = 50;

    /// <summary>An answer and what came of it; <paramref name="Known"/> is false while it may still come.</summary>
    internal sealed record Case(string? Segment, double Value, double? Low, double? High, string? Label, double? Outcome, string? OutcomeLabel, bool Known);

    /// <summary>Figures of a version over some days, of all rows and, when an input is named, of its values.</summary>
    public static async Task<IReadOnlyList<QualityFigures>> ReadAsync(
        NpgsqlConnection connection, string model, int? version, ModelSignature signature, string? segment, DateTimeOffset since, DateTimeOffset now, CancellationToken ct)
    {
        // A told outcome comes before one of the log. Without either, an answer older than the goal's window is a negative, and a younger one says nothing yet.
        var rows = await connection.QueryAsync<Case>(new CommandDefinition($"""
            select p.inputs->>@segment as segment, p.value, p.low, p.high, p.label,
                case when o.request_id is not null then o.value when g.model is null or p.user_key is null then null when hit.found then 1.0::float8 when p.at + g.wait <= @now then 0.0::float8 end as outcome,
                o.label as outcomelabel,
                o.request_id is not null or (g.model is not null and p.user_key is not null and (hit.found or p.at + g.wait <= @now)) as known
            from ml.predictions p
            left join ml.outcomes o on o.request_id = p.request_id and o.row = p.row
            left join (select model, event_types, make_interval(mins => window_minutes) as wait from ml.goals) g on g.model = p.model
            left join lateral (
                select exists (
                    select 1 from ml.goal_events e where e.type = any(g.event_types) and e.at between p.at and p.at + g.wait and (e.user_id = p.user_key or e.anonymous_id = p.user_key)
                        and (p.entity_id is null or e.item_id is null or e.item_id = p.entity_id)) as found
            ) hit on g.model is not null
            where p.model = @model and (@version::int is null or p.version = @version) and p.at >= @since and p.value is not null
            order by p.at desc limit {MostCases}
            """, new { model, version, segment = segment ?? "", since = since.UtcDateTime, now = now.UtcDateTime }, cancellationToken: ct));
        var cases = rows.AsList();
        var all = Of(null, cases, signature);
        return segment is null ? [all]
            : [all, .. cases.GroupBy(item => item.Segment).OrderByDescending(group => group.Count()).Take(MostSegments).Select(group => Of(group.Key ?? "", [.. group], signature))];
    }

    /// <summary>Figures of cases.</summary>
    internal static QualityFigures Of(string? segment, IReadOnlyList<Case> cases, ModelSignature signature)
    {
        var known = cases.Where(item => item.Known).ToList();
        return new QualityFigures(segment, known.Count, cases.Count - known.Count, signature.Task switch
        {
            _ when known.Count == 0 => new Dictionary<string, double>(),
            "binary" => Binary(known, signature.Classes[^1]),
            "multiclass" => new Dictionary<string, double> { ["accuracy"] = known.Average(item => item.Label == item.OutcomeLabel ? 1.0 : 0) },
            _ => Regression([.. known.Where(item => item.Outcome is not null)]),
        });
    }

    private static Dictionary<string, double> Binary(List<Case> known, string positive)
    {
        var scores = known.Select(item => item.Value).ToArray();
        var labels = known.Select(item => item.OutcomeLabel is { } label ? label == positive : item.Outcome > 0.5).ToArray();
        var figures = new Dictionary<string, double>
        {
            ["log_loss"] = BinaryMetrics.LogLoss(scores, labels), ["brier"] = BinaryMetrics.Brier(scores, labels),
            ["accuracy"] = scores.Zip(labels).Average(pair => pair.First >= 0.5 == pair.Second ? 1.0 : 0), ["positive_share"] = labels.Average(label => label ? 1.0 : 0),
            ["mean_probability"] = scores.Average(),
        };
        if (labels.Distinct().Count() == 2)
        {
            figures["auc"] = BinaryMetrics.RocAuc(scores, labels);
        }

        return figures;
    }

    private static Dictionary<string, double> Regression(IReadOnlyList<Case> known)
    {
        var figures = new Dictionary<string, double>();
        if (known.Count == 0)
        {
            return figures;
        }

        var (truth, said) = (known.Select(item => item.Outcome!.Value).ToArray(), known.Select(item => item.Value).ToArray());
        figures["mae"] = RegressionMetrics.Mae(truth, said);
        figures["bias"] = said.Average() - truth.Average();
        if (truth.All(value => value != 0))
        {
            figures["median_ape"] = RegressionMetrics.MedianApe(truth, said);
        }

        var inside = known.Where(item => item.Low is not null && item.High is not null).ToList();
        if (inside.Count > 0)
        {
            figures["coverage"] = inside.Average(item => item.Outcome >= item.Low && item.Outcome <= item.High ? 1.0 : 0);
        }

        return figures;
    }
}
