using Npgsql;
using OKLA.ML.Rollout;

namespace OKLA.Tests.Modules.ML.Rollout;

/// <summary>Users whose time is over are looked up once.</summary>
public sealed class SettledExposuresTests : DatabaseTest
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public async Task Evidence_is_the_same_after_settling_and_asks_no_more_about_those_who_are_settled()
    {
        var spec = new RolloutSpec([new Arm("control", 1, 1), new Arm("candidate", 1, 2)], [new Stage("ab", 0.5, 60)], new Goal(["contacted"], 60), new Guardrails(0.1, 2, 0.1, 30), true);
        var rollout = new ActiveRollout(Guid.NewGuid(), "m", "version", "ab", spec, Now.AddHours(-9), Now.AddHours(-9), 1);
        await using var connection = await Database.OpenConnectionAsync();
        (await RolloutStore.StartAsync(connection, rollout, "ana", default)).ShouldBeTrue();
        // Of each arm: one settled with a goal, one without, one due but too lately to be settled, with a goal, and one not due.
        foreach (var (arm, n) in new[] { ("control", 0), ("candidate", 10) })
        {
            await ExecuteAsync($"""
                insert into ml.exposures (rollout_id, user_key, arm, at) values ('{rollout.Id}', 'u{n + 1}', '{arm}', '{Now.AddHours(-5):O}'), ('{rollout.Id}', 'u{n + 2}', '{arm}', '{Now.AddHours(-5):O}'),
                    ('{rollout.Id}', 'u{n + 3}', '{arm}', '{Now.AddMinutes(-65):O}'), ('{rollout.Id}', 'u{n + 4}', '{arm}', '{Now.AddMinutes(-10):O}');
                insert into ml.goal_events (position, type, user_id, at) values ({n + 1}, 'contacted', 'u{n + 1}', '{Now.AddHours(-4.5):O}'), ({n + 3}, 'contacted', 'u{n + 3}', '{Now.AddMinutes(-30):O}');
                """);
        }

        var before = await ReadAsync(connection, rollout);
        (await Evidence.SettleAsync(connection, rollout, Now, default)).ShouldBe(4);
        var after = await ReadAsync(connection, rollout);
        (await Evidence.SettleAsync(connection, rollout, Now, default)).ShouldBe(0);

        before.ShouldBe([(4, 3, 2), (4, 3, 2)]);
        after.ShouldBe(before);
        await ExecuteAsync("delete from ml.goal_events where user_id in ('u1', 'u11')");
        (await ReadAsync(connection, rollout)).ShouldBe(before);
        await ExecuteAsync("delete from ml.goal_events where user_id in ('u3', 'u13')");
        (await ReadAsync(connection, rollout)).ShouldBe([(4, 3, 1), (4, 3, 1)]);
    }

    private static async Task<(long Users, long Due, long Converted)[]> ReadAsync(NpgsqlConnection connection, ActiveRollout rollout) =>
        [.. (await Evidence.ReadAsync(connection, rollout, new RolloutKnobs(), TimeSpan.FromSeconds(2), Now, default)).Arms.Select(arm => (arm.Users, arm.Due, arm.Converted))];
}
