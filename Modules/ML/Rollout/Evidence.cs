using Dapper;
using MathNet.Numerics.Distributions;
using Npgsql;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Monitoring;

namespace OKLA.ML.Rollout;

/// <summary>What an arm did so far.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Requests">Requests it was asked in.</param>
/// <param name="Errors">Requests it failed at.</param>
/// <param name="P95">95th percentile of its latency in milliseconds.</param>
/// <param name="Users">Users who met it.</param>
/// <param name="New">Users who met it first in this stage.</param>
/// <param name="Due">Users whose window is over and who met no other arm in it: the only ones that count.</param>
/// <param name="Converted">Those of them who reached the goal.</param>
internal sealed record ArmEvidence(string Arm, long Requests, long Errors, double? P95, long Users = 0, long New = 0, long Due = 0, long Converted = 0)
{
    /// <summary>Share of requests that failed.</summary>
    public double ErrorRate => Requests == 0 ? 0 : (double)Errors / Requests;

    /// <summary>Share of due users who reached the goal; null when there are none.</summary>
    public double? Conversion => Due == 0 ? null : (double)Converted / Due;
}

/// <summary>How an arm compares with the control on the goal.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Difference">Its conversion less the control's.</param>
/// <param name="PValue">Always-valid p-value.</param>
/// <param name="Lower">Lower end of the always-valid interval.</param>
/// <param name="Upper">Upper end of the always-valid interval.</param>
internal sealed record Comparison(string Arm, double Difference, double PValue, double? Lower, double? Upper);

/// <summary>How a candidate in the shadow compares with what was shown.</summary>
/// <param name="Rows">Rows compared.</param>
/// <param name="Agreement">Share of them with the same class, or with numbers less than 5 % apart.</param>
/// <param name="MeanDifference">Mean of candidate less control.</param>
/// <param name="MeanAbsolute">Mean of its size.</param>
/// <param name="MeanRelative">Mean of its size as a share of the control's.</param>
/// <param name="Worst">Its largest size.</param>
internal sealed record ShadowEvidence(long Rows, double Agreement, double MeanDifference, double MeanAbsolute, double MeanRelative, double Worst);

/// <summary>All that a decision about a rollout is taken on.</summary>
/// <param name="Arms">The arms, the control first.</param>
/// <param name="SampleRatioP">Probability of shares of new users this far from the wanted ones by chance; null below 50 of them.</param>
/// <param name="Comparisons">Every arm beside the control on the goal; empty before users are due.</param>
/// <param name="Shadow">Of a candidate in the shadow.</param>
internal sealed record Evidence(IReadOnlyList<ArmEvidence> Arms, double? SampleRatioP, IReadOnlyList<Comparison> Comparisons, ShadowEvidence? Shadow)
{
    private const int MinNew = 50;

    /// <summary>How long after the end of a user's time a goal may still come to be known here.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromMinutes(15);

    /// <summary>Writes down for whom nothing late is expected any more whether they reached the goal, so that no later look asks the log's events about them again.</summary>
    public static Task<int> SettleAsync(NpgsqlConnection connection, ActiveRollout rollout, DateTimeOffset now, CancellationToken ct) => connection.ExecuteAsync(new CommandDefinition("""
        update ml.exposures x set converted = exists (
            select 1 from ml.goal_events g where g.type = any(@types) and g.at between x.at and x.at + @window and (g.user_id = x.user_key or g.anonymous_id = x.user_key))
        where rollout_id = @Id and converted is null and at <= @until
        """,
        new
        {
            rollout.Id, window = TimeSpan.FromMinutes(rollout.Spec.Goal.WindowMinutes), types = rollout.Spec.Goal.EventTypes.ToArray(),
            until = (now - Late - TimeSpan.FromMinutes(rollout.Spec.Goal.WindowMinutes)).UtcDateTime,
        }, cancellationToken: ct));

    /// <summary>Gathers it over all hosts.</summary>
    public static async Task<Evidence> ReadAsync(NpgsqlConnection connection, ActiveRollout rollout, RolloutKnobs knobs, TimeSpan refresh, DateTimeOffset now, CancellationToken ct)
    {
        var people = await PeopleAsync(connection, rollout, refresh, now, ct);
        var arms = new List<ArmEvidence>();
        foreach (var (arm, _) in rollout.Shares)
        {
            var served = rollout.IsShadow && arm.Name == ActiveRollout.Control
                ? await ServingMeter.ReadAsync(connection, rollout.Model, arm.Version, Guid.Empty, "", rollout.StageSince, ct)
                : await ServingMeter.ReadAsync(connection, rollout.Model, null, rollout.Id, rollout.IsShadow ? ActiveRollout.Shadow : arm.Name, rollout.StageSince, ct);
            var met = people.GetValueOrDefault(arm.Name);
            arms.Add(new ArmEvidence(arm.Name, served.Requests, served.Errors, served.Percentile(0.95), met.Users, met.New, met.Due, met.Converted));
        }

        return new Evidence(arms, rollout.IsShadow ? null : SampleRatio(arms, rollout), Compare(arms, rollout, knobs), await ShadowAsync(connection, rollout, ct));
    }

