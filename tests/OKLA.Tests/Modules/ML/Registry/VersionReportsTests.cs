using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OKLA.ML.Datasets;
using OKLA.ML.Training.Jobs;
using OKLA.Tests.Modules.ML.Serving;
using OKLA.Tests.Modules.ML.Training;

namespace OKLA.Tests.Modules.ML.Registry;

/// <summary>What matters to a version, and what it does to groups.</summary>
public sealed class VersionReportsTests : ServingTest
{
    protected override (string Key, string Value)[] Settings => [("ML:TrainingThreads", "1")];

    protected override async Task PrepareAsync()
    {
        await Service<DatasetStore>().AddAsync("cars", SmallTables.Csv(SmallTables.Cars(400, 31)), default);
        foreach (var (model, target, profile) in new[] { ("sold", "sold", "fast"), ("price", "price", "accurate"), ("level", "level", "fast") })
        {
            await BodyAsync(Admin.PostAsJsonAsync("/api/ml/jobs", new
            {
                model, dataset = "cars", target, columns = new[] { "age", "km", "transmission", "noise" }, profile, budgetSeconds = 5,
                gates = new { off = new[] { "baseline", "calibration", "stability", "leakage", "latency", "size" } },
            }));
        }

        await UntilAsync(async () => (await Service<TrainingJobs>().ListAsync(null, "succeeded", 9, default)).Count == 3);
    }

    [TestCase("sold", "age", "transmission")]
    [TestCase("price", "age", "km")]
    [TestCase("level", "age", "km")]
    public async Task What_the_truth_is_made_of_matters_most_and_noise_least(string model, string first, string second)
    {
        var report = await BodyAsync(Admin.GetAsync($"/api/ml/models/{model}/versions/1/importance"));

        var inputs = report.GetProperty("inputs").EnumerateArray().Select(input => (Name: input.GetProperty("name").GetString()!, Mean: input.GetProperty("meanContribution").GetDouble())).ToArray();
        inputs.Take(2).Select(input => input.Name).ShouldBe([first, second], ignoreOrder: true);
        inputs[0].Mean.ShouldBeGreaterThan(3 * inputs.First(input => input.Name == "noise").Mean);
        report.GetProperty("inputs")[0].GetProperty("lossIncrease").GetDouble().ShouldBeGreaterThan(0);
        report.GetProperty("rows").GetInt32().ShouldBeGreaterThan(0);
        // Kept: the second answer is the first one.
        (await BodyAsync(Admin.GetAsync($"/api/ml/models/{model}/versions/1/importance"))).GetRawText().ShouldBe(report.GetRawText());
    }

    [Test]
    public async Task An_ensemble_says_why_and_its_parts_make_the_answer()
    {
        var answer = await BodyAsync(Http.PostAsJsonAsync("/api/ml/models/price/explain", new { rows = new[] { new { age = 3, km = 20, transmission = "automática", noise = 0.5 } } }));

        var (row, why) = (answer.GetProperty("rows")[0], answer.GetProperty("rows")[0].GetProperty("explanation"));
        (why.GetProperty("base").GetDouble() + why.GetProperty("contributions").EnumerateObject().Sum(part => part.Value.GetDouble())).ShouldBe(why.GetProperty("output").GetDouble(), 0.5);
        if (why.GetProperty("scale").GetString() == "answer")
        {
            why.GetProperty("output").GetDouble().ShouldBe(row.GetProperty("value").GetDouble(), 1);
        }
    }

    [Test]
    public async Task Any_column_of_the_table_is_an_attribute_even_one_not_learned_from()
    {
        var byPlace = await BodyAsync(Admin.GetAsync("/api/ml/models/sold/versions/1/bias?attribute=place"));

        byPlace.GetProperty("groups").EnumerateArray().Select(group => group.GetProperty("group").GetString()).ShouldBe(["La Vega", "Santiago", "Santo Domingo"], ignoreOrder: true);
        byPlace.GetProperty("groups").EnumerateArray().Sum(group => group.GetProperty("rows").GetInt32()).ShouldBe(byPlace.GetProperty("rows").GetInt32());
        byPlace.GetProperty("rows").GetInt32().ShouldBe(80);
        byPlace.GetProperty("threshold").GetDouble().ShouldBeInRange(0, 1);

        var byKm = await BodyAsync(Admin.GetAsync("/api/ml/models/price/versions/1/bias?attribute=km"));
        byKm.GetProperty("groups").GetArrayLength().ShouldBeInRange(4, 5);
        byKm.GetProperty("groups")[0].GetProperty("loss").GetDouble().ShouldBeGreaterThan(0);
    }

    [Test]
    public async Task The_groups_figures_are_those_of_the_rows_counted_by_hand()
    {
        // The mean truth of the groups, weighted by their rows, is the share of all.
        var report = await BodyAsync(Admin.GetAsync("/api/ml/models/sold/versions/1/bias?attribute=transmission"));
        var run = (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/runs?model=sold")).GetProperty("runs")[0].GetProperty("id").GetGuid();
        var rows = (await Service<OKLA.ML.Training.Runs.RunTables>().HeldOutAsync(run, 2, default))!;

        foreach (var group in report.GetProperty("groups").EnumerateArray())
        {
            var own = Enumerable.Range(0, rows.Truth.Length).Where(r => rows.Columns.First(column => column.Name == "transmission").Values[r] == group.GetProperty("group").GetString()).ToArray();
            group.GetProperty("rows").GetInt32().ShouldBe(own.Length);
            group.GetProperty("meanTruth").GetDouble().ShouldBe(own.Average(r => rows.Truth[r]), 1e-6);
            group.GetProperty("meanAnswer").GetDouble().ShouldBe(own.Average(r => (double)rows.Answers[r]), 1e-6);
        }
    }

    [Test]
    public async Task What_cannot_be_told_is_said_and_wrong_questions_are_refused()
    {
        var version = await SaveAsync(new Line(2));

        (await Admin.GetAsync("/api/ml/models/sold/versions/1/bias?attribute=colour")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await Admin.GetAsync("/api/ml/models/sold/versions/1/bias")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await Admin.GetAsync("/api/ml/models/sold/versions/9/bias?attribute=age")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await Admin.GetAsync("/api/ml/models/nobody/versions/1/importance")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await Admin.GetAsync($"/api/ml/models/line/versions/{version}/bias?attribute=size")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await Admin.GetAsync($"/api/ml/models/line/versions/{version}/importance")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await Http.GetAsync("/api/ml/models/sold/versions/1/importance")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await Http.GetAsync("/api/ml/models/sold/versions/1/bias?attribute=place")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }
}
