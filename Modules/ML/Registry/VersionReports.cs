using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.ML.Training.Runs;
using OKLA.Shared.Web;

namespace OKLA.ML.Registry;

/// <summary>
/// GET /api/ml/models/{name}/versions/{version}/importance and …/bias?attribute=…: what matters to a version as a whole, and what it does to groups of any column of
/// the rows that it was measured on. Made when first asked for, kept with the version.
/// </summary>
internal static class VersionReports
{
    private const int MostGroups = 50;
    private const int MostValues = 12;
    private static readonly double[] Quarters = [0.25, 0.5, 0.75];

    /// <summary>What matters to a version.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Version">The version.</param>
    /// <param name="Scale">What contributions add up to; null when the version cannot tell them.</param>
    /// <param name="Rows">Rows held out that were explained; on each of them base and contributions make the output.</param>
    /// <param name="Inputs">Every input, the one that matters most first.</param>
    /// <param name="MadeAt">When (UTC).</param>
    public sealed record Importance(string Model, int Version, string? Scale, int Rows, IReadOnlyList<InputImportance> Inputs, DateTimeOffset MadeAt);

    /// <summary>How much an input matters.</summary>
    /// <param name="Name">The input.</param>
    /// <param name="MeanContribution">Mean size of what it adds to an answer (mean |SHAP|, Lundberg and Lee 2017); null when the version cannot tell.</param>
    /// <param name="LossIncrease">By how much the loss on rows held out grows when it is shuffled (Breiman 2001); null when its run did not measure it.</param>
    public sealed record InputImportance(string Name, double? MeanContribution, double? LossIncrease);

