using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Shared.Web;

namespace OKLA.ML.Datasets;

/// <summary>PATCH /api/ml/datasets/{name}/versions/{version}/columns: says what columns are, kept beside what was inferred; statistics, profile and quality are drawn up anew.</summary>
internal static class EditColumns
{
    /// <summary>What a column is; what is left out stays, and the empty text goes back to what was inferred.</summary>
    /// <param name="Type">number, category, text, date, boolean or id.</param>
    /// <param name="Role">feature, target, time, group, weight or ignored.</param>
    public sealed record Edit(string? Type = null, string? Role = null);

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPatch("/{name}/versions/{version:int}/columns", HandleAsync).WithName("editDatasetColumns").WithSummary("Correct types and roles of columns");

    internal static async Task<Results<Ok<ReadDataset.Version>, NotFound, ValidationProblem>> HandleAsync(
        string name, int version, Dictionary<string, Edit> request, DatasetStore datasets, TimeProvider clock, CancellationToken ct)
    {
        if (await ReadDataset.FindAsync(datasets, name, version, ct) is not { } record)
        {
            return TypedResults.NotFound();
        }

        var edits = record.Edits.ToDictionary();
        foreach (var (column, edit) in request)
        {
            if (edit is null || record.Inferred.All(known => known.Name != column))
            {
                return Problems.Invalid(column, edit is null ? "An object with type, role or both." : "There is no such column.");
            }

            var now = edits.GetValueOrDefault(column) ?? new ColumnEdit(null, null);
            edits[column] = new ColumnEdit(Merged(now.Type, edit.Type), Merged(now.Role, edit.Role));
        }

        return Faults(record.Inferred, edits) is { Count: > 0 } faults
            ? Problems.Invalid(faults)
            : TypedResults.Ok(ReadDataset.Version.Of(await datasets.EditAsync(record, edits, ct), false, clock.GetUtcNow()));
    }

    /// <summary>What is wrong with columns as they would be; pure.</summary>
    internal static Dictionary<string, string[]> Faults(IReadOnlyList<DatasetColumn> inferred, IReadOnlyDictionary<string, ColumnEdit> edits)
    {
        var faults = new Dictionary<string, string[]>();
        foreach (var (column, edit) in edits)
        {
            if (edit.Type is { } type && !ColumnTypes.All.Contains(type))
            {
                faults[$"{column}.type"] = [$"One of {string.Join(", ", ColumnTypes.All)}."];
            }

            if (edit.Role is { } role && !ColumnRoles.All.Contains(role))
            {
                faults[$"{column}.role"] = [$"One of {string.Join(", ", ColumnRoles.All)}."];
            }
        }

        var columns = DatasetRecord.Effective(inferred, edits);
        foreach (var single in new[] { ColumnRoles.Target, ColumnRoles.Time, ColumnRoles.Weight })
        {
            if (columns.Where(column => column.Role == single).ToList() is { Count: > 1 } several)
            {
                faults[$"{several.Last(column => edits.ContainsKey(column.Name)).Name}.role"] = [$"Only one column can be the {single}: {string.Join(", ", several.Select(column => $"'{column.Name}'"))}."];
            }
        }

        foreach (var column in columns)
        {
            var wanted = column.Role switch
            {
                ColumnRoles.Target => new[] { ColumnTypes.Number, ColumnTypes.Category, ColumnTypes.Boolean },
                ColumnRoles.Time => [ColumnTypes.Date, ColumnTypes.Number],
                ColumnRoles.Weight => [ColumnTypes.Number],
                _ => ColumnTypes.All,
            };
            if (!wanted.Contains(column.Type))
            {
                faults.TryAdd($"{column.Name}.role", [$"A column that is the {column.Role} must be {string.Join(" or ", wanted)}, not {column.Type}."]);
            }
        }

        return faults;
    }

    private static string? Merged(string? now, string? wanted) => wanted switch { null => now, "" => null, _ => wanted };
}
