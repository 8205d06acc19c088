namespace OKLA.ML.Models.Language;

/// <summary>
/// Makes up labelled queries to learn from and to test on. The two sides share no phrase of the alternatives below (those behind "*" are for the test alone), no
/// make with its models (a fifth of them, drawn by the seed, is for the test alone), and no kind of typing error.
/// </summary>
/// <param name="gazetteer">The names that slots are filled with.</param>
/// <param name="seed">Seed.</param>
internal sealed class QueryGrammar(Gazetteer gazetteer, int seed)
{
    private const double TestMakes = 0.2, Mistyped = 0.18;
    private const int Styles = 18;

    private static readonly string[] Intros =
        ["", "", "", "", "busco", "busco un", "busco una", "quiero", "quiero un", "quiero una", "necesito un", "necesito una", "ando buscando", "quiero comprar", "me interesa un", "tienen", "hay", "dame", "muestrame", "quien vende", "vendan", "compro", "ver", "*estoy detras de un", "*donde consigo", "*me gustaria ver", "*enseñame"];

    private static readonly string[] Heads =
        ["{body}", "{body} {make}", "{body} {make} {model}", "{make} {model}", "{make} {model}", "{make} {model}", "{model}", "{model}", "{make}", "{body} {model}", "{make} {body}", "{body} marca {make}", "un {make} {model}", "una {make} {model}", "vehiculo", "vehiculo {make}", "{body} o {body}", "{model} o {model}", "*{body} tipo {model}", "*{model} de {make}", "*algo {make}"];

    private static readonly string[] YearPhrases =
        ["{year}", "{year}", "{year}", "{year}", "del {year}", "año {year}", "de {year}", "{year_min} en adelante", "del {year_min} en adelante", "{year_min} pa arriba", "{year_min} para arriba", "desde {year_min}", "del {year_min} pa lante", "mayor de {year_min}", "{year_min} o mas nuevo", "{year_min} o mas", "a partir del {year_min}", "{year_min} hacia arriba", "{year_min} a {year_max}", "{year_min} al {year_max}", "del {year_min} al {year_max}", "de {year_min} a {year_max}", "entre {year_min} y {year_max}", "{year_min}-{year_max}", "{year_min} hasta {year_max}", "{year_min} {year_max}", "hasta {year_max}", "hasta el {year_max}", "{year_max} pa bajo", "{year_max} o menos", "*modelo {year}", "*no menor de {year_min}", "*que sea {year_min} para adelante", "*entre el {year_min} y el {year_max}", "*antes del {year_max}"];

    private static readonly string[] PricePhrases =
        ["menos de {price_max}", "de menos de {price_max}", "hasta {price_max}", "maximo {price_max}", "{price_max} maximo", "bajo {price_max}", "por debajo de {price_max}", "que no pase de {price_max}", "no mas de {price_max}", "con {price_max}", "tengo {price_max}", "presupuesto {price_max}", "presupuesto de {price_max}", "{price_max} tope", "{price_max} o menos", "{price_max} para abajo", "mi presupuesto es {price_max}", "de {price}", "en {price}", "por {price}", "a {price}", "como en {price}", "alrededor de {price}", "mas o menos en {price}", "mas o menos {price}", "{price}", "entre {price_min} y {price_max}", "de {price_min} a {price_max}", "desde {price_min} hasta {price_max}", "{price_min} a {price_max}", "mas de {price_min}", "de {price_min} en adelante", "desde {price_min}", "*que cueste menos de {price_max}", "*tope de {price_max}", "*por menos de {price_max}", "*rondando los {price}", "*con un presupuesto maximo de {price_max}", "*entre los {price_min} y los {price_max}"];

