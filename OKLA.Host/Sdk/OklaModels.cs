using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using JsonContent = System.Net.Http.Json.JsonContent;

namespace OKLA.Sdk;

/// <summary>
/// Takes a table to a served model. One file that needs nothing but .NET 8 or newer (C# 12, implicit usings): copy it from <c>/sdk/OklaModels.cs</c>.
/// <code>
/// var okla = new OklaModels(http, new Uri("https://okla.example"), adminToken);
/// await okla.UploadAsync("customers", File.OpenRead("customers.csv"));                                             // 1  a version of a data set
/// var job = await okla.TrainAsync(new OklaTraining("churn") { Dataset = "customers", Target = "Churn" });          // 2  queued
/// var done = await okla.WaitAsync(job, progress => Console.WriteLine($"{progress.Fraction:P0} {progress.Step}"));  // 3  trained, measured, let in by the gates
/// var answer = await okla.PredictAsync("churn", [new { tenure = 2, Contract = "Month-to-month" }], explain: true); // 4  served
/// var health = await okla.MonitoringAsync("churn");                                                                // 5  watched
/// </code>
/// Safe for any number of threads.
/// </summary>
public sealed class OklaModels
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly HttpClient http;
    private readonly Uri address;
    private readonly string token;

    /// <summary>Speaks to a host.</summary>
    /// <param name="http">For the whole life of the client; it stays the caller's.</param>
    /// <param name="address">The host: <c>https://…</c>.</param>
    /// <param name="token">A bearer token: an admin's, or for <see cref="PredictAsync"/> alone an API key of scope predict.</param>
    public OklaModels(HttpClient http, Uri address, string token)
    {
        this.http = http;
        this.address = address;
        this.token = token;
    }

    /// <summary>Uploads a table (CSV or NDJSON, gzip or not) as a version of a data set; the same table again is the same version.</summary>
    /// <exception cref="OklaRefusedException">The host does not take it; the message names what is wrong.</exception>
    public async Task<OklaDataset> UploadAsync(string dataset, Stream table, CancellationToken ct = default)
    {
        using var content = new StreamContent(table);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return await SendAsync<OklaDataset>(HttpMethod.Post, $"api/ml/datasets/{Uri.EscapeDataString(dataset)}", content, ct);
    }

    /// <summary>Queues a training; a name that is new makes the model. Answers the job.</summary>
    /// <exception cref="OklaRefusedException">The host does not take it.</exception>
    public async Task<Guid> TrainAsync(OklaTraining training, CancellationToken ct = default) =>
        (await SendAsync<Queued>(HttpMethod.Post, "api/ml/jobs", JsonContent.Create(training, options: Json), ct)).Id;

    /// <summary>How far a training is.</summary>
    public Task<OklaJob> JobAsync(Guid job, CancellationToken ct = default) => SendAsync<OklaJob>(HttpMethod.Get, $"api/ml/jobs/{job}", null, ct);

    /// <summary>Waits for the end of a training, whatever it is; a cancelled wait does not stop the training.</summary>
    public async Task<OklaJob> WaitAsync(Guid job, Action<OklaJob>? progress = null, CancellationToken ct = default)
    {
        OklaJob? last = null;
        while (true)
        {
            var now = await JobAsync(job, ct);
            if (now != last) progress?.Invoke(now);
            if (now.State is not ("queued" or "running")) return now;
            last = now;
            await Task.Delay(Look, ct);
        }
    }

    /// <summary>Answers rows: objects with a property an input.</summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="explain">Whether to say why.</param>
    /// <param name="userKey">Whom it is for; decides the arm of a rollout.</param>
    /// <param name="ct">Stops it.</param>
    /// <exception cref="OklaRefusedException">A row is refused, or nothing serves.</exception>
    public Task<OklaAnswer> PredictAsync(string model, IReadOnlyList<object> rows, bool explain = false, string? userKey = null, CancellationToken ct = default) =>
        SendAsync<OklaAnswer>(HttpMethod.Post, $"api/ml/models/{Uri.EscapeDataString(model)}/predict", JsonContent.Create(new { rows, explain, userKey }, options: Json), ct);

    /// <summary>Tells what came of an answer, so that the model's quality is known.</summary>
    public Task TellOutcomesAsync(string model, IReadOnlyList<OklaOutcomeOf> outcomes, CancellationToken ct = default) =>
        SendAsync<JsonElement>(HttpMethod.Post, $"api/ml/models/{Uri.EscapeDataString(model)}/outcomes", JsonContent.Create(outcomes, options: Json), ct);

    /// <summary>How a model is doing: requests, latency, drift, quality; as the host's manual describes it.</summary>
    public Task<JsonElement> MonitoringAsync(string model, CancellationToken ct = default) => SendAsync<JsonElement>(HttpMethod.Get, $"api/ml/models/{Uri.EscapeDataString(model)}/monitoring", null, ct);

    /// <summary>What a version is, in words and figures made of facts.</summary>
    public Task<JsonElement> CardAsync(string model, int version, CancellationToken ct = default) =>
        SendAsync<JsonElement>(HttpMethod.Get, $"api/ml/models/{Uri.EscapeDataString(model)}/versions/{version}/card", null, ct);

    /// <summary>What matters to a version: mean contributions and permutation importance.</summary>
    public Task<JsonElement> ImportanceAsync(string model, int version, CancellationToken ct = default) =>
        SendAsync<JsonElement>(HttpMethod.Get, $"api/ml/models/{Uri.EscapeDataString(model)}/versions/{version}/importance", null, ct);

    /// <summary>What a version does to the groups of a column, on rows that it had not learned from.</summary>
    public Task<JsonElement> BiasAsync(string model, int version, string attribute, CancellationToken ct = default) =>
        SendAsync<JsonElement>(HttpMethod.Get, $"api/ml/models/{Uri.EscapeDataString(model)}/versions/{version}/bias?attribute={Uri.EscapeDataString(attribute)}", null, ct);

    /// <summary>All data sets, each with its newest version.</summary>
    public async Task<IReadOnlyList<OklaDatasetSummary>> DatasetsAsync(CancellationToken ct = default) =>
        (await SendAsync<DatasetsListed>(HttpMethod.Get, "api/ml/datasets", null, ct)).Datasets;

    /// <summary>Trainings, newest first.</summary>
    public async Task<IReadOnlyList<OklaJob>> JobsAsync(string? model = null, CancellationToken ct = default) =>
        (await SendAsync<JobsListed>(HttpMethod.Get, model is null ? "api/ml/jobs" : $"api/ml/jobs?model={Uri.EscapeDataString(model)}", null, ct)).Jobs;

    /// <summary>Stops a training.</summary>
    /// <exception cref="OklaRefusedException">There is none, or it is over.</exception>
    public Task<OklaJob> CancelAsync(Guid job, CancellationToken ct = default) => SendAsync<OklaJob>(HttpMethod.Post, $"api/ml/jobs/{job}/cancel", null, ct);

    /// <summary>All models with their versions, newest first.</summary>
    public async Task<IReadOnlyList<OklaModel>> ModelsAsync(CancellationToken ct = default) => (await SendAsync<ModelsListed>(HttpMethod.Get, "api/ml/models", null, ct)).Models;

    /// <summary>Writes a version as one file.</summary>
    /// <exception cref="OklaRefusedException">There is no such version.</exception>
    public Task ExportAsync(string model, int version, Stream target, CancellationToken ct = default) =>
        CopyAsync($"api/ml/models/{Uri.EscapeDataString(model)}/versions/{version}/export", target, ct);

    /// <summary>Takes in a file that <see cref="ExportAsync"/> wrote; the version waits until it is promoted.</summary>
    /// <exception cref="OklaRefusedException">It is no whole model, or one of another kind; the message names the part at fault.</exception>
    public async Task<OklaImported> ImportAsync(string model, Stream file, CancellationToken ct = default)
    {
        using var content = new StreamContent(file);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/zip");
        return await SendAsync<OklaImported>(HttpMethod.Post, $"api/ml/models/{Uri.EscapeDataString(model)}/import", content, ct);
    }

    /// <summary>Puts a version in place at once.</summary>
    public Task PromoteAsync(string model, int version, string? why = null, CancellationToken ct = default) =>
        SendAsync<JsonElement>(HttpMethod.Post, $"api/ml/models/{Uri.EscapeDataString(model)}/serve/{version}", JsonContent.Create(new { why }, options: Json), ct);

    /// <summary>Puts the version before the serving one back in place; answers its number.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public async Task<int> RollBackAsync(string model, string? why = null, CancellationToken ct = default)
    {
        var before = (await ModelsAsync(ct)).FirstOrDefault(one => one.Name == model)?.PreviousVersion ?? throw new InvalidOperationException($"{model} has no version to go back to.");
        await PromoteAsync(model, before, why ?? "Rolled back.", ct);
        return before;
    }

    /// <summary>Answers a file of rows (CSV or NDJSON) into another one of the same kind.</summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">The file.</param>
    /// <param name="target">Where the answered file goes.</param>
    /// <param name="ndjson">Whether it is NDJSON; otherwise CSV.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="ct">Stops waiting, and the batch.</param>
    /// <exception cref="OklaRefusedException">The file is refused.</exception>
    public async Task<OklaBatch> PredictFileAsync(string model, Stream rows, Stream target, bool ndjson = false, Action<OklaBatch>? progress = null, CancellationToken ct = default)
    {
        using var content = new StreamContent(rows);
        content.Headers.ContentType = new MediaTypeHeaderValue(ndjson ? "application/x-ndjson" : "text/csv");
        var batch = await SendAsync<OklaBatch>(HttpMethod.Post, $"api/ml/models/{Uri.EscapeDataString(model)}/batch", content, ct);
        while (batch.State is "receiving" or "queued")
        {
            progress?.Invoke(batch);
            await Task.Delay(Look, ct);
            batch = await SendAsync<OklaBatch>(HttpMethod.Get, $"api/ml/batches/{batch.Id}", null, ct);
        }

        progress?.Invoke(batch);
        if (batch.State == "done") await CopyAsync($"api/ml/batches/{batch.Id}/result", target, ct);
        return batch;
    }

    private async Task CopyAsync(string path, Stream target, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        if (!response.IsSuccessStatusCode) throw OklaRefusedException.Of((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(ct));
        await response.Content.CopyToAsync(target, ct);
    }

    private async Task<T> SendAsync<T>(HttpMethod method, string path, HttpContent? content, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, new Uri(address, path)) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        var body = await response.Content.ReadAsByteArrayAsync(ct);
        if (!response.IsSuccessStatusCode) throw OklaRefusedException.Of((int)response.StatusCode, body);
        return body.Length == 0 ? default! : JsonSerializer.Deserialize<T>(body, Json)!;
    }

    private sealed record Queued(Guid Id);

    private sealed record DatasetsListed(IReadOnlyList<OklaDatasetSummary> Datasets);

    private sealed record JobsListed(IReadOnlyList<OklaJob> Jobs);

    private sealed record ModelsListed(IReadOnlyList<OklaModel> Models);
}

