using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Shared.Web;
using static OKLA.ML.Models.NumberText;

namespace OKLA.ML.Serving;

/// <summary>
/// POST /api/ml/models/{name}/counterfactuals: what would have to change for another answer. Looks for few and small changes of inputs that are not
/// fixed, within what the model has learned from; every one that is told was answered so by the model.
/// </summary>
internal static class FindCounterfactuals
{
    /// <summary>A question.</summary>
    /// <param name="Row">The row as it is.</param>
    /// <param name="Want">The answer that is wanted: a class, or a number from and to.</param>
    /// <param name="Fixed">Inputs that cannot change.</param>
    /// <param name="MaxChanges">Inputs that may change at once; 3 when left out.</param>
    /// <param name="Count">Answers wanted; 3 when left out.</param>
    public sealed record Request(Dictionary<string, JsonElement>? Row, Wanted? Want, IReadOnlyList<string>? Fixed = null, int MaxChanges = 3, int Count = 3);

    /// <summary>An answer that is wanted.</summary>
    /// <param name="Label">A class.</param>
    /// <param name="From">A number not below this.</param>
    /// <param name="To">A number not above this.</param>
    public sealed record Wanted(string? Label = null, double? From = null, double? To = null);

    /// <summary>What was found.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Version">Version that answered.</param>
    /// <param name="Now">Its answer to the row as it is.</param>
    /// <param name="Holds">Whether that is what is wanted already.</param>
    /// <param name="Found">Fewest and smallest changes first; empty when none was found.</param>
    public sealed record Response(string Model, int Version, PredictRows.Row Now, bool Holds, IReadOnlyList<Counterfactual> Found);

    /// <summary>A row with another answer.</summary>
    /// <param name="Changes">What changes.</param>
    /// <param name="Distance">Sum of the changes: a number's as a share of its range, 1 for anything else.</param>
    /// <param name="Prediction">The answer to the changed row.</param>
    public sealed record Counterfactual(IReadOnlyList<Change> Changes, double Distance, PredictRows.Row Prediction);

    /// <summary>A change of an input.</summary>
    /// <param name="Input">The input.</param>
    /// <param name="From">Its value; null where it is missing.</param>
    /// <param name="To">Its new value.</param>
    public sealed record Change(string Input, string? From, string To);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapPost("/{name}/counterfactuals", HandleAsync).WithName("FindCounterfactuals")
        .WithSummary("What would have to change for another answer");

    internal static async Task<Results<Ok<Response>, ValidationProblem, ProblemHttpResult>> HandleAsync(string name, Request request, ServedModels served, Models.ModelCatalog catalog, CancellationToken ct)
    {
        if (await served.BestAsync(name) is not { } by)
        {
            return PredictRows.Missing(name, catalog.Find(name) is null ? AskStatus.Unknown : AskStatus.Unavailable);
        }

        var signature = by.Answers.Signature;
        var read = new ReadRows([], [], []);
        var places = RowReader.Places(signature);
        var row = RowReader.Read(signature, places, JsonSerializer.SerializeToElement(request.Row), "row", read);
        var errors = Check(request, signature, read.Errors, places);
        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var search = new CounterfactualSearch(by.Answers, request.Want!, [.. (request.Fixed ?? []).Select(input => places[input])]);
        var found = search.Find(row, request.MaxChanges, request.Count, ct);
        var now = by.Answers.Predict([row])[0];
        return TypedResults.Ok(new Response(name, by.Version, PredictRows.Show(now, signature.Classes), CounterfactualSearch.Holds(now, request.Want!, signature), [.. found.Select(item => new Counterfactual(
            [.. Enumerable.Range(0, row.Length).Where(i => item.Row[i] != row[i]).Select(i => new Change(signature.Inputs[i].Name, row[i], item.Row[i]!))],
            item.Distance, PredictRows.Show(item.Answer, signature.Classes)))]));
    }