    private static readonly string[] OtherPhrases =
        ["{transmission}", "{transmission}", "caja {transmission}", "que sea {transmission}", "{fuel}", "{fuel}", "a {fuel}", "de {fuel}", "que sea {fuel}", "en {place}", "en {place}", "en {place}", "{place}", "en la {place}", "por {place}", "cerca de {place}", "de {place}", "en {place} o {place}", "{condition}", "{condition}", "para {use}", "para la {use}", "para el {use}", "para mi {use}", "pa {use}", "pa el {use}", "de {use}", "full", "4x4", "barato", "barata", "economico", "que no gaste mucho", "en buenas condiciones", "con sunroof", "blanco", "negra", "americana", "japones", "clean carfax", "limited", "doble cabina", "3 filas", "de 3 filas de asientos", "de 30 pasajeros", "para 7 pasajeros", "bonito", "v6", "que este buena", "por ahi", "con garantia", "*y {fuel}", "*zona de {place}", "*ubicado en {place}", "*que sirva para {use}", "*{condition} por favor", "*que gaste poco", "*de {transmission}"];

    // Intent; vehicle talk in braces; alternatives in parentheses.
    private static readonly (string Intent, string[] Templates)[] Talks =
    [
        (QueryIntents.Compare,
        [
            "{v} vs {v}", "{v} o {v} cual es mejor", "cual es mejor {v} o {v}", "que es mejor {v} o {v}", "comparar {v} con {v}", "compara {v} y {v}", "diferencia entre {v} y {v}", "(cual|que) me conviene mas {v} o {v}", "entre {v} y {v} cual compro", "{v} contra {v}",
            "que diferencia hay entre el {v} y el {v}", "cual (gasta|consume) menos {v} o {v}", "cual sale mas economico {v} o {v}", "es mejor {v} que {v}", "comparacion {v} {v}", "mejor {fuel} o {fuel}", "cual rinde mas {v} o {v}", "que {body} es mejor {v} o {v}", "con cual me quedo {v} o {v}",
            "que tal {v} frente a {v}", "mejor {make} o {make}", "cual es mas (duradero|seguro|economico) {v} o {v}", "{v} versus {v}", "ventajas de {v} sobre {v}", "cual de las dos {v} o {v}", "*ponme lado a lado {v} y {v}", "*prefieren {v} o {v}", "*{v} comparado con {v}", "*cual aguanta mas {v} o {v}",
        ]),
        (QueryIntents.Price,
        [
            "cuanto cuesta {v}", "cuanto cuesta un {v}", "cuanto vale {v}", "cuanto vale una {v}", "precio de {v}", "precio {v}", "precios de {v}", "en cuanto (anda|sale|esta|ta) {v}", "en cuanto anda una {v}", "a como (esta|estan) {v}", "a como estan los {v}", "que precio tiene {v}", "cual es el precio de {v}",
            "cuanto puedo pedir por {v}", "cuanto puedo pedir por mi {v}", "cuanto vale mi {v}", "valor de {v}", "valor de mercado de {v}", "cuanto (dan|me dan) por {v}", "es buen precio {price} por {v}", "{price} por {v} es caro", "{price} es buen precio por {v}", "esta caro {v} en {price}", "esta bien {price} por {v}",
            "tasar mi {v}", "tasacion {v}", "cuanto estan pidiendo por {v}", "en que precio esta {v}", "en que precio se consigue {v}", "por cuanto se vende {v}", "cuanto me cuesta {v} en {place}", "cuanto sale {v}", "cuanto baja de precio {v}", "estimado de precio {v}", "es caro {v} en {price}", "que valor tiene mi {v}",
            "*cuanto piden por {v}", "*que tan caro es {v}", "*a que precio venden {v}", "*cuanto seria {v}",
        ]),
        (QueryIntents.Financing,
        [
            "financiamiento", "financiamiento para {v}", "financiamiento de {v}", "(se puede|puedo) financiar {v}", "financian {v}", "ustedes financian", "cuanto es el inicial de {v}", "cuanto es el inicial para {v}", "inicial para {v}", "inicial de {price}", "con cuanto de inicial", "con {price} de inicial que me dan", "cuotas de {v}", "cuotas para {v}",
            "cuanto pago mensual por {v}", "pago mensual de {v}", "mensualidad de {v}", "prestamo para {v}", "prestamo de vehiculo", "prestamo para comprar {body}", "que banco (presta|financia) para {v}", "banco popular prestamo de {body}", "banreservas tasa de vehiculo", "tasa de interes para {v}", "que tasa tienen los bancos",
            "requisitos para (financiar|prestamo|el prestamo)", "requisitos del banco para {v}", "que necesito para financiar {v}", "financiamiento sin inicial", "financiamiento con mal credito", "estoy en data credito me financian", "credito para {v}", "dan credito", "me dan credito si gano {price}", "calcular cuotas", "calculadora de (cuotas|prestamo|financiamiento)",
            "a cuantos (meses|años) se financia {v}", "cuotas a 48 meses", "a 5 años cuanto pago", "{v} financiado", "{v} con financiamiento", "sin garante me prestan", "cuanto me presta el banco", "precalificacion del banco", "aprueban prestamo con {price} de sueldo", "leasing de {v}", "pagos comodos para {v}", "aceptan tarjeta de credito", "financiamiento directo con el dealer",
            "*que me pide el banco para {v}", "*como quedarian las cuotas de {v}", "*me prestan para {v}", "*cuanto hay que dar de entrada por {v}",
        ]),
        (QueryIntents.Sell,
        [
            "vender mi {v}", "quiero vender mi {v}", "quiero vender {v}", "vendo {v}", "vendo {v}", "vendo mi {v} en {place}", "se vende {v}", "necesito vender mi {v}", "como vendo mi {v}", "como publico {v}", "publicar (un anuncio|mi {body}|vehiculo|anuncio)", "publicar mi {v}", "poner anuncio", "poner en venta mi {v}", "pongo a vender mi {v}",
            "donde vendo mi {v}", "me compran mi {v}", "compran {v}", "ustedes compran {body} usados", "compran {body} chocados", "quien compra {v}", "cambio mi {v} por {v}", "quiero cambiar mi {v} por {v}", "vendo o cambio {v}", "reciben mi {v} como parte de pago", "reciben vehiculo en parte de pago", "trade in de mi {v}",
            "subir mi vehiculo a la pagina", "subir fotos de mi {v}", "cuanto cobran por (publicar|anunciar)", "cuanto cuesta publicar un anuncio", "editar mi anuncio", "bajar mi anuncio ya lo vendi", "borrar mi publicacion", "renovar mi anuncio", "quiero anunciar mi {v}", "vendo por viaje {v}", "tengo un {v} para vender", "salir de mi {v}", "como subo mi {body}",
            "*voy a vender {v} que hago", "*quiero deshacerme de mi {v}", "*necesito publicar {v} para la venta", "*ofrezco {v}",
        ]),
        (QueryIntents.Dealer,
        [
            "telefono del (vendedor|dealer)", "numero del (vendedor|dealer)", "numero de whatsapp del dealer", "whatsapp del vendedor", "contacto del (vendedor|dealer|dueño)", "quiero hablar con (el vendedor|el dueño|un vendedor|alguien)", "como contacto al vendedor", "llamar al dealer", "direccion del dealer", "donde queda el dealer", "donde estan ubicados",
            "ubicacion del dealer", "ubicacion", "como llego", "como llego al dealer", "a que hora (abren|cierran)", "horario del dealer", "abren los (sabados|domingos)", "estan abiertos hoy", "trabajan los domingos", "dealer en {place}", "dealers en {place}", "dealer de {make} en {place}", "dealer {make}", "concesionario {make}", "agencia de {make}",
            "telefono de dealer en {place}", "dealers cerca de {place}", "mejor dealer de {place}", "es confiable ese dealer", "ese vendedor es de confianza", "el vendedor no contesta", "no me responden", "que me llamen", "me pueden llamar", "un asesor por favor", "hablar con una persona", "sigue disponible", "todavia esta disponible {v}", "aun tienen {v} disponible", "ya vendieron {v}",
            "pasenme el numero", "me puede dar su numero", "tienen sucursal en {place}", "donde puedo ver {v}", "*quisiera que me contacten", "*cual es su direccion", "*me mandan la localizacion", "*con quien hablo para {v}",
        ]),
        (QueryIntents.TestDrive,
        [
            "probar {v}", "quiero probar {v}", "puedo probar el {v}", "puedo probar la {v}", "prueba de manejo", "prueba de manejo de {v}", "agendar prueba de manejo", "test drive", "test drive de {v}", "quiero hacer un test drive", "cita para probar {v}", "agendar cita para ver {v}", "cita para ver {v}", "quiero una cita para ver el {v}", "quiero ver {v} en persona",
            "quiero ir a ver {v}", "puedo ir a verlo", "puedo pasar a ver {v} (hoy|mañana|el sabado)", "cuando puedo ver {v}", "cuando puedo probar {v}", "se puede probar", "dejan probar {v}", "dejan manejarlo antes de comprar", "manejar {v}", "quiero manejar la {v}", "dar una vuelta en {v}", "dar una vuelta", "reservar prueba de {v}", "separar cita",
            "puedo llevar mi mecanico a revisarlo", "visita para ver {v}", "lo puedo probar", "donde puedo probar {v}", "cita para manejar {v}", "*me prestan {v} para una prueba", "*programar una visita para montarme en {v}", "*quiero sentarme en {v}",
        ]),
        (QueryIntents.AfterSales,
        [
            "piezas de {v}", "piezas para {v}", "repuestos {v}", "gomas para {v}", "gomas de {v}", "aros para {v}", "bateria para {v}", "bateria de {v}", "bumper de {v}", "farol de {v}", "filtro de aceite de {v}", "cada cuanto se cambia el aceite a {v}", "cambio de aceite {v}", "mantenimiento de {v}", "mantenimiento de mi {v}", "donde le hago mantenimiento a {v}",
            "taller de {make} en {place}", "taller en {place}", "taller mecanico", "mecanico en {place}", "mecanico para {v}", "arreglar transmision de {v}", "garantia de {v}", "garantia del vehiculo", "reclamar la garantia", "mi {v} tiene un problema", "mi {v} se daño", "mi {v} no prende", "mi {v} se calienta", "luz de check engine", "luz de check engine {v}",
            "traspaso", "como hago el traspaso", "cuanto cuesta el traspaso", "requisitos de traspaso", "traspaso de vehiculo dgii", "matricula", "perdi la matricula", "no me han dado la matricula", "placa", "placa perdida", "marbete", "renovar marbete", "cuanto es el marbete", "seguro de {v}", "seguro para {v}", "seguro full de {v}", "cotizar seguro", "seguro de ley",
            "impuestos de {v}", "impuesto de importacion de vehiculo", "importar un {v}", "documentos del vehiculo", "oposicion en la matricula", "carfax de {v}", "revisar historial por chasis", "detallado y pulido", "tintar cristales", "mi {body} salio malo que hago", "devolver el vehiculo", "me vendieron {v} dañado",
            "*busco quien repare {v}", "*cuanto dura el motor de {v}", "*servicio tecnico {make}", "*donde consigo repuestos de {v}",
        ]),
        (QueryIntents.Other,
        [
            "hola", "hola buenas tardes", "buenas", "buen dia", "saludos", "que lo que", "klk", "dime a ver", "gracias", "muchas gracias", "ok", "ta bien", "perfecto", "como estan", "quien eres", "eres un robot", "que es okla", "como funciona esto", "olvide mi contraseña", "no puedo iniciar sesion", "crear cuenta", "registrarme", "cambiar mi correo", "borrar mi cuenta",
            "empleo", "trabajan aqui vacantes", "busco trabajo de vendedor", "quiero trabajar con ustedes", "politica de privacidad", "terminos y condiciones", "la pagina no carga", "la aplicacion no funciona", "quiero hacer una queja", "queja", "me estafaron", "publicidad en la pagina", "jajaja", "asdf", "prueba", "que hora es", "clima", "noticias", "adios", "hasta luego", "bendiciones",
            "ustedes son dominicanos", "de donde son ustedes", "ayuda", "necesito ayuda", "no entiendo", "si", "no", "1", "*feliz navidad", "*buenas noches mi gente", "*como me registro en la pagina", "*que significa eso",
        ]),
    ];

