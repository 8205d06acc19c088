using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Models;
using OKLA.ML.Models.Frames;
using OKLA.ML.Training.Gates;
using OKLA.ML.Training.Jobs;
using OKLA.Shared.Web;

namespace OKLA.ML.Training.Runs;

/// <summary>GET /api/ml/runs, /api/ml/runs/{id}, /api/ml/runs/compare?ids=…, POST /api/ml/runs/{id}/reproduce: what trainings did and measured.</summary>
internal static class ReadRuns
{
    private const int MostCompared = 10;
    private const int LeastShared = 30;

    /// <summary>Runs, newest first.</summary>
    internal sealed record Response(IReadOnlyList<RunRecord> Runs);

    /// <summary>Runs side by side.</summary>
    /// <param name="Runs">What was asked for, in that order.</param>
    /// <param name="Metrics">Each metric of the test with every run's value; null where a run has none.</param>
    /// <param name="Parameters">Parameters that differ, with every run's value as JSON.</param>
    /// <param name="Pairs">Every two runs on the cases that both were measured on.</param>
    internal sealed record Comparison(
        IReadOnlyList<Guid> Runs, IReadOnlyDictionary<string, IReadOnlyList<double?>> Metrics, IReadOnlyDictionary<string, IReadOnlyList<string?>> Parameters, IReadOnlyList<Pair> Pairs);

    /// <summary>Two runs on the same cases.</summary>
    /// <param name="First">A run.</param>
    /// <param name="Second">Another one.</param>
    /// <param name="Loss">What a case's loss is; null when it is not the same for both.</param>
    /// <param name="SharedCases">Cases that both were measured on.</param>
    /// <param name="Difference">Mean loss of the first less that of the second; null where too few cases are shared.</param>
    /// <param name="Low">Lower end of its 95 % interval (bootstrap over cases).</param>
    /// <param name="High">Upper end.</param>
    /// <param name="PValue">Of the paired t test (Student 1908), adjusted for the number of pairs (Holm 1979).</param>
    /// <param name="Verdict">first, second, or even where chance explains the difference; null where nothing can be said.</param>
    /// <param name="Why">Why nothing can be said; null where something can.</param>
    internal sealed record Pair(Guid First, Guid Second, string? Loss, int SharedCases, double? Difference, double? Low, double? High, double? PValue, string? Verdict, string? Why = null);

