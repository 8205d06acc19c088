using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Datasets;
using OKLA.Shared.Files;
using OKLA.Shared.Web;
using static OKLA.ML.Models.NumberText;

namespace OKLA.ML.Serving.Batch;

/// <summary>
/// POST /api/ml/models/{name}/batch: a file of rows as CSV or NDJSON, answered in parts by whichever hosts have time; a host that dies loses the part it
/// was at and another one does it. <c>/api/ml/batches/{id}</c> tells how far it is, <c>…/result</c> is the answered file.
/// </summary>
internal static class BatchFiles
{
    internal const int RowsPerPart = 2_000;
    private const string Ndjson = "application/x-ndjson";
    private const string Csv = "text/csv";

    /// <summary>A batch.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Model">The model.</param>
    /// <param name="Version">The version that answers all of it.</param>
    /// <param name="State">receiving, queued, done, failed or cancelled.</param>
    /// <param name="Rows">Rows of the file.</param>
    /// <param name="Done">Rows answered.</param>
    /// <param name="Failed">Rows that the model could not be asked about; the result says why.</param>
    /// <param name="Progress">Share done, 0 to 1.</param>
    /// <param name="Error">Why it failed as a whole.</param>
    /// <param name="CreatedAt">When it came (UTC).</param>
    /// <param name="FinishedAt">When it was done (UTC).</param>
    public sealed record Shown(
        Guid Id, string Model, int Version, string State, long Rows, long Done, long Failed, double Progress, string? Error, DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt);

    public static void Map(IEndpointRouteBuilder ask)
    {
        ask.MapPost("/api/ml/models/{name}/batch", PostAsync).WithName("StartBatch").WithSummary("Answer a file of rows").WithMetadata(new AcceptsMetadata([Ndjson, Csv], typeof(Stream)));
        ask.MapGet("/api/ml/batches/{id:guid}", GetAsync).WithName("ReadBatch").WithSummary("How far a batch is");
        ask.MapGet("/api/ml/batches/{id:guid}/result", ResultAsync).WithName("ReadBatchResult").WithSummary("The answered file");
        ask.MapDelete("/api/ml/batches/{id:guid}", CancelAsync).WithName("CancelBatch").WithSummary("Stop a batch");
    }

