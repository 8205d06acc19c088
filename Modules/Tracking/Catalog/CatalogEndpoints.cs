using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Catalog;

/// <summary><c>/api/catalog/items</c>: a server puts and ends items, anybody reads them.</summary>
internal static class CatalogEndpoints
{
    private const int MaxId = 200;
    private const int MaxTitle = 500;
    private const int MaxDescription = 20_000;
    private const int MaxText = 2_000;
    private const int MaxAttributes = 100;
    private const int MaxTags = 50;
    private const int MaxImages = 50;
    private const int MaxPage = 1_000;

    /// <summary>An item as it now is; what is left out is taken as absent.</summary>
    /// <param name="Kind">Kind, such as <c>vehicle</c>.</param>
    /// <param name="Title">What people read first.</param>
    /// <param name="Price">Asking price; left out when it is not stated.</param>
    /// <param name="Attributes">Text, numbers and booleans by camelCase name.</param>
    /// <param name="Description">Longer text.</param>
    /// <param name="Tags">Free tags.</param>
    /// <param name="SellerId">Seller.</param>
    /// <param name="Place">Province or city.</param>
    /// <param name="Images">Addresses of pictures.</param>
    public sealed record PutRequest(
        string? Kind, string? Title, Money? Price, Dictionary<string, JsonElement>? Attributes, string? Description,
        string[]? Tags, string? SellerId, string? Place, string[]? Images);

