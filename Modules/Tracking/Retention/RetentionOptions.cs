using System.ComponentModel.DataAnnotations;
using OKLA.Shared.EventLog;
using OKLA.Tracking.Schemas;

namespace OKLA.Tracking.Retention;

/// <summary>
/// Which events leave the log for files, and when: section <c>Retention</c>. Only behaviour events ever do; the catalogue's history,
/// identities and erasures stay.
/// </summary>
internal sealed class RetentionOptions : IValidatableObject
{
    /// <summary>Whether old events leave the log at all.</summary>
    public bool Enabled { get; set; }

    /// <summary>Days that events of low value stay. 1 to 36,500; absent: for ever.</summary>
    [Range(1, 36_500)]
    public int? LowDays { get; set; }

    /// <summary>Days that events of normal value stay. 1 to 36,500; absent: for ever.</summary>
    [Range(1, 36_500)]
    public int? NormalDays { get; set; }

    /// <summary>Days that events of high value stay. 1 to 36,500; absent: for ever.</summary>
    [Range(1, 36_500)]
    public int? HighDays { get; set; }

    /// <summary>Days by type of event, which count before those of the value; 0 keeps a type for ever.</summary>
    public Dictionary<string, int> Types { get; set; } = [];

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (type, days) in Types)
        {
            if (!EventCatalogue.Types.ContainsKey(type) && !type.StartsWith("custom_", StringComparison.Ordinal))
            {
                yield return new ValidationResult($"Retention:Types:{type} is no behaviour event, and only those ever leave the log.", [nameof(Types)]);
            }

            if (days is < 0 or > 36_500)
            {
                yield return new ValidationResult($"Retention:Types:{type} must be from 0 to 36,500 days.", [nameof(Types)]);
            }
        }
    }

    /// <summary>The rules of a day; none when retention is off.</summary>
    /// <param name="schemas">The types there are.</param>
    /// <param name="today">The day (UTC).</param>
    public IReadOnlyList<ArchiveRule> Rules(SchemaSet schemas, DateOnly today) => !Enabled ? [] :
        [.. schemas.Types.Select(versions => (versions[0].Type, Days: DaysOf(versions[^1]))).Where(type => type.Days > 0)
            .GroupBy(type => type.Days!.Value, type => type.Type).OrderBy(group => group.Key).Select(group => new ArchiveRule([.. group], today.AddDays(-group.Key)))];

    private int? DaysOf(EventSchema schema) => Types.TryGetValue(schema.Type, out var days) ? days : schema.Tier switch
    {
        ValueTier.Low => LowDays,
        ValueTier.Normal => NormalDays,
        _ => HighDays,
    };
}
