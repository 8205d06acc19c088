using System.ComponentModel.DataAnnotations;

namespace OKLA.ML.Monitoring;

/// <summary>Section <c>ML:Monitoring</c>; what is watched and who hears of it.</summary>
internal sealed class MonitoringKnobs
{
    /// <summary>Seconds between looks at the rules. 0.2 to 600.</summary>
    [Range(0.2, 600)]
    public double CheckSeconds { get; set; } = 15;

    /// <summary>Seconds between looks at drift, which reads rows. 1 to 86,400.</summary>
    [Range(1, 86_400)]
    public double DriftSeconds { get; set; } = 300;

    /// <summary>Served rows that stand in for a training reference when a version brought none: its first ones. 50 to 100,000.</summary>
    [Range(50, 100_000)]
    public int ReferenceRows { get; set; } = 500;

    /// <summary>Rows that are held against the reference: the newest ones. 50 to 100,000.</summary>
    [Range(50, 100_000)]
    public int CurrentRows { get; set; } = 1_000;

    /// <summary>Rows on either side below which drift is not judged. 20 to 100,000.</summary>
    [Range(20, 100_000)]
    public int MinDriftRows { get; set; } = 100;

    /// <summary>Population stability index above which an input or the answers have drifted. 0.01 to 10.</summary>
    [Range(0.01, 10)]
    public double Drift { get; set; } = 0.25;

    /// <summary>Whether a model whose inputs or answers have drifted is trained again by itself.</summary>
    public bool TrainOnDrift { get; set; }

    /// <summary>Share of failed requests above which an alert is raised. 0 to 1.</summary>
    [Range(0, 1)]
    public double ErrorRate { get; set; } = 0.05;

    /// <summary>Milliseconds of the 95th percentile of latency above which an alert is raised. 1 to 600,000.</summary>
    [Range(1, 600_000)]
    public double LatencyMilliseconds { get; set; } = 500;

    /// <summary>Requests in the window below which rates and latencies are not judged. 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int MinRequests { get; set; } = 20;

    /// <summary>Where alerts are posted to. Absent: nowhere.</summary>
    public Uri? Webhook { get; set; }

    /// <summary>Key of the signature that a posted alert bears. Absent: it bears none.</summary>
    [MinLength(16)]
    public string? WebhookSecret { get; set; }

    /// <summary>Mail server that takes alerts. Absent: none are mailed.</summary>
    public string? SmtpHost { get; set; }

    /// <summary>Its port. 1 to 65,535.</summary>
    [Range(1, 65_535)]
    public int SmtpPort { get; set; } = 25;

    /// <summary>Whether the connection to it is encrypted.</summary>
    public bool SmtpTls { get; set; }

    /// <summary>Name to sign in with. Absent: without.</summary>
    public string? SmtpUser { get; set; }

    /// <summary>Password to sign in with.</summary>
    public string? SmtpPassword { get; set; }

    /// <summary>Sender of mailed alerts.</summary>
    [Required, EmailAddress]
    public string MailFrom { get; set; } = "okla@localhost";

    /// <summary>Receivers of mailed alerts. Empty: none are mailed.</summary>
    public string[] MailTo { get; set; } = [];
}
