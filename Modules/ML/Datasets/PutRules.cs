using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Shared.Web;

namespace OKLA.ML.Datasets;

/// <summary>PUT and GET /api/ml/datasets/{name}/rules: what must hold of a version before it is trained on. The newest version is judged at once, later ones as they come.</summary>
internal static class PutRules
{
    /// <summary>All rules, in place of those before.</summary>
    public sealed record Request([Required] IReadOnlyList<Rule> Rules);

    /// <summary>A rule.</summary>
    /// <param name="Kind">missing (share ≤ max), rows (≥ min), range, values, unique, no-new-values, drift (stability index ≤ max, 0.25 unless said) or fresh (days ≤ max).</param>
    /// <param name="Column">The column it is about.</param>
    /// <param name="Min">Fewest rows, or smallest number.</param>
    /// <param name="Max">Largest share, number, index or age in days.</param>
    /// <param name="Values">Values allowed.</param>
    /// <param name="Severity">block or warn.</param>
    public sealed record Rule([Required] string Kind, string? Column = null, double? Min = null, double? Max = null, IReadOnlyList<string>? Values = null, string Severity = QualityRules.Block);

    /// <summary>The rules, and what they make of the newest version.</summary>
    /// <param name="Rules">The rules.</param>
    /// <param name="Version">The newest version; null when there is none.</param>
    /// <param name="Quality">pass, warn or block; null without a version.</param>
    /// <param name="Findings">What each rule found.</param>
    public sealed record Response(IReadOnlyList<Rule> Rules, int? Version, string? Quality, IReadOnlyList<ReadDataset.Finding> Findings);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPut("/{name}/rules", HandleAsync).WithName("putDatasetRules").WithSummary("Replace the rules of a data set");
        routes.MapGet("/{name}/rules", GetAsync).WithName("getDatasetRules").WithSummary("The rules of a data set");
    }

    internal static async Task<Results<Ok<Response>, ValidationProblem>> HandleAsync(string name, Request request, DatasetStore datasets, TimeProvider clock, CancellationToken ct)
    {
        if (request.Rules.Count > QualityRules.MaxRules)
        {
            return Problems.Invalid("rules", $"At most {QualityRules.MaxRules}.");
        }

        var rules = request.Rules.Select(rule => new QualityRule(rule?.Kind ?? "", rule?.Column, rule?.Min, rule?.Max, rule?.Values, rule?.Severity ?? QualityRules.Block)).ToList();
        for (var i = 0; i < rules.Count; i++)
        {
            if (QualityRules.Fault(rules[i]) is var (part, message))
            {
                return Problems.Invalid($"rules[{i}].{(part == "rule" ? "kind" : part)}", message);
            }
        }

        return TypedResults.Ok(Answer(rules, await datasets.PutRulesAsync(name, rules, ct), clock.GetUtcNow()));
    }

    internal static async Task<Results<Ok<Response>, NotFound>> GetAsync(string name, DatasetStore datasets, TimeProvider clock, CancellationToken ct) =>
        !name.Contains('\0') && await datasets.RulesAsync(name, ct) is { } rules ? TypedResults.Ok(Answer(rules, await datasets.RecordAsync(name, null, ct), clock.GetUtcNow())) : TypedResults.NotFound();

    private static Response Answer(IReadOnlyList<QualityRule> rules, DatasetRecord? newest, DateTimeOffset now)
    {
        var quality = newest?.QualityNow(now);
        return new Response(
            [.. rules.Select(rule => new Rule(rule.Rule, rule.Column, rule.Min, rule.Max, rule.Values, rule.Severity))], newest?.Version.Version, quality?.Status,
            [.. (quality?.Findings ?? []).Select(finding => new ReadDataset.Finding(finding.Rule, finding.Column, finding.Severity, finding.Passed, finding.Message))]);
    }
}
