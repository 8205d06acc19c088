using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;

namespace OKLA.ML.Datasets;

/// <summary>POST /api/ml/datasets/{name}/from-log: events of some types within a time become a version, a row each: <c>occurredAt</c>, <c>eventType</c> and parts of their bodies.</summary>
internal static class DatasetFromLog
{
    private const int MaxPath = 16;

    /// <summary>What is wanted.</summary>
    /// <param name="EventTypes">Types of events.</param>
    /// <param name="Fields">Column name to the part of an event's body, as <c>$.price.amount</c> or <c>images[0]</c>; empty where a body has none.</param>
    /// <param name="From">Event time from (UTC); from the beginning without one.</param>
    /// <param name="To">Event time before (UTC); up to now without one.</param>
    public sealed record Request(
        [Required, MinLength(1), MaxLength(50)] IReadOnlyList<string> EventTypes, [Required, MinLength(1)] IReadOnlyDictionary<string, string> Fields, DateTimeOffset? From = null, DateTimeOffset? To = null);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/{name}/from-log", HandleAsync).WithName("datasetFromLog").WithSummary("Add a version from events");

    internal static async Task<Results<Created<ReadDataset.Version>, Ok<ReadDataset.Version>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        string name, Request request, CurrentUser user, EventLog log, DatasetStore datasets, IOptions<MLOptions> options, TimeProvider clock, CancellationToken ct)
    {
        if (request.EventTypes.Any(type => string.IsNullOrEmpty(type) || type.Contains('\0')))
        {
            return Problems.Invalid("eventTypes", "Names of types such as item_viewed.");
        }

        if (request.From >= request.To)
        {
            return Problems.Invalid("from", "Before to.");
        }

        var parts = new List<object[]>();
        foreach (var (column, path) in request.Fields)
        {
            if (string.IsNullOrEmpty(column) || Parse(path) is not { } steps)
            {
                return Problems.Invalid($"fields.{column}", "A path into the body such as $.price.amount or images[0].");
            }

            parts.Add(steps);
        }

        var names = TableRows.Checked(["occurredAt", "eventType", .. request.Fields.Keys], options.Value.Datasets);
        var until = request.To ?? clock.GetUtcNow();
        string[] types = [.. request.EventTypes.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var rows = RowsAsync(log.ReadAsync(0, types, ct: ct), parts, request.From ?? DateTimeOffset.MinValue, until, ct);
        var (record, isNew) = await datasets.AddAsync(name, new TableRows(names, rows) { Field = "eventTypes", Owned = true }, "log:" + string.Join(',', types), user.Actor, ct);
        return UploadDataset.Answer(record, isNew, clock);
    }

    /// <summary>A path as names and places in lists; null when it is none.</summary>
    internal static object[]? Parse(string? path)
    {
        var rest = (path ?? "").AsSpan();
        rest = rest.StartsWith("$.", StringComparison.Ordinal) ? rest[2..] : rest;
        var steps = new List<object>();
        foreach (var range in rest.Split('.'))
        {
            var step = rest[range];
            var bracket = step.IndexOf('[');
            var name = bracket < 0 ? step : step[..bracket];
            if (name.Length == 0)
            {
                return null;
            }

            steps.Add(name.ToString());
            for (step = bracket < 0 ? [] : step[bracket..]; step.Length > 0;)
            {
                var end = step.IndexOf(']');
                if (step[0] != '[' || end < 0 || !int.TryParse(step[1..end], NumberStyles.None, CultureInfo.InvariantCulture, out var place))
                {
                    return null;
                }

                steps.Add(place);
                step = step[(end + 1)..];
            }
        }

        return steps.Count is 0 or > MaxPath ? null : [.. steps];
    }

    private static async IAsyncEnumerable<string?[]> RowsAsync(
        IAsyncEnumerable<RecordedEvent> events, List<object[]> parts, DateTimeOffset from, DateTimeOffset until, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var item in events.WithCancellation(ct))
        {
            if (item.OccurredAt < from || item.OccurredAt >= until)
            {
                continue;
            }

            using var body = JsonDocument.Parse(item.Data);
            var row = new string?[parts.Count + 3];
            (row[0], row[1]) = (item.OccurredAt.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture), item.Type);
            for (var i = 0; i < parts.Count; i++)
            {
                row[i + 2] = Find(body.RootElement, parts[i]);
            }

            row[^1] = RowOwners.Of(item, body.RootElement);

            yield return row;
        }
    }

    private static string? Find(JsonElement part, object[] steps)
    {
        foreach (var step in steps)
        {
            if (step is string name ? part.ValueKind != JsonValueKind.Object || !part.TryGetProperty(name, out part)
                : part.ValueKind != JsonValueKind.Array || part.GetArrayLength() <= (int)step)
            {
                return null;
            }

            part = step is int place ? part[place] : part;
        }

        return JsonTable.Text(part);
    }
}
