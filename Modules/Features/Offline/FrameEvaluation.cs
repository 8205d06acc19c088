using OKLA.Features.Facts;
using OKLA.Features.Registry;

namespace OKLA.Features.Offline;

/// <summary>A row of a frame: a time, whom it is about, and what a request of that time would have said.</summary>
/// <param name="At">UTC ticks.</param>
/// <param name="Ids">Ids by entity; the seller of an item may be left out.</param>
/// <param name="Parameters">Parameters of on-demand features.</param>
internal record FrameRow(long At, IReadOnlyDictionary<Entity, string> Ids, IReadOnlyDictionary<string, string> Parameters);

/// <summary>Values of many rows as of their times: one pass over the facts for each entity that takes part, then the composition row by row.</summary>
internal sealed class FrameEvaluation(PointInTime pointInTime, CatalogueHistory catalogue, long upTo)
{
    /// <summary>Rows up to which all entities are read at once: somebody waits for so few. The passes of a large frame follow one another, as each fills memory and the server.</summary>
    private const int FewRows = 100;

    /// <summary>One line a row, one value a feature asked for.</summary>
    public async Task<Value[][]> EvaluateAsync(LeadPlan plan, IReadOnlyList<FrameRow> rows, CancellationToken ct)
    {
        var reading = new List<(Entity Entity, int[] Places, Task<PointValues[]> Answers)>();
        foreach (var (entity, part) in plan.Parts)
        {
            var (points, places) = (new List<Point>(rows.Count), new int[rows.Count]);
            for (var row = 0; row < rows.Count; row++)
            {
                places[row] = IdOf(rows[row], entity) is { } id ? points.Count : -1;
                if (places[row] >= 0)
                {
                    points.Add(new Point(IdOf(rows[row], entity)!, rows[row].At));
                }
            }

            reading.Add((entity, places, pointInTime.EvaluateAsync(part, points, catalogue, upTo, ct)));
            await (rows.Count > FewRows ? reading[^1].Answers : Task.CompletedTask);
        }

        await Task.WhenAll(reading.Select(part => part.Answers));
        var parts = reading.ToDictionary(part => part.Entity, part => (part.Places, Answers: part.Answers.Result));

        var unknown = plan.Parts.ToDictionary(part => part.Key, part => part.Value.Steps.Select(step => step.Default).ToArray());
        var (lines, of) = (new Value[rows.Count][], new Dictionary<Entity, Value[]>());
        for (var row = 0; row < rows.Count; row++)
        {
            foreach (var (entity, (places, answers)) in parts)
            {
                of[entity] = places[row] < 0 ? unknown[entity] : answers[places[row]].Values;
            }

            plan.Compose(of, new Request(rows[row].At, rows[row].Parameters, rows[row].Ids.GetValueOrDefault(Entity.Item)), lines[row] = new Value[plan.Wanted.Count]);
        }

        return lines;
    }

    private string? IdOf(FrameRow row, Entity entity) =>
        row.Ids.TryGetValue(entity, out var id) ? id
        : entity == Entity.Dealer && row.Ids.TryGetValue(Entity.Item, out var item) && catalogue[item]?.At(row.At)?.Item.SellerId is { Length: > 0 } seller ? seller
        : null;
}
