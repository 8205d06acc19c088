using System.Globalization;
using System.Text.Json;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Models.Language;

/// <summary>Something that the text says otherwise than what is stated.</summary>
internal sealed record Contradiction(string Fact, string Stated, string Said);

/// <summary>Points of the quality score that a listing lost, by the key of the reason.</summary>
internal sealed record LostPoints(string Reason, int Points, string? Fact = null);

/// <summary>What came of judging a listing.</summary>
/// <param name="Facts">What its text says.</param>
/// <param name="Contradictions">Where the text says otherwise than what is stated.</param>
/// <param name="Quality">0 to 100. A rule: what the listing lacks of what others state; no measured effect on sales is claimed.</param>
/// <param name="Lost">Why it is not 100, the largest loss first.</param>
/// <param name="Missing">Facts that neither text nor attributes state, the most usual first.</param>
internal sealed record JudgedListing(ListingFacts Facts, IReadOnlyList<Contradiction> Contradictions, int Quality, IReadOnlyList<LostPoints> Lost, IReadOnlyList<string> Missing);

/// <summary>Reads, judges and rewrites listings: names and habits of a catalogue. Immutable.</summary>
internal sealed class DescriptionModel : IServedModel
{
    /// <summary>Longest text, in characters.</summary>
    public const int LongestText = 8_000;

    private const int LeastListings = 20, EnoughWords = 20, EnoughPictures = 5;
    private const double Usual = 0.3, KmDiffer = 0.1, PriceDiffers = 0.03;

    // Attributes of a listing by what the reader calls them, with the points that a missing one costs where everybody states it.
    private static readonly (string Fact, int Points)[] Stateable =
        [("make", 8), ("model", 8), ("year", 10), ("price", 12), ("mileageKm", 10), ("transmission", 6), ("fuel", 6), ("condition", 4), ("color", 3), ("doors", 2)];

    private readonly Gazetteer gazetteer;
    private readonly Dictionary<string, Dictionary<string, double>> habits;

    private DescriptionModel(Gazetteer gazetteer, Dictionary<string, Dictionary<string, double>> habits)
    {
        this.gazetteer = gazetteer;
        this.habits = habits;
        Reader = new FactReader(gazetteer);
    }

    /// <summary>The model that stands while no version serves: standing names, and every fact is expected.</summary>
    public static DescriptionModel Standing { get; } = new(new Gazetteer(StandingNames.All), []);

    public FactReader Reader { get; }

    public ModelSignature Signature { get; } = new(
        "regression", [new("title", "text", Required: true, Example: "Toyota Corolla LE 2018"), new("description", "text", Example: "Automático, gasolina, 85,000 km, único dueño.")], [], "points of 100");

    /// <summary>Learns names, and the share of listings of each body type that state each fact.</summary>
    public static DescriptionModel Fit(IReadOnlyList<ItemSnapshot> items)
    {
        var habits = new Dictionary<string, Dictionary<string, double>>(StringComparer.Ordinal);
        foreach (var body in items.GroupBy(item => PriceFeatures.Plain(item.Item.Text("bodyType")) ?? "").Where(group => group.Count() >= LeastListings))
        {
            habits[body.Key] = Stateable.ToDictionary(one => one.Fact, one => body.Average(item => States(item.Item, one.Fact) ? 1.0 : 0.0), StringComparer.Ordinal);
        }

        return new DescriptionModel(Gazetteer.Of(items), habits);
    }

