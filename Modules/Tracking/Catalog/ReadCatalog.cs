using Npgsql;
using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Catalog;

/// <summary>Handles <see cref="GetCatalogItems"/>.</summary>
internal static class GetCatalogItemsHandler
{
    public static async Task<IReadOnlyList<CatalogEntry>> HandleAsync(GetCatalogItems query, NpgsqlDataSource database, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await CatalogTable.ReadAsync(connection, query.Ids, ct);
    }
}

/// <summary>Handles <see cref="ListCatalogItems"/>.</summary>
internal static class ListCatalogItemsHandler
{
    /// <summary>Largest page; a greater limit is cut to it.</summary>
    public const int MaxLimit = 50_000;

    public static async Task<IReadOnlyList<CatalogEntry>> HandleAsync(ListCatalogItems query, NpgsqlDataSource database, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await CatalogTable.ListAsync(connection, query.Kind, query.AfterId, Math.Clamp(query.Limit, 0, MaxLimit), ct);
    }
}
