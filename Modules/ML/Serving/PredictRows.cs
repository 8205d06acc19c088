using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving;

/// <summary>
/// POST /api/ml/models/{name}/predict: answers rows. The arm of a rollout, else the serving version, else the one before it, else the value stored
/// with it as baseline; the answer says which one spoke.
/// </summary>
internal static class PredictRows
{
    private const int LongestText = 200;
    private const int LongestEntity = 650;

    /// <summary>A question.</summary>
    /// <param name="Rows">Objects of inputs by name; see GET /api/ml/models/{name}/signature.</param>
    /// <param name="EntityIds">What each row is about (a person, an item, a lead as <c>person|item</c>): features that the row does not name are looked up; kept with the prediction.</param>
    /// <param name="Explain">Whether to say why.</param>
    /// <param name="UserKey">Whom it is for; decides the arm of a rollout.</param>
    /// <param name="RequestId">Id of the request; made up when left out. A repeated one is answered, and written down once.</param>
    public sealed record Request(IReadOnlyList<Dictionary<string, JsonElement>> Rows, IReadOnlyList<string>? EntityIds = null, bool Explain = false, string? UserKey = null, string? RequestId = null);

    /// <summary>Answers to rows.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Version">Version that answered; null for an ensemble or the baseline.</param>
    /// <param name="Source">model, previous, rollout:{arm} or fallback.</param>
    /// <param name="Predictions">One a row, in their order.</param>
    /// <param name="Warnings">What the model has not learned from, by path.</param>
    /// <param name="RequestId">Id to tell the outcome by, and to look the request up.</param>
    public sealed record Response(string Model, int? Version, string Source, IReadOnlyList<Row> Predictions, IReadOnlyList<string>? Warnings, string RequestId);

    /// <summary>An answer to a row.</summary>
    /// <param name="Value">The number; the probability of the positive class of two, or of the label of more.</param>
    /// <param name="Low">Lower end of the interval.</param>
    /// <param name="High">Upper end of the interval.</param>
    /// <param name="Label">The class.</param>
    /// <param name="Confidence">Probability of the label; of a number with an interval, 1 / (1 + half its width / its size).</param>
    /// <param name="Probabilities">Probability of each class by name.</param>
    /// <param name="Explanation">Why; null unless asked for, or when the model cannot tell.</param>
    public sealed record Row(
        double Value, double? Low, double? High, string? Label, double? Confidence, IReadOnlyDictionary<string, double>? Probabilities, Why? Explanation = null);

    /// <summary>Why a row is answered as it is: the base and what each input adds make the output.</summary>
    /// <param name="Scale">answer, log_odds or log.</param>
    /// <param name="Base">Answer to an average row, on that scale.</param>
    /// <param name="Output">Answer to this row, on that scale.</param>
    /// <param name="Contributions">What each input adds.</param>
    public sealed record Why(string Scale, double Base, double Output, IReadOnlyDictionary<string, double> Contributions);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapPost("/{name}/predict", HandleAsync).WithName("PredictRows").WithSummary("Answer rows")
        .Accepts<Request>("application/json");

