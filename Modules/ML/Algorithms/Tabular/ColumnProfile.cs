namespace OKLA.ML.Algorithms.Tabular;

/// <summary>What the training rows say about one column of text, and the plans that follow from it.</summary>
internal sealed class ColumnProfile
{
    private const int SampleRows = 20_000;

    // Below this many known values nothing is called an id or free text.
    private const int FewRows = 20;

    private readonly string _name;
    private readonly TableEncoderOptions _options;
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly List<string> _sample = [];
    private readonly int _known;
    private readonly int _rows;

    public ColumnProfile(RawColumn column, TableEncoderOptions options, HashSet<string> missing)
    {
        _name = column.Name;
        _options = options;
        _rows = column.Values.Count;
        var step = Math.Max(1, _rows / SampleRows);
        for (var r = 0; r < _rows; r++)
        {
            if (ColumnPlan.Known(column.Values[r], missing) is not { } text) continue;
            _known++;
            _counts[text] = _counts.GetValueOrDefault(text) + 1;
            if (r % step == 0) _sample.Add(text);
        }
    }

    /// <summary>Whether this is a free text, whose words say more than the whole.</summary>
    public bool IsText { get; private set; }

    /// <summary>How the column writes dates; null when it holds none.</summary>
    public DateStyle? Dates { get; private set; }

    /// <summary>The plans for the column, none when it says nothing; each made name is passed through <paramref name="unique"/>.</summary>
    public List<ColumnPlan> Plans(Func<string, string> unique)
    {
        if (_options.Categorical.Contains(_name)) return [Category(unique(_name), CategoryOf.Whole, _counts)];
        if (_known == 0 || (_counts.Count == 1 && _known == _rows)) return [];
        var decimalComma = LooseNumber.UsesDecimalComma(_sample);
        var numbers = Share(text => LooseNumber.TryRead(text, decimalComma, out _, out _));
        if (numbers >= 0.5 && AsDates() is { } digits) return Parts(digits, unique);
        if (BooleanPlan.Fits(_counts.Count <= 8 ? _counts.Keys : [])) return [new BooleanPlan(unique(_name), _name)];
        if (numbers >= _options.NumericShare || (numbers >= 0.5 && WordsAmongNumbers(decimalComma).Count <= FewRows)) return Numbers(decimalComma, unique);
        return AsDates() is { } style ? Parts(style, unique) : Words(unique);
    }

    private DateStyle? AsDates() => Dates = LooseDate.StyleOf(_sample, 0.9);

    private double Share(Func<string, bool> holds) => _sample.Count == 0 ? 0 : (double)_sample.Count(holds) / _sample.Count;

    private Dictionary<string, int> WordsAmongNumbers(bool decimalComma) => Parts(CategoryOf.WordAmongNumbers, decimalComma);

    private Dictionary<string, int> Parts(CategoryOf part, bool decimalComma = false)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (text, rows) in _counts)
        {
            if (CategoryPlan.Part(text, part, decimalComma) is { } found) counts[found] = counts.GetValueOrDefault(found) + rows;
        }
        return counts;
    }

    private CategoryPlan Category(string name, CategoryOf part, IReadOnlyDictionary<string, int> counts, bool decimalComma = false) =>
        new(name, _name, part, decimalComma, CategoryPlan.Choose(counts, _options.MinCategoryRows, _options.MaxCategories));

    private List<ColumnPlan> Numbers(bool decimalComma, Func<string, string> unique)
    {
        var plans = new List<ColumnPlan> { new NumberPlan(unique(_name), _name, decimalComma) };
        foreach (var (part, suffix) in new[] { (CategoryOf.Unit, "unit"), (CategoryOf.WordAmongNumbers, "word") })
        {
            var counts = Parts(part, decimalComma);
            if (counts.Count(c => c.Value >= Math.Max(_options.MinCategoryRows, _known / 200)) >= 2) plans.Add(Category(unique($"{_name} {suffix}"), part, counts, decimalComma));
        }
        return plans;
    }

    private List<ColumnPlan> Parts(DateStyle style, Func<string, string> unique)
    {
        var plans = new List<ColumnPlan>();
        foreach (var part in Enum.GetValues<DatePart>())
        {
            var first = float.NaN;
            var varies = part == DatePart.Days || _sample.Any(text =>
            {
                if (!LooseDate.TryRead(text, style, out var date)) return false;
                if (float.IsNaN(first)) first = DatePlan.Of(date, part);
                return DatePlan.Of(date, part) != first;
            });
            if (varies) plans.Add(new DatePlan(unique(part == DatePart.Days ? $"{_name} days" : $"{_name} {part.ToString().ToLowerInvariant()}"), _name, style, part));
        }
        return plans;
    }

    private List<ColumnPlan> Words(Func<string, string> unique)
    {
        var plans = new List<ColumnPlan>();
        var distinct = _counts.Count;
        var words = _sample.Average(text => text.Count(c => c == ' ') + 1.0);
        var nearlyUnique = _known >= FewRows && distinct >= 0.9 * _known;
        IsText = distinct >= 50 && words >= 2 && (words >= 3 || _sample.Average(text => text.Length) >= 20 || distinct >= 0.05 * _known);
        if (nearlyUnique && !IsText)
        {
            // An id: what order its digits carry is kept, when all are built alike; its letters are worth nothing on other rows.
            if (BuiltAlike()) plans.Add(new InnerNumberPlan(unique($"{_name} number"), _name, 0));
            return plans;
        }
        if (!nearlyUnique) plans.Add(Category(unique(_name), CategoryOf.Whole, _counts));
        if (distinct < 10) return plans;
        var last = distinct;
        foreach (var (part, suffix) in new[] { (CategoryOf.FirstTwoWords, "first two words"), (CategoryOf.FirstWord, "first word") })
        {
            var counts = Parts(part);
            if (words < 1.5 || counts.Count < 2 || counts.Count > 0.9 * last || counts.Count > 0.5 * _known) continue;
            plans.Add(Category(unique($"{_name} {suffix}"), part, counts));
            last = counts.Count;
        }
        for (var place = 0; place < 2; place++)
        {
            var at = place;
            var values = _sample.Select(text => InnerNumberPlan.Read(text, at)).Where(v => !float.IsNaN(v)).ToList();
            if (values.Count >= 0.3 * _sample.Count && values.Distinct().Skip(2).Any()) plans.Add(new InnerNumberPlan(unique($"{_name} number {place + 1}"), _name, place));
        }
        if (IsText) plans.Add(new TextSizePlan(unique($"{_name} length"), _name));
        return plans;
    }

    // One prefix without digits, then digits only: INV-00123.
    private bool BuiltAlike()
    {
        string? prefix = null;
        foreach (var text in _sample)
        {
            var digits = text.Length;
            while (digits > 0 && char.IsAsciiDigit(text[digits - 1])) digits--;
            if (digits == text.Length || text.Length - digits > 9) return false;
            prefix ??= text[..digits];
            if (!text.AsSpan(0, digits).SequenceEqual(prefix)) return false;
        }
        return prefix is not null;
    }
}
