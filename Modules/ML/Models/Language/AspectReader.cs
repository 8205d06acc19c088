namespace OKLA.ML.Models.Language;

/// <summary>Praise or blame of one thing in a comment.</summary>
/// <param name="Aspect">price, condition, service, honesty, location, financing or paperwork.</param>
/// <param name="IsPraise">Whether it is praised.</param>
/// <param name="Text">The clause that says so.</param>
internal sealed record AspectOpinion(string Aspect, bool IsPraise, string Text);

/// <summary>
/// What a comment says about each of the things that buyers of vehicles care about: it is cut into clauses, each is about the things whose words it has, and its
/// tone is that of its words with their negations. A clause whose words have no tone says nothing of its things.
/// </summary>
internal static class AspectReader
{
    /// <summary>How far a negation reaches, in words.</summary>
    private const int Reach = 3;

    // Words end at any ending where they end with "*"; several words are one sign.
    private static readonly (string Aspect, string[] Signs)[] Aspects =
    [
        ("price", ["precio*", "caro*", "cara*", "barat*", "cobra*", "cuesta*", "costo*", "economic*", "rebaja*", "descuento*", "oferta*", "pague", "vale la pena", "mas de lo acordado", "cuarto*"]),
        ("condition", ["carro*", "vehiculo*", "jeepeta*", "yipeta*", "camioneta*", "motor*", "transmision*", "guayo*", "detalle*", "gomas", "aire", "interior", "pintura*", "condicion*", "maquina*", "freno*", "chocad*", "limpi*", "guagua*", "calent*", "calient*", "dano*", "falla*"]),
        ("service", ["trato*", "atencion*", "atienden", "atendier*", "atendio", "atent*", "amab*", "servicio*", "vendedor*", "muchacho*", "joven*", "personal", "contesta*", "respond*", "seguimiento*", "explic*", "entrega*", "whatsapp", "esper*", "perder el tiempo", "grosero*", "llam*", "tigre"]),
        ("honesty", ["seri*", "honest*", "confi*", "mentir*", "engan*", "estaf*", "cuento*", "tal cual", "que dijeron", "no dijeron", "que no dijo", "ladron*", "transparent*", "cumpl*", "abuso*", "tumb*", "cotorra*", "palabra", "prometi*", "ocult*"]),
        ("location", ["ubicad*", "ubicacion*", "lejos", "cerca", "parqueo*", "direccion*", "local", "queda", "llegar"]),
        ("financing", ["financi*", "banco*", "prestamo*", "inicial", "cuotas", "credito", "tasa*", "interes*", "aprob*"]),
        ("paperwork", ["papel*", "traspaso*", "matricula*", "placa*", "documento*", "marbete*", "dgii"]),
    ];

    private static readonly string[] Good =
        ["excelent*", "buen*", "bien", "mejor*", "rapid*", "serio*", "seria*", "seriedad", "recomiendo", "recomendad*", "recomendable*", "perfect*", "impecable*", "chuleria", "jevi", "nitid*", "chever*", "bacan*", "apero", "atent*", "amab*", "honest*", "confiable*", "confianza", "cumpli*",
         "transparent*", "tal cual", "tigre", "barat*", "economic*", "facil*", "limpi*", "content*", "satisfech*", "feliz", "encant*", "gracias", "genial", "justo*", "cerca", "comod*", "puntual*", "mismo dia", "al momento", "sin cuentos", "sin problemas", "de lo mejor", "ojos cerrados",
         "vale la pena", "nuevecit*", "como nuevo", "rebaj*", "descuento*", "aprobaron", "resolvi*", "fenomenal*", "maravill*", "al dia", "fresco", "sin mentiras", "de primera", "me explic*", "palabra"];

    private static readonly string[] Bad =
        ["mal*", "pesim*", "peor*", "horribl*", "caro*", "cara*", "carisim*", "lent*", "tard*", "demor*", "mentir*", "engan*", "estaf*", "ladron*", "abus*", "grosero*", "problema*", "lio*", "guayo*", "dan*", "falla*", "fall*", "calent*", "calient*", "chocad*", "lejos", "decepcion*", "decepcionad*",
         "sucio*", "sucia*", "vaina", "tumb*", "cotorra*", "cuento*", "detalles", "oxid*", "bot* aceite", "perder el tiempo", "perdi el tiempo", "mas de lo acordado", "mas de lo que", "no dijeron", "no dijo", "que no dijeron", "un chin alto", "muy alto*", "altisim*", "alta", "altas", "alto", "no vuelvo", "todavia no",
         "nunca contest*", "no contest*", "no respond*", "ni respond*", "ocult*", "rompi*", "se rompe", "irrespons*", "complicad*", "trampa*", "queja*", "no aparec*", "nunca aparec*", "no sirve*", "incumpl*", "no cumpl*", "robo", "engorros*", "dejo a pie", "quillao", "molest*", "dificil", "incomod*", "nunca lleg*", "no llego*", "no enfria", "no prend*"];

