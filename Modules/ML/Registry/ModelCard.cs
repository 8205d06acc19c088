using System.Globalization;
using System.Text;
using OKLA.ML.Training.Gates;
using OKLA.ML.Training.Runs;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Registry;

/// <summary>A version's card (Mitchell et al. 2019), written from facts alone.</summary>
/// <param name="Model">The model.</param>
/// <param name="Version">The version.</param>
/// <param name="Summary">What it answers.</param>
/// <param name="Stage">candidate, serving, retired or rejected.</param>
/// <param name="Decision">Why it was published or not.</param>
/// <param name="Facts">The version.</param>
/// <param name="Run">The run that made it; null for one from before runs were kept.</param>
/// <param name="Served">When it served.</param>
/// <param name="Approvals">Who approved it.</param>
/// <param name="Markdown">The same for people.</param>
internal sealed record ModelCard(
    string Model, int Version, string Summary, string Stage, string Decision, ModelVersion Facts, RunRecord? Run, IReadOnlyList<ServedTime> Served, IReadOnlyList<Approval> Approvals, string Markdown)
{
    /// <summary>Writes the card.</summary>
    public static ModelCard Of(string summary, IReadOnlyList<ModelTarget> targets, ModelVersion version, RunRecord? run, IReadOnlyList<ServedTime> served, IReadOnlyList<Approval> approvals)
    {
        var text = new StringBuilder();
        void Line(string line) => text.Append(line).Append('\n');
        void Head(string head) => Line($"\n## {head}");
        Line($"# {version.Model}, version {version.Version}");
        Line(summary);
        Line(Invariant($"\nStage: {version.Stage}. {version.Decision}"));
        Line(Invariant($"Trained {version.TrainedAt:yyyy-MM-dd HH:mm} UTC in {version.Seconds:0.#} s on {version.Rows:N0} rows ({version.Reason}); it has seen the world up to {version.DataUntil:yyyy-MM-dd HH:mm} UTC."));
        Line($"Artefact: {version.Bytes.ToString("N0", CultureInfo.InvariantCulture)} bytes, SHA-256 {version.Sha256}.{(version.Parent is { } parent ? $" Trained when version {parent} served." : "")}");
        if (version.Tags.Count > 0 || version.Notes.Length > 0)
        {
            Line($"{string.Join(' ', version.Tags.Select(tag => $"`{tag}`"))} {version.Notes}".Trim());
        }

        Head("Data");
        Line($"```json\n{version.Data.GetRawText()}\n```");
        Head("Figures on rows it had not seen");
        Line("| metric | model | 95 % interval | baseline | | ceiling |\n|---|---|---|---|---|---|");
        foreach (var metric in version.Metrics)
        {
            // Versions from before a metric had its interval with it have it in their run.
            var kept = metric.Low is null ? run?.Metrics.FirstOrDefault(one => one.Step == 0 && one.Name == metric.Name) : null;
            var (low, high) = (metric.Low ?? kept?.Low, metric.High ?? kept?.High);
            Line(Invariant($"| {metric.Name} | {metric.Model:0.####} | {(low is null ? "" : Invariant($"{low:0.####} to {high:0.####}"))} | {metric.Baseline:0.####} | {metric.BaselineName} | {metric.Ceiling:0.####} |"));
        }

        if (targets.Count > 0)
        {
            Head("Targets");
            foreach (var target in targets)
            {
                var row = target.Of(version.Metrics);
                Line(Invariant($"- {row?.Name ?? target.Metric} {target.Wanted()}: {target.Verdict(row)}."));
            }
        }

        if (version.Gates.Count > 0)
        {
            Head("Gates");
            foreach (GateResult gate in version.Gates)
            {
                Line($"- {gate.Gate}: {gate.State}. {gate.Reason}");
            }
        }

        if (version.Signature is { } signature)
        {
            Head("Inputs");
            Line("| input | type | range or values |\n|---|---|---|");
            foreach (var input in signature.Inputs)
            {
                Line(Invariant($"| {input.Name} | {input.Type} | {(input.Min is null ? string.Join(", ", (input.Categories ?? []).Take(8)) : Invariant($"{input.Min} to {input.Max}"))} |"));
            }
        }

        if (run is not null && run.Evaluation.TryGetProperty("importance", out var importance) && importance.GetArrayLength() > 0)
        {
            Head("What matters most (growth of the loss when the column is shuffled)");
            foreach (var one in importance.EnumerateArray().Take(10))
            {
                Line($"- {one.GetProperty("column").GetString()}: {one.GetProperty("lossIncrease")}");
            }
        }

        if (run is not null && run.Evaluation.TryGetProperty("groups", out var groups) && groups.GetArrayLength() > 0)
        {
            Head("Groups");
            foreach (var gap in groups.EnumerateArray())
            {
                Line($"- {gap.GetProperty("measure").GetString()} of {gap.GetProperty("column").GetString()}: {gap.GetProperty("size").GetProperty("estimate")} between {gap.GetProperty("highest")} and {gap.GetProperty("lowest")}");
            }
        }

        Head("Settings");
        Line($"```json\n{version.Parameters.GetRawText()}\n```");
        if (run is not null)
        {
            Line($"Run {run.Id}, environment:\n```json\n{run.Environment.GetRawText()}\n```");
        }

        Head("Life");
        foreach (var approval in approvals)
        {
            Line(Invariant($"- Approved by {approval.By} on {approval.At:yyyy-MM-dd HH:mm} UTC. {approval.Note}"));
        }

        foreach (var time in served)
        {
            Line(Invariant($"- Served from {time.From:yyyy-MM-dd HH:mm} UTC{(time.Until is { } until ? Invariant($" until {until:yyyy-MM-dd HH:mm} UTC") : "")}, let in by {time.By}. {time.Reason}"));
        }

        return new ModelCard(version.Model, version.Version, summary, version.Stage, version.Decision, version, run, served, approvals, text.ToString());
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
