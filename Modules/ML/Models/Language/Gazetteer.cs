using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Language;

/// <summary>A name that a slot may take.</summary>
/// <param name="Slot">Which slot: make, model, body, place, use, fuel, transmission or condition.</param>
/// <param name="Form">As people write it: plain words.</param>
/// <param name="Value">What it means, as listings have it.</param>
/// <param name="Parent">Of a model its make; null elsewhere.</param>
internal sealed record SlotName(string Slot, string Form, string Value, string? Parent = null);

/// <summary>A name found in a query.</summary>
internal sealed record FoundName(SlotName Name, int First, int Count, bool Exact);

/// <summary>The names that makes, models, places and words of the trade go by: those of the catalogue, and standing ones. Misspelt ones are found by letters and sound.</summary>
internal sealed class Gazetteer
{
    private const int MostWords = 4;
    private readonly Dictionary<string, List<SlotName>> byForm = new(StringComparer.Ordinal);
    private readonly Dictionary<int, List<string>> byLength = [];

    public Gazetteer(IEnumerable<SlotName> names)
    {
        Names = [.. names.DistinctBy(name => (name.Slot, name.Form)).OrderBy(name => name.Slot, StringComparer.Ordinal).ThenBy(name => name.Form, StringComparer.Ordinal)];
        foreach (var name in Names)
        {
            var form = Joined(name.Form);
            if (!byForm.TryGetValue(form, out var known))
            {
                known = byForm[form] = [];
                (byLength.TryGetValue(form.Length, out var forms) ? forms : byLength[form.Length] = []).Add(form);
            }

            known.Add(name);
        }
    }

    /// <summary>All names.</summary>
    public IReadOnlyList<SlotName> Names { get; }

    /// <summary>The standing names with those of a catalogue: a make and the first word of a model that at least two listings bear.</summary>
    public static Gazetteer Of(IReadOnlyList<ItemSnapshot> items)
    {
        var names = new List<SlotName>(StandingNames.All);
        foreach (var make in items.GroupBy(snapshot => PriceFeatures.Plain(snapshot.Item.Text("make"))).Where(group => group.Key is { Length: > 1 } && group.Count() > 1))
        {
            names.Add(new SlotName("make", make.Key!, make.First().Item.Text("make")!));
            var models = make.Select(snapshot => snapshot.Item.Text("model")).OfType<string>().Select(model => (Told: model, Plain: PriceFeatures.Plain(model) ?? "")).Where(model => model.Plain.Length > 0).ToArray();
            foreach (var first in models.GroupBy(model => model.Plain.Split(' ')[0]).Where(group => group.Count() > 1))
            {
                // "santa" is always followed by "fe": the name has two words; "corolla" by its trim: it has one.
                var pairs = first.Select(model => string.Join(' ', model.Plain.Split(' ').Take(2))).GroupBy(pair => pair).OrderByDescending(pair => pair.Count()).First();
                var words = pairs.Count() > 0.9 * first.Count() && pairs.Key.Contains(' ', StringComparison.Ordinal) ? 2 : 1;
                var form = string.Join(' ', first.First().Plain.Split(' ').Take(words));
                if (form.Length > 1)
                {
                    names.Add(new SlotName("model", form, string.Join(' ', first.First().Told.Split(' ').Take(words)), make.First().Item.Text("make")));
                }
            }
        }

        // The catalogue's spelling wins over the standing one.
        return new Gazetteer(names.AsEnumerable().Reverse());
    }

    /// <summary>The names in a query: the longest exact ones, and misspelt ones of five letters and more where nothing exact is.</summary>
    public IReadOnlyList<FoundName> Find(IReadOnlyList<QueryToken> tokens)
    {
        var found = new List<FoundName>();
        for (var first = 0; first < tokens.Count; first++)
        {
            for (var count = Math.Min(MostWords, tokens.Count - first); count > 0; count--)
            {
                var form = Joined(string.Concat(tokens.Skip(first).Take(count).Select(token => token.Text)));
                if (byForm.TryGetValue(form, out var names))
                {
                    found.AddRange(names.Select(name => new FoundName(name, first, count, true)));
                    break;
                }

                if (count == 1 && form.Length >= 4 && !form.Any(char.IsAsciiDigit) && !CommonWords.Has(form) && Nearest(form) is { } near)
                {
                    found.AddRange(byForm[near].Select(name => new FoundName(name, first, count, false)));
                }
            }
        }

        return found;
    }

    /// <summary>What words mean in a slot; null when nothing is near.</summary>
    public SlotName? Resolve(string slot, string words)
    {
        var form = Joined(words);
        return byForm.TryGetValue(form, out var names) && names.Find(name => name.Slot == slot) is { } exact ? exact
            : form.Length >= 4 && Nearest(form, slot) is { } near ? byForm[near].Find(name => name.Slot == slot)
            : null;
    }

    /// <summary>The nearest form: one edit in words of up to six letters, two in longer ones; where it sounds the same, one more.</summary>
    private string? Nearest(string form, string? slot = null)
    {
        var (best, least) = ((string?)null, double.MaxValue);
        var most = form.Length <= 6 ? 1 : 2;
        for (var length = form.Length - most - 1; length <= form.Length + most + 1; length++)
        {
            foreach (var other in byLength.GetValueOrDefault(length) ?? [])
            {
                if (other.Length < 4 || (slot is not null && !byForm[other].Exists(name => name.Slot == slot)))
                {
                    continue;
                }

                double edits = Algorithms.Text.EditDistance.Damerau(form, other, most + 1);
                if (edits > most + 1)
                {
                    continue;
                }

                var sounds = Algorithms.Text.SpanishPhonetics.Key(form) == Algorithms.Text.SpanishPhonetics.Key(other);
                edits -= sounds ? 1.5 : 0;
                if (edits <= most && (edits < 1 || form[0] == other[0] || sounds) && edits < least && !(most == 1 && edits > 0 && form.Length == 4 && !sounds && form[..2] != other[..2]))
                {
                    (best, least) = (other, edits);
                }
            }
        }

        return best;
    }

    private static string Joined(string form) => form.Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
}

/// <summary>Words of everyday talk that are one letter away from a name and do not mean it.</summary>
internal static class CommonWords
{
    private static readonly HashSet<string> Words =
    [
        .. """
           para como cual cuanto cuando donde esta este estas estos tiene tengo quiero quieren busco menos hasta desde entre sobre mejor bueno buena buenas barato barata precio precios cuanta
           vender vendo venden compro comprar compra cambio cambiar puedo puede pueden gasta poco mucho mucha hace haces todo toda nada algo alguno alguna carta parte mayor menor maximo minimo
           millon millones pesos dolar dolares inicial banco cuota cuotas meses anos mensual gracias hola buen cita prueba probar manejar gomas piezas aros aceite taller seguro papeles traspaso
           matricula placa marbete garantia dealer vendedor telefono numero direccion abren abierto horas hora sabado domingo lunes martes favor rapido grande grandes chico chica color blanco
           blanca negro negra rojo roja azul gris verde dueno dos tres cuatro cinco seis siete ocho nueve diez filas fila puertas asientos clean limpio limpia japones coreano americana americano
           coreanas japonesa tope hay sale salir saber cobran pagar pago presta prestan credito vale valor costo cuesta anda andan linda linda listo lista viaje casa ciudad calle cerca lejos
           ustedes usted ellos algun ningun otro otra unos unas mismo misma solo sola nuevo fotos foto carga cargo malo mala tarde venta ventas
           """.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries),
    ];

    public static bool Has(string word) => Words.Contains(word);
}