    private static readonly HashSet<string> Negations = ["no", "nunca", "jamas", "sin", "ni", "tampoco", "nada", "cero"];

    private static readonly string[] Turns = [" pero ", " aunque ", " sin embargo ", " lo unico ", " lo malo ", " eso si ", " ahora bien "];

    /// <summary>What a comment says about each thing.</summary>
    public static IReadOnlyList<AspectOpinion> Read(string text)
    {
        var found = new List<(AspectOpinion Opinion, int Strength)>();
        foreach (var clause in Clauses(text))
        {
            var words = Words(clause);
            var score = Tone(words);
            if (score == 0)
            {
                continue;
            }

            var about = Aspects.Where(aspect => aspect.Signs.Any(sign => Count(words, sign) > 0)).Select(aspect => aspect.Aspect).ToList();
            // A vehicle is often named without being judged: another thing that the clause names is what it is about.
            if (about.Count > 1)
            {
                about.Remove("condition");
            }

            if (about.Contains("honesty") && about.Count > 1)
            {
                about.Remove("service");
            }

            foreach (var aspect in about)
            {
                found.Add((new AspectOpinion(aspect, score > 0, clause), Math.Abs(score)));
            }
        }

        // One opinion a thing: what is said of it most strongly, the later of two that are as strong.
        return [.. found.Select((one, at) => (one, at)).GroupBy(pair => pair.one.Opinion.Aspect, StringComparer.Ordinal)
            .Select(group => group.OrderByDescending(pair => pair.one.Strength).ThenByDescending(pair => pair.at).First()).OrderBy(pair => pair.at).Select(pair => pair.one.Opinion)];
    }

    /// <summary>The tone of a whole text by its words: above 0 for praise, below for blame, 0 where they do not tell.</summary>
    public static int Tone(string text) => Clauses(text).Sum(clause => Tone(Words(clause)));

    /// <summary>The clauses of a text.</summary>
    internal static IReadOnlyList<string> Clauses(string text)
    {
        var clauses = new List<string>();
        foreach (var sentence in text.Split(['.', ';', '!', '?', '\n', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var rest = $" {sentence} ";
            while (true)
            {
                var plain = PriceFeatures.Plain("x" + rest + "x")![1..^1];
                // Accents fall away without moving letters where the text is composed; a text that is not is cut at its sentences only.
                var at = plain.Length == rest.Length ? Turns.Select(turn => plain.IndexOf(turn, 1, StringComparison.Ordinal)).Where(index => index > 0).DefaultIfEmpty(-1).Min() : -1;
                at = at < 0 && plain.Length == rest.Length ? And(plain) : at;
                if (at < 0)
                {
                    break;
                }

                // The first word of what follows ("pero", "y") is the turn itself.
                clauses.Add(rest[..at].Trim());
                rest = rest[rest.IndexOf(' ', at + 1)..];
            }

            clauses.Add(rest.Trim());
        }

        return [.. clauses.Where(clause => clause.Length > 0)];
    }

    // "Y" parts two clauses when each has a thing and a tone of its own.
    private static int And(string plain)
    {
        for (var at = plain.IndexOf(" y ", StringComparison.Ordinal); at > 0; at = plain.IndexOf(" y ", at + 1, StringComparison.Ordinal))
        {
            if (Whole(plain[..at]) && Whole(plain[(at + 3)..]))
            {
                return at;
            }
        }

        return -1;

        static bool Whole(string part) => Words(part) is var words && Tone(words) != 0 && Aspects.Any(aspect => aspect.Signs.Any(sign => Count(words, sign) > 0));
    }

    private static string[] Words(string text) => [.. QueryTokens.Of(text).Select(token => token.Text)];

    private static int Tone(string[] words)
    {
        var score = 0;
        foreach (var (signs, sign) in new[] { (Good, 1), (Bad, -1) })
        {
            foreach (var one in signs)
            {
                for (var at = Find(words, one, 0); at >= 0; at = Find(words, one, at + 1))
                {
                    // A sign that has its own negation says what it says.
                    var negated = !one.Contains(' ', StringComparison.Ordinal) && words.Take(at).TakeLast(Reach).Any(Negations.Contains);
                    score += (negated ? -sign : sign) * (one.Contains(' ', StringComparison.Ordinal) ? 2 : 1);
                }
            }
        }

        return score;
    }

    private static int Count(string[] words, string sign) => Find(words, sign, 0) >= 0 ? 1 : 0;

    private static int Find(string[] words, string sign, int from)
    {
        var parts = sign.Split(' ');
        for (var at = from; at + parts.Length <= words.Length; at++)
        {
            if (Enumerable.Range(0, parts.Length).All(p => parts[p] is [.. var stem, '*'] ? words[at + p].StartsWith(stem, StringComparison.Ordinal) : words[at + p] == parts[p]))
            {
                return at;
            }
        }

        return -1;
    }
}