    /// <summary>A run that will be made again.</summary>
    /// <param name="Id">The job, to follow at /api/ml/jobs/{id}; its message says whether the artefact is the same bit for bit.</param>
    /// <param name="Run">The run to be made again.</param>
    internal sealed record Queued(Guid Id, Guid Run);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", ListAsync).WithName("ListRuns").WithSummary("What trainings did and measured");
        routes.MapGet("/{id:guid}", GetAsync).WithName("ReadRun").WithSummary("A run with parameters, data, environment and figures");
        routes.MapGet("/compare", CompareAsync).WithName("CompareRuns").WithSummary("Runs side by side, with significance on shared cases");
        routes.MapPost("/{id:guid}/reproduce", ReproduceAsync).WithName("ReproduceRun").WithSummary("Make a run again and compare the artefacts bit for bit");
    }

    internal static async Task<Ok<Response>> ListAsync(RunStore runs, CancellationToken ct, [MaxLength(60)] string? model = null, [Range(1, 200)] int limit = 20) =>
        TypedResults.Ok(new Response(await runs.ListAsync(model, limit, ct)));

    internal static async Task<Results<Ok<RunRecord>, ProblemHttpResult>> GetAsync(Guid id, RunStore runs, CancellationToken ct) =>
        await runs.FindAsync(id, ct) is { } run ? TypedResults.Ok(run) : Missing(id);

    internal static async Task<Results<Ok<Comparison>, ValidationProblem>> CompareAsync([MaxLength(500)] string ids, RunStore runs, CancellationToken ct)
    {
        var found = new List<RunRecord>();
        foreach (var text in ids.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct())
        {
            if (!Guid.TryParse(text, out var id) || await runs.FindAsync(id, ct) is not { } run)
            {
                return Problems.Invalid("ids", $"There is no run {text}.");
            }

            found.Add(run);
        }

        return found.Count is < 2 or > MostCompared ? Problems.Invalid("ids", $"Name 2 to {MostCompared} runs, with commas between.") : TypedResults.Ok(await SideBySideAsync(found, runs, ct));
    }

    internal static async Task<Results<Accepted<Queued>, ProblemHttpResult>> ReproduceAsync(Guid id, CurrentUser admin, RunStore runs, RunTables tables, ModelCatalog models, TrainingJobs jobs, CancellationToken ct)
    {
        if (await runs.FindAsync(id, ct) is not { } run)
        {
            return Missing(id);
        }

        if (!await runs.HasRecipeAsync(id, ct))
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: TrainingRunner.NoRecipe);
        }

        if (await models.FindAsync(run.Model, ct) is LogModel && !await tables.HasLearnedAsync(id, ct))
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: TrainingRunner.NotKept);
        }

        var job = await jobs.QueueAsync(run.Model, "reproduce", admin.Actor, 0, ct, id);
        return TypedResults.Accepted($"/api/ml/jobs/{job}", new Queued(job, id));
    }

    private static async Task<Comparison> SideBySideAsync(List<RunRecord> found, RunStore runs, CancellationToken ct)
    {
        var metrics = found.SelectMany(run => run.Metrics).Where(metric => metric.Step == 0).Select(metric => metric.Name).Distinct().ToDictionary(
            name => name, name => (IReadOnlyList<double?>)[.. found.Select(run => run.Metrics.FirstOrDefault(metric => metric.Step == 0 && metric.Name == name)?.Value)]);
        var parameters = found.SelectMany(run => run.Parameters.EnumerateObject().Select(property => property.Name)).Distinct()
            .Select(name => (name, values: found.Select(run => run.Parameters.TryGetProperty(name, out var value) ? value.GetRawText() : null).ToArray()))
            .Where(row => row.values.Distinct().Count() > 1).ToDictionary(row => row.name, row => (IReadOnlyList<string?>)row.values);
        var cases = new CaseLosses?[found.Count];
        for (var i = 0; i < cases.Length; i++)
        {
            cases[i] = await runs.CasesAsync(found[i].Id, ct);
        }

        var pairs = (from a in Enumerable.Range(0, found.Count) from b in Enumerable.Range(a + 1, found.Count - a - 1) select Compare(found[a], found[b], cases[a], cases[b])).ToArray();
        var tested = Enumerable.Range(0, pairs.Length).Where(i => pairs[i].PValue is not null).ToArray();
        var adjusted = Hypothesis.Holm(Array.ConvertAll(tested, i => pairs[i].PValue!.Value));
        for (var i = 0; i < tested.Length; i++)
        {
            var pair = pairs[tested[i]];
            pairs[tested[i]] = pair with { PValue = adjusted[i], Verdict = adjusted[i] >= 0.05 ? "even" : pair.Difference < 0 ? "first" : "second" };
        }

        return new Comparison([.. found.Select(run => run.Id)], metrics, parameters, pairs);
    }

    private static Pair Compare(RunRecord one, RunRecord other, CaseLosses? a, CaseLosses? b)
    {
        var (first, second) = (one.Id, other.Id);
        if (a is null || b is null || a.Loss != b.Loss)
        {
            var silent = a is null ? one : other;
            var why = a is not null && b is not null ? $"The first run measured {a.Loss} of a case, the second one {b.Loss}."
                : silent.ForgottenAt is { } at ? $"The losses of the cases of run {silent.Id} are not kept any more: they were forgotten on {at:yyyy-MM-dd} for their age."
                : $"Run {silent.Id} kept no losses of its cases.";
            return new Pair(first, second, null, 0, null, null, null, null, null, why);
        }

        var known = new Dictionary<long, double>();
        for (var i = 0; i < b.Keys.Length; i++)
        {
            known.TryAdd(b.Keys[i], b.Model[i]);
        }

        var shared = Enumerable.Range(0, a.Keys.Length).Where(i => known.ContainsKey(a.Keys[i])).ToArray();
        if (shared.Length < LeastShared)
        {
            return new Pair(first, second, a.Loss, shared.Length, null, null, null, null, null, $"Fewer than {LeastShared} cases are shared.");
        }

        double[] mine = Array.ConvertAll(shared, i => a.Model[i]), theirs = Array.ConvertAll(shared, i => known[a.Keys[i]]);
        var interval = GateCase.Difference(mine, theirs);
        return new Pair(first, second, a.Loss, shared.Length, interval.Estimate, interval.Lower, interval.Upper, Hypothesis.PairedT(mine, theirs).PValue, null);
    }

    private static ProblemHttpResult Missing(Guid id) => TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no run {id}.");
}