    private static Dictionary<string, string[]> Check(Request request, ModelSignature signature, Dictionary<string, string[]> errors, Dictionary<string, int> places)
    {
        if (request.Want is not { } want || (want.Label is null && want.From is null && want.To is null) || want.From > want.To)
        {
            errors["want"] = ["A class, or a number from and to."];
        }
        else if (want.Label is { } label && !signature.Classes.Contains(label))
        {
            errors["want.label"] = [signature.Classes.Count == 0 ? "The model answers numbers." : $"One of {string.Join(", ", signature.Classes)}."];
        }

        foreach (var input in (request.Fixed ?? []).Where(input => !places.ContainsKey(input)))
        {
            errors[$"fixed.{input}"] = ["The model has no such input."];
        }

        if (request.MaxChanges is < 1 or > 8)
        {
            errors["maxChanges"] = ["1 to 8."];
        }

        if (request.Count is < 1 or > 20)
        {
            errors["count"] = ["1 to 20."];
        }

        return errors;
    }
}

/// <summary>
/// Beam search for near rows with another answer: each round changes one more input of the most promising rows, so that fewer changes are found before
/// more. A number that does it is then moved back towards where it was until it just does (bisection).
/// </summary>
internal sealed class CounterfactualSearch(IServedModel model, FindCounterfactuals.Wanted want, int[] untouched)
{
    private const int Beam = 8;
    private const int NumberSteps = 12;
    private const int MostCategories = 40;
    private const int Bisections = 12;
    private readonly ModelSignature signature = model.Signature;

    /// <summary>A row, how far it is from the first one and how the model answers it.</summary>
    internal sealed record Candidate(string?[] Row, double Distance, Prediction Answer, double Gap);

    /// <summary>Whether an answer is what is wanted.</summary>
    public static bool Holds(Prediction answer, FindCounterfactuals.Wanted want, ModelSignature signature) => GapOf(answer, want, signature) <= 0;

    /// <summary>Rows with the wanted answer, nearest first, none of which changes the same inputs as another.</summary>
    public IReadOnlyList<Candidate> Find(string?[] row, int maxChanges, int count, CancellationToken ct)
    {
        var first = model.Predict([row])[0];
        var beam = new List<Candidate> { new(row, 0, first, GapOf(first, want, signature)) };
        var found = new List<Candidate>();
        if (beam[0].Gap <= 0)
        {
            return found;
        }

        for (var changes = 1; changes <= maxChanges && found.Count < count && beam.Count > 0; changes++)
        {
            ct.ThrowIfCancellationRequested();
            var tried = beam.SelectMany(from => Neighbours(row, from.Row)).ToList();
            if (tried.Count == 0)
            {
                break;
            }

            var answers = model.Predict(tried);
            var all = tried.Select((changed, i) => new Candidate(changed, DistanceOf(row, changed), answers[i], GapOf(answers[i], want, signature))).ToList();
            foreach (var hit in all.Where(item => item.Gap <= 0).Select(item => Tighten(row, item)).OrderBy(item => item.Distance))
            {
                if (found.Count < count && !found.Any(known => ChangedIn(row, known.Row).IsSubsetOf(ChangedIn(row, hit.Row))))
                {
                    found.Add(hit);
                }
            }

            // Of the rows that do not do it yet those that came nearest go on, a little less when they moved far.
            beam = [.. all.Where(item => item.Gap > 0).OrderBy(item => item.Gap * (1 + item.Distance)).DistinctBy(item => string.Join('\u001f', ChangedIn(row, item.Row).Order())).Take(Beam)];
        }

        return [.. found.OrderBy(item => ChangedIn(row, item.Row).Count).ThenBy(item => item.Distance)];
    }

