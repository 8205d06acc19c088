namespace OKLA.ML.Algorithms.Tabular;

/// <summary>One named column of a <see cref="Dataset"/>: numbers, where NaN is missing, or category codes, where -1 is missing.</summary>
public sealed class Column
{
    private readonly float[] _numbers;
    private readonly int[] _codes;

    private Column(string name, float[] numbers, int[] codes, bool categorical, int categoryCount, IReadOnlyList<string> categories)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
        _numbers = numbers;
        _codes = codes;
        IsCategorical = categorical;
        CategoryCount = categoryCount;
        Categories = categories;
    }

    /// <summary>The column's name, unique in its table.</summary>
    public string Name { get; }

    /// <summary>True when the column holds category codes.</summary>
    public bool IsCategorical { get; }

    /// <summary>How many codes a categorical column may hold (0 up to, not including, this); zero for numbers.</summary>
    public int CategoryCount { get; }

    /// <summary>The categories' texts by code where they are known, otherwise empty.</summary>
    public IReadOnlyList<string> Categories { get; }

    /// <summary>The number of rows.</summary>
    public int Length => IsCategorical ? _codes.Length : _numbers.Length;

    /// <summary>The values of a numeric column (NaN = missing); empty for a categorical one.</summary>
    public ReadOnlySpan<float> Numbers => _numbers;

    /// <summary>The codes of a categorical column (-1 = missing); empty for a numeric one.</summary>
    public ReadOnlySpan<int> Codes => _codes;

    /// <summary>Row <paramref name="row"/> as learners' row spans carry it: the number, or the code as a number, NaN when missing.</summary>
    public float this[int row] => !IsCategorical ? _numbers[row] : _codes[row] < 0 ? float.NaN : _codes[row];

    /// <summary>A numeric column over <paramref name="values"/>, which is not copied.</summary>
    public static Column Numeric(string name, float[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return new Column(name, values, [], false, 0, []);
    }

    /// <summary>A categorical column over <paramref name="codes"/>, which is not copied; without <paramref name="categories"/> the count is the largest code plus one.</summary>
    /// <exception cref="ArgumentException">A code is below -1, or not below the number of categories given.</exception>
    public static Column Categorical(string name, int[] codes, IReadOnlyList<string>? categories = null)
    {
        ArgumentNullException.ThrowIfNull(codes);
        var largest = -1;
        foreach (var code in codes)
        {
            if (code < -1) throw new ArgumentException($"Column {name} holds code {code}; the smallest is -1, missing.", nameof(codes));
            largest = Math.Max(largest, code);
        }
        if (categories is not null && largest >= categories.Count)
            throw new ArgumentException($"Column {name} holds code {largest} but names {categories.Count} categories.", nameof(codes));
        return new Column(name, [], codes, true, categories?.Count ?? largest + 1, categories ?? []);
    }

    /// <summary>The rows <paramref name="rows"/> of this column, in that order, as a new column.</summary>
    public Column Select(ReadOnlySpan<int> rows)
    {
        if (IsCategorical)
        {
            var codes = new int[rows.Length];
            for (var i = 0; i < rows.Length; i++) codes[i] = _codes[rows[i]];
            return new Column(Name, [], codes, true, CategoryCount, Categories);
        }
        var numbers = new float[rows.Length];
        for (var i = 0; i < rows.Length; i++) numbers[i] = _numbers[rows[i]];
        return new Column(Name, numbers, [], false, 0, []);
    }
}