    /// <summary>Judges a listing by its text and what is stated beside it.</summary>
    public JudgedListing Judge(CatalogItem item)
    {
        var facts = Reader.Read(item.Title, item.Description);
        var said = facts.Known().ToLookup(fact => fact.Name, fact => fact.Value);
        var contradictions = Contradictions(item, facts).ToArray();
        var usual = habits.GetValueOrDefault(PriceFeatures.Plain(item.Text("bodyType")) ?? "");
        var isNew = PriceFeatures.Plain(item.Text("condition")) == "nuevo" || facts.Condition == "nuevo";
        var missing = Stateable.Where(one => !States(item, one.Fact) && !said[one.Fact].Any() && !(isNew && one.Fact == "mileageKm"))
            .Select(one => (one.Fact, one.Points, Share: usual?.GetValueOrDefault(one.Fact, 1) ?? 1)).OrderByDescending(one => one.Points * one.Share).ToArray();
        var lost = missing.Where(one => one.Share >= Usual || one.Points >= 8).Select(one => new LostPoints("missing", Math.Max(1, (int)Math.Round(one.Points * one.Share)), one.Fact)).ToList();
        var words = PriceFeatures.WordsOf(item.Description).Length;
        void Lose(bool when, string reason, int points)
        {
            if (when)
            {
                lost.Add(new LostPoints(reason, points));
            }
        }

        Lose(words == 0, "no_text", 20);
        Lose(words is > 0 and < EnoughWords, "short_text", 8);
        Lose(item.Images.Count == 0, "no_pictures", 12);
        Lose(item.Images.Count is > 0 and < EnoughPictures, "few_pictures", 5);
        Lose(facts.Extras.Count < 2, "few_extras", 5);
        Lose(facts.Contacts.Count > 0, "contact", 10);
        Lose(Shouts(item.Description), "shouting", 5);
        lost.AddRange(contradictions.Select(one => new LostPoints("contradiction", 12, one.Fact)));
        lost.Sort((a, b) => b.Points.CompareTo(a.Points));
        return new JudgedListing(facts, contradictions, Math.Max(0, 100 - lost.Sum(one => one.Points)), lost, [.. missing.Select(one => one.Fact)]);
    }

    /// <summary>A title and a text made of what is known alone, without contact data, in Dominican Spanish.</summary>
    public static (string Title, string Text) Draft(CatalogItem item, JudgedListing judged)
    {
        // Dominicans part thousands by a comma, as the invariant culture does and Spain does not.
        var (texts, facts) = (Texts.Spanish, judged.Facts);
        var disputed = judged.Contradictions.Select(one => one.Fact).ToHashSet(StringComparer.Ordinal);
        // What is stated and said otherwise is not known: it is left out.
        string? Of(string fact, string? read) => disputed.Contains(fact) ? null : item.Text(fact) is { Length: > 0 and <= 80 } stated ? FactReader.Mask(stated) : read;
        var (make, model, year) = (Of("make", facts.Make), Of("model", facts.Model), Of("year", facts.Year?.ToString(CultureInfo.InvariantCulture)));
        var named = string.Join(' ', new[] { make, model, year }.Where(part => part is not null));
        var title = named.Length > 0 ? named : FactReader.Mask(item.Title);
        var km = disputed.Contains("mileageKm") ? null : item.Number("mileageKm") ?? facts.MileageKm;
        string? Word(string kind, string? value) => value is null ? null : texts.Has($"listing.{kind}.{PriceFeatures.Plain(value)}") ? texts[$"listing.{kind}.{PriceFeatures.Plain(value)}"] : value;
        string?[] core =
        [
            Word("gear", Of("transmission", facts.Transmission)), Word("fuel", Of("fuel", facts.Fuel)), facts.Traction, facts.EngineLitres is { } litres ? texts["listing.engine", litres.ToString("0.0", CultureInfo.InvariantCulture)] : null,
            km is { } driven ? texts["listing.km", driven.ToString("N0", CultureInfo.InvariantCulture)] : null, Word("condition", Of("condition", facts.Condition)),
        ];
        var sentences = new List<string> { texts["listing.opening", title, string.Join(", ", core.Where(part => part is not null).Prepend("")).TrimEnd(',', ' ')] };
        string?[] looks = [Of("color", facts.Color) is { } color ? texts["listing.color", color] : null, facts.Doors is { } doors ? texts["listing.doors", doors] : null];
        if (looks.Any(part => part is not null))
        {
            sentences.Add(Sentence(string.Join(", ", looks.Where(part => part is not null))));
        }

        if (facts.Extras.Count > 0)
        {
            sentences.Add(texts["listing.extras", string.Join(", ", facts.Extras)]);
        }

        if (item.Place is { Length: > 0 and <= 80 } place)
        {
            sentences.Add(texts["listing.place", FactReader.Mask(place)]);
        }

        if (!disputed.Contains("price") && (item.Price ?? facts.Price) is { } price)
        {
            sentences.Add(texts[facts.Negotiable ? "listing.price_negotiable" : "listing.price", price.Currency == "DOP" ? "RD$" : "US$", price.Amount.ToString("N0", CultureInfo.InvariantCulture)]);
        }

        sentences.Add(texts["listing.closing"]);
        return (title, string.Join(' ', sentences));
    }

