using System.Globalization;
using System.Text.RegularExpressions;
using OKLA.Shared.Contracts;
using OKLA.Shared.Privacy;

namespace OKLA.ML.Models.Language;

/// <summary>What the text of a listing says; null or empty where it does not.</summary>
internal sealed record ListingFacts
{
    public string? Make { get; init; }

    public string? Model { get; init; }

    public int? Year { get; init; }

    /// <summary>Kilometres, miles converted.</summary>
    public double? MileageKm { get; init; }

    /// <summary>Whether the text says miles.</summary>
    public bool InMiles { get; init; }

    public string? Transmission { get; init; }

    public string? Fuel { get; init; }

    public string? Body { get; init; }

    public string? Condition { get; init; }

    public string? Color { get; init; }

    public int? Doors { get; init; }

    /// <summary>Displacement in litres.</summary>
    public double? EngineLitres { get; init; }

    public int? Cylinders { get; init; }

    /// <summary>4x4, AWD or 4x2.</summary>
    public string? Traction { get; init; }

    public Money? Price { get; init; }

    /// <summary>Extras and history by their plain names, in the order of the text.</summary>
    public IReadOnlyList<string> Extras { get; init; } = [];

    public bool Negotiable { get; init; }

    /// <summary>Contact data: kind (telefono, correo, cedula, rnc, tarjeta, red_social, enlace) and where it stands.</summary>
    public IReadOnlyList<(string Kind, int Start, int Length)> Contacts { get; init; } = [];

    /// <summary>Name and value of each fact that is known; numbers invariant, extras one by one.</summary>
    public IEnumerable<(string Name, string Value)> Known()
    {
        (string, string?)[] single =
        [
            ("make", Make), ("model", Model), ("year", Text(Year)), ("mileageKm", Text(MileageKm is { } km ? Math.Round(km) : null)), ("transmission", Transmission), ("fuel", Fuel), ("bodyType", Body), ("condition", Condition),
            ("color", Color), ("doors", Text(Doors)), ("engineLitres", Text(EngineLitres)), ("cylinders", Text(Cylinders)), ("traction", Traction),
            ("price", Price is { } price ? string.Create(CultureInfo.InvariantCulture, $"{price.Amount:0} {price.Currency}") : null),
        ];
        return [.. single.Where(one => one.Item2 is not null).Select(one => (one.Item1, one.Item2!)), .. Extras.Select(extra => ("extra", extra))];

        static string? Text(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture);
    }
}

/// <summary>
/// Reads the facts of a listing out of its title and text: names by the <see cref="Gazetteer"/>, numbers by what stands beside them (a number before "km" is a
/// mileage, one after "inicial" is no price). Linear in the text's length.
/// </summary>
internal sealed partial class FactReader(Gazetteer gazetteer)
{
    private const double KmPerMile = 1.609344;

    private static readonly HashSet<string> NotTheGear = ["aire", "clima", "climatizador", "cristales", "vidrios", "arranque", "seguro", "seguros", "baul", "retrovisores", "espejos", "luces", "un", "su", "tu", "buen", "traiga", "lleve", "por", "techo", "puertas"];
    private static readonly HashSet<string> NotTheColor = ["interior", "interiores", "asientos", "asiento", "piel", "tapiceria", "cristales", "aros", "techo", "tela", "cuero", "vidrios", "capota", "lona", "en", "linea", "caja", "lista"];
    private static readonly HashSet<string> NotTheYear = ["marbete", "seguro", "garantia", "hasta", "desde", "importado", "llego", "mantenimiento", "placa", "pintado", "pintada", "gomas", "bateria"];
    private static readonly HashSet<string> NotThePrice = ["inicial", "cuotas", "cuota", "mensual", "mensuales", "separa", "deposito", "separelo", "desde", "kilometraje", "recorrido", "odometro", "gaste", "invertidos", "traspaso"];

    private static readonly Dictionary<string, string> Colors = Table(
        "blanco: blanco, blanca, perla; negro: negro, negra; gris: gris, plateado, plateada, plata, plomo, grafito; rojo: rojo, roja, vino; azul: azul, celeste; verde: verde; dorado: dorado, dorada, champan, champagne; marron: marron, chocolate, bronce; amarillo: amarillo, amarilla; naranja: naranja, mamey; beige: beige, crema; morado: morado, morada");