    // What "{v}" stands for outside of searches.
    private static readonly string[] VehicleTalk =
        ["{make} {model} {year}", "{make} {model}", "{model} {year}", "{model}", "{model}", "{model} {year}", "{body}", "{body} {condition}", "{make} {model} {year}", "{body} {make}", "{make}", "{body} {make} {model} {year}", "{model} {condition}", "{body} {fuel}"];

    private readonly Dictionary<string, SlotName[]> names = gazetteer.Names.GroupBy(name => name.Slot).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
    private readonly HashSet<string> testMakes = [.. gazetteer.Names.Where(name => name.Slot == "make").Select(name => name.Value).Distinct().Order(StringComparer.Ordinal).Where(make => new Random(HashCode(make, seed)).NextDouble() < TestMakes)];

    /// <summary>Queries of one side.</summary>
    /// <param name="count">How many; the intent to search has three of ten.</param>
    /// <param name="test">Whether they are to test on.</param>
    public IReadOnlyList<TaggedQuery> Make(int count, bool test)
    {
        var random = new Random(seed + (test ? 1 : 0));
        var made = new List<TaggedQuery>(count);
        while (made.Count < count)
        {
            var line = random.NextDouble() < 0.4 ? Search(random, test) : Talk(random, test);
            if (TaggedQuery.Read(line) is { Tokens.Count: > 0 } query)
            {
                made.Add(query);
            }
        }

        return made;
    }