    /// <summary>What a version does to the groups of an attribute, on rows that it had not learned from.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Version">The version.</param>
    /// <param name="Attribute">The column; one of many numbers is looked at by quarters.</param>
    /// <param name="Rows">Rows measured on.</param>
    /// <param name="Threshold">From which probability on the positive class is called; null without two classes.</param>
    /// <param name="Groups">Every group, the largest first.</param>
    /// <param name="Gaps">The largest differences between groups with their 95 % intervals.</param>
    /// <param name="MadeAt">When (UTC).</param>
    internal sealed record Bias(
        string Model, int Version, string Attribute, int Rows, double? Threshold, IReadOnlyList<GroupFigure> Groups, IReadOnlyList<GroupGap> Gaps, DateTimeOffset MadeAt);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/{name}/versions/{version:int}/importance", ImportanceAsync).WithName("ReadImportance").WithSummary("What matters to a version: mean contributions and permutation importance");
        routes.MapGet("/{name}/versions/{version:int}/bias", BiasAsync).WithName("ReadBias").WithSummary("What a version does to the groups of any attribute");
    }

    internal static async Task<Results<Ok<Importance>, ProblemHttpResult>> ImportanceAsync(
        [MaxLength(60)] string name, int version, ModelRegistry registry, ServedModels served, Explainer explainer, RunStore runs, RunTables tables, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        if (await registry.VersionAsync(name, version, ct) is not { } found)
        {
            return Missing(name, version);
        }

        if (await KeptAsync<Importance>(database, name, version, "importance", ct) is { } known)
        {
            return TypedResults.Ok(known);
        }

        var run = found.Run is { } id ? await runs.FindAsync(id, ct) : null;
        var shuffled = run is not null && run.Evaluation.TryGetProperty("importance", out var measured) && measured.ValueKind == JsonValueKind.Array
            ? measured.Deserialize<ColumnImportance[]>(RunStore.Json)! : [];
        var told = await served.GetAsync(name, version) is { } by ? Explained(by, await RowsAsync(found, by, tables, ct), explainer, clock, ct) : null;
        if (told is null && shuffled.Length == 0 && run?.ForgottenAt is { } forgotten)
        {
            return Conflict(Forgotten(name, version, forgotten));
        }

        if (told is null && shuffled.Length == 0)
        {
            return Conflict($"Version {version} of {name} cannot say what matters to it: it tells no contributions, and its run measured no importance.");
        }

        var names = told?.Names ?? [.. shuffled.Select(one => one.Column)];
        InputImportance[] inputs = [.. names.Select((input, i) => new InputImportance(input, told?.Means[i], shuffled.FirstOrDefault(one => one.Column == input)?.LossIncrease))];
        var made = new Importance(
            name, version, told?.Scale, told?.Rows ?? 0, [.. inputs.OrderByDescending(input => input.MeanContribution ?? input.LossIncrease ?? 0).ThenBy(input => input.Name, StringComparer.Ordinal)],
            clock.GetUtcNow());
        return TypedResults.Ok(await KeepAsync(database, name, version, "importance", made, made.MadeAt, ct));
    }

    internal static async Task<Results<Ok<Bias>, ValidationProblem, ProblemHttpResult>> BiasAsync(
        [MaxLength(60)] string name, int version, [Required, MaxLength(200)] string attribute, ModelRegistry registry, RunTables tables, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        if (await registry.VersionAsync(name, version, ct) is not { } found)
        {
            return Missing(name, version);
        }

        var kind = $"bias:{attribute}";
        if (await KeptAsync<Bias>(database, name, version, kind, ct) is { } known)
        {
            return TypedResults.Ok(known);
        }

        var classes = found.Signature?.Classes.Count ?? 0;
        if (found.Run is not { } run || await tables.HeldOutAsync(run, classes, ct) is not { } rows)
        {
            return Conflict(found.Run is { } old && await tables.ForgottenAsync(old, ct) is { } forgotten ? Forgotten(name, version, forgotten)
                : $"The rows that version {version} of {name} was measured on are not kept here: it was trained elsewhere, before they were kept, or an erased person was among them.");
        }

        if (rows.Columns.FirstOrDefault(column => column.Name == attribute) is not { } column)
        {
            return Problems.Invalid("attribute", $"There is no such column; there are {string.Join(", ", rows.Columns.Select(one => one.Name))}.");
        }

        const int Seed = 42;
        var grouped = Grouped(column);
        var made = new Bias(
            name, version, attribute, rows.Truth.Length, classes == 2 ? rows.Threshold : null, [.. TableMeasures.Groups(grouped, rows.Answers, rows.Truth, classes, rows.Threshold).Take(MostGroups)],
            [.. TableMeasures.Gaps(grouped, rows.Answers, rows.Truth, classes, rows.Threshold, Seed).Where(gap => double.IsFinite(gap.Size.Estimate + gap.Size.Lower + gap.Size.Upper))], clock.GetUtcNow());
        return TypedResults.Ok(await KeepAsync(database, name, version, kind, made, made.MadeAt, ct));
    }

    private static string Forgotten(string name, int version, DateTimeOffset at) =>
        $"The rows that version {version} of {name} was measured on are not kept any more: they were forgotten on {at:yyyy-MM-dd} for their age.";

    /// <summary>Mean sizes of contributions over rows, as many as a few seconds allow.</summary>
    private static Told? Explained(ServedVersion by, IReadOnlyList<string?[]>? rows, Explainer explainer, TimeProvider clock, CancellationToken ct)
    {
        const int AtOnce = 10, Most = 300;
        var enough = TimeSpan.FromSeconds(5);
        if (rows is null or [])
        {
            return null;
        }

        var (sums, done, scale, started) = (new double[by.Names.Length], 0, "", clock.GetTimestamp());
        foreach (var part in rows.Take(Most).Chunk(AtOnce))
        {
            if (done > 0 && clock.GetElapsedTime(started) > enough)
            {
                break;
            }

            if (explainer.Explain(by, part, ct) is not { } whys)
            {
                return null;
            }

            foreach (var why in whys)
            {
                // Of several classes each row is explained on the scale of the class chosen for it.
                scale = done++ == 0 || scale == why.Scale ? why.Scale : "score of the class chosen";
                for (var c = 0; c < sums.Length; c++)
                {
                    sums[c] += Math.Abs(why.Contributions[c]);
                }
            }
        }

        return new Told(by.Names, scale, done, Array.ConvertAll(sums, sum => sum / done));
    }

    /// <summary>The rows that a version was measured on, in the order of its inputs; null when they are not kept.</summary>
    private static async Task<IReadOnlyList<string?[]>?> RowsAsync(ModelVersion version, ServedVersion by, RunTables tables, CancellationToken ct)
    {
        if (version.Run is not { } run || await tables.HeldOutAsync(run, by.Answers.Signature.Classes.Count, ct) is not { } held)
        {
            return null;
        }

        var columns = Array.ConvertAll(by.Names, name => held.Columns.FirstOrDefault(column => column.Name == name));
        return columns.Contains(null) ? null : [.. Enumerable.Range(0, held.Truth.Length).Select(row => Array.ConvertAll(columns, column => column!.Values[row]))];
    }

    /// <summary>A column as groups: many numbers by quarters, all else by value.</summary>
    private static RawColumn Grouped(RawColumn column)
    {
        var numbers = column.Values.Select(text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN).ToArray();
        var known = numbers.Where(double.IsFinite).Order().ToArray();
        if (known.Length < column.Values.Count(text => text is not null) || known.Distinct().Take(MostValues + 1).Count() <= MostValues)
        {
            return column;
        }

        double[] edges = [.. Quarters.Select(share => known[(int)(share * (known.Length - 1))]).Distinct()];
        string Name(double number)
        {
            var at = Array.FindIndex(edges, edge => number <= edge);
            return at == 0 ? string.Create(CultureInfo.InvariantCulture, $"up to {edges[0]:0.####}")
                : at < 0 ? string.Create(CultureInfo.InvariantCulture, $"above {edges[^1]:0.####}")
                : string.Create(CultureInfo.InvariantCulture, $"above {edges[at - 1]:0.####} up to {edges[at]:0.####}");
        }

        return new RawColumn(column.Name, Array.ConvertAll(numbers, number => double.IsFinite(number) ? Name(number) : null));
    }

    private static async Task<T?> KeptAsync<T>(NpgsqlDataSource database, string model, int version, string kind, CancellationToken ct)
        where T : class
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var json = await connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            "select body::text from ml.version_reports where model = @model and version = @version and kind = @kind", new { model, version, kind }, cancellationToken: ct));
        return json is null ? null : JsonSerializer.Deserialize<T>(json, RunStore.Json);
    }

    /// <summary>Keeps a report; whoever was first wins, so that all see one.</summary>
    private static async Task<T> KeepAsync<T>(NpgsqlDataSource database, string model, int version, string kind, T made, DateTimeOffset at, CancellationToken ct)
        where T : class
    {
        await using (var connection = await database.OpenConnectionAsync(ct))
        {
            await connection.ExecuteAsync(new CommandDefinition(
                "insert into ml.version_reports (model, version, kind, body, made_at) values (@model, @version, @kind, @body::jsonb, @at) on conflict do nothing",
                new { model, version, kind, body = JsonSerializer.Serialize(made, RunStore.Json), at = at.UtcDateTime }, cancellationToken: ct));
        }

        return await KeptAsync<T>(database, model, version, kind, ct) ?? made;
    }

    private static ProblemHttpResult Missing(string name, int version) =>
        TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no version {version} of {name}.");

    private static ProblemHttpResult Conflict(string detail) => TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: detail);

    private sealed record Told(IReadOnlyList<string> Names, string Scale, int Rows, double[] Means);
}
