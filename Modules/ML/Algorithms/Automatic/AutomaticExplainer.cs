using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Automatic;

/// <summary>Answers to rows as a sum.</summary>
/// <param name="Base">What every sum starts from: the answer to an average row.</param>
/// <param name="Outputs">The answers, one a row: of numbers on the learned scale (ln(1 + target) where that was learned), of two classes P(1).</param>
/// <param name="Contributions">What each column adds (rows × columns as brought); with <paramref name="Base"/> they make the output.</param>
public sealed record AdditiveAnswers(double Base, double[] Outputs, double[] Contributions);

/// <summary>A fold's model's answers as sums over the columns that it sees.</summary>
internal sealed record FoldParts(double Base, double[] Outputs, double[] Contributions);

/// <summary>
/// Says why an ensemble answers as it does: the weighted sum of its members' Shapley values (Tree SHAP, Linear SHAP), which are linear in the members (Shapley 1953,
/// additivity). Where a member has a link between its score and its answer, its values are carried through it in proportion (Chen, Lundberg and Lee 2022, "Explaining a
/// series of models by propagating Shapley values", eq. 5 with one baseline). Numbers and two classes; immutable and safe for many threads.
/// </summary>
public sealed class AutomaticExplainer
{
    private readonly AutomaticTableModel _model;
    private readonly int[][] _sources;
    private readonly (double Weight, Func<Dataset, FoldParts>[] Folds)[] _members;
    private readonly int _columns;

    /// <summary>Prepares explanations of <paramref name="model"/> against <paramref name="background"/> rows, whose columns are those of all rows to come.</summary>
    /// <exception cref="ArgumentException">The model has more than two classes, or there are no background rows.</exception>
    public AutomaticExplainer(AutomaticTableModel model, IReadOnlyList<RawColumn> background)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(background);
        if (model.Classes > 2) throw new ArgumentException("Answers of more than two classes are no sum of their members' scores.", nameof(model));
        if (background.Count == 0 || background[0].Values.Count == 0) throw new ArgumentException("No background rows.", nameof(background));
        _model = model;
        _columns = background.Count;
        var encoded = model.Encode(background).Folds;
        _sources = Sources(model, background, encoded[0]);
        _members =
        [
            .. model.Weights.Where(member => member.Weight != 0).Select(member =>
                (member.Weight, model.Candidates.First(candidate => candidate.Name == member.Name).Models.Select((fold, f) => fold.Explainer(encoded[f])).ToArray())),
        ];
    }

    /// <summary>Explains rows.</summary>
    public AdditiveAnswers Explain(IReadOnlyList<RawColumn> rows)
    {
        var folds = _model.Encode(rows).Folds;
        var count = folds[0].RowCount;
        var (start, outputs, contributions) = (0.0, new double[count], new double[count * _columns]);
        foreach (var (weight, members) in _members)
        {
            for (var f = 0; f < members.Length; f++)
            {
                var (parts, share) = (members[f](folds[f]), weight / members.Length);
                start += share * parts.Base;
                for (var r = 0; r < count; r++)
                {
                    outputs[r] += share * parts.Outputs[r];
                    for (var c = 0; c < _sources.Length; c++)
                    {
                        // What is made from two columns is theirs in equal parts.
                        var part = share * parts.Contributions[r * _sources.Length + c] / _sources[c].Length;
                        foreach (var owner in _sources[c]) contributions[r * _columns + owner] += part;
                    }
                }
            }
        }
        return new AdditiveAnswers(start, outputs, contributions);
    }

    /// <summary>Shapley values of scores carried through a link, so that they add up to the answers.</summary>
    internal static FoldParts Linked(double score0, double[] scores, double[] contributions, Func<double, double> link)
    {
        var columns = scores.Length == 0 ? 0 : contributions.Length / scores.Length;
        var (start, outputs, carried) = (link(score0), new double[scores.Length], new double[contributions.Length]);
        for (var r = 0; r < scores.Length; r++)
        {
            outputs[r] = link(scores[r]);
            var moved = scores[r] - score0;
            // At the base itself the parts cancel out: the slope there carries them.
            var slope = Math.Abs(moved) > 1e-9 ? (outputs[r] - start) / moved : (link(score0 + 1e-5) - link(score0 - 1e-5)) / 2e-5;
            for (var c = 0; c < columns; c++) carried[r * columns + c] = slope * contributions[r * columns + c];
        }
        return new FoldParts(start, outputs, carried);
    }

    internal static double Sigmoid(double score) => 1 / (1 + Math.Exp(-score));

    // Which of the columns each feature is made from, told by leaving each out in turn; all of them where none is told.
    private static int[][] Sources(AutomaticTableModel model, IReadOnlyList<RawColumn> background, Dataset whole)
    {
        var sources = Enumerable.Range(0, whole.ColumnCount).Select(_ => new List<int>()).ToArray();
        var nothing = new string?[whole.RowCount];
        for (var c = 0; c < background.Count; c++)
        {
            RawColumn[] without = [.. background.Take(c), new RawColumn(background[c].Name, nothing), .. background.Skip(c + 1)];
            var less = model.Encode(without).Folds[0];
            for (var f = 0; f < sources.Length; f++)
            {
                if (Enumerable.Range(0, whole.RowCount).Any(r => !whole.Columns[f][r].Equals(less.Columns[f][r]))) sources[f].Add(c);
            }
        }
        int[] all = [.. Enumerable.Range(0, background.Count)];
        return [.. sources.Select(found => found.Count > 0 ? found.ToArray() : all)];
    }
}
