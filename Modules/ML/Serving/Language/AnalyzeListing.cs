using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OKLA.ML.Models.Language;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving.Language;

/// <summary>
/// POST /api/listings/analyze: what the text of a listing says, where it contradicts what is stated, what it lacks, contact data in it, and a better draft made of
/// what is known alone. The arm of a rollout, else the serving version, else the one before it, else standing names; the answer says which one spoke. The text is kept nowhere.
/// </summary>
internal static class AnalyzeListing
{
    private const int MostAttributes = 60, LongestValue = 200;

    /// <summary>A listing, published or not.</summary>
    /// <param name="Title">Title.</param>
    /// <param name="Description">Text.</param>
    /// <param name="Attributes">What is stated: make, model, year, bodyType, fuel, condition, mileageKm, transmission …; at most 60, each at most 200 characters.</param>
    /// <param name="Price">Price.</param>
    /// <param name="Place">Province or city.</param>
    /// <param name="Pictures">Number of pictures.</param>
    public sealed record Request(
        [Required, StringLength(200, MinimumLength = 1)] string Title, [MaxLength(DescriptionModel.LongestText)] string? Description = null, Dictionary<string, JsonElement>? Attributes = null, Money? Price = null,
        [MaxLength(80)] string? Place = null, [Range(0, 100)] int Pictures = 0);

    /// <summary>A fact that the text says.</summary>
    /// <param name="Name">make, model, year, mileageKm, transmission, fuel, bodyType, condition, color, doors, engineLitres, cylinders, traction, price or extra.</param>
    /// <param name="Value">Its value; a price with its currency behind.</param>
    public sealed record Fact(string Name, string Value);

    /// <summary>The text says otherwise than what is stated.</summary>
    public sealed record Contradicted(string Name, string Stated, string Said, string Message);

    /// <summary>Why the quality is not 100.</summary>
    public sealed record Reason(int Points, string Message);

    /// <summary>Contact data in the text.</summary>
    /// <param name="Kind">telefono, correo, cedula, rnc, tarjeta, red_social or enlace.</param>
    /// <param name="Start">Where it begins in the text.</param>
    /// <param name="Length">Its length.</param>
    public sealed record Contact(string Kind, int Start, int Length);

    /// <summary>A better title and text.</summary>
    public sealed record Draft(string Title, string Text);

    /// <summary>What came of it.</summary>
    /// <param name="Facts">What the text says.</param>
    /// <param name="Contradictions">Where it says otherwise than what is stated.</param>
    /// <param name="Quality">0 to 100, by a rule: what the listing lacks of what others state.</param>
    /// <param name="Reasons">Why it is not 100, the largest loss first.</param>
    /// <param name="Missing">Facts that nothing states, the most usual first.</param>
    /// <param name="Contacts">Contact data in the text.</param>
    /// <param name="Masked">The text without them.</param>
    /// <param name="Suggestion">A better title and text, of known facts alone.</param>
    /// <param name="Version">Version that answered; null for standing names.</param>
    /// <param name="Source">model, previous, rollout:{arm} or names.</param>
    public sealed record Response(
        IReadOnlyList<Fact> Facts, IReadOnlyList<Contradicted> Contradictions, int Quality, IReadOnlyList<Reason> Reasons, IReadOnlyList<string> Missing, IReadOnlyList<Contact> Contacts, string? Masked,
        Draft Suggestion, int? Version, string Source);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapPost("/api/listings/analyze", HandleAsync).WithName("AnalyzeListing").WithSummary("Analyze a listing's text");

    internal static async Task<Results<Ok<Response>, ValidationProblem>> HandleAsync(
        Request request, CurrentUser caller, TextPredictor predictor, PredictionLog log, IMessageBus bus, ILogger<TextPredictor> logger, CancellationToken ct, [MaxLength(200)] string? person = null)
    {
        var attributes = request.Attributes ?? [];
        if (attributes.Count > MostAttributes)
        {
            return Problems.Invalid("attributes", $"{attributes.Count} attributes are too many; {MostAttributes} is the most.");
        }

        if (attributes.FirstOrDefault(pair => pair.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array || pair.Value.ToString().Length > LongestValue) is { Key: { } wrong })
        {
            return Problems.Invalid($"attributes.{wrong}", $"An attribute is a text of at most {LongestValue} characters, a number or a boolean.");
        }

        if (request.Price is { } price && (price.Amount is <= 0 or > 1_000_000_000 || price.Currency is not ("DOP" or "USD")))
        {
            return Problems.Invalid("price", "A price is an amount above 0 in DOP or USD.");
        }

        var item = new CatalogItem("", "vehicle", request.Title, request.Price, attributes)
        {
            Description = request.Description, Place = request.Place, Images = [.. Enumerable.Repeat("", request.Pictures)],
        };
        var asked = await predictor.AskAsync(
            ModelNames.DescriptionAnalyzer, await Asker.WhomAsync(caller, person, bus, logger, ct), request.Title, (DescriptionModel model) => model.Judge(item), judged => new Prediction(judged.Quality), ct);
        var judged = asked.Answer ?? DescriptionModel.Standing.Judge(item);
        var (version, source) = (asked.Version, asked.Source.Length > 0 ? asked.Source : "names");
        log.Write(new PredictionServed(ModelNames.DescriptionAnalyzer, version, source, "", [], [judged.Quality]));
        var (title, text) = DescriptionModel.Draft(item, judged);
        return TypedResults.Ok(new Response(
            [.. judged.Facts.Known().Select(fact => new Fact(fact.Name, fact.Value))], [.. judged.Contradictions.Select(one => new Contradicted(one.Fact, one.Stated, one.Said, Texts.Spanish["listing.contradiction", Name(one.Fact), one.Stated, one.Said]))],
            judged.Quality, [.. judged.Lost.Select(one => new Reason(one.Points, one.Fact is null ? Texts.Spanish[$"listing.lost.{one.Reason}"] : Texts.Spanish[$"listing.lost.{one.Reason}", Name(one.Fact)]))],
            judged.Missing, [.. judged.Facts.Contacts.Select(contact => new Contact(contact.Kind, contact.Start, contact.Length))], request.Description is null ? null : FactReader.Mask(request.Description),
            new Draft(title, text), version, source));
    }

    private static string Name(string fact) => Texts.Spanish[$"listing.fact.{fact}"];
}
