using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OKLA.Sdk;

namespace OKLA.Tests.Host.Sdk;

/// <summary>A table nobody has seen becomes a served, explained and watched model in five calls.</summary>
public sealed class OklaModelsAgainstHostTests : HostTest
{
    [Test]
    public async Task A_table_is_served_after_five_calls_and_says_why()
    {
        var okla = await ClientAsync();

        var dataset = await okla.UploadAsync("soil", new MemoryStream(Encoding.UTF8.GetBytes(Soil(600))));
        var job = await okla.TrainAsync(new OklaTraining("soil-yield") { Dataset = "soil", Target = "yield", BudgetSeconds = 5, Profile = "fast" });
        var heard = new List<string>();
        var done = await okla.WaitAsync(job, progress => heard.Add(progress.State));
        var answer = await okla.PredictAsync("soil-yield", [new { rain = 80, crop = "yuca" }, new { rain = 20, crop = "maíz" }], explain: true);
        var health = await okla.MonitoringAsync("soil-yield");

        (dataset.Number, dataset.Rows).ShouldBe((1, 600));
        heard[^1].ShouldBe("succeeded", done.Error);
        done.Published.ShouldBe(true, done.Message);
        (answer.Source, answer.Version).ShouldBe(("model", done.Version));

        // The rule of the table: 3 for each unit of rain, 50 more for cassava, with noise of 5.
        answer.Predictions[0].Value.ShouldBe(290, 25);
        answer.Predictions[1].Value.ShouldBe(60, 25);
        var why = answer.Predictions[0].Explanation!;
        (why.Base + why.Contributions.Values.Sum()).ShouldBe(why.Output, 1e-3 * Math.Abs(why.Output));
        why.Contributions["rain"].ShouldBeGreaterThan(0);
        health.ValueKind.ShouldBe(JsonValueKind.Object);
    }

    [Test]
    public async Task What_is_wrong_is_said_by_field()
    {
        var okla = await ClientAsync();

        var refused = await Should.ThrowAsync<OklaRefusedException>(() => okla.TrainAsync(new OklaTraining("No Name") { Dataset = "nowhere" }));
        refused.Status.ShouldBe(400);
        refused.Errors.Keys.ShouldContain("model");
        (await Should.ThrowAsync<OklaRefusedException>(() => okla.PredictAsync("nobody-knows", [new { a = 1 }]))).Status.ShouldBe(404);
    }

    private static string Soil(int rows)
    {
        var random = new Random(3);
        var csv = new StringBuilder("rain,crop,yield\n");
        for (var row = 0; row < rows; row++)
        {
            var (rain, cassava) = (random.Next(100), random.Next(2) == 0);
            csv.AppendLine(CultureInfo.InvariantCulture, $"{rain},{(cassava ? "yuca" : "maíz")},{(3 * rain) + (cassava ? 50 : 0) + (5 * (random.NextDouble() - 0.5) * 2):0.0}");
        }

        return csv.ToString();
    }

    private async Task<OklaModels> ClientAsync()
    {
        using var answer = await Client.PostAsync("/api/auth/demo/admin", null);
        var token = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("accessToken").GetString()!;
        return new OklaModels(Client, Client.BaseAddress!, token);
    }
}