    /// <summary>How far an answer is from what is wanted; 0 or less when it is that.</summary>
    private static double GapOf(Prediction answer, FindCounterfactuals.Wanted want, ModelSignature signature)
    {
        if (want.Label is { } label)
        {
            var place = signature.Classes.ToList().IndexOf(label);
            return answer.Label == label ? 0 : Math.Max(1e-9, 1 - (answer.Probabilities is { } shares && place >= 0 ? shares[place] : 0));
        }

        return Math.Max(want.From - answer.Value ?? 0, Math.Max(answer.Value - want.To ?? 0, 0));
    }

    private IEnumerable<string?[]> Neighbours(string?[] original, string?[] from)
    {
        for (var i = 0; i < from.Length; i++)
        {
            if (untouched.Contains(i) || from[i] != original[i])
            {
                continue;
            }

            foreach (var value in Values(signature.Inputs[i], original[i]))
            {
                var changed = (string?[])from.Clone();
                changed[i] = value;
                yield return changed;
            }
        }
    }

    private static IEnumerable<string> Values(ModelInput input, string? now) => input.Type switch
    {
        "number" => Numbers(input, now),
        "boolean" when RowReader.Flag(input, RowReader.Flag(input, now ?? "") == RowReader.Flag(input, "true") ? "false" : "true") is { } other => [other],
        "category" => (input.Categories ?? []).Where(value => !string.Equals(value, now, StringComparison.OrdinalIgnoreCase)).Take(MostCategories),
        _ => [],
    };

    private static IEnumerable<string> Numbers(ModelInput input, string? now)
    {
        if (RangeOf(input, now) is not var (low, high))
        {
            yield break;
        }

        // Whole numbers stay whole.
        var whole = double.IsInteger(low) && double.IsInteger(high) && (now is null || double.IsInteger(Parse(now)));
        var values = Enumerable.Range(0, NumberSteps + 1).Select(step => low + (high - low) * step / NumberSteps).Select(value => whole ? Math.Round(value) : value).Distinct();
        foreach (var value in values.Select(Text).Where(text => text != now))
        {
            yield return value;
        }
    }

    private static (double Low, double High)? RangeOf(ModelInput input, string? now) => (input.Min, input.Max) switch
    {
        ({ } low, { } high) => (low, high),
        // Without a range: between half and twice the value.
        _ when now is not null && Parse(now) is var value and not 0 => (input.Min ?? Math.Min(value / 2, value * 2), input.Max ?? Math.Max(value / 2, value * 2)),
        _ => null,
    };

    /// <summary>Moves each changed number back towards where it was as far as the answer stays what is wanted.</summary>
    private Candidate Tighten(string?[] original, Candidate hit)
    {
        var best = hit;
        foreach (var i in ChangedIn(original, hit.Row).Where(i => signature.Inputs[i].Type == "number" && original[i] is not null))
        {
            var (bad, good) = (Parse(original[i]!), Parse(best.Row[i]!));
            var whole = double.IsInteger(bad) && double.IsInteger(good);
            for (var step = 0; step < Bisections && Math.Abs(good - bad) > (whole ? 1 : 1e-9); step++)
            {
                var middle = whole ? Math.Round((good + bad) / 2) : (good + bad) / 2;
                var changed = (string?[])best.Row.Clone();
                changed[i] = Text(middle);
                var answer = model.Predict([changed])[0];
                if (GapOf(answer, want, signature) <= 0)
                {
                    (good, best) = (middle, new Candidate(changed, DistanceOf(original, changed), answer, 0));
                }
                else
                {
                    bad = middle;
                }
            }
        }

        return best;
    }

    private double DistanceOf(string?[] from, string?[] to) => ChangedIn(from, to).Sum(i =>
    {
        var input = signature.Inputs[i];
        return input.Type == "number" && from[i] is { } before && RangeOf(input, before) is var (low, high) && high > low ? Math.Abs(Parse(to[i]!) - Parse(before)) / (high - low) : 1;
    });

    private static HashSet<int> ChangedIn(string?[] from, string?[] to) => [.. Enumerable.Range(0, from.Length).Where(i => from[i] != to[i])];

    private static double Parse(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

}