/// <summary>A data set.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Versions">Its newest version.</param>
/// <param name="VersionCount">How many it has.</param>
public sealed record OklaDatasetSummary(string Name, IReadOnlyList<OklaDatasetVersion> Versions, int VersionCount);

/// <summary>A version in a list.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Number of columns.</param>
/// <param name="Source">upload, frame:… or log:….</param>
public sealed record OklaDatasetVersion(int Number, long Rows, int Columns, string Source);

/// <summary>A model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ServingVersion">The version that answers; null when none was published yet.</param>
/// <param name="PreviousVersion">The one before it.</param>
/// <param name="Versions">Versions, newest first.</param>
public sealed record OklaModel(string Name, int? ServingVersion, int? PreviousVersion, IReadOnlyList<OklaModelVersion> Versions);

/// <summary>A version of a model.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Stage">candidate, serving, retired or rejected.</param>
/// <param name="Metrics">What it measured; the first one decides.</param>
/// <param name="Decision">Why it was published or not.</param>
/// <param name="Rows">Rows learned from.</param>
public sealed record OklaModelVersion(int Number, string Stage, IReadOnlyList<OklaMetric> Metrics, string Decision, int Rows);

/// <summary>A metric beside its baseline.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Model">The model's.</param>
/// <param name="Baseline">The baseline's.</param>
public sealed record OklaMetric(string Name, double Model, double? Baseline);