    /// <summary>How an item's life ended.</summary>
    /// <param name="Sold">Whether it was sold.</param>
    /// <param name="Reason">Why, when it is known.</param>
    public sealed record EndRequest(bool Sold, string? Reason);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var items = routes.MapGroup("/api/catalog/items").WithTags("Catalogue");
        items.MapPut("/{id}", PutAsync).RequireAuthorization(Policies.CatalogWrite);
        items.MapPost("/{id}/end", EndAsync).RequireAuthorization(Policies.CatalogWrite);
        items.MapGet("/{id}", GetAsync).RequireAuthorization(Policies.Anonymous);
        items.MapGet("/", ListAsync).RequireAuthorization(Policies.Anonymous);
    }

    internal static async Task<Results<Ok<CatalogChanges>, ValidationProblem>> PutAsync(string id, PutRequest request, IMessageBus bus, CancellationToken ct)
    {
        if (Check(id, request) is { Count: > 0 } errors)
        {
            return TypedResults.ValidationProblem(errors);
        }

        var attributes = request.Attributes?.Where(pair => pair.Value.ValueKind != JsonValueKind.Null).ToDictionary() ?? [];
        var item = new CatalogItem(id, request.Kind!, request.Title!, request.Price, attributes)
        {
            Description = request.Description,
            Tags = request.Tags ?? [],
            SellerId = request.SellerId,
            Place = request.Place,
            Images = request.Images ?? [],
        };
        return TypedResults.Ok(await bus.InvokeAsync<CatalogChanges>(new PutCatalogItems([item]), ct));
    }

    internal static async Task<Results<Ok<CatalogChanges>, NotFound, ValidationProblem>> EndAsync(string id, EndRequest request, IMessageBus bus, CancellationToken ct)
    {
        if (request.Reason is { } reason && (reason.Length > MaxText || reason.Contains('\0')))
        {
            return Problems.Invalid("reason", $"At most {MaxText} characters, without U+0000.");
        }

        if (!Storable(id) || (await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new GetCatalogItems([id]), ct)).Count == 0)
        {
            return TypedResults.NotFound();
        }

        return TypedResults.Ok(await bus.InvokeAsync<CatalogChanges>(new WithdrawCatalogItems([id], request.Sold, request.Reason), ct));
    }

    internal static async Task<Results<Ok<CatalogEntry>, NotFound>> GetAsync(string id, IMessageBus bus, CancellationToken ct) =>
        Storable(id) && await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new GetCatalogItems([id]), ct) is [var entry] ? TypedResults.Ok(entry) : TypedResults.NotFound();

    internal static async Task<Results<Ok<Page<CatalogEntry>>, ValidationProblem>> ListAsync(
        IMessageBus bus, CancellationToken ct, string kind = "vehicle", string? after = null, int limit = 100)
    {
        if (limit is < 1 or > MaxPage)
        {
            return Problems.Invalid("limit", $"Between 1 and {MaxPage}.");
        }

        if (kind.Length == 0 || !Storable(kind))
        {
            return Problems.Invalid("kind", $"Between 1 and {MaxId} characters.");
        }

        if (after is not null && !Storable(after))
        {
            return Problems.Invalid("after", "Not the id of an item.");
        }

        var found = await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new ListCatalogItems(kind, after, limit + 1), ct);
        return found.Count > limit
            ? TypedResults.Ok(new Page<CatalogEntry>([.. found.Take(limit)], found[limit - 1].Item.Id))
            : TypedResults.Ok(new Page<CatalogEntry>(found, null));
    }

    /// <summary>What is wrong with a request, by field as the client writes it; empty when nothing is.</summary>
    internal static Dictionary<string, string[]> Check(string id, PutRequest request)
    {
        var errors = new Dictionary<string, string[]>();
        void Require(bool right, string field, string message)
        {
            if (!right)
            {
                errors.TryAdd(field, [message]);
            }
        }

        void Text(string? text, string field, int max, bool required = false)
        {
            Require(!required || !string.IsNullOrWhiteSpace(text), field, "The value is required.");
            Require(text is null || text.Length <= max, field, $"At most {max} characters.");
            Require(text is null || !text.Contains('\0'), field, "The character U+0000 cannot be stored.");
        }

        void Texts(string[]? texts, string field, int max)
        {
            Require(texts is null || texts.Length <= max, field, $"At most {max} entries.");
            for (var i = 0; i < Math.Min(texts?.Length ?? 0, max); i++)
            {
                Text(texts![i], $"{field}[{i}]", MaxText, required: true);
            }
        }

        Text(id, "id", MaxId, required: true);
        Text(request.Kind, "kind", MaxId, required: true);
        Text(request.Title, "title", MaxTitle, required: true);
        Text(request.Description, "description", MaxDescription);
        Text(request.SellerId, "sellerId", MaxId);
        Text(request.Place, "place", MaxId);
        Texts(request.Tags, "tags", MaxTags);
        Texts(request.Images, "images", MaxImages);
        Require(request.Price is null or { Amount: > 0 and < 1_000_000_000_000m }, "price.amount", "Above 0 and below 1,000,000,000,000.");
        Require(request.Price is null or { Currency: "DOP" or "USD" }, "price.currency", "DOP or USD.");
        Require(request.Attributes is null || request.Attributes.Count <= MaxAttributes, "attributes", $"At most {MaxAttributes} attributes.");
        foreach (var (name, value) in (request.Attributes ?? []).Take(MaxAttributes))
        {
            Text(name, "attributes", MaxId, required: true);
            var field = $"attributes.{name}";
            Require(value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Undefined), field, "Text, a number or true/false.");
            Require(value.ValueKind != JsonValueKind.Number || Storable(value), field, "A number of at most 30 digits and below 1e300.");
            if (value.ValueKind == JsonValueKind.String)
            {
                Require(TryGetText(value, out var text), field, "Not a valid Unicode text.");
                Text(text, field, MaxText);
            }
        }

        return errors;
    }

    private static bool Storable(string id) => id.Length <= MaxId && !id.Contains('\0');

    // PostgreSQL's jsonb refuses numbers outside its range, also tiny ones that a double reads as zero.
    private static bool Storable(JsonElement number)
    {
        var text = number.GetRawText();
        return text.Length <= 30 && number.TryGetDouble(out var value) && Math.Abs(value) < 1e300
            && (!text.Contains('e', StringComparison.OrdinalIgnoreCase) || Math.Abs(value) > 1e-300);
    }

    private static bool TryGetText(JsonElement element, out string? text)
    {
        try
        {
            text = element.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            // An escaped half of a surrogate pair: valid JSON, but no text.
            text = null;
            return false;
        }
    }
}