    public Prediction[] Predict(IReadOnlyList<string?[]> rows, int threads = 1) =>
        [.. rows.Select(row => new Prediction(Judge(new CatalogItem("", "vehicle", row[0] ?? "", null, new Dictionary<string, JsonElement>()) { Description = row[1] is { } text ? text[..Math.Min(text.Length, LongestText)] : null }).Quality))];

    public Explanation[]? Explain(IReadOnlyList<string?[]> rows, CancellationToken ct = default) => null;

    public byte[] Save() => JsonSerializer.SerializeToUtf8Bytes(new Artefact("OKLA.Description", 1, gazetteer.Names, habits), EventJson.Options);

    /// <exception cref="InvalidDataException">Something else, or damaged.</exception>
    public static DescriptionModel Load(byte[] artefact)
    {
        try
        {
            return JsonSerializer.Deserialize<Artefact>(artefact, EventJson.Options) is { Kind: "OKLA.Description", Format: 1, Names: { } names, Habits: { } habits }
                ? new DescriptionModel(new Gazetteer(names), habits)
                : throw new InvalidDataException("This is not a model of descriptions of a known format.");
        }
        catch (JsonException damaged)
        {
            throw new InvalidDataException("The model of descriptions is damaged.", damaged);
        }
    }

    private static bool States(CatalogItem item, string fact) => fact == "price" ? item.Price is not null : !string.IsNullOrWhiteSpace(item.Text(fact));

    private static IEnumerable<Contradiction> Contradictions(CatalogItem item, ListingFacts facts)
    {
        foreach (var (fact, said) in facts.Known().Where(fact => fact.Name is "make" or "year" or "transmission" or "fuel" or "doors" or "color"))
        {
            if (item.Text(fact) is { Length: > 0 } stated && Same(stated) != Same(said) && !(fact == "fuel" && Same(stated) == "hibrido" && said == "gasolina"))
            {
                yield return new Contradiction(fact, FactReader.Mask(stated[..Math.Min(stated.Length, 80)]), said);
            }
        }

        // A model is stated with its trim: it must hold the words of the one that was said.
        if (facts.Model is { } model && item.Text("model") is { Length: > 0 } statedModel && !Same(statedModel).Contains(Same(model), StringComparison.Ordinal) && !Same(model).Contains(Same(statedModel), StringComparison.Ordinal))
        {
            yield return new Contradiction("model", FactReader.Mask(statedModel[..Math.Min(statedModel.Length, 80)]), model);
        }

        if (facts.MileageKm is { } km && item.Number("mileageKm") is { } driven && Math.Abs(km - driven) > Math.Max(1_000, KmDiffer * driven))
        {
            yield return new Contradiction("mileageKm", driven.ToString("0", CultureInfo.InvariantCulture), km.ToString("0", CultureInfo.InvariantCulture));
        }

        if (facts.Price is { } price && item.Price is { } asked && price.Currency == asked.Currency && Math.Abs(price.Amount - asked.Amount) > (decimal)PriceDiffers * asked.Amount)
        {
            yield return new Contradiction("price", string.Create(CultureInfo.InvariantCulture, $"{asked.Amount:0} {asked.Currency}"), string.Create(CultureInfo.InvariantCulture, $"{price.Amount:0} {price.Currency}"));
        }
    }

    private static string Same(string value)
    {
        var plain = string.Concat((PriceFeatures.Plain(value) ?? "").Where(char.IsLetterOrDigit));
        return plain switch { "automatico" => "automatica", "mecanico" or "manual" or "estandar" => "mecanica", "gasoil" => "diesel", _ => plain };
    }

    private static bool Shouts(string? text) => text is { Length: > 40 } && text.Count(char.IsUpper) > 0.6 * text.Count(char.IsLetter);

    private static string Sentence(string text) => $"{char.ToUpper(text[0], CultureInfo.InvariantCulture)}{text[1..]}.";

    private sealed record Artefact(string Kind, int Format, IReadOnlyList<SlotName> Names, Dictionary<string, Dictionary<string, double>> Habits);
}
