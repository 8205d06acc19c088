using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving;

/// <summary>An explanation whose parts do not make the whole: a fault of the model, never shown.</summary>
internal sealed class NotAdditiveException(string message) : Exception(message);

/// <summary>Asks a version why it answers as it does, and checks on every row that base and contributions make the output.</summary>
internal sealed class Explainer(ILogger<Explainer> logger)
{
    /// <summary>What may be missing, as a share of outputs above 1.</summary>
    private const double Slack = 1e-4;

    /// <summary>Explanations of rows; null when the model cannot tell.</summary>
    /// <exception cref="NotAdditiveException">Base and contributions do not make the output.</exception>
    public Explanation[]? Explain(ServedVersion by, IReadOnlyList<string?[]> rows, CancellationToken ct)
    {
        var explained = by.Answers.Explain(rows, ct);
        foreach (var one in explained ?? [])
        {
            var sum = one.Base + one.Contributions.Sum();
            if (!(Math.Abs(sum - one.Output) <= Slack * Math.Max(1, Math.Abs(one.Output))))
            {
                Log.ExplanationDoesNotAddUp(logger, by.Model, by.Version, sum, one.Output);
                throw new NotAdditiveException($"The explanation of {by.Model} version {by.Version} does not add up.");
            }
        }

        return explained;
    }

    /// <summary>An explanation with the names of the inputs.</summary>
    public static PredictRows.Why Show(Explanation one, ModelSignature signature) => new(
        one.Scale, one.Base, one.Output, signature.Inputs.Select((input, i) => (input.Name, Adds: one.Contributions[i])).ToDictionary(part => part.Name, part => part.Adds));
}

/// <summary>POST /api/ml/models/{name}/explain: answers rows and says for each what every input adds, largest first where it is shown.</summary>
internal static class ExplainRows
{
    /// <summary>Explained answers.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Version">Version that answered.</param>
    /// <param name="Unit">Unit of a regression's answer.</param>
    /// <param name="Rows">One a row.</param>
    public sealed record Response(string Model, int Version, string? Unit, IReadOnlyList<PredictRows.Row> Rows);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapPost("/{name}/explain", HandleAsync).WithName("ExplainRows").WithSummary("Say why rows are answered as they are")
        .Accepts<PredictRows.Request>("application/json");

    internal static async Task<Results<Ok<Response>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        string name, HttpRequest request, ServedModels served, EntityFeatures features, Explainer explainer, Models.ModelCatalog catalog, IOptions<MLOptions> options, CancellationToken ct)
    {
        using var body = await PredictRows.ReadAsync(request, ct);
        if (PredictRows.Question(name, body.RootElement, options.Value.Serving.MaxRows, out var question, out _) is { } invalid)
        {
            return invalid;
        }

        if (await served.BestAsync(name) is not { } by)
        {
            return PredictRows.Missing(name, catalog.Find(name) is null ? AskStatus.Unknown : AskStatus.Unavailable);
        }

        question = await features.FillAsync(question!, ct);
        var read = RowReader.Read(by, question.Rows);
        if (read.Errors.Count > 0)
        {
            return Problems.Invalid(read.Errors);
        }

        if (explainer.Explain(by, read.Rows, ct) is not { } whys)
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: $"{name} cannot say why it answers as it does.");
        }

        var answers = by.Answers.Predict(read.Rows);
        return TypedResults.Ok(new Response(
            name, by.Version, by.Answers.Signature.Unit, [.. answers.Select((answer, i) => PredictRows.Show(answer, by.Answers.Signature.Classes, Explainer.Show(whys[i], by.Answers.Signature)))]));
    }
}
