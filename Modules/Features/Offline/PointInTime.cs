using System.Runtime.InteropServices;
using OKLA.Features.Facts;
using OKLA.Features.Registry;

namespace OKLA.Features.Offline;

/// <summary>One question: what was known of an entity at a time.</summary>
/// <param name="Id">The entity's id.</param>
/// <param name="At">UTC ticks.</param>
internal readonly record struct Point(string Id, long At);

/// <summary>The values of a plan's steps at a point, and whether anything was known of the entity.</summary>
internal readonly record struct PointValues(Value[] Values, bool Known);

/// <summary>
/// Answers many questions about the past in one pass. An event is visible at t when it had happened by t and the log knew it by t; the value at
/// t is a function of t and of what was visible. Facts and questions of an entity are merged in the order of time, so that each fact is
/// looked at once; memory holds one entity's facts and the answers. Serving asks one question about now, of the same code. A person whose ids
/// were joined or parted between two questions counts as another one in each.
/// </summary>
internal sealed class PointInTime(FactStore facts)
{
    /// <summary>One answer for each point, in the order of the points.</summary>
    /// <param name="plan">What is asked.</param>
    /// <param name="points">Entities and times, in any order.</param>
    /// <param name="catalogue">What was known of the items; read up to <paramref name="upTo"/>.</param>
    /// <param name="upTo">Last place in the log that counts.</param>
    /// <param name="ct">Stops the work.</param>
    /// <param name="catalogueIsRead">Completes when the catalogue is read so far; null when it is.</param>
    public async Task<PointValues[]> EvaluateAsync(EntityPlan plan, IReadOnlyList<Point> points, CatalogueHistory catalogue, long upTo, CancellationToken ct, Task? catalogueIsRead = null)
    {
        var answers = new PointValues[points.Count];
        if (points.Count == 0)
        {
            return answers;
        }

        // Somebody may be waiting, so what does not need each other is read at the same time: of one person links and facts, of all else the facts, and the catalogue beside them.
        var isRead = catalogueIsRead ?? Task.CompletedTask;
        var (links, hers) = (PersonLinks.None, (IReadOnlyList<Fact>?)null);
        if (plan.Entity == Entity.User)
        {
            (links, hers) = points.Count == 1
                ? await facts.ReadPersonAsync(points[0].Id, plan.Types, points[0].At, upTo, catalogue, isRead, ct)
                : (await facts.LinksAsync([.. points.Select(point => point.Id).Distinct()], upTo, ct), null);
        }

        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var owners = new List<IReadOnlyList<string>>();
        var order = new (int Owner, long At, int Row)[points.Count];
        for (var row = 0; row < points.Count; row++)
        {
            var ids = links.IsEmpty ? null : links.IdsOf(points[row].Id, points[row].At);
            ref var owner = ref CollectionsMarshal.GetValueRefOrAddDefault(places, ids is null ? points[row].Id : string.Join('\0', ids), out var seen);
            if (!seen)
            {
                owner = owners.Count;
                owners.Add(ids ?? [points[row].Id]);
            }

            order[row] = (owner, points[row].At, row);
        }

        Array.Sort(order);
        var state = plan.Idle.TryTake(out var idle) ? idle : new EntityState(plan);
        var (next, current) = (0, -1);

        // Answers what is asked of owners before this one, and of this one before a time.
        void AnswerUpTo(int owner, long before)
        {
            for (; next < order.Length && (order[next].Owner < owner || (order[next].Owner == owner && order[next].At < before)); next++)
            {
                if (order[next].Owner != current)
                {
                    state.Clear();
                    current = order[next].Owner;
                }

                var (_, at, row) = order[next];
                var item = plan.Entity == Entity.Item ? catalogue[owners[current][0]]?.At(at) : null;
                var values = new Value[plan.Steps.Count];
                state.Read(at, plan.Entity == Entity.Item ? new ItemView(item, catalogue, at) : null, values);
                answers[row] = new PointValues(values, state.IsKnown || item is not null);
            }

            if (owner != current)
            {
                state.Clear();
                current = owner;
            }
        }

        if (hers is not null)
        {
            foreach (var fact in hers.Where(fact => owners[0].Contains(fact.PersonId!)))
            {
                AnswerUpTo(0, fact.VisibleAt);
                state.Add(fact);
            }
        }
        else
        {
            await foreach (var (owner, fact) in facts.ReadAsync(plan.Entity, owners, plan.Types, order.Max(point => point.At), upTo, catalogue, isRead, ct))
            {
                AnswerUpTo(owner, fact.VisibleAt);
                state.Add(fact);
            }
        }

        AnswerUpTo(owners.Count, 0);
        state.Clear();
        plan.Idle.Add(state);
        return answers;
    }
}