    private static readonly Dictionary<string, string> Extras = Table(
        """
        cámara de reversa: camara de reversa, camara reversa, camara trasera, camara de retroceso, camara; asientos en piel: asientos en piel, interior en piel, piel, asientos de piel, asientos de cuero, cuero; techo panorámico: techo panoramico, panoramico, panoramica;
        sunroof: sunroof, sun roof, techo corredizo, quemacocos; aire acondicionado: aire acondicionado, aire, a/c, ac; llave inteligente: llave inteligente, smart key, push start, boton de encendido, encendido de boton, push button;
        CarPlay: carplay, car play, android auto; pantalla táctil: pantalla tactil, pantalla, touch; aros de magnesio: aros de magnesio, aros de lujo, aros, rines; sensores de parqueo: sensores de parqueo, sensores, sensor de reversa;
        cristales eléctricos: cristales electricos, vidrios electricos, electrico completo; bolsas de aire: bolsas de aire, airbags, airbag, bolsas; gomas nuevas: gomas nuevas, gomas casi nuevas, 4 gomas nuevas; control crucero: control crucero, crucero, cruise control, cruise;
        tercera fila: tercera fila de asientos, tercera fila, 3 filas, 3ra fila, tres filas; barra antivuelco: barra antivuelco, roll bar; faros LED: faros led, luces led, led, xenon, focos led; bluetooth: bluetooth; asientos eléctricos: asientos electricos, asiento electrico;
        único dueño: unico dueno, un solo dueno, unica duena, un dueno; mantenimientos al día: mantenimientos al dia, mantenimiento al dia, mantenimientos en la casa, mantenimiento en la casa; nunca chocado: nunca chocado, sin choques, nunca chocada, cero choques, no chocado;
        papeles al día: papeles al dia, documentos al dia, matricula al dia, papeles en regla; Carfax limpio: carfax limpio, clean carfax, carfax clean, clean; garantía: garantia de motor y transmision, garantia de fabrica, con garantia, garantia; financiamiento: financiamiento disponible, financiamiento, se financia, financiamos, facilidades de pago;
        recibe vehículo: recibo vehiculo, se acepta vehiculo, recibimos vehiculo, acepto vehiculo, recibimos su usado
        """);

    /// <summary>The facts of a listing.</summary>
    public ListingFacts Read(string? title, string? description)
    {
        var (head, body) = (title ?? "", description ?? "");
        var (titleTokens, tokens) = (QueryTokens.Of(head), QueryTokens.Of(body));
        QueryToken[] all = [.. titleTokens, .. tokens];
        var words = Array.ConvertAll(all, token => token.Text);
        var (titleNames, names) = (gazetteer.Find(titleTokens), gazetteer.Find(all));
        var make = Pick("make", titleNames) ?? Pick("make", names);
        var model = Model(titleNames, make) ?? Model(names, make);
        var (mileage, miles, distances) = Mileage(words);
        var amounts = Amounts(words, distances);
        bool[] ends = [.. titleTokens.Select((token, i) => i == titleTokens.Count - 1 || EndsSentence(head, token)), .. tokens.Select(token => EndsSentence(body, token))];
        return new ListingFacts
        {
            Make = make?.Value ?? model?.Parent, Model = model?.Value, Year = Year(titleTokens) ?? Year(all), MileageKm = mileage, InMiles = miles,
            Transmission = Named("transmission", names, words, (found, before, after) => !(before.Any(NotTheGear.Contains) || found.Name.Form is "cambios" or "at" or "manual" && after is "de")),
            Fuel = Fuel(names, words), Body = names.FirstOrDefault(found => found.Name.Slot == "body" && found.Exact && !(found.First + found.Count < words.Length && words[found.First + found.Count] == "no") && found.Name.Value is not ("carro" or "coupe-deportivo" or "motores"))?.Name.Value,
            Condition = Named("condition", names, words, (found, before, _) => !(found.Name.Value == "nuevo" && (before.Length == 0 ? "" : before[^1]) is not ("" or "es" or "vehiculo" or "carro" or "jeepeta" or "totalmente" or "vendo" or "y"))
                && !(found.Name.Form is "0 km" && distances.Count > 1)),
            Color = Color(words), Doors = Doors(words), EngineLitres = Litres($"{head} {body}"), Cylinders = Cylinders(words), Traction = Traction(words), Price = Price(words, ends, amounts), Extras = ExtrasOf(words),
            Negotiable = words.Contains("negociable") || words.Contains("conversable"), Contacts = Contacts(body),
        };
    }

