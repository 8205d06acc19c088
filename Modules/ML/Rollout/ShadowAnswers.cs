using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using OKLA.ML.Monitoring;
using OKLA.ML.Serving;

namespace OKLA.ML.Rollout;

/// <summary>What was answered and is to be asked of the candidate as well.</summary>
/// <param name="Rollout">The rollout in the shadow.</param>
/// <param name="Rows">Rows asked.</param>
/// <param name="Shown">What was answered to them.</param>
/// <param name="Ask">Asks the candidate.</param>
internal sealed record ShadowQuestion(ActiveRollout Rollout, int Rows, IReadOnlyList<Prediction> Shown, Func<Task<Prediction[]>> Ask);

/// <summary>Asks the candidate of a rollout in the shadow what was just answered, after the answer is gone; nobody sees what it says, it is only compared.</summary>
internal sealed class ShadowAnswers(ServingMeter meter, NpgsqlDataSource database, TimeProvider clock, ILogger<ShadowAnswers> logger)
    : QueuedWriter<ShadowQuestion>(2_000, TimeSpan.FromMilliseconds(200), clock, logger)
{
    /// <summary>Two numbers agree when they differ by less than this share.</summary>
    private const double Agreement = 0.05;

    protected override async Task WriteAsync(IReadOnlyList<ShadowQuestion> batch, CancellationToken ct)
    {
        foreach (var asked in batch.GroupBy(item => item.Rollout.Id))
        {
            var sums = new Sums();
            foreach (var item in asked)
            {
                await AskAsync(item, sums);
            }

            if (sums.Rows > 0)
            {
                await SaveAsync(asked.Key, sums, ct);
            }
        }
    }

    private async Task AskAsync(ShadowQuestion item, Sums sums)
    {
        var (rollout, candidate) = (item.Rollout, item.Rollout.Spec.Arms[1]);
        var started = Stopwatch.GetTimestamp();
        Prediction[]? said = null;
        try
        {
            said = await item.Ask();
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            Log.PredictionFailed(Logger, rollout.Model, candidate.Version ?? 0, fault);
        }

        meter.Count(rollout.Model, candidate.Version ?? 0, rollout.Id, ActiveRollout.Shadow, item.Rows, 0, Stopwatch.GetElapsedTime(started), failed: said is null);
        for (var i = 0; i < (said?.Length ?? 0); i++)
        {
            sums.Add(item.Shown[i], said![i]);
        }
    }

    private async Task SaveAsync(Guid rollout, Sums sums, CancellationToken ct)
    {
        await using var command = database.CreateCommand("""
            insert into ml.shadow_minutes as m (rollout_id, minute, rows, agreed, difference, absolute, relative, worst)
            values ($1, date_trunc('minute', $2::timestamptz), $3, $4, $5, $6, $7, $8)
            on conflict (rollout_id, minute) do update set rows = m.rows + excluded.rows, agreed = m.agreed + excluded.agreed, difference = m.difference + excluded.difference,
                absolute = m.absolute + excluded.absolute, relative = m.relative + excluded.relative, worst = greatest(m.worst, excluded.worst)
            """);
        foreach (var value in new object[] { rollout, Clock.GetUtcNow().UtcDateTime, sums.Rows, sums.Agreed, sums.Difference, sums.Absolute, sums.Relative, sums.Worst })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(ct);
    }

    private sealed class Sums
    {
        public long Rows { get; private set; }

        public long Agreed { get; private set; }

        public double Difference { get; private set; }

        public double Absolute { get; private set; }

        public double Relative { get; private set; }

        public double Worst { get; private set; }

        public void Add(Prediction shown, Prediction said)
        {
            var difference = said.Value - shown.Value;
            var relative = difference == 0 ? 0 : Math.Abs(difference) / Math.Max(Math.Abs(shown.Value), 1e-9);
            Rows++;
            Agreed += shown.Label is not null ? (shown.Label == said.Label ? 1 : 0) : relative < Agreement ? 1 : 0;
            Difference += difference;
            Absolute += Math.Abs(difference);
            Relative += Math.Min(relative, 1e6);
            Worst = Math.Max(Worst, Math.Abs(difference));
        }
    }
}
