using System.Globalization;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Datasets;
using OKLA.ML.Models;

namespace OKLA.ML.Training;

/// <summary>Rows that a model was measured on, with what it answered: kept with the run, so that it can be looked at by any of their columns later.</summary>
/// <param name="Columns">All columns of the table, those that were not learned from too.</param>
/// <param name="Truth">What happened: a number or a class, as it was learned.</param>
/// <param name="Answers">Calibrated answers, rows × outputs.</param>
/// <param name="Threshold">From which probability on the positive class is called; 0 without one.</param>
internal sealed record HeldOutRows(IReadOnlyList<RawColumn> Columns, float[] Truth, float[] Answers, double Threshold)
{
    private const int Most = 20_000;

    private int Outputs => Truth.Length == 0 ? 1 : Answers.Length / Truth.Length;

    /// <summary>The rows as a table: the columns, the truth, then the answers. Of very many, evenly drawn ones.</summary>
    public TableRows Table()
    {
        var rows = Math.Min(Most, Truth.Length);
        string[] names = [.. Columns.Select(column => column.Name), "truth", .. Enumerable.Range(0, Outputs).Select(k => string.Create(CultureInfo.InvariantCulture, $"answer {k}"))];
        return new TableRows(names, Enumerable.Range(0, rows).Select(i => Row((int)((long)i * Truth.Length / rows))).ToAsyncEnumerable());
    }

    /// <summary>Reads what <see cref="Table"/> was written as.</summary>
    /// <param name="kept">The table.</param>
    /// <param name="classes">Number of classes; 0 for a number.</param>
    /// <param name="threshold">From which probability on the positive class is called.</param>
    public static HeldOutRows Of(IReadOnlyList<RawColumn> kept, int classes, double threshold)
    {
        var outputs = BoostedTable.Outputs(classes);
        var width = kept.Count - outputs - 1;
        var truth = Array.ConvertAll([.. kept[width].Values], Number);
        var answers = new float[truth.Length * outputs];
        for (var i = 0; i < answers.Length; i++)
        {
            answers[i] = Number(kept[width + 1 + i % outputs].Values[i / outputs]);
        }

        return new HeldOutRows([.. kept.Take(width)], truth, answers, threshold);
    }

    private static float Number(string? text) => text is null ? float.NaN : float.Parse(text, CultureInfo.InvariantCulture);

    private string?[] Row(int row) =>
    [
        .. Columns.Select(column => column.Values[row]), Truth[row].ToString("R", CultureInfo.InvariantCulture),
        .. Answers.AsSpan(row * Outputs, Outputs).ToArray().Select(answer => answer.ToString("R", CultureInfo.InvariantCulture)),
    ];
}
