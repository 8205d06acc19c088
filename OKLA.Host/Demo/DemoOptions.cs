using System.ComponentModel.DataAnnotations;

namespace OKLA.Host.Demo;

/// <summary>How simulated people choose: section <c>Demo</c>. A run keeps the values it used in the log.</summary>
public sealed class DemoOptions
{
    /// <summary>Log-odds that a person wants a vehicle that suits in nothing and offends in nothing; -3 is one in twenty.</summary>
    [Range(-10.0, 5.0)]
    public double BaseInterest { get; set; } = -3;

    /// <summary>Factor on all tastes: 0 makes everybody choose at random, larger values make choices more predictable.</summary>
    [Range(0.0, 10.0)]
    public double TasteStrength { get; set; } = 1;

    /// <summary>Share of choices that have nothing to do with taste: curiosity, a slip of the thumb.</summary>
    [Range(0.0, 1.0)]
    public double Distraction { get; set; } = 0.1;

    /// <summary>Probability of wanting in those.</summary>
    [Range(0.0, 1.0)]
    public double DistractedInterest { get; set; } = 0.1;

    /// <summary>Days after which the attraction of a new listing has fallen to a third.</summary>
    [Range(0.1, 1000)]
    public double FreshnessDays { get; set; } = 10;

    /// <summary>How fast attention falls along a page: position p (from 0) is looked at with probability 1 / (1 + this × p).</summary>
    [Range(0.0, 10.0)]
    public double PositionDecay { get; set; } = 0.08;

    /// <summary>Share of people who sign in at one of their first visits.</summary>
    [Range(0.0, 1.0)]
    public double SignInShare { get; set; } = 0.35;

    /// <summary>Share of people who use a second device.</summary>
    [Range(0.0, 1.0)]
    public double TwoDevicesShare { get; set; } = 0.12;

    /// <summary>Log-odds that a contact ends in a deal when nothing speaks for or against it.</summary>
    [Range(-10.0, 5.0)]
    public double BaseDeal { get; set; } = -2.2;

    /// <summary>Share of made-up listings, of those that come after the first day, that are swindles.</summary>
    [Range(0.0, 1.0)]
    public double FraudShare { get; set; } = 0.03;

    /// <summary>Pesos per dollar (Banco Central, 2025: about 62).</summary>
    [Range(1.0, 1000.0)]
    public double PesosPerDollar { get; set; } = 62;

    /// <summary>Kilometres after which the pull of an activity near home has fallen to a third.</summary>
    [Range(0.1, 1000.0)]
    public double DistanceKm { get; set; } = 6;

    /// <summary>Faults of campaigns a week and channel: a broken page, a runaway bid, lost tracking, false clicks.</summary>
    [Range(0.0, 100.0)]
    public double CampaignFaultsPerWeek { get; set; } = 0.5;
}