    private static int HashCode(string text, int seed) => (int)(text.Aggregate((uint)(seed + 17), (hash, letter) => unchecked((hash ^ letter) * 16777619)) & 0x7FFFFFFF);

    private string Search(Random random, bool test)
    {
        var parts = new List<string>();
        if (random.NextDouble() < 0.6)
        {
            parts.Add(Pick(YearPhrases, random, test));
        }

        if (random.NextDouble() < 0.5)
        {
            parts.Add(Pick(PricePhrases, random, test));
        }

        for (var more = random.Next(3); more > 0; more--)
        {
            parts.Add(Pick(OtherPhrases, random, test));
        }

        var chosen = parts.ToArray();
        // A year stands right behind the head as a rule.
        if (random.NextDouble() < 0.4)
        {
            random.Shuffle(chosen);
        }

        var body = $"{Pick(Intros, random, test)} {Pick(Heads, random, test)} {string.Join(' ', chosen)}";
        if (random.NextDouble() < 0.06 && parts.Count > 1)
        {
            body = string.Join(' ', chosen);
        }

        return $"{QueryIntents.Search}|{Fill(body, random, test)}";
    }

    private string Talk(Random random, bool test)
    {
        var (intent, templates) = Talks[random.Next(Talks.Length)];
        var template = Pick(templates, random, test);
        for (var at = template.IndexOf("{v}", StringComparison.Ordinal); at >= 0; at = template.IndexOf("{v}", StringComparison.Ordinal))
        {
            template = template[..at] + VehicleTalk[random.Next(VehicleTalk.Length)] + template[(at + 3)..];
        }

        return $"{intent}|{Fill(template, random, test)}";
    }

