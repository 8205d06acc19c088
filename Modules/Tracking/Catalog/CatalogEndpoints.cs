using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Catalog;

/// <summary><c>/api/catalog/items</c>: a server puts and ends items, anybody reads them.</summary>
internal static class CatalogEndpoints
{
    private const int MaxPage = 1_000;

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

    internal static async Task<Results<Ok<CatalogChanges>, ValidationProblem>> PutAsync(
        string id, ItemBody request, NpgsqlDataSource database, IMessageBus bus, CancellationToken ct)
    {
        var schema = await Kinds.FindAsync(database, request.Kind ?? "", ct);
        if (ItemBody.Check(id, request, schema) is { Count: > 0 } errors)
        {
            return TypedResults.ValidationProblem(errors);
        }

        return TypedResults.Ok(await bus.InvokeAsync<CatalogChanges>(new PutCatalogItems([request.As(id)]), ct));
    }

    internal static async Task<Results<Ok<CatalogChanges>, NotFound, ValidationProblem>> EndAsync(string id, EndRequest request, IMessageBus bus, CancellationToken ct)
    {
        if (request.Reason is { } reason && (reason.Length > ItemBody.MaxText || reason.Contains('\0')))
        {
            return Problems.Invalid("reason", $"At most {ItemBody.MaxText} characters, without U+0000.");
        }

        if (!ItemBody.IsStorable(id) || (await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new GetCatalogItems([id]), ct)).Count == 0)
        {
            return TypedResults.NotFound();
        }

        return TypedResults.Ok(await bus.InvokeAsync<CatalogChanges>(new WithdrawCatalogItems([id], request.Sold, request.Reason), ct));
    }

    internal static async Task<Results<Ok<CatalogEntry>, NotFound>> GetAsync(string id, IMessageBus bus, CancellationToken ct) =>
        ItemBody.IsStorable(id) && await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new GetCatalogItems([id]), ct) is [var entry] ? TypedResults.Ok(entry) : TypedResults.NotFound();

    internal static async Task<Results<Ok<Page<CatalogEntry>>, ValidationProblem>> ListAsync(
        IMessageBus bus, CancellationToken ct, string kind = "vehicle", string? after = null, int limit = 100)
    {
        if (limit is < 1 or > MaxPage)
        {
            return Problems.Invalid("limit", $"Between 1 and {MaxPage}.");
        }

        if (kind.Length == 0 || !ItemBody.IsStorable(kind))
        {
            return Problems.Invalid("kind", $"Between 1 and {ItemBody.MaxId} characters.");
        }

        if (after is not null && !ItemBody.IsStorable(after))
        {
            return Problems.Invalid("after", "Not the id of an item.");
        }

        var found = await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new ListCatalogItems(kind, after, limit + 1), ct);
        return found.Count > limit
            ? TypedResults.Ok(new Page<CatalogEntry>([.. found.Take(limit)], found[limit - 1].Item.Id))
            : TypedResults.Ok(new Page<CatalogEntry>(found, null));
    }
}
