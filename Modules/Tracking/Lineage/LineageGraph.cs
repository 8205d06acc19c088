using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Lineage;

/// <summary>A thing that data stands in or comes to: an event type, a property of one, a table, a feature, a model, a screen.</summary>
/// <param name="Id">Its name with its kind, such as <c>event:item_viewed.origin</c>.</param>
/// <param name="Kind">What stands before the colon.</param>
/// <param name="Description">What it is, where that is known.</param>
/// <param name="PartOf">The thing that it is a part of.</param>
internal sealed record LineageNode(string Id, string Kind, string? Description, string? PartOf);

/// <summary>Something that hangs on a node, with the shortest way there: names of things and, between them, of transformations.</summary>
/// <param name="Node">The thing.</param>
/// <param name="Owner">Module of the last transformation on the way.</param>
/// <param name="Path">From the node asked for to this one, or from this one to that.</param>
internal sealed record LineageStep(string Node, string Owner, IReadOnlyList<string> Path);

/// <summary>The transformations of all modules as one graph. Pure.</summary>
/// <param name="transformations">The steps.</param>
internal sealed class LineageGraph(IReadOnlyList<Transformation> transformations)
{
    /// <summary>The steps, by name.</summary>
    public IReadOnlyList<Transformation> Transformations { get; } = [.. transformations.OrderBy(step => step.Name, StringComparer.Ordinal)];

    /// <summary>Every thing that a step names, besides those that are described.</summary>
    public IReadOnlyList<LineageNode> Nodes(IEnumerable<LineageNode> described)
    {
        var nodes = described.ToDictionary(node => node.Id, StringComparer.Ordinal);
        foreach (var end in Transformations.SelectMany(step => step.Inputs.Concat(step.Outputs)).Where(end => !end.Contains('*', StringComparison.Ordinal)))
        {
            nodes.TryAdd(end, new LineageNode(end, end[..end.IndexOf(':', StringComparison.Ordinal)], null, null));
        }

        return [.. nodes.Values.OrderBy(node => node.Id, StringComparer.Ordinal)];
    }

    /// <summary>What would break if a thing went: everything made from it or from what is made from it, nearest first.</summary>
    public IReadOnlyList<LineageStep> Impact(string node) => Walk(node, step => step.Inputs, step => step.Outputs, forwards: true);

    /// <summary>What a thing is made from, nearest first.</summary>
    public IReadOnlyList<LineageStep> Origin(string node) => Walk(node, step => step.Outputs, step => step.Inputs, forwards: false);

    /// <summary><c>event:item_viewed.properties.seconds</c> and <c>event:item_viewed.seconds</c> are the same.</summary>
    public static string Normalise(string node) => node.Replace(".properties.", ".", StringComparison.Ordinal);

    /// <summary>Whether the loss of a thing reaches a reader: it reads that very thing, a part of it, or all things of a pattern that it falls under.</summary>
    /// <param name="lost">The thing.</param>
    /// <param name="read">What is read; may hold <c>*</c>.</param>
    internal static bool Touches(string lost, string read)
    {
        var (a, b) = (Parts(lost), Parts(read));
        if (a.Kind != b.Kind || a.Names.Length > b.Names.Length)
        {
            return false;
        }

        for (var i = 0; i < a.Names.Length; i++)
        {
            if (a.Names[i] != b.Names[i] && a.Names[i] != "*" && b.Names[i] != "*")
            {
                return false;
            }
        }

        return true;
    }

    private List<LineageStep> Walk(
        string start, Func<Transformation, IReadOnlyList<string>> near, Func<Transformation, IReadOnlyList<string>> far, bool forwards)
    {
        start = Normalise(start);
        var found = new List<LineageStep>();
        var paths = new Dictionary<string, string[]>(StringComparer.Ordinal) { [start] = [start] };
        var (queue, taken) = (new Queue<string>([start]), new HashSet<string>(StringComparer.Ordinal));
        while (queue.TryDequeue(out var node))
        {
            foreach (var step in Transformations)
            {
                // Backwards a part comes from whatever makes the whole, and the whole from whatever makes a part.
                if (!near(step).Any(end => Touches(node, end) || (!forwards && Touches(end, node))) || !taken.Add(step.Name))
                {
                    continue;
                }

                foreach (var end in far(step).Where(end => !paths.ContainsKey(end)))
                {
                    paths[end] = [.. paths[node], step.Name, end];
                    found.Add(new LineageStep(end, step.Owner, forwards ? paths[end] : [.. paths[end].Reverse()]));
                    queue.Enqueue(end);
                }
            }
        }

        return found;
    }

    private static (string Kind, string[] Names) Parts(string node)
    {
        var colon = node.IndexOf(':', StringComparison.Ordinal);
        return (node[..Math.Max(colon, 0)], node[(colon + 1)..].Split('.'));
    }
}
