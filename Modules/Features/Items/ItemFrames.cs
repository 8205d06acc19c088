using Npgsql;
using NpgsqlTypes;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Items;

/// <summary>Answers <see cref="GetItemFrame"/> by folding the history up to the time.</summary>
internal static class ItemFrameHandler
{
    public static async Task<IReadOnlyList<ItemSnapshot>> Handle(GetItemFrame query, NpgsqlDataSource database, CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            $"select {ItemState.Columns} from ({ItemState.AsOf}) frame where kind = $3 order by item_id collate \"C\"");
        command.Parameters.Add(new NpgsqlParameter { Value = query.AsOf.UtcDateTime });
        command.Parameters.Add(new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = query.Kind });
        return await ItemState.ReadAllAsync(command, ct);
    }
}

/// <summary>Answers <see cref="GetItems"/>.</summary>
internal static class ItemsHandler
{
    public static async Task<IReadOnlyList<ItemSnapshot>> Handle(GetItems query, NpgsqlDataSource database, CancellationToken ct)
    {
        await using var command = database.CreateCommand($"select {ItemState.Columns} from features.items where item_id = any($1)");
        command.Parameters.Add(new NpgsqlParameter { Value = query.Ids.ToArray() });
        return await ItemState.ReadAllAsync(command, ct);
    }
}

/// <summary>Answers <see cref="GetChangedItems"/>: what a memory of the catalogue has to read again.</summary>
internal static class ChangedItemsHandler
{
    public static async Task<IReadOnlyList<ItemSnapshot>> Handle(GetChangedItems query, NpgsqlDataSource database, CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            $"select {ItemState.Columns} from features.items where position > $1 and kind = $2 order by position limit $3");
        command.Parameters.Add(new NpgsqlParameter { Value = query.AfterPosition });
        command.Parameters.Add(new NpgsqlParameter { Value = query.Kind });
        command.Parameters.Add(new NpgsqlParameter { Value = query.Limit });
        return await ItemState.ReadAllAsync(command, ct);
    }
}
