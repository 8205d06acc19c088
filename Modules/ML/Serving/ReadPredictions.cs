using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;

namespace OKLA.ML.Serving;

/// <summary>GET /api/ml/predictions/{requestId}: which version answered a request, with its feature vector and, once known, what came of it; one query.</summary>
internal static class ReadPredictions
{
    /// <summary>A request that was answered.</summary>
    /// <param name="RequestId">Its id.</param>
    /// <param name="At">When (UTC).</param>
    /// <param name="Model">The model.</param>
    /// <param name="Version">Version that answered.</param>
    /// <param name="Source">Who spoke.</param>
    /// <param name="RolloutId">The rollout it was part of.</param>
    /// <param name="Arm">Its arm.</param>
    /// <param name="UserKey">Whom it was for.</param>
    /// <param name="Rows">Its rows.</param>
    public sealed record Response(
        string RequestId, DateTimeOffset At, string Model, int? Version, string Source, Guid? RolloutId, string? Arm, string? UserKey, IReadOnlyList<Row> Rows);

    /// <summary>A row of it.</summary>
    /// <param name="Number">Its place, from 0.</param>
    /// <param name="EntityId">What it is about.</param>
    /// <param name="Inputs">The feature vector.</param>
    /// <param name="Value">The answer.</param>
    /// <param name="Low">Lower end of the interval.</param>
    /// <param name="High">Upper end of the interval.</param>
    /// <param name="Label">The class.</param>
    /// <param name="Outcome">What came of it: a number or a class; null while it is not known.</param>
    public sealed record Row(int Number, string? EntityId, JsonElement Inputs, double? Value, double? Low, double? High, string? Label, string? Outcome);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/ml/predictions/{requestId}", HandleAsync).WithName("ReadPrediction")
        .WithSummary("Which version answered a request, with its feature vector");

    internal static async Task<Results<Ok<Response>, NotFound>> HandleAsync([MaxLength(200)] string requestId, NpgsqlDataSource database, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var row = await connection.ExecuteReaderAsync(new CommandDefinition("""
            select p.at, p.model, p.version, p.source, p.rollout_id, p.arm, p.user_key, p.row, p.entity_id, p.inputs::text, p.value, p.low, p.high, p.label, coalesce(o.label, o.value::text)
            from ml.predictions p left join ml.outcomes o on o.request_id = p.request_id and o.row = p.row
            where p.request_id = @requestId order by p.row
            """, new { requestId }, cancellationToken: ct));
        Response? response = null;
        var rows = new List<Row>();
        while (await row.ReadAsync(ct))
        {
            string? Text(int i) => row.IsDBNull(i) ? null : row.GetString(i);
            double? Number(int i) => row.IsDBNull(i) ? null : row.GetDouble(i);
            response ??= new Response(
                requestId, row.GetFieldValue<DateTimeOffset>(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetInt32(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetGuid(4), Text(5), Text(6), rows);
            rows.Add(new Row(row.GetInt32(7), Text(8), JsonSerializer.Deserialize<JsonElement>(row.GetString(9)), Number(10), Number(11), Number(12), Text(13), Text(14)));
        }

        return response is null ? TypedResults.NotFound() : TypedResults.Ok(response);
    }
}

/// <summary>GET /api/ml/models/{name}/signature: what a model must be told and what it answers.</summary>
internal static class ReadSignature
{
    /// <summary>What a model must be told and what it answers.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Version">The version that would answer.</param>
    /// <param name="Task">regression, binary or multiclass.</param>
    /// <param name="Inputs">Its inputs.</param>
    /// <param name="Classes">Names of the classes.</param>
    /// <param name="Unit">Unit of the answer.</param>
    public sealed record Response(string Model, int Version, string Task, IReadOnlyList<Input> Inputs, IReadOnlyList<string> Classes, string? Unit);

    /// <summary>An input.</summary>
    /// <param name="Name">Its name in a row.</param>
    /// <param name="Type">number, category, text, date or boolean.</param>
    /// <param name="Required">Whether a row without it is refused.</param>
    /// <param name="Min">Smallest number learned from.</param>
    /// <param name="Max">Largest number learned from.</param>
    /// <param name="Categories">Values learned from, where they are few.</param>
    /// <param name="Example">A value as it could be sent.</param>
    public sealed record Input(string Name, string Type, bool Required, double? Min, double? Max, IReadOnlyList<string>? Categories, string? Example);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/{name}/signature", HandleAsync).WithName("ReadSignature").WithSummary("What a model must be told");

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync([MaxLength(100)] string name, ServedModels served, Models.ModelCatalog catalog)
    {
        if (await served.BestAsync(name) is not { } by)
        {
            return PredictRows.Missing(name, catalog.Find(name) is null ? AskStatus.Unknown : AskStatus.Unavailable);
        }

        var signature = by.Answers.Signature;
        return TypedResults.Ok(new Response(
            name, by.Version, signature.Task, [.. signature.Inputs.Select(input => new Input(input.Name, input.Type, input.Required, input.Min, input.Max, input.Categories, input.Example))],
            signature.Classes, signature.Unit));
    }
}
