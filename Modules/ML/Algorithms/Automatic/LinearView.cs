using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Automatic;

/// <summary>
/// A table as linear models take it best: numbers held within what nearly all training rows span, skewed ones beside their logarithms, few-valued ones beside
/// themselves as categories, and long tails of categories as one.
/// </summary>
internal sealed class LinearView
{
    private const int MostCategories = 200;
    private const int FewValues = 12;
    private const int WideTable = 300;
    private const int SampleRows = 20_000;
    private readonly Part[] _parts;

    private LinearView(Part[] parts) => _parts = parts;

    /// <summary>How one column is taken; <paramref name="Values"/> are those that become categories.</summary>
    private sealed record Part(float Low, float High, bool Logarithm, float[] Values);

    public static LinearView Fit(Dataset x)
    {
        var parts = new Part[x.ColumnCount];
        for (var c = 0; c < parts.Length; c++) parts[c] = x.Columns[c].IsCategorical ? new Part(0, 0, false, []) : Number(x.Columns[c], x.ColumnCount > WideTable);
        return new LinearView(parts);
    }

    public Dataset Transform(Dataset x)
    {
        var made = new List<Column>(x.ColumnCount);
        for (var c = 0; c < _parts.Length; c++)
        {
            var (column, part) = (x.Columns[c], _parts[c]);
            if (column.IsCategorical)
            {
                made.Add(column.CategoryCount <= MostCategories ? column : Column.Categorical(column.Name, Array.ConvertAll(column.Codes.ToArray(), code => Math.Min(code, MostCategories))));
                continue;
            }
            var numbers = column.Numbers.ToArray();
            if (part.Values.Length > 0) made.Add(Column.Categorical($"{column.Name} as category", Array.ConvertAll(numbers, v => Math.Max(-1, Array.BinarySearch(part.Values, v)))));
            for (var i = 0; i < numbers.Length; i++) numbers[i] = float.IsNaN(numbers[i]) ? float.NaN : Math.Clamp(numbers[i], part.Low, part.High);
            made.Add(Column.Numeric(column.Name, numbers));
            if (part.Logarithm) made.Add(Column.Numeric($"{column.Name} as logarithm", Array.ConvertAll(numbers, v => MathF.Sign(float.IsNaN(v) ? 0 : v) * MathF.Log(1 + MathF.Abs(v)))));
        }
        return new Dataset(made);
    }

    /// <summary>What each column of the view adds (rows × its columns), as what each column that it is made from adds (rows × those of <paramref name="x"/>).</summary>
    public double[] Gather(Dataset x, double[] parts)
    {
        int[] owners = [.. Enumerable.Range(0, _parts.Length).SelectMany(c => Enumerable.Repeat(c, x.Columns[c].IsCategorical ? 1 : 1 + (_parts[c].Values.Length > 0 ? 1 : 0) + (_parts[c].Logarithm ? 1 : 0)))];
        var gathered = new double[x.RowCount * x.ColumnCount];
        for (var i = 0; i < parts.Length; i++) gathered[i / owners.Length * x.ColumnCount + owners[i % owners.Length]] += parts[i];
        return gathered;
    }

    public void Write(BinaryWriter writer)
    {
        writer.Write(_parts.Length);
        foreach (var part in _parts)
        {
            writer.Write(part.Low);
            writer.Write(part.High);
            writer.Write(part.Logarithm);
            writer.WriteArray(part.Values);
        }
    }

    public static LinearView Read(BinaryReader reader)
    {
        var parts = new Part[reader.ReadInt32()];
        for (var i = 0; i < parts.Length; i++) parts[i] = new Part(reader.ReadSingle(), reader.ReadSingle(), reader.ReadBoolean(), reader.ReadSingles());
        return new LinearView(parts);
    }

    private static Part Number(Column column, bool plain)
    {
        var step = Math.Max(1, column.Length / SampleRows);
        var values = new List<float>();
        for (var r = 0; r < column.Length; r += step)
        {
            if (!float.IsNaN(column.Numbers[r])) values.Add(column.Numbers[r]);
        }
        if (values.Count == 0) return new Part(0, 0, false, []);
        values.Sort();
        float At(double share) => values[(int)(share * (values.Count - 1))];
        float low = At(0.002), high = At(0.998), quarter = At(0.25), threeQuarters = At(0.75);
        if (plain) return new Part(low, high, false, []);
        var distinct = values.Distinct().Take(FewValues + 1).ToArray();
        var skewed = distinct.Length > FewValues && high - low > 6 * (threeQuarters - quarter);
        return new Part(low, high, skewed, distinct.Length is > 2 and <= FewValues && distinct.All(v => v == MathF.Floor(v)) ? distinct : []);
    }
}