/// <summary>A version that came in from a file.</summary>
/// <param name="Model">The model.</param>
/// <param name="Version">Its number here.</param>
/// <param name="IsNew">Whether it was not here before.</param>
/// <param name="Stage">candidate, unless it was here before.</param>
/// <param name="From">Model and version where it was trained.</param>
public sealed record OklaImported(string Model, int Version, bool IsNew, string Stage, string From);

/// <summary>A file that is answered.</summary>
/// <param name="Id">Its id.</param>
/// <param name="State">receiving, queued, done, failed or cancelled.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Failed">Rows that the model could not be asked about; the result says why.</param>
/// <param name="Progress">Share done, 0 to 1.</param>
/// <param name="Error">Why it failed as a whole.</param>
public sealed record OklaBatch(Guid Id, string State, long Rows, long Failed, double Progress, string? Error);

/// <summary>A version of a data set.</summary>
/// <param name="Dataset">Its name.</param>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Rows">Rows.</param>
public sealed record OklaDataset(string Dataset, int Number, long Rows);

/// <summary>What to train. For a model that is known, what is not said stays as it was.</summary>
/// <param name="Model">Its name: 2 to 60 lower case letters, digits and dashes, a letter first.</param>
public sealed record OklaTraining(string Model)
{
    /// <summary>The data set to learn from.</summary>
    public string? Dataset { get; init; }

