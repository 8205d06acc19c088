using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Explanation;

/// <summary>The knobs of <see cref="KernelShap"/>.</summary>
public sealed record KernelShapOptions
{
    /// <summary>Up to so many columns (that differ from the background) every subset is asked for and the values are exact; at most 16.</summary>
    public int ExactColumns { get; init; } = 11;

    /// <summary>Subsets asked for beyond that; at least two a column are taken.</summary>
    public int Subsets { get; init; } = 2048;

    /// <summary>Seed of the subsets drawn.</summary>
    public int Seed { get; init; } = 42;
}

/// <summary>
/// Shapley values of any model against background rows: an absent column takes each background row's value in turn, so that base value + contributions =
/// prediction. Few columns are enumerated; otherwise the values solve the least squares of Lundberg and Lee (2017, theorem 2) over the smallest and largest
/// subsets and pairs of a drawn subset and its complement (Covert and Lee 2021), constrained to add up exactly (their equation 7). Time: subsets ×
/// background rows predictions a row explained.
/// </summary>
public sealed class KernelShap
{
    private readonly TableModel _model;
    private readonly Dataset _background;
    private readonly KernelShapOptions _options;

    /// <summary>Explains <paramref name="model"/> against the rows of <paramref name="background"/> (some tens to hundreds).</summary>
    /// <exception cref="ArgumentException">No background rows, or an option is out of range.</exception>
    public KernelShap(TableModel model, Dataset background, KernelShapOptions? options = null)
    {
        _model = model ?? throw new ArgumentNullException(nameof(model));
        _background = background ?? throw new ArgumentNullException(nameof(background));
        _options = options ?? new KernelShapOptions();
        if (background.RowCount == 0) throw new ArgumentException("No background rows.", nameof(background));
        if (_options.ExactColumns is < 0 or > 16 || _options.Subsets < 1) throw new ArgumentException("Kernel SHAP options: a value is out of range.", nameof(options));
        BaseValue = MixedRows.Predict(model, background).Average();
    }

    /// <summary>The mean prediction over the background, which contributions start from.</summary>
    public double BaseValue { get; }

    /// <summary>Contributions row by row (rows × columns).</summary>
    /// <exception cref="ArgumentException">The columns differ from the background's.</exception>
    public double[] Explain(Dataset table)
    {
        MixedRows.CheckSameColumns(_background, table);
        var contributions = new double[table.RowCount * table.ColumnCount];
        for (var r = 0; r < table.RowCount; r++)
        {
            var joined = MixedRows.Append(_background, table, r);
            var varying = Varying(joined);
            var values = varying.Length <= _options.ExactColumns ? Exact(joined, varying) : LeastSquares(joined, varying, r);
            for (var i = 0; i < varying.Length; i++) contributions[r * table.ColumnCount + varying[i]] = values[i];
        }
        return contributions;
    }

    // A column equal to all of the background's values changes no prediction: its contribution is 0.
    private static int[] Varying(Dataset joined) => [.. Enumerable.Range(0, joined.ColumnCount).Where(c =>
    {
        var column = joined.Columns[c];
        var own = column[column.Length - 1];
        for (var i = 0; i < column.Length - 1; i++)
        {
            if (!column[i].Equals(own)) return true;
        }
        return false;
    })];

    private double[] Exact(Dataset joined, int[] varying)
    {
        var players = varying.Length;
        if (players == 0) return [];
        var sets = new bool[1 << players][];
        for (var set = 0; set < sets.Length; set++) sets[set] = [.. Enumerable.Range(0, players).Select(i => (set >> i & 1) != 0)];
        var values = Values(joined, varying, sets);
        var weights = ShapleyWeights.Of(players);
        var contributions = new double[players];
        for (var set = 0; set < sets.Length; set++)
        {
            for (var i = 0; i < players; i++)
            {
                if ((set >> i & 1) == 0) contributions[i] += weights[int.PopCount(set)] * (values[set | 1 << i] - values[set]);
            }
        }
        return contributions;
    }

