using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving.Batch;

/// <summary>
/// POST /api/ml/models/{name}/predict-async: the same question as /predict, answered when a host has time; asked after at
/// <c>/api/ml/predictions/async/{id}</c>, or told to a call-back address on an allowed host, signed.
/// </summary>
internal static class AsyncPredictions
{
    /// <summary>A question that was queued.</summary>
    /// <param name="Id">To ask after it; its request id too, unless the question brought one.</param>
    /// <param name="State">queued, done or failed.</param>
    /// <param name="Status">HTTP status that /predict would have answered; null while it waits.</param>
    /// <param name="Answer">Body that /predict would have answered.</param>
    /// <param name="Callback">none, waiting, delivered or failed.</param>
    public sealed record Shown(Guid Id, string State, int? Status, JsonElement? Answer, string Callback);

    public static void Map(IEndpointRouteBuilder ask)
    {
        ask.MapPost("/api/ml/models/{name}/predict-async", PostAsync).WithName("PredictLater").WithSummary("Answer rows later").Accepts<PredictRows.Request>("application/json");
        ask.MapGet("/api/ml/predictions/async/{id:guid}", GetAsync).WithName("ReadLaterPrediction").WithSummary("The answer to a question that was queued");
    }

    internal static async Task<Results<Accepted<Shown>, ValidationProblem, ProblemHttpResult>> PostAsync(
        string name, HttpRequest request, Models.ModelCatalog catalog, NpgsqlDataSource database, IOptions<MLOptions> options, TimeProvider clock, CancellationToken ct)
    {
        if (catalog.Find(name) is null)
        {
            return PredictRows.Missing(name, AskStatus.Unknown);
        }

        using var body = await PredictRows.ReadAsync(request, ct);
        var knobs = options.Value.Serving;
        if (PredictRows.Question(name, body.RootElement, knobs.MaxRows, out _, out _) is { } invalid)
        {
            return invalid;
        }

        string? callback = null;
        if (body.RootElement.TryGetProperty("callbackUrl", out var address) && address.ValueKind != JsonValueKind.Null)
        {
            callback = address.ValueKind == JsonValueKind.String ? address.GetString() : "";
            if (knobs.CallbackSecret is null || !Uri.TryCreate(callback, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.UserInfo.Length > 0
                || !knobs.CallbackHosts.Contains(uri.Authority, StringComparer.OrdinalIgnoreCase))
            {
                return Problems.Invalid("callbackUrl", knobs.CallbackSecret is null ? "Call-backs are not set up." : "An address on one of the allowed hosts.");
            }
        }

        var id = Guid.CreateVersion7(clock.GetUtcNow());
        var question = JsonNode.Parse(body.RootElement.GetRawText())!.AsObject();
        question["requestId"] ??= id.ToString("N");
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.async_predictions (id, model, body, callback_url, state, callback_state, next_at, created_at)
            values (@id, @name, @body::jsonb, @callback, 'queued', @waiting, @now, @now)
            """, new { id, name, body = question.ToJsonString(), callback, waiting = callback is null ? "none" : "waiting", now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
        return TypedResults.Accepted($"/api/ml/predictions/async/{id}", new Shown(id, "queued", null, null, callback is null ? "none" : "waiting"));
    }

    internal static async Task<Results<Ok<Shown>, NotFound>> GetAsync(Guid id, NpgsqlDataSource database, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var row = await connection.QuerySingleOrDefaultAsync<(string? State, int? Status, string? Answer, string Callback)>(new CommandDefinition(
            "select state, status, answer::text, callback_state from ml.async_predictions where id = @id", new { id }, cancellationToken: ct));
        return row.State is null ? TypedResults.NotFound()
            : TypedResults.Ok(new Shown(id, row.State, row.Status, row.Answer is null ? null : JsonSerializer.Deserialize<JsonElement>(row.Answer), row.Callback));
    }
}

/// <summary>Answers queued questions and tells call-back addresses; both are tried again at longer and longer intervals.</summary>
internal sealed class AsyncWorker(
    NpgsqlDataSource database, Predictor predictor, Explainer explainer, IHttpClientFactory clients, IOptions<MLOptions> options, TimeProvider clock, ILogger<AsyncWorker> logger)
    : WorkLoop("queued questions", TimeSpan.FromMilliseconds(500), clock, logger)
{
    /// <summary>Name of the client for call-backs and alerts: no redirects, so that an allowed host cannot point elsewhere.</summary>
    public const string HttpClientName = "okla-ml-out";

    private const int MostAttempts = 5;

    /// <summary>The signature of a body sent at a time: HMAC-SHA256 of <c>{time}.{body}</c>, in lower-case hexadecimal digits.</summary>
    public static string Sign(string secret, string time, string body) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{time}.{body}")));

    /// <summary>A signed request with a JSON body.</summary>
    public static HttpRequestMessage Signed(Uri address, string body, string? secret, DateTimeOffset now)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")) };
        if (secret is not null)
        {
            var time = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            request.Headers.Add("X-Okla-Timestamp", time);
            request.Headers.Add("X-Okla-Signature", $"sha256={Sign(secret, time, body)}");
        }

        return request;
    }

    /// <summary>Answers one question or makes one call-back; false when none is due.</summary>
    public override async Task<bool> StepAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var row = await connection.QuerySingleOrDefaultAsync<(Guid Id, string Model, string? Body, string? Callback, string State, int? Status, string? Answer, int Attempts)>(new CommandDefinition("""
            select id, model, body::text, callback_url, state, status, answer::text, attempts from ml.async_predictions
            where (state = 'queued' or callback_state = 'waiting') and next_at <= @now order by next_at limit 1 for update skip locked
            """, new { now = Clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
        if (row.Body is null)
        {
            return false;
        }

        if (row.State == "queued")
        {
            await AnswerAsync(connection, row.Id, row.Model, row.Body, row.Attempts, ct);
        }
        else
        {
            await CallBackAsync(connection, row.Id, new Uri(row.Callback!), row.State, row.Status, row.Answer, row.Attempts, ct);
        }

        await transaction.CommitAsync(ct);
        return true;
    }

    private async Task AnswerAsync(NpgsqlConnection connection, Guid id, string model, string body, int attempts, CancellationToken ct)
    {
        var (status, answer) = (StatusCodes.Status500InternalServerError, (object?)null);
        try
        {
            using var json = JsonDocument.Parse(body);
            var result = (await PredictRows.AnswerAsync(model, json.RootElement, predictor, explainer, options.Value, ct)).Result;
            (status, answer) = ((result as IStatusCodeHttpResult)?.StatusCode ?? StatusCodes.Status200OK, (result as IValueHttpResult)?.Value);
        }
        catch (NotAdditiveException broken)
        {
            answer = new { title = broken.Message };
        }

        var again = status == StatusCodes.Status503ServiceUnavailable && attempts + 1 < MostAttempts;
        await connection.ExecuteAsync(new CommandDefinition("""
            update ml.async_predictions set state = @state, status = @status, answer = @answer::jsonb, attempts = case when @again then attempts + 1 else 0 end, next_at = @next,
                finished_at = case when @again then null else @now::timestamptz end
            where id = @id
            """,
            new
            {
                id, status, again, answer = JsonSerializer.Serialize(answer, EventJson.Options), state = again ? "queued" : status == StatusCodes.Status200OK ? "done" : "failed",
                next = again ? Later(attempts) : Clock.GetUtcNow().UtcDateTime, now = Clock.GetUtcNow().UtcDateTime,
            },
            cancellationToken: ct));
    }

    private async Task CallBackAsync(NpgsqlConnection connection, Guid id, Uri address, string state, int? status, string? answer, int attempts, CancellationToken ct)
    {
        var delivered = false;
        try
        {
            var body = JsonSerializer.Serialize(new { id, state, status, answer = answer is null ? (JsonElement?)null : JsonSerializer.Deserialize<JsonElement>(answer) }, EventJson.Options);
            using var client = clients.CreateClient(HttpClientName);
            using var request = Signed(address, body, options.Value.Serving.CallbackSecret, Clock.GetUtcNow());
            using var response = await client.SendAsync(request, ct);
            delivered = response.IsSuccessStatusCode;
            if (!delivered)
            {
                Log.CallbackNotTaken(logger, id, attempts + 1, null);
            }
        }
        catch (Exception away) when (away is HttpRequestException || (away is TaskCanceledException && !ct.IsCancellationRequested))
        {
            Log.CallbackNotTaken(logger, id, attempts + 1, away);
        }

        var given = !delivered && attempts + 1 >= options.Value.Serving.CallbackAttempts;
        await connection.ExecuteAsync(new CommandDefinition(
            "update ml.async_predictions set callback_state = @callback, attempts = attempts + 1, next_at = @next where id = @id",
            new { id, callback = delivered ? "delivered" : given ? "failed" : "waiting", next = Later(attempts) }, cancellationToken: ct));
    }

    /// <summary>Two, four, eight … times the shortest wait.</summary>
    private DateTime Later(int attempts) => (Clock.GetUtcNow() + options.Value.Serving.RetryAfter * Math.Pow(2, Math.Min(attempts, 12))).UtcDateTime;
}