    /// <summary>The text with a word in place of each piece of contact data.</summary>
    public static string Mask(string text)
    {
        var masked = text;
        foreach (var (kind, start, length) in Contacts(text).Reverse())
        {
            masked = string.Concat(masked.AsSpan(0, start), $"[{kind}]", masked.AsSpan(start + length));
        }

        return masked;
    }

    /// <summary>Contact data in a text, in order, none within another.</summary>
    public static IReadOnlyList<(string Kind, int Start, int Length)> Contacts(string text)
    {
        var found = PersonalData.Find(text).Select(span => (Kind: span.Kind switch
        {
            PersonalDataKind.Phone => "telefono", PersonalDataKind.Email => "correo", PersonalDataKind.Cedula => "cedula", PersonalDataKind.Rnc => "rnc", _ => "tarjeta",
        }, span.Start, span.Length)).ToList();
        foreach (var (pattern, kind) in new[] { (Links(), "enlace"), (Handles(), "red_social") })
        {
            foreach (Match match in pattern.Matches(text))
            {
                if (!found.Exists(one => one.Start < match.Index + match.Length && match.Index < one.Start + one.Length))
                {
                    found.Add((kind, match.Index, match.Length));
                }
            }
        }

        found.Sort((a, b) => a.Start.CompareTo(b.Start));
        return found;
    }

    private static SlotName? Pick(string slot, IReadOnlyList<FoundName> names) => names.Where(found => found.Name.Slot == slot && found.Exact).Select(found => found.Name).FirstOrDefault()
        ?? names.FirstOrDefault(found => found.Name.Slot == slot && found.Name.Form.Length > 4)?.Name;

    // A model of the make that was named, else the longest exact one: "Fit" of Honda before "fit" of nobody.
    private static SlotName? Model(IReadOnlyList<FoundName> names, SlotName? make)
    {
        var models = names.Where(found => found.Name.Slot == "model" && (found.Exact || found.Name.Form.Length > 4)).ToArray();
        return models.Where(found => make is not null && found.Name.Parent == make.Value).OrderByDescending(found => found.Exact).ThenByDescending(found => found.Count).FirstOrDefault()?.Name
            ?? (make is null ? models.Where(found => found.Exact).OrderByDescending(found => found.Name.Form.Length).FirstOrDefault()?.Name : null);
    }

    private static string? Named(string slot, IReadOnlyList<FoundName> names, string[] words, Func<FoundName, string[], string, bool> means) =>
        names.FirstOrDefault(found => found.Name.Slot == slot && (found.Exact || found.Name.Form.Length > 6)
            && means(found, words.AsSpan(Math.Max(0, found.First - 1)..found.First).ToArray(), found.First + found.Count < words.Length ? words[found.First + found.Count] : ""))?.Name.Value;

    // "Gas" alone is liquefied gas where the text says so; a motor for two fuels is one of gas.
    private static string? Fuel(IReadOnlyList<FoundName> names, string[] words)
    {
        var fuels = names.Where(found => found.Name.Slot == "fuel" && found.Exact && !(found.Name.Value == "electrico" && found.First > 0 && words[found.First - 1] is not ("vehiculo" or "carro" or "100" or "motor" or "totalmente" or "es" or "y" or "automatico" or "automatica")
            && !words.Contains("bateria"))).Select(found => found.Name.Value).Distinct().ToArray();
        return fuels.Contains("hibrido") ? "hibrido" : fuels.Contains("glp") ? "glp" : fuels.FirstOrDefault();
    }

