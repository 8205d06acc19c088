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
}

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
