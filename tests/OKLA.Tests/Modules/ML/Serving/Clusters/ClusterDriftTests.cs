using System.Text.Json;
using OKLA.ML.Models;
using OKLA.Shared.EventLog;
using OKLA.Tests.Modules.ML.Models;

namespace OKLA.Tests.Modules.ML.Serving.Clusters;

/// <summary>Learned kinds from one day to the next.</summary>
public sealed class ClusterDriftTests : ClusterTest
{
    [Test]
    public async Task Who_changes_her_taste_changes_her_kind_and_the_shares_tell()
    {
        await CountAsync();
        await LetPassAsync(7);
        var before = await SizesAsync();
        await TellAsync([.. Enumerable.Range(0, 3).SelectMany(n => Views($"family-lover-{n}", "motor", 60)), .. Views("late-lover", "first", 6)]);

        await CountAsync();
        await CountAsync();

        var after = await SizesAsync();
        (after[NumberOf("family")], after[NumberOf("motor")], after[NumberOf("first")]).ShouldBe((before[NumberOf("family")] - 3, before[NumberOf("motor")] + 3, before[NumberOf("first")] + 1));
        var answer = await GetAsync("/api/ml/clusters");
        answer.GetProperty("clusters")[NumberOf("motor")].GetProperty("history").EnumerateArray().Select(count => count.GetProperty("members").GetInt64()).TakeLast(2)
            .ShouldBe([before[NumberOf("motor")], after[NumberOf("motor")]]);
        var drift = answer.GetProperty("drift").EnumerateArray().Last();
        drift.GetProperty("people").GetInt64().ShouldBe(after.Sum());
        // Half a person added to each count: the sum over the kinds of (q − p) ln (q / p).
        double[] Shares(long[] sizes) => [.. sizes.Select(size => (size + 0.5) / (sizes.Sum() + (0.5 * sizes.Length)))];
        drift.GetProperty("fromBefore").GetDouble().ShouldBe(Shares(before).Zip(Shares(after), (p, q) => (q - p) * Math.Log(q / p)).Sum(), 1e-5);
        drift.GetProperty("fromBefore").GetDouble().ShouldBeGreaterThan(0.1);
    }

    [Test]
    public async Task A_new_version_says_which_kind_each_of_its_kinds_follows_and_how_far_the_two_agree()
    {
        await LetPassAsync(11);
        var before = Kinds.ToDictionary(kind => kind.Kind, kind => NumberOf(kind.Kind));
        // Fewer family cars than before, so that the numbers go to others.
        var version = await PublishAsync(UserClusters.Fit([.. UserClustersTests.People(300, seed: 9).Where((_, n) => n % 3 != 0 || n % 2 == 0)], 3, seed: 5));

        (await GetAsync("/api/ml/clusters")).GetProperty("countedAt").ValueKind.ShouldBe(JsonValueKind.Null);
        await CountAsync();
        await CountAsync();

        var answer = await GetAsync("/api/ml/clusters");
        answer.GetProperty("modelVersion").GetInt32().ShouldBe(version);
        before.Select(kind => NumberOf(kind.Key)).ShouldNotBe(before.Values);
        foreach (var (kind, number) in before)
        {
            answer.GetProperty("clusters")[NumberOf(kind)].GetProperty("follows").GetInt32().ShouldBe(number, kind);
        }

        var drift = answer.GetProperty("drift").EnumerateArray().Last();
        drift.GetProperty("modelVersion").GetInt32().ShouldBe(version);
        drift.GetProperty("fromBefore").ValueKind.ShouldBe(JsonValueKind.Null);
        drift.GetProperty("agreement").GetDouble().ShouldBe(1, 1e-9);
    }

    [Test]
    public async Task An_erased_person_is_of_no_kind_and_is_not_counted_again()
    {
        await LetPassAsync(13);
        await CountAsync();
        var before = await SizesAsync();
        (await Admin.DeleteAsync("/api/privacy/subjects/first-lover-1")).EnsureSuccessStatusCode();
        await Service<Subscriptions>().CatchUpAsync();
        (await HersAsync()).ShouldBe(0);

        // As if the count had read her before she was erased.
        await ExecuteAsync("insert into ml.cluster_members select 'first-lover-1', model_version, cluster, fit, place, now() + interval '1 hour' from ml.cluster_members where person_id = 'first-lover-2'");
        await CountAsync();

        (await HersAsync()).ShouldBe(0);
        (await SizesAsync())[NumberOf("first")].ShouldBe(before[NumberOf("first")] - 1);
    }

    private Task<long> HersAsync() => ScalarAsync<long>("select count(*) from ml.cluster_members where person_id = 'first-lover-1'");

    /// <summary>What was counted so far was counted some days ago.</summary>
    private Task LetPassAsync(int days) => ExecuteAsync($"update ml.cluster_sizes set day = day - {days}; update ml.cluster_counts set day = day - {days}");

    private async Task<long[]> SizesAsync() => [.. (await GetAsync("/api/ml/clusters")).GetProperty("clusters").EnumerateArray().Select(cluster => cluster.GetProperty("members").GetInt64())];
}
