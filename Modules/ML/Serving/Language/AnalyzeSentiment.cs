using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OKLA.ML.Models;
using OKLA.ML.Models.Language;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving.Language;

/// <summary>
/// POST /api/texts/sentiment: whether a review or message is praise or blame, as a whole and of each thing it speaks of. Words of tone speak first,
/// the arm of a rollout or the serving version where they do not tell; the answer says whether there is one. The text is kept nowhere.
/// </summary>
internal static class AnalyzeSentiment
{
    private const int LongestText = 4_000;

    /// <summary>A text.</summary>
    /// <param name="Text">What somebody wrote, in Spanish.</param>
    public sealed record Request([Required, StringLength(LongestText, MinimumLength = 1)] string Text);

    /// <summary>What is said of a thing.</summary>
    /// <param name="Name">price, condition, service, honesty, location, financing or paperwork.</param>
    /// <param name="Sentiment">positive or negative.</param>
    /// <param name="Text">The clause that says so, without contact data.</param>
    public sealed record Aspect(string Name, string Sentiment, string Text);

    /// <summary>What came of it.</summary>
    /// <param name="Sentiment">positive or negative; null when neither words nor a classifier tell.</param>
    /// <param name="Probability">Probability of praise by the classifier; null when none answered.</param>
    /// <param name="Aspects">What is said of each thing.</param>
    /// <param name="Version">Version that answered; null when words alone spoke.</param>
    /// <param name="Source">model, previous, rollout:{arm} or words.</param>
    public sealed record Response(string? Sentiment, double? Probability, IReadOnlyList<Aspect> Aspects, int? Version, string Source);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapPost("/api/texts/sentiment", HandleAsync).WithName("AnalyzeSentiment").WithSummary("Tell praise from blame");

    internal static async Task<Results<Ok<Response>, ValidationProblem>> HandleAsync(
        Request request, CurrentUser caller, TextPredictor predictor, PredictionLog log, IMessageBus bus, ILogger<TextPredictor> logger, CancellationToken ct, [MaxLength(200)] string? person = null)
    {
        if (string.IsNullOrWhiteSpace(request.Text))
        {
            return Problems.Invalid("text", "The text holds no word.");
        }

        var asked = await predictor.AskAsync(
            ModelNames.SentimentAnalyzer, await Asker.WhomAsync(caller, person, bus, logger, ct), request.Text, (IServedModel model) => model.Predict([[request.Text]])[0], said => said, ct);
        var (probability, source) = (asked.Answer?.Value, asked.Source.Length > 0 ? asked.Source : "words");
        var aspects = AspectReader.Read(request.Text);
        var tone = AspectReader.Tone(request.Text);
        var sentiment = tone != 0 ? Name(tone > 0) : probability is { } praise ? Name(praise >= 0.5) : null;
        log.Write(new PredictionServed(ModelNames.SentimentAnalyzer, asked.Version, source, "", [.. aspects.Select(aspect => aspect.Aspect)], [probability ?? (tone > 0 ? 1 : 0)]));
        return TypedResults.Ok(new Response(
            sentiment, probability, [.. aspects.Select(aspect => new Aspect(aspect.Aspect, Name(aspect.IsPraise), FactReader.Mask(aspect.Text)))], asked.Version, source));
    }

    private static string Name(bool isPraise) => isPraise ? SentimentAnalyzer.Praise : SentimentAnalyzer.Blame;
}