    internal static async Task<Results<Accepted<Shown>, ValidationProblem, ProblemHttpResult>> PostAsync(
        [MaxLength(100)] string name, HttpRequest request, CurrentUser caller, ServedModels served, Models.ModelCatalog catalog, NpgsqlDataSource database, IOptions<MLOptions> options, TimeProvider clock,
        CancellationToken ct)
    {
        if (await served.BestAsync(name) is not { } by)
        {
            return PredictRows.Missing(name, catalog.Find(name) is null ? AskStatus.Unknown : AskStatus.Unavailable);
        }

        var most = options.Value.Serving.MaxFileBytes;
        var path = Path.Combine(Path.GetTempPath(), $"okla-batch-{Guid.NewGuid():N}");
        var job = Guid.CreateVersion7(clock.GetUtcNow());
        try
        {
            if (!await SpoolAsync(request, path, most, ct))
            {
                return TypedResults.Problem($"The file is larger than {most:N0} bytes.", statusCode: StatusCodes.Status413PayloadTooLarge, title: "File too large");
            }

            var isNdjson = request.ContentType?.StartsWith(Ndjson, StringComparison.OrdinalIgnoreCase) == true;
            await using var connection = await database.OpenConnectionAsync(ct);
            await connection.ExecuteAsync(new CommandDefinition("""
                insert into ml.batch_jobs (id, model, version, format, header, rows, state, created_by, created_at) values (@job, @name, @Version, @format, '[]', 0, 'receiving', @Actor, @now)
                """, new { job, name, by.Version, format = isNdjson ? "ndjson" : "csv", caller.Actor, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
            var (rows, problem) = isNdjson ? await ReceiveLinesAsync(connection, job, path, ct) : await ReceiveCsvAsync(connection, job, path, by.Answers.Signature, ct);
            if (rows == 0)
            {
                await connection.ExecuteAsync(new CommandDefinition("delete from ml.batch_jobs where id = @job", new { job }, cancellationToken: ct));
                return Problems.Invalid("body", problem ?? "The file holds no rows.");
            }

            await connection.ExecuteAsync(new CommandDefinition("update ml.batch_jobs set state = 'queued', rows = @rows where id = @job", new { job, rows }, cancellationToken: ct));
            return TypedResults.Accepted($"/api/ml/batches/{job}", await ReadAsync(connection, job, ct));
        }
        catch (UnreadableFileException unreadable)
        {
            return Problems.Invalid("body", unreadable.Message.Replace(path, "the file", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(path);
        }
    }

    internal static async Task<Results<Ok<Shown>, NotFound>> GetAsync(Guid id, NpgsqlDataSource database, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await ReadAsync(connection, id, ct) is { } found ? TypedResults.Ok(found) : TypedResults.NotFound();
    }

    internal static async Task<Results<PushStreamHttpResult, NotFound, ProblemHttpResult>> ResultAsync(Guid id, NpgsqlDataSource database, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var job = await connection.QuerySingleOrDefaultAsync<(string State, string Format, string Model, string Header)>(new CommandDefinition(
            "select state, format, model, header::text from ml.batch_jobs where id = @id", new { id }, cancellationToken: ct));
        if (job.State is null)
        {
            return TypedResults.NotFound();
        }

        if (job.State != "done")
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: $"The batch is {job.State}; its result is there when it is done.");
        }

        var csv = job.Format == "csv";
        return TypedResults.Stream(
            async stream =>
            {
                await using var reading = await database.OpenConnectionAsync(ct);
                await using var command = new NpgsqlCommand("select output from ml.batch_parts where job_id = $1 order by part", reading) { Parameters = { new() { Value = id } } };
                await using var part = await command.ExecuteReaderAsync(ct);
                if (csv)
                {
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(BatchRows.CsvLine(JsonSerializer.Deserialize<string[]>(job.Header)!)), ct);
                }

                while (await part.ReadAsync(ct))
                {
                    await stream.WriteAsync(part.GetFieldValue<byte[]>(0), ct);
                }
            },
            csv ? Csv : Ndjson, $"{job.Model}-{id:N}.{(csv ? "csv" : "ndjson")}");
    }

    internal static async Task<Results<Ok<Shown>, NotFound>> CancelAsync(Guid id, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            update ml.batch_jobs set state = 'cancelled', finished_at = @now where id = @id and state in ('receiving', 'queued')
            """, new { id, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
        return await ReadAsync(connection, id, ct) is { } found ? TypedResults.Ok(found) : TypedResults.NotFound();
    }

    private static async Task<Shown?> ReadAsync(NpgsqlConnection connection, Guid id, CancellationToken ct)
    {
        await using var row = await connection.ExecuteReaderAsync(new CommandDefinition("""
            select id, model, version, state, rows, (select coalesce(sum(p.rows), 0)::bigint from ml.batch_parts p where p.job_id = j.id and p.output is not null), failed_rows, error, created_at, finished_at
            from ml.batch_jobs j where id = @id
            """, new { id }, cancellationToken: ct));
        if (!await row.ReadAsync(ct))
        {
            return null;
        }

        var (rows, done) = (row.GetInt64(4), row.GetInt64(5));
        return new Shown(
            row.GetGuid(0), row.GetString(1), row.GetInt32(2), row.GetString(3), rows, done, row.GetInt64(6), rows == 0 ? 0 : (double)done / rows, row.IsDBNull(7) ? null : row.GetString(7),
            row.GetFieldValue<DateTimeOffset>(8), row.IsDBNull(9) ? null : row.GetFieldValue<DateTimeOffset>(9));
    }

    private static async Task<(long Rows, string? Problem)> ReceiveCsvAsync(NpgsqlConnection connection, Guid job, string path, ModelSignature signature, CancellationToken ct)
    {
        var file = await DelimitedFile.InspectAsync(path, ct);
        var (header, part, rows, number) = ((string[]?)null, new List<string[]>(), 0L, 0);
        await foreach (var (row, _) in file.ReadAsync(ct))
        {
            if (header is null)
            {
                header = row;
                if (signature.Inputs.Where(input => input.Required && !header.Contains(input.Name)).Select(input => input.Name).ToList() is { Count: > 0 } missing)
                {
                    return (0, $"The header lacks {string.Join(", ", missing)}, which the model needs.");
                }

                await connection.ExecuteAsync(new CommandDefinition(
                    "update ml.batch_jobs set header = @header::jsonb where id = @job", new { job, header = JsonSerializer.Serialize(header.Concat(BatchRows.Columns(signature))) }, cancellationToken: ct));
                continue;
            }

            part.Add(row);
            rows++;
            if (part.Count == RowsPerPart)
            {
                await AddPartAsync(connection, job, number++, part.Count, JsonSerializer.SerializeToUtf8Bytes(part), ct);
                part.Clear();
            }
        }

        if (part.Count > 0)
        {
            await AddPartAsync(connection, job, number, part.Count, JsonSerializer.SerializeToUtf8Bytes(part), ct);
        }

        return (rows, null);
    }

    private static async Task<(long Rows, string? Problem)> ReceiveLinesAsync(NpgsqlConnection connection, Guid job, string path, CancellationToken ct)
    {
        var (part, rows, number) = (new List<string>(), 0L, 0);
        await foreach (var line in File.ReadLinesAsync(path, ct))
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            part.Add(line);
            rows++;
            if (part.Count == RowsPerPart)
            {
                await AddPartAsync(connection, job, number++, part.Count, JsonSerializer.SerializeToUtf8Bytes(part), ct);
                part.Clear();
            }
        }

        if (part.Count > 0)
        {
            await AddPartAsync(connection, job, number, part.Count, JsonSerializer.SerializeToUtf8Bytes(part), ct);
        }

        return (rows, null);
    }

    private static Task<int> AddPartAsync(NpgsqlConnection connection, Guid job, int part, int rows, byte[] input, CancellationToken ct) => connection.ExecuteAsync(new CommandDefinition(
        "insert into ml.batch_parts (job_id, part, rows, input) values (@job, @part, @rows, @input)", new { job, part, rows, input }, cancellationToken: ct));

    /// <summary>Brings the body into a file, so that a slow sender holds no connection; false when it is too large.</summary>
    private static async Task<bool> SpoolAsync(HttpRequest request, string path, long most, CancellationToken ct)
    {
        if (request.ContentLength > most)
        {
            return false;
        }

        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = most + 1;
        }

        await using var file = File.Create(path);
        var buffer = new byte[1 << 16];
        var total = 0L;
        for (int read; (read = await request.Body.ReadAsync(buffer, ct)) > 0;)
        {
            if ((total += read) > most)
            {
                return false;
            }

            await file.WriteAsync(buffer.AsMemory(0, read), ct);
        }

        return true;
    }
}

/// <summary>Answers a part of a file.</summary>
internal static class BatchRows
{
    /// <summary>Columns that a result has beside those of the file.</summary>
    public static IEnumerable<string> Columns(ModelSignature signature) =>
        ["prediction", "low", "high", "label", .. signature.Classes.Select(name => $"probability_{name}"), "error"];

    /// <summary>Lines of the result of a part, and how many rows the model could not be asked about.</summary>
    /// <param name="model">The version.</param>
    /// <param name="format">csv or ndjson.</param>
    /// <param name="header">The file's columns, for CSV.</param>
    /// <param name="first">Number of the first row in the file.</param>
    /// <param name="input">The part as it was kept.</param>
    /// <param name="threads">Threads.</param>
    public static (byte[] Output, int Failed) Answer(IServedModel model, string format, string[] header, long first, byte[] input, int threads)
    {
        var signature = model.Signature;
        var csv = format == "csv";
        var cells = csv ? JsonSerializer.Deserialize<string[][]>(input)! : [];
        var lines = csv ? [] : JsonSerializer.Deserialize<string[]>(input)!;
        var count = csv ? cells.Length : lines.Length;
        var places = RowReader.Places(signature);
        var columns = signature.Inputs.Select(field => Array.IndexOf(header, field.Name)).ToArray();
        var (rows, errors) = (new List<string?[]>(count), new string?[count]);
        var width = header.Length - Columns(signature).Count();
        for (var i = 0; i < count; i++)
        {
            var read = new ReadRows([], [], []);
            var row = csv ? FromCells(cells[i], columns, width, signature, read) : FromLine(lines[i], signature, places, read);
            errors[i] = read.Errors.Count == 0 ? null : string.Join("; ", read.Errors.Select(error => $"{error.Key.TrimStart('.')}: {error.Value[0]}"));
            if (errors[i] is null)
            {
                rows.Add(row);
            }
        }

        var answers = rows.Count == 0 ? [] : model.Predict(rows, threads);
        var text = new StringBuilder();
        for (int i = 0, answered = 0; i < count; i++)
        {
            var answer = errors[i] is null ? answers[answered++] : null;
            text.Append(csv ? CsvLine([.. cells[i].Concat(Enumerable.Repeat("", Math.Max(0, width - cells[i].Length))).Take(width), .. Cells(answer, signature, errors[i])])
                : JsonSerializer.Serialize(new Line(first + i, answer is null ? null : PredictRows.Show(answer, signature.Classes), errors[i]), JsonSerializerOptions.Web) + "\n");
        }

        return (Encoding.UTF8.GetBytes(text.ToString()), count - rows.Count);
    }

    /// <summary>A line of CSV with its end (RFC 4180).</summary>
    public static string CsvLine(IEnumerable<string> cells) =>
        string.Join(',', cells.Select(cell => cell.AsSpan().IndexOfAny(",\"\r\n") >= 0 ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell)) + "\r\n";

    /// <summary>Rows that wait for their answers without those that name a person; a line that goes leaves an empty one, so that the others keep their numbers.</summary>
    public static (byte[] Input, int Gone) Without(string format, byte[] input, ErasedPerson person)
    {
        if (input.Length == 0)
        {
            return (input, 0);
        }

        if (format == "csv")
        {
            var cells = JsonSerializer.Deserialize<string[][]>(input)!;
            string[][] left = [.. cells.Where(row => !person.IsIn(row))];
            return left.Length == cells.Length ? (input, 0) : (JsonSerializer.SerializeToUtf8Bytes(left), cells.Length - left.Length);
        }

        var lines = JsonSerializer.Deserialize<string[]>(input)!;
        var gone = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            if (Names(lines[i], person))
            {
                lines[i] = "";
                gone++;
            }
        }

        return gone == 0 ? (input, 0) : (JsonSerializer.SerializeToUtf8Bytes(lines), gone);
    }

    /// <summary>Answered rows without those that name a person. Answers to lines of JSON hold nothing of what was asked.</summary>
    public static async Task<(byte[]? Output, int Gone)> WithoutAsync(string format, byte[]? output, ErasedPerson person, CancellationToken ct)
    {
        if (output is null or [] || format != "csv")
        {
            return (output, 0);
        }

        var (left, gone) = (new StringBuilder(), 0);
        await foreach (var row in CanonicalCsv.ReadAsync(new MemoryStream(output), ct))
        {
            if (person.IsIn(row))
            {
                gone++;
            }
            else
            {
                left.Append(CsvLine(row));
            }
        }

        return gone == 0 ? (output, 0) : (Encoding.UTF8.GetBytes(left.ToString()), gone);
    }

    private static bool Names(string line, ErasedPerson person)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return person.IsIn(json.RootElement);
        }
        catch (JsonException)
        {
            // No JSON, so nothing that an answer would be given to; its text may be an id all the same.
            return person.Is(line);
        }
    }

    private static string?[] FromCells(string[] cells, int[] columns, int width, ModelSignature signature, ReadRows read)
    {
        var row = Array.ConvertAll(columns, column => column >= 0 && column < Math.Min(width, cells.Length) ? cells[column] : null);
        RowReader.Check(signature, row, "", read);
        return row;
    }

    private static string?[] FromLine(string line, ModelSignature signature, Dictionary<string, int> places, ReadRows read)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return RowReader.Read(signature, places, json.RootElement, "", read);
        }
        catch (JsonException)
        {
            read.Errors["row"] = ["No valid JSON."];
            return [];
        }
    }

    private static IEnumerable<string> Cells(Prediction? answer, ModelSignature signature, string? error)
    {
        yield return Text(answer?.Value) ?? "";
        yield return Text(answer?.Low) ?? "";
        yield return Text(answer?.High) ?? "";
        yield return answer?.Label ?? "";
        for (var c = 0; c < signature.Classes.Count; c++)
        {
            yield return Text(answer?.Probabilities?.ElementAtOrDefault(c)) ?? "";
        }

        yield return error ?? "";
    }

    private sealed record Line(long Row, PredictRows.Row? Prediction, string? Error);
}
