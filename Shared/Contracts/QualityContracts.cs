namespace OKLA.Shared.Contracts;

/// <summary>Body of <see cref="EventTypes.QualityAlertRaised"/> (stream <c>quality</c>), and the message on the bus: data turned out not to be as expected.</summary>
/// <param name="AlertId">The alert.</param>
/// <param name="Expectation">Name of the expectation that was breached.</param>
/// <param name="Type">Event type, or <c>item:{kind}</c>.</param>
/// <param name="Field">Field; <c>*</c> for the record as a whole.</param>
/// <param name="Kind">completeness, type, range, set, uniqueness, freshness, volume, schema or drift.</param>
/// <param name="Severity">info, warning or error.</param>
/// <param name="Since">When the breach began, in known-at time (UTC).</param>
/// <param name="Observed">What was seen: a share, a count, an index.</param>
/// <param name="Expected">What was expected, in the same terms.</param>
/// <param name="Message">For admins, in Spanish.</param>
public sealed record QualityAlertRaised(
    Guid AlertId, string Expectation, string Type, string Field, string Kind, string Severity, DateTimeOffset Since, double Observed, double Expected, string Message);