    internal static async Task<Results<Ok<Response>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        string name, HttpRequest request, Predictor predictor, Explainer explainer, IOptions<MLOptions> options, CancellationToken ct)
    {
        using var body = await ReadAsync(request, ct);
        return await AnswerAsync(name, body.RootElement, predictor, explainer, options.Value, ct);
    }

    /// <summary>Answers a body that was read.</summary>
    internal static async Task<Results<Ok<Response>, ValidationProblem, ProblemHttpResult>> AnswerAsync(
        string name, JsonElement body, Predictor predictor, Explainer explainer, MLOptions options, CancellationToken ct)
    {
        if (Question(name, body, options.Serving.MaxRows, out var question, out var explain) is { } invalid)
        {
            return invalid;
        }

        var answer = await predictor.AskAsync(question!, ct);
        if (answer.Status == AskStatus.Refused)
        {
            return Problems.Invalid(answer.Read!.Errors);
        }

        if (answer.Status != AskStatus.Answered)
        {
            return Missing(name, answer.Status);
        }

        var classes = answer.By?.Answers.Signature.Classes ?? [];
        var whys = explain && answer.Version is not null ? explainer.Explain(answer.By!, answer.Read!.Rows, ct) : null;
        var rows = new Row[answer.Predictions!.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = Show(answer.Predictions[i], classes, whys is null ? null : Explainer.Show(whys[i], answer.By!.Answers.Signature));
        }

        return TypedResults.Ok(new Response(name, answer.Version, answer.Source, rows, answer.Read is { Warnings.Count: > 0 } read ? read.Warnings : null, question!.RequestId));
    }

    /// <summary>The body as JSON; a body that is none is refused as everywhere.</summary>
    internal static async Task<JsonDocument> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        try
        {
            return await JsonDocument.ParseAsync(request.Body, cancellationToken: ct);
        }
        catch (JsonException broken)
        {
            throw new BadHttpRequestException("The body is no JSON.", StatusCodes.Status400BadRequest, broken);
        }
    }

    /// <summary>Reads a question; the problem when it is none.</summary>
    internal static ValidationProblem? Question(string name, JsonElement body, int most, out Question? question, out bool explain)
    {
        (question, explain) = (null, false);
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("rows", out var rows) || rows.ValueKind != JsonValueKind.Array)
        {
            return Problems.Invalid("rows", "A list of objects of inputs by name.");
        }

        var count = rows.GetArrayLength();
        if (count < 1 || count > most)
        {
            return Problems.Invalid("rows", $"Between 1 and {most} rows; {count} were sent. Larger lots go to /batch.");
        }

        if (!Text(body, "userKey", out var user))
        {
            return Problems.Invalid("userKey", $"A text of 1 to {LongestText} characters.");
        }

        if (!Text(body, "requestId", out var request))
        {
            return Problems.Invalid("requestId", $"A text of 1 to {LongestText} characters.");
        }

        string?[]? entities = null;
        if (body.TryGetProperty("entityIds", out var ids) && ids.ValueKind != JsonValueKind.Null)
        {
            if (ids.ValueKind != JsonValueKind.Array || ids.GetArrayLength() != count
                || ids.EnumerateArray().Any(id => id.ValueKind is not (JsonValueKind.String or JsonValueKind.Null) || id.GetString()?.Length > LongestEntity))
            {
                return Problems.Invalid("entityIds", $"As many texts of at most {LongestEntity} characters as there are rows.");
            }

            entities = [.. ids.EnumerateArray().Select(id => id.GetString())];
        }

        explain = body.TryGetProperty("explain", out var wanted) && wanted.ValueKind == JsonValueKind.True;
        question = new Question(name, rows, request ?? Guid.CreateVersion7().ToString("N"), user, entities);
        return null;
    }

    /// <summary>Why there is no answer.</summary>
    internal static ProblemHttpResult Missing(string name, AskStatus status) => status switch
    {
        AskStatus.Unknown => TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no model named {name}."),
        AskStatus.NotByRows => TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"{name} answers no rows; it is asked through GET /api/recommendations/users/{{id}}."),
        _ => TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Service Unavailable", detail: $"No version of {name} can answer, and none left a value to fall back on."),
    };

    /// <summary>A prediction as it is shown.</summary>
    internal static Row Show(Prediction answer, IReadOnlyList<string> classes, Why? why = null)
    {
        Dictionary<string, double>? shares = null;
        if (answer.Probabilities is { } known && known.Count == classes.Count && classes.Count > 0)
        {
            shares = new Dictionary<string, double>(classes.Count);
            for (var i = 0; i < classes.Count; i++)
            {
                shares[classes[i]] = known[i];
            }
        }

        double? confidence = answer.Label is { } label && shares is not null && shares.TryGetValue(label, out var share) ? share
            : answer is { Low: { } low, High: { } high } ? 1 / (1 + (high - low) / 2 / Math.Max(Math.Abs(answer.Value), 1e-9)) : null;
        return new Row(answer.Value, answer.Low, answer.High, answer.Label, confidence, shares, why);
    }

    private static bool Text(JsonElement body, string property, out string? text)
    {
        text = null;
        if (!body.TryGetProperty(property, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return true;
        }

        text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        return text is { Length: > 0 and <= LongestText } && !text.Contains('\0', StringComparison.Ordinal);
    }
}