    /// <summary>The column to predict.</summary>
    public string? Target { get; init; }

    /// <summary>regression, binary or multiclass; told from the target when absent.</summary>
    public string? Task { get; init; }

    /// <summary>The label that is the positive one of two.</summary>
    public string? Positive { get; init; }

    /// <summary>Columns to learn from; all when absent.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>A column of times: the newest rows are the test.</summary>
    public string? Time { get; init; }

    /// <summary>Seconds to search, 5 to 3,600.</summary>
    public double? BudgetSeconds { get; init; }

    /// <summary>fast, accurate or auto.</summary>
    public string? Profile { get; init; }
}

/// <summary>A training.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Model">The model.</param>
/// <param name="State">queued, running, succeeded, failed or cancelled.</param>
/// <param name="Fraction">Done so far, 0 to 1.</param>
/// <param name="Step">What is being done.</param>
/// <param name="Version">The version it made.</param>
/// <param name="Published">Whether that version serves.</param>
/// <param name="Message">What came of it.</param>
/// <param name="Error">What went wrong.</param>
public sealed record OklaJob(Guid Id, string Model, string State, double Fraction, string Step, int? Version, bool? Published, string? Message, string? Error);

/// <summary>Answers to rows.</summary>
/// <param name="Model">The model.</param>
/// <param name="Version">Version that answered.</param>
/// <param name="Source">model, previous, rollout:{arm} or fallback.</param>
/// <param name="Predictions">One a row, in their order.</param>
/// <param name="Warnings">What the model has not learned from.</param>
/// <param name="RequestId">Id to tell the outcome by.</param>
public sealed record OklaAnswer(string Model, int? Version, string Source, IReadOnlyList<OklaPrediction> Predictions, IReadOnlyList<string>? Warnings, string RequestId);

/// <summary>An answer to a row.</summary>
/// <param name="Value">The number; the probability of the positive class of two, or of the label of more.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Upper end of the interval.</param>
/// <param name="Label">The class.</param>
/// <param name="Probabilities">Probability of each class.</param>
/// <param name="Explanation">Why, when that was asked.</param>
public sealed record OklaPrediction(
    double Value, double? Low, double? High, string? Label, IReadOnlyDictionary<string, double>? Probabilities, OklaExplanation? Explanation);

/// <summary>The base and what each input adds make the output.</summary>
/// <param name="Scale">answer, log_odds or log.</param>
/// <param name="Base">Answer to an average row.</param>
/// <param name="Output">Answer to this row.</param>
/// <param name="Contributions">What each input adds.</param>
public sealed record OklaExplanation(string Scale, double Base, double Output, IReadOnlyDictionary<string, double> Contributions);

/// <summary>What came of an answer.</summary>
/// <param name="RequestId">The request.</param>
/// <param name="Row">Its row, from 0.</param>
/// <param name="Outcome">The number or the class.</param>
/// <param name="At">When; now when absent.</param>
public sealed record OklaOutcomeOf(string RequestId, int Row, object Outcome, DateTimeOffset? At = null);

/// <summary>The host does not do as it was asked; the message is the host's.</summary>
public sealed class OklaRefusedException : Exception
{
    private OklaRefusedException(int status, string message, IReadOnlyDictionary<string, string[]> errors)
        : base(message) => (Status, Errors) = (status, errors);

    /// <summary>The status of HTTP.</summary>
    public int Status { get; }

    /// <summary>What is wrong with which field.</summary>
    public IReadOnlyDictionary<string, string[]> Errors { get; }

    internal static OklaRefusedException Of(int status, byte[] body)
    {
        Problem? problem = null;
        try
        {
            problem = JsonSerializer.Deserialize<Problem>(body, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            // A proxy's page, not the host's words: the status must do.
        }

        var errors = problem?.Errors ?? [];
        var said = string.Join(" ", new[] { problem?.Detail ?? problem?.Title ?? $"The host answers {status}." }.Concat(errors.Select(error => $"{error.Key}: {string.Join(" ", error.Value)}")));
        return new OklaRefusedException(status, said, errors);
    }

    private sealed record Problem(string? Title, string? Detail, Dictionary<string, string[]>? Errors);
}