    // The test takes its own alternatives half of the time in one phrase, so that each query has some that are new; what is for both is the bare order of slots.
    private static string Pick(string[] from, Random random, bool test)
    {
        var own = from.Where(one => one.StartsWith('*') == test).ToArray();
        return own[random.Next(own.Length)].TrimStart('*');
    }

    private string Fill(string template, Random random, bool test)
    {
        for (var at = template.IndexOf('(', StringComparison.Ordinal); at >= 0; at = template.IndexOf('(', StringComparison.Ordinal))
        {
            var end = template.IndexOf(')', at);
            var options = template[(at + 1)..end].Split('|');
            template = template[..at] + options[random.Next(options.Length)] + template[(end + 1)..];
        }

        var make = (string?)null;
        var (year, amount, style) = (1998 + random.Next(29), Amount(random), random.Next(Styles));
        var words = new System.Text.StringBuilder();
        for (var at = 0; at < template.Length; at++)
        {
            if (template[at] != '{')
            {
                words.Append(template[at]);
                continue;
            }

            var end = template.IndexOf('}', at);
            var slot = template[(at + 1)..end];
            var value = slot switch
            {
                "year" or "year_min" => $"{year}",
                "year_max" => $"{year + 1 + random.Next(6)}",
                "price" or "price_max" => Money(random, amount, style),
                "price_min" => random.NextDouble() < 0.3 ? $"{Math.Max(100, Math.Round(amount / 100_000) * 50)}" : Money(random, amount * (0.4 + 0.5 * random.NextDouble()), style),
                "make" => Name(random, "make", test, out make),
                "model" => Name(random, "model", test, out _, make),
                _ => Name(random, slot, test, out _),
            };
            words.Append('[').Append(slot).Append(' ').Append(value).Append(']');
            at = end;
        }

        return words.ToString().Trim();
    }

