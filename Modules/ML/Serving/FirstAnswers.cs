using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OKLA.ML.Serving;

/// <summary>
/// When a host has started, asks every version that answers rows about nobody, one after the other: what only first answers cost (reading the version, the catalogue's
/// history, plans of features, prepared statements, compiling) is paid before somebody waits for it. Start-up does not wait for this, and a version that cannot
/// be read is passed by. From then on <see cref="ServedModels"/> reads and asks whatever is promoted or taken back before it is seen.
/// </summary>
internal sealed class FirstAnswers(ServedModels served, EntityFeatures features, ILogger<FirstAnswers> logger) : BackgroundService
{
    private static readonly string[] Nobody = ["nobody|nothing"];

    /// <summary>Asks them all once.</summary>
    public async Task AskAsync(CancellationToken ct)
    {
        using var row = JsonDocument.Parse("[{}]");
        foreach (var model in served.ReadAhead())
        {
            ct.ThrowIfCancellationRequested();
            try
            {
                await served.BestAsync(model);
                await features.FillAsync(new Question(model, row.RootElement, "", EntityIds: Nobody), ct);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException && !ct.IsCancellationRequested)
            {
                // Whoever asks it hears the same, with a fallback behind.
                Log.LookFailed(logger, model, fault);
            }
        }
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        await AskAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
