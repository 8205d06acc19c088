using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Serving;

/// <summary>Body of a <c>prediction_served</c> event: which version answered whom with what.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Version">Version that answered; null for a rule.</param>
/// <param name="Source">model, previous, popularity or median.</param>
/// <param name="Subject">Person or item that was asked about.</param>
/// <param name="Items">Items answered, best first.</param>
/// <param name="Scores">Their scores; for a price: estimate, low, high in dollars.</param>
internal sealed record PredictionServed(string Model, int? Version, string Source, string Subject, string[] Items, double[] Scores)
{
    /// <summary>Page that a recommendation was for.</summary>
    public string? Page { get; init; }

    /// <summary>Chance with which each item stood where it stood; null when chance had no part in it.</summary>
    public double[]? Propensities { get; init; }
}

/// <summary>Puts every prediction into the log without making the answer wait; what the log cannot take is counted.</summary>
internal sealed class PredictionLog(EventWriter writer, TimeProvider clock, ILogger<PredictionLog> logger)
{
    private const string EventType = "prediction_served";
    private static readonly Meter Meter = new("OKLA.ML");
    private static readonly Counter<long> Served = Meter.CreateCounter<long>("okla.ml.predictions", "{prediction}", "Predictions served, by model and source.");
    private static readonly Counter<long> Dropped = Meter.CreateCounter<long>("okla.ml.predictions.dropped", "{prediction}", "Predictions that the log could not take.");
    private int unhealthy;

    /// <summary>Queues a prediction for the log.</summary>
    public void Write(PredictionServed prediction)
    {
        Served.Add(1, new("model", prediction.Model), new("source", prediction.Source));
        var now = clock.GetUtcNow();
        var stream = string.Create(CultureInfo.InvariantCulture, $"prediction-{prediction.Model}-{now:yyyyMMdd}");
        _ = CountAsync(writer.WriteAsync([new StreamEvent(stream, NewEvent.Of(EventType, prediction, now))]));
    }

    private async Task CountAsync(Task<WriteReceipt> writing)
    {
        var receipt = await writing;
        if (receipt.Status == WriteStatus.Written)
        {
            Volatile.Write(ref unhealthy, 0);
            return;
        }

        Dropped.Add(1);
        if (Interlocked.Exchange(ref unhealthy, 1) == 0)
        {
            // Once per outage: the counter tells how many.
            Log.PredictionsDropped(logger, receipt.Status);
        }
    }
}
