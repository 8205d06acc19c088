using OKLA.Features.Facts;

namespace OKLA.Features.Registry;

/// <summary>What a feature describes.</summary>
internal enum Entity
{
    /// <summary>A person: a user, or a visitor who is not signed in.</summary>
    User,

    /// <summary>A thing in the catalogue.</summary>
    Item,

    /// <summary>One visit.</summary>
    Session,

    /// <summary>A seller.</summary>
    Dealer,

    /// <summary>An advertising campaign.</summary>
    Campaign,

    /// <summary>A person's interest in an item: composed of the others.</summary>
    Lead,
}

/// <summary>What entities are called outside.</summary>
internal static class EntityNames
{
    extension(Entity entity)
    {
        /// <summary>In lower case, as in <c>user.views_7d</c>.</summary>
        public string Name => entity switch
        {
            Entity.User => "user",
            Entity.Item => "item",
            Entity.Session => "session",
            Entity.Dealer => "dealer",
            Entity.Campaign => "campaign",
            _ => "lead",
        };
    }
}

/// <summary>Form of a feature's values.</summary>
internal enum FeatureType
{
    /// <summary>A number.</summary>
    Number,

    /// <summary>A short text.</summary>
    Text,

    /// <summary>Shares of a whole by key.</summary>
    Shares,
}

/// <summary>How far back a feature looks: at time t it sees what happened in (t - Length, t].</summary>
internal sealed record Window(string Name, TimeSpan Length)
{
    public static readonly Window Hour = new("1h", TimeSpan.FromHours(1));
    public static readonly Window Day = new("1d", TimeSpan.FromDays(1));
    public static readonly Window Week = new("7d", TimeSpan.FromDays(7));
    public static readonly Window Month = new("30d", TimeSpan.FromDays(30));
    public static readonly Window Quarter = new("90d", TimeSpan.FromDays(90));
    public static readonly Window All = new("total", TimeSpan.MaxValue);

    /// <summary>Ticks before which an event at <paramref name="at"/> no longer counts.</summary>
    public long Start(long at) => Length == TimeSpan.MaxValue ? long.MinValue : at - Length.Ticks;
}

/// <summary>A feature of an entity, named as <c>user.views_7d</c>.</summary>
internal readonly record struct FeatureId(Entity Entity, string Name)
{
    public override string ToString() => $"{Entity.Name}.{Name}";
}

/// <summary>A feature, declared once: what it means and how it is computed, online and offline alike.</summary>
/// <param name="Id">Entity and snake_case name.</param>
/// <param name="Computation">How it is computed.</param>
/// <param name="Type">Form of its values.</param>
/// <param name="Unit">Unit of a number, such as USD; what a text or key names.</param>
/// <param name="Description">One sentence.</param>
internal sealed record Feature(FeatureId Id, Computation Computation, FeatureType Type, string Unit, string Description)
{
    /// <summary>Value where nothing is known.</summary>
    public Value Default { get; init; } = Value.None;

    /// <summary>Who answers for it.</summary>
    public string Owner { get; init; } = "Features";

    /// <summary>How old a served value may be.</summary>
    public TimeSpan Freshness { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Raised by hand when the meaning changes; frames record it.</summary>
    public int Version { get; init; } = 1;
}

/// <summary>The ways to compute a feature.</summary>
internal abstract record Computation
{
    private Computation()
    {
    }

    /// <summary>Condenses what happened to the entity within a window to one value.</summary>
    public sealed record Aggregate(FactStream Stream, Window Window, Reduce Reduce) : Computation;

    /// <summary>Reads the item, or the market around it, as they were known at the time.</summary>
    public sealed record OfItem(Func<ItemView, Value> Read, params string[] Reads) : Computation;

    /// <summary>A pure function of other features; of the same entity, or, for a lead, of those it is composed of.</summary>
    public sealed record Derived(IReadOnlyList<FeatureId> Inputs, Func<Value[], Value> Of) : Computation;

    /// <summary>A pure function of the request and of other features, computed when asked.</summary>
    public sealed record OnDemand(IReadOnlyList<FeatureId> Inputs, Func<Request, Value[], Value> Of, params string[] Reads) : Computation;
}

/// <summary>What an on-demand feature may know of the request beside features.</summary>
/// <param name="At">Time of the request, UTC ticks.</param>
/// <param name="Parameters">What the caller says, by camelCase name, such as place and device.</param>
/// <param name="ItemId">The item that a lead is about.</param>
internal sealed record Request(long At, IReadOnlyDictionary<string, string> Parameters, string? ItemId = null)
{
    public static readonly IReadOnlyDictionary<string, string> NoParameters = new Dictionary<string, string>();

    public string? this[string parameter] => Parameters.TryGetValue(parameter, out var value) ? value : null;
}