    private double[] LeastSquares(Dataset joined, int[] varying, int row)
    {
        var players = varying.Length;
        var (sets, weights) = Subsets(players, RandomSource.For(_options.Seed, row));
        sets.Add([.. Enumerable.Repeat(true, players)]);
        var values = Values(joined, varying, sets);
        var total = values[^1] - BaseValue;
        double[] a = new double[players * players], b = new double[players], ones = new double[players];
        for (var s = 0; s < weights.Count; s++)
        {
            for (var i = 0; i < players; i++)
            {
                if (!sets[s][i]) continue;
                b[i] += weights[s] * (values[s] - BaseValue);
                for (var j = 0; j < players; j++) a[i * players + j] += sets[s][j] ? weights[s] : 0;
            }
        }
        Array.Fill(ones, 1);
        var cholesky = new Cholesky(a, players);
        cholesky.Solve(b);
        cholesky.Solve(ones);
        // Equation 7 of Covert and Lee: the plain solution, moved along A⁻¹1 until it adds up.
        var step = (total - b.Sum()) / ones.Sum();
        for (var i = 0; i < players; i++) b[i] += step * ones[i];
        return b;
    }

    /// <summary>Subsets and their shares of the Shapley kernel: whole sizes from the outside in while they fit, then draws of the sizes left.</summary>
    private (List<bool[]> Sets, List<double> Weights) Subsets(int players, RandomSource random)
    {
        var budget = Math.Max(_options.Subsets, 2 * players);
        var sets = new List<bool[]>();
        var weights = new List<double>();
        // All subsets of size s together weigh (M − 1) / (s (M − s)).
        var mass = new double[players];
        for (var s = 1; s < players; s++) mass[s] = (players - 1.0) / (s * (players - s));
        var inner = 1;
        for (double count = players; inner <= players - inner; inner++, count *= (players - inner + 1.0) / inner)
        {
            var both = 2 * inner == players ? 1 : 2;
            if (sets.Count + both * count > budget) break;
            foreach (var set in OfSize(players, inner))
            {
                Add(set, mass[inner] / count);
                if (both == 2) Add([.. set.Select(member => !member)], mass[inner] / count);
            }
        }
        var left = Enumerable.Range(inner, Math.Max(0, players - 2 * inner + 1)).ToArray();
        var pairs = (budget - sets.Count) / 2;
        if (left.Length == 0 || pairs == 0) return (sets, weights);
        var rest = left.Sum(s => mass[s]);
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var p = 0; p < pairs; p++)
        {
            var at = random.NextDouble() * rest;
            var size = left[0];
            foreach (var s in left)
            {
                size = s;
                if ((at -= mass[s]) < 0) break;
            }
            var set = new bool[players];
            foreach (var member in random.Sample(players, size)) set[member] = true;
            Drawn(set);
            Drawn([.. set.Select(member => !member)]);
        }
        return (sets, weights);

        void Add(bool[] set, double weight)
        {
            sets.Add(set);
            weights.Add(weight);
        }

        void Drawn(bool[] set)
        {
            var key = string.Create(set.Length, set, (text, members) =>
            {
                for (var i = 0; i < text.Length; i++) text[i] = members[i] ? '1' : '0';
            });
            if (places.TryAdd(key, sets.Count)) Add(set, rest / (2 * pairs));
            else weights[places[key]] += rest / (2 * pairs);
        }
    }

    private static IEnumerable<bool[]> OfSize(int players, int size)
    {
        var members = Enumerable.Range(0, size).ToArray();
        while (true)
        {
            var set = new bool[players];
            foreach (var member in members) set[member] = true;
            yield return set;
            var last = size - 1;
            while (last >= 0 && members[last] == players - size + last) last--;
            if (last < 0) yield break;
            members[last]++;
            for (var i = last + 1; i < size; i++) members[i] = members[i - 1] + 1;
        }
    }

    /// <summary>The mean prediction a set: its columns from the explained row (the last), the others from each background row.</summary>
    private double[] Values(Dataset joined, int[] varying, IReadOnlyList<bool[]> sets)
    {
        var rows = _background.RowCount;
        var values = new double[sets.Count];
        var batch = Math.Max(1, MixedRows.Batch / rows);
        var player = new int[joined.ColumnCount];
        Array.Fill(player, -1);
        for (var i = 0; i < varying.Length; i++) player[varying[i]] = i;
        for (var from = 0; from < sets.Count; from += batch)
        {
            var count = Math.Min(batch, sets.Count - from);
            var places = new int[count * rows];
            var columns = new Column[joined.ColumnCount];
            for (var c = 0; c < columns.Length; c++)
            {
                for (var s = 0; s < count; s++)
                {
                    var own = player[c] >= 0 && sets[from + s][player[c]];
                    for (var r = 0; r < rows; r++) places[s * rows + r] = own ? rows : r;
                }
                columns[c] = joined.Columns[c].Select(places);
            }
            var predictions = MixedRows.Predict(_model, new Dataset(columns));
            for (var s = 0; s < count; s++) values[from + s] = predictions.AsSpan(s * rows, rows).ToArray().Average();
        }
        return values;
    }
}
