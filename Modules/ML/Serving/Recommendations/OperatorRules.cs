using Dapper;
using Npgsql;

namespace OKLA.ML.Serving.Recommendations;

/// <summary>What an operator's rule does.</summary>
internal static class RuleAction
{
    /// <summary>Puts an item at a place.</summary>
    public const string Pin = "pin";

    /// <summary>Moves items up, or down.</summary>
    public const string Boost = "boost";

    /// <summary>Shows items to nobody.</summary>
    public const string Block = "block";

    /// <summary>All of them.</summary>
    public static readonly string[] All = [Pin, Boost, Block];
}

/// <summary>An operator's rule; kept for good, with who made and who ended it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Kind">Kind of items.</param>
/// <param name="Action">pin, boost or block.</param>
/// <param name="Target">item, seller, or the name of an attribute.</param>
/// <param name="Value">The item's or seller's id, or the attribute's value.</param>
/// <param name="Strength">Of a boost, share of the range of scores from -1 to 1.</param>
/// <param name="Place">Of a pin, from 0.</param>
/// <param name="Page">Page it is meant for; null for all.</param>
/// <param name="From">When it begins (UTC).</param>
/// <param name="Until">When it ends (UTC); null for never.</param>
/// <param name="Reason">Why.</param>
/// <param name="By">Who made it.</param>
/// <param name="CreatedAt">When (UTC).</param>
/// <param name="EndedBy">Who ended it before its time.</param>
/// <param name="EndedAt">When (UTC).</param>
internal sealed record OperatorRule(
    Guid Id, string Kind, string Action, string Target, string Value, double Strength, int Place, string? Page, DateTimeOffset From, DateTimeOffset? Until, string Reason, string By,
    DateTimeOffset CreatedAt, string? EndedBy = null, DateTimeOffset? EndedAt = null)
{
    /// <summary>Whether it is in force.</summary>
    public bool Holds(string kind, string page, DateTimeOffset now) => Kind == kind && EndedAt is null && (Page is null || Page == page) && From <= now && !(Until <= now);

    /// <summary>Whether it is about an item.</summary>
    public bool Meets(Card card) => Target switch
    {
        "item" => card.Snapshot.Item.Id == Value,
        "seller" => card.Snapshot.Item.SellerId == Value,
        _ => string.Equals(card.Snapshot.Item.Text(Target), Value, StringComparison.OrdinalIgnoreCase),
    };
}

/// <summary>The operators' rules: in memory as of the last look, in the database for good.</summary>
internal sealed class OperatorRules(NpgsqlDataSource database, TimeProvider clock)
{
    private const string Columns = """id, kind, action, target, value, strength, place, page, starts_at as "from", ends_at as until, reason, created_by as by, created_at, ended_by, ended_at""";
    private IReadOnlyList<OperatorRule> rules = [];

    /// <summary>Those in force.</summary>
    public IReadOnlyList<OperatorRule> For(string kind, string page)
    {
        var known = Volatile.Read(ref rules);
        return known.Count == 0 ? known : [.. known.Where(rule => rule.Holds(kind, page, clock.GetUtcNow()))];
    }

    /// <summary>Reads those that are or will be in force.</summary>
    public async Task RefreshAsync(CancellationToken ct) =>
        Volatile.Write(ref rules, await ReadAsync("where ended_at is null and (ends_at is null or ends_at > @now) order by created_at, id", new { now = clock.GetUtcNow().UtcDateTime }, ct));

    /// <summary>All that ever were, newest first.</summary>
    public Task<IReadOnlyList<OperatorRule>> ListAsync(int limit, CancellationToken ct) => ReadAsync("order by created_at desc, id limit @limit", new { limit }, ct);

    /// <summary>Keeps a rule.</summary>
    public async Task AddAsync(OperatorRule rule, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.recommendation_rules (id, kind, action, target, value, strength, place, page, starts_at, ends_at, reason, created_by, created_at)
            values (@Id, @Kind, @Action, @Target, @Value, @Strength, @Place, @Page, @from, @until, @Reason, @By, @created)
            """, new
            {
                rule.Id, rule.Kind, rule.Action, rule.Target, rule.Value, rule.Strength, rule.Place, rule.Page, from = rule.From.UtcDateTime, until = rule.Until?.UtcDateTime, rule.Reason, rule.By,
                created = rule.CreatedAt.UtcDateTime,
            }, cancellationToken: ct));
        await RefreshAsync(ct);
    }

    /// <summary>Ends a rule; false when there is none in force of this id.</summary>
    public async Task<bool> EndAsync(Guid id, string by, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var ended = await connection.ExecuteAsync(new CommandDefinition(
            "update ml.recommendation_rules set ended_by = @by, ended_at = @now where id = @id and ended_at is null", new { id, by, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
        await RefreshAsync(ct);
        return ended > 0;
    }

    private async Task<IReadOnlyList<OperatorRule>> ReadAsync(string tail, object parameters, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var rows = await connection.QueryAsync<Row>(new CommandDefinition($"select {Columns} from ml.recommendation_rules {tail}", parameters, cancellationToken: ct));
        return [.. rows.Select(row => new OperatorRule(
            row.Id, row.Kind, row.Action, row.Target, row.Value, row.Strength, row.Place, row.Page, Utc(row.From), row.Until is { } until ? Utc(until) : null, row.Reason, row.By, Utc(row.CreatedAt), row.EndedBy,
            row.EndedAt is { } ended ? Utc(ended) : null))];
    }

    private static DateTimeOffset Utc(DateTime at) => new(at, TimeSpan.Zero);

    private sealed record Row(
        Guid Id, string Kind, string Action, string Target, string Value, double Strength, int Place, string? Page, DateTime From, DateTime? Until, string Reason, string By, DateTime CreatedAt,
        string? EndedBy, DateTime? EndedAt);
}