    private string Name(Random random, string slot, bool test, out string? make, string? of = null)
    {
        bool Fits(SlotName name) => slot switch
        {
            "make" => testMakes.Contains(name.Value) == test,
            "model" => of is null ? testMakes.Contains(name.Parent ?? "") == test : name.Parent == of,
            _ => true,
        };
        var known = names[slot].Where(Fits).ToArray();
        var name = known.Length > 0 ? known[random.Next(known.Length)] : names[slot].First(other => slot != "model" || testMakes.Contains(other.Parent ?? "") == test);
        make = name.Value;
        return random.NextDouble() < Mistyped && slot is "make" or "model" or "body" or "place" ? Mistype(name.Form, random, test) : name.Form;
    }

    // To learn from: letters swapped or left out. To test on: letters doubled or written as they sound.
    private static string Mistype(string form, Random random, bool test)
    {
        var word = form.Split(' ').MaxBy(part => part.Length)!;
        if (word.Length < 5 || word.Any(char.IsAsciiDigit))
        {
            return form;
        }

        var at = 1 + random.Next(word.Length - 2);
        string wrong;
        if (test)
        {
            wrong = word.Replace('v', 'b').Replace("ce", "se", StringComparison.Ordinal).Replace("ci", "si", StringComparison.Ordinal).Replace('z', 's').Replace("ll", "y", StringComparison.Ordinal);
            wrong = wrong == word ? word.Insert(at, word[at].ToString()) : wrong;
        }
        else
        {
            wrong = random.Next(2) == 0 ? word.Remove(at, 1) : string.Concat(word.AsSpan(0, at), word.AsSpan(at + 1, 1), word.AsSpan(at, 1), word.AsSpan(at + 2));
        }

        return form.Replace(word, wrong, StringComparison.Ordinal);
    }

    private static double Amount(Random random) => 150_000 * Math.Exp(3 * random.NextDouble());

    private static string Money(Random random, double pesos, int style)
    {
        var (thousands, millions, dollars) = (Math.Max(50, Math.Round(pesos / 50_000) * 50), Math.Max(1, Math.Round(pesos / 100_000) / 10), Math.Max(1, Math.Round(pesos / 60_000)));
        string N(double value) => value.ToString("0.##", System.Globalization.CultureInfo.InvariantCulture);
        string Group(double value) => value.ToString("N0", System.Globalization.CultureInfo.InvariantCulture);
        return style switch
        {
            0 => $"{N(thousands)} mil",
            1 => $"{N(thousands)} mil pesos",
            2 => $"{N(thousands)}mil",
            3 => $"{N(millions)} {(millions == 1 ? "millon" : "millones")}",
            4 => $"{N(millions)} {(millions == 1 ? "millon" : "millones")} de pesos",
            5 => $"rd${Group(thousands * 1000)}",
            6 => Group(thousands * 1000),
            7 => N(thousands * 1000),
            8 => $"{N(dollars)} mil dolares",
            9 => $"us${Group(dollars * 1000)}",
            10 => $"{N(dollars)}k",
            11 => $"{N(dollars * 1000)} dolares",
            12 => random.Next(2) == 0 ? "millon y medio" : "un millon y medio",
            13 => random.Next(3) switch { 0 => "medio millon", 1 => "un millon", _ => "dos millones" },
            14 => $"us$ {N(dollars)} mil",
            15 => $"rd$ {N(millions)}m",
            16 => $"1 millon {N(50 * (1 + random.Next(18)))} mil",
            _ => $"{N(thousands)} mil",
        };
    }
}