    /// <summary>Pearson's chi-square of the new users' counts beside the wanted shares.</summary>
    internal static double? SampleRatio(IReadOnlyList<ArmEvidence> arms, ActiveRollout rollout)
    {
        var total = arms.Sum(arm => arm.New);
        var shares = rollout.Shares.Where(item => item.Share > 0).ToList();
        if (total < MinNew || shares.Count < 2)
        {
            return null;
        }

        var chi = shares.Sum(item =>
        {
            var expected = item.Share * total;
            var seen = arms.First(arm => arm.Arm == item.Arm.Name).New;
            return (seen - expected) * (seen - expected) / expected;
        });
        return 1 - ChiSquared.CDF(shares.Count - 1, chi);
    }

    /// <summary>Every arm beside the control by the sequential test; with several, p-values are multiplied by their number (Bonferroni).</summary>
    internal static IReadOnlyList<Comparison> Compare(IReadOnlyList<ArmEvidence> arms, ActiveRollout rollout, RolloutKnobs knobs)
    {
        var control = arms[0];
        var others = arms.Skip(1).Where(arm => arm.Due > 0).ToList();
        return control.Due == 0 ? [] : [.. others.Select(arm =>
        {
            var test = new SequentialTest(knobs.ExpectedEffect, knobs.Level, arms.Count == 2 ? rollout.PValue : 1);
            var look = test.LookAtProportions(control.Converted, control.Due, arm.Converted, arm.Due);
            return new Comparison(arm.Arm, look.Difference, Math.Min(1, look.PValue * (arms.Count - 1)), Finite(look.Lower), Finite(look.Upper));
        })];
    }

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static async Task<Dictionary<string, (long Users, long New, long Due, long Converted)>> PeopleAsync(
        NpgsqlConnection connection, ActiveRollout rollout, TimeSpan refresh, DateTimeOffset now, CancellationToken ct)
    {
        // Hosts learn of a stage within the refresh time; who came before that says nothing about its shares.
        var rows = await connection.QueryAsync<(string Arm, long Users, long New, long Due, long Converted)>(new CommandDefinition("""
            with met as (
                select arm, user_key, at, converted, at + @window as until, at >= @stage as is_new, at + @window <= @now and (crossed_at is null or crossed_at > at + @window) as due
                from ml.exposures where rollout_id = @Id
            )
            select arm, count(*), count(*) filter (where is_new), count(*) filter (where due),
                count(*) filter (where due and case when converted is not null then converted else exists (
                    select 1 from ml.goal_events g where g.type = any(@types) and g.at between met.at and met.until and (g.user_id = met.user_key or g.anonymous_id = met.user_key)) end)
            from met group by arm
            """,
            new
            {
                rollout.Id, now = now.UtcDateTime, window = TimeSpan.FromMinutes(rollout.Spec.Goal.WindowMinutes), stage = (rollout.StageSince + 3 * refresh).UtcDateTime,
                types = rollout.Spec.Goal.EventTypes.ToArray(),
            },
            cancellationToken: ct));
        return rows.ToDictionary(row => row.Arm, row => (row.Users, row.New, row.Due, row.Converted));
    }

    private static async Task<ShadowEvidence?> ShadowAsync(NpgsqlConnection connection, ActiveRollout rollout, CancellationToken ct)
    {
        var row = await connection.QuerySingleAsync<(long Rows, long Agreed, double Difference, double Absolute, double Relative, double Worst)>(new CommandDefinition("""
            select coalesce(sum(rows), 0)::bigint, coalesce(sum(agreed), 0)::bigint, coalesce(sum(difference), 0), coalesce(sum(absolute), 0), coalesce(sum(relative), 0), coalesce(max(worst), 0)
            from ml.shadow_minutes where rollout_id = @Id
            """, new { rollout.Id }, cancellationToken: ct));
        return row.Rows == 0 ? null
            : new ShadowEvidence(row.Rows, (double)row.Agreed / row.Rows, row.Difference / row.Rows, row.Absolute / row.Rows, row.Relative / row.Rows, row.Worst);
    }
}