    private static int? Year(IReadOnlyList<QueryToken> tokens)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            if (QueryFeatures.Kind(tokens[i].Text) == "year" && !tokens.Skip(Math.Max(0, i - 3)).Take(Math.Min(3, i)).Any(before => NotTheYear.Contains(before.Text))
                && (i + 1 == tokens.Count || tokens[i + 1].Text is not ("km" or "millas" or "kms" or "dolares" or "pesos" or "mil" or "cc")) && (i == 0 || QueryFeatures.Kind(tokens[i - 1].Text) != "currency"))
            {
                return int.Parse(tokens[i].Text, CultureInfo.InvariantCulture);
            }
        }

        return null;
    }

    private static (double? Km, bool Miles, HashSet<int> Places) Mileage(string[] words)
    {
        var places = new HashSet<int>();
        (double? km, var inMiles) = (null, false);
        for (var i = 0; i < words.Length; i++)
        {
            if (!char.IsAsciiDigit(words[i][0]) || QueryFeatures.Kind(words[i]) == "word")
            {
                continue;
            }

            var end = i + 1;
            while (end < words.Length && words[end] is "mil" or "k")
            {
                end++;
            }

            var unit = end < words.Length ? words[end] : "";
            unit = unit == "de" && end + 1 < words.Length ? words[end + 1] : unit;
            var announced = words.Take(i).TakeLast(2).Any(word => word is "kilometraje" or "millaje" or "recorrido" or "odometro" or "recorridos" or "corridos");
            var (isKm, isMiles) = (unit is "km" or "kms" or "kilometros" or "kilometro" or "klm" or "kilometraje", unit is "millas" or "mi" or "milla" or "mls" or "miles");
            if ((!isKm && !isMiles && !announced) || SlotValues.Amount([.. words.Skip(i).Take(end - i)], 1, "DOP") is not { } amount)
            {
                continue;
            }

            isMiles |= !isKm && announced && words.Take(i).TakeLast(2).Contains("millaje");
            for (var at = i; at < Math.Min(words.Length, end + 1); at++)
            {
                places.Add(at);
            }

            // "1.000 km de garantía" and a distance of service are none; neither is one that no vehicle runs.
            if (km is null && amount.Amount is >= 10 and < 900_000)
            {
                (km, inMiles) = ((double)amount.Amount * (isMiles ? KmPerMile : 1), isMiles);
            }

            i = end;
        }

        return (km, inMiles, places);
    }

    private static List<(int First, int End, Money Money, bool Named)> Amounts(string[] words, HashSet<int> distances)
    {
        var found = new List<(int, int, Money, bool)>();
        for (var i = 0; i < words.Length; i++)
        {
            if (distances.Contains(i) || QueryFeatures.Kind(words[i]) is not ("currency" or "amount" or "number" or "year" or "numberword" or "scale"))
            {
                continue;
            }

            var end = i;
            while (end < words.Length && !distances.Contains(end) && (QueryFeatures.Kind(words[end]) is not ("word" or "year") || (end > i && words[end] is "de" or "y" && end + 1 < words.Length && QueryFeatures.Kind(words[end + 1]) is "currency" or "scale")))
            {
                end++;
            }

            string[] run = [.. words.Skip(i).Take(end - i)];
            if (run.Length > 0 && SlotValues.Amount(run) is { } money)
            {
                found.Add((i, end, money, run.Any(word => QueryFeatures.Kind(word) is "currency" or "scale")));
            }

            i = Math.Max(i, end - 1);
        }

        return found;
    }

    private static bool EndsSentence(string text, QueryToken token) => token.Start + token.Length is var at && at < text.Length && text[at] is '.' or ';' or '\n' or '!';

    // An amount of its own sentence is judged by the words of that sentence alone: "US$ 21,500. Inicial desde RD$ 300 mil" asks 21,500.
    private static Money? Price(string[] words, bool[] ends, List<(int First, int End, Money Money, bool Named)> amounts)
    {
        IEnumerable<string> Before(int first) => Enumerable.Range(1, 3).Select(back => first - back).TakeWhile(at => at >= 0 && !ends[at]).Select(at => words[at]);
        IEnumerable<string> After(int end) => Enumerable.Range(end, 3).TakeWhile(at => at < words.Length && !ends[at - 1]).Select(at => words[at]);
        bool Not((int First, int End, Money Money, bool Named) one) => Before(one.First).Any(NotThePrice.Contains) || After(one.End).Any(word => word is "inicial" or "cuotas" or "mensual" or "mensuales")
            || After(one.End).FirstOrDefault() is "meses" or "puertas" or "pasajeros" or "cilindros" or "cc";
        bool Announced((int First, int End, Money Money, bool Named) one) => Before(one.First).Take(2).Any(word => word is "precio" or "pido" or "vendo" or "por" or "solo" or "oferta" or "valor");
        var likely = amounts.Where(one => !Not(one) && one.Money.Amount >= 1_000 && (one.Named || Announced(one))).ToArray();
        return likely.OrderByDescending(Announced).ThenByDescending(one => one.Named).Select(one => one.Money).FirstOrDefault();
    }

    private static string? Color(string[] words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            if (Colors.TryGetValue(words[i], out var color) && (i == 0 || !NotTheColor.Contains(words[i - 1])) && (i < 2 || words[i - 1] != "color" || !NotTheColor.Contains(words[i - 2])))
            {
                return color;
            }
        }

        return null;
    }

    private static int? Doors(string[] words)
    {
        var at = Array.FindIndex(words, 1, Math.Max(0, words.Length - 1), word => word is "puertas" or "ptas" or "pts");
        return at < 1 ? null : words[at - 1] switch { "2" or "dos" => 2, "3" or "tres" => 3, "4" or "cuatro" => 4, "5" or "cinco" => 5, _ => null };
    }

    private static double? Litres(string text) => Displacement().Match(text) is { Success: true } match ? double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : null;

    private static int? Cylinders(string[] words)
    {
        var at = Array.FindIndex(words, word => word is "v6" or "v8" or "v4" or "cilindros" or "cil");
        return at < 0 ? null : words[at] is ['v', var digit] ? digit - '0' : at > 0 ? words[at - 1] switch { "3" or "tres" => 3, "4" or "cuatro" => 4, "6" or "seis" => 6, "8" or "ocho" => 8, _ => null } : null;
    }

    private static string? Traction(string[] words) => words.Contains("4x4") || words.Contains("4wd") ? "4x4" : words.Contains("awd") ? "AWD" : words.Contains("4x2") || words.Contains("2wd") ? "4x2" : null;

    // The longest way to say it first, each extra once.
    private static List<string> ExtrasOf(string[] words)
    {
        var found = new List<string>();
        for (var i = 0; i < words.Length; i++)
        {
            for (var count = Math.Min(5, words.Length - i); count > 0; count--)
            {
                if (!Extras.TryGetValue(string.Join(' ', words, i, count), out var extra))
                {
                    continue;
                }

                var denied = i > 0 && words[i - 1] is "sin" or "no" && !extra.StartsWith("nunca", StringComparison.Ordinal);
                if (!denied && !found.Contains(extra))
                {
                    found.Add(extra);
                }

                i += count - 1;
                break;
            }
        }

        return found;
    }

    private static Dictionary<string, string> Table(string lines) => lines.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(line => line.Split(':', StringSplitOptions.TrimEntries))
        .SelectMany(parts => parts[1].Split(',', StringSplitOptions.TrimEntries).Select(form => (Form: PriceFeatures.Plain(form)!, Name: parts[0])))
        .ToDictionary(pair => pair.Form, pair => pair.Name, StringComparer.Ordinal);

    [GeneratedRegex(@"(?:https?://|www\.|wa\.me/)[^\s,;]+|\b[\w-]+\.(?:com|do|net)(?:\.do)?(?:/[^\s,;]*)?\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Links();

    [GeneratedRegex(@"(?<![\w@])@[\w.]{3,30}", RegexOptions.CultureInvariant)]
    private static partial Regex Handles();

    [GeneratedRegex(@"\b([1-8]\.\d)\s?(?:l\b|lts?\b|litros|turbo)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Displacement();
}
