using System.Net.Http.Json;
using System.Text.Json;
using OKLA.ML.Monitoring;
using OKLA.ML.Serving;
using OKLA.Tests.Modules.ML.Serving;

namespace OKLA.Tests.Modules.ML.Monitoring;

/// <summary>A host that trains a model anew when what it is asked about is no longer what it learned from.</summary>
public sealed class TrainOnDriftTests : ServingTest
{
    protected override (string Key, string Value)[] Settings =>
    [
        ("ML:Monitoring:TrainOnDrift", "true"), ("ML:Monitoring:DriftSeconds", "1"), ("ML:Monitoring:ReferenceRows", "200"), ("ML:Monitoring:CurrentRows", "200"), ("ML:Rollout:WatchMinutes", "0"),
    ];

    [Test]
    public async Task Drift_queues_one_training_and_the_same_inputs_as_ever_none()
    {
        await PublishAsync(await SaveAsync(new Line(2)));
        await AskManyAsync(n => n % 100);
        await AskManyAsync(n => n % 100);
        await UntilAsync(async () => (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/models/line/monitoring")).GetProperty("drift").GetProperty("inputs").GetArrayLength() > 0);
        (await ScalarAsync<long>("select count(*) from ml.alerts where metric like '%drift'")).ShouldBe(0);
        (await ScalarAsync<long>("select count(*) from ml.training_jobs")).ShouldBe(0);

        await AskManyAsync(n => 40 + (n % 60));

        await UntilAsync(async () => await ScalarAsync<long>("select count(*) from ml.alerts where metric = 'input_drift' and raised_at is not null") == 1);
        await UntilAsync(async () => await ScalarAsync<long>("select count(*) from ml.training_jobs where model = 'line' and reason = 'drift' and requested_by = 'house'") == 1);

        // Looks that come later find the alert that is open, and queue no second one.
        var seen = await ScalarAsync<DateTime>("select max(last_seen_at) from ml.alerts where metric = 'input_drift'");
        await UntilAsync(async () => await ScalarAsync<DateTime>("select max(last_seen_at) from ml.alerts where metric = 'input_drift'") > seen.AddSeconds(1));
        (await ScalarAsync<long>("select count(*) from ml.training_jobs where model = 'line'")).ShouldBe(1);
    }

    private async Task AskManyAsync(Func<int, int> size)
    {
        await BodyAsync(Http.PostAsJsonAsync("/api/ml/models/line/predict", new { rows = Enumerable.Range(0, 200).Select(n => new { size = size(n), district = n % 3 == 0 ? "naco" : "gazcue" }).ToArray() }));
        await Service<PredictionStore>().FlushAsync();
        await Service<ServingMeter>().FlushAsync();
    }
}
