using System.Net;
using System.Net.Mail;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OKLA.ML.Serving.Batch;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Monitoring;

/// <summary>An alert as the channels tell it.</summary>
internal sealed record RaisedAlert(Guid Id, string Rule, string Model, string Metric, double Observed, double Threshold, DateTimeOffset RaisedAt, string Message);

/// <summary>Whether a channel took an alert.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Delivered">Whether it did.</param>
/// <param name="Error">Why not.</param>
internal sealed record Delivery(string Channel, bool Delivered, string? Error = null);

/// <summary>Tells alerts: the page shows them anyway, the log has them, a webhook and a mail server get them where they are set up.</summary>
internal sealed class AlertChannels(IHttpClientFactory clients, IOptions<MLOptions> options, TimeProvider clock, ILogger<AlertChannels> logger)
{
    private const int MailTimeout = 10_000;

    private MonitoringKnobs Knobs => options.Value.Monitoring;

    /// <summary>Tells an alert by some channels; one that does not take it does not keep the others from it.</summary>
    public async Task<IReadOnlyList<Delivery>> TellAsync(RaisedAlert alert, IReadOnlyList<string> through, CancellationToken ct)
    {
        var deliveries = new List<Delivery>();
        foreach (var channel in through)
        {
            try
            {
                switch (channel)
                {
                    case "page":
                        break;
                    case "log":
                        Log.AlertRaised(logger, alert.Rule, alert.Model, alert.Message);
                        break;
                    case "webhook" when Knobs.Webhook is { } address:
                        await PostAsync(alert, address, ct);
                        break;
                    case "email" when Knobs.SmtpHost is not null && Knobs.MailTo.Length > 0:
                        await MailAsync(alert, ct);
                        break;
                    default:
                        continue;
                }

                deliveries.Add(new Delivery(channel, true));
            }
            catch (Exception refused) when (refused is HttpRequestException or SmtpException or FormatException or IOException || (refused is OperationCanceledException && !ct.IsCancellationRequested))
            {
                Log.AlertNotDelivered(logger, channel, alert.Rule, alert.Model, refused);
                deliveries.Add(new Delivery(channel, false, refused.Message));
            }
        }

        return deliveries;
    }

    private async Task PostAsync(RaisedAlert alert, Uri address, CancellationToken ct)
    {
        using var client = clients.CreateClient(AsyncWorker.HttpClientName);
        using var request = AsyncWorker.Signed(address, JsonSerializer.Serialize(alert, EventJson.Options), Knobs.WebhookSecret, clock.GetUtcNow());
        using var response = await client.SendAsync(request, ct);
        response.EnsureSuccessStatusCode();
    }

    private async Task MailAsync(RaisedAlert alert, CancellationToken ct)
    {
        using var client = new SmtpClient(Knobs.SmtpHost, Knobs.SmtpPort) { EnableSsl = Knobs.SmtpTls, Timeout = MailTimeout };
        if (Knobs.SmtpUser is { } user)
        {
            client.Credentials = new NetworkCredential(user, Knobs.SmtpPassword);
        }

        using var mail = new MailMessage
        {
            From = new MailAddress(Knobs.MailFrom), Subject = Texts.Spanish["alert.subject", alert.Model, alert.Rule], Body = alert.Message, SubjectEncoding = Encoding.UTF8, BodyEncoding = Encoding.UTF8,
        };
        foreach (var receiver in Knobs.MailTo)
        {
            mail.To.Add(receiver);
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(MailTimeout);
        await client.SendMailAsync(mail, patience.Token);
    }
}
