using System.Collections.Frozen;

namespace OKLA.ML.Algorithms.Text;

/// <summary>A term of Dominican chat or car trade.</summary>
/// <param name="Term">As written, lower case without accents.</param>
/// <param name="Standard">The standard words that replace it in normalised text.</param>
/// <param name="Meaning">What it means, in Spanish.</param>
public sealed record SlangTerm(string Term, string Standard, string Meaning);

/// <summary>A small lexicon of Dominican chat abbreviations, colloquial words and car-trade terms, from general knowledge of the variety. A term with a common other reading ("duro", "palo", "cuarto") stands for itself: its meaning is told, its text is not replaced.</summary>
public static class DominicanLexicon
{
    private const string Terms =
        """
        q | que | abreviatura de "que"
        k | que | abreviatura de "que"
        ke | que | grafía de "que"
        xq | por qué | abreviatura de "por qué" o "porque"
        pq | por qué | abreviatura de "por qué" o "porque"
        porq | por qué | abreviatura de "porque"
        xk | por qué | grafía de "por qué"
        x | por | abreviatura de "por"
        xfa | por favor | abreviatura de "por favor"
        porfa | por favor | forma corta de "por favor"
        pls | por favor | del inglés "please"
        tmb | también | abreviatura de "también"
        tb | también | abreviatura de "también"
        tbn | también | abreviatura de "también"
        dnd | dónde | abreviatura de "dónde"
        cdo | cuando | abreviatura de "cuando"
        cnt | cuánto | abreviatura de "cuánto"
        cto | cuánto | abreviatura de "cuánto"
        bn | bien | abreviatura de "bien"
        msj | mensaje | abreviatura de "mensaje"
        wasap | whatsapp | grafía de "WhatsApp"
        whatsap | whatsapp | grafía de "WhatsApp"
        wsp | whatsapp | abreviatura de "WhatsApp"
        ws | whatsapp | abreviatura de "WhatsApp"
        info | información | forma corta de "información"
        aki | aquí | grafía de "aquí"
        toy | estoy | pronunciación de "estoy"
        ta | está | pronunciación de "está"
        tamo | estamos | pronunciación de "estamos"
        pa | para | pronunciación de "para"
        pal | para el | contracción de "para el"
        to | todo | pronunciación de "todo"
        na | nada | pronunciación de "nada"
        deso | de eso | contracción de "de eso"
        tato | está bien | "está todo": conforme, de acuerdo
        klk | qué tal | "¿qué lo que?": saludo
        kelokeh | qué tal | "¿qué lo que?": saludo
        queloque | qué tal | "¿qué lo que?": saludo
        dime | dime | saludo o pedido de respuesta
        vaina | cosa | cosa, asunto; molesta según el tono
        vainas | cosas | cosas, asuntos
        chin | poco | un poco
        chinchin | poquito | muy poco
        chevere | muy bueno | agradable, bueno
        bacano | muy bueno | bueno, agradable
        jevi | muy bueno | bueno, bonito
        nitido | excelente | limpio, en excelente estado
        duro | duro | muy bueno en lo suyo
        manso | manso | muy bueno, impresionante
        apero | excelente | muy bueno
        cuarto | cuarto | dinero
        cuartos | cuartos | dinero
        chele | chele | centavo; poco dinero
        cheles | dinero | dinero, poco
        palo | palo | un millón de pesos
        palos | palos | millones de pesos
        tabla | tabla | mil pesos
        concho | concho | carro público
        motoconcho | mototaxi | motocicleta de transporte
        pasola | motocicleta | motoneta
        yipeta | suv | vehículo utilitario deportivo
        jeepeta | suv | vehículo utilitario deportivo
        guagua | autobús | autobús o minibús
        camioneta | camioneta | vehículo de carga liviano
        platanera | camioneta pequeña | camioneta pequeña de carga
        bultera | camioneta pequeña | furgoneta de carga
        goma | neumático | neumático
        gomas | neumáticos | neumáticos
        bonete | capó | capó del motor
        bumper | parachoques | parachoques
        guardalodo | guardabarros | guardabarros
        baul | maletero | maletero
        cristal | cristal | ventanilla o parabrisas
        sunroof | techo solar | techo corredizo
        aros | rines | rines de las ruedas
        traccion | tracción | ruedas motrices
        fulaso | con todas las opciones | "full": con todos los extras
        full | full | con todos los extras
        fullito | con todas las opciones | con todos los extras
        clean | clean | "clean Carfax": sin accidentes
        inicial | inicial | dinero de entrada en el financiamiento
        financio | financiamiento | se vende con financiamiento
        financian | financiamiento | ofrecen financiamiento
        traspaso | traspaso | cambio de dueño ante la DGII
        matricula | matrícula | documento de propiedad
        marbete | marbete | impuesto anual de circulación
        placa | placa | matrícula exterior del vehículo
        choto | dañado | estropeado, de mala calidad
        chatarra | chatarra | vehículo inservible
        chocao | chocado | que sufrió un choque
        explotao | dañado | en muy mal estado
        jodio | dañado | roto, en mal estado
        quillao | enojado | molesto
        quilla | enojado | molesto
        jarto | harto | cansado de algo
        cotorra | mentira | palabrería para convencer
        tumbe | estafa | engaño, robo
        tumbar | estafar | engañar, robar
        tigre | tigre | hombre astuto, a veces estafador
        tiguere | hombre astuto | hombre astuto, a veces estafador
        pana | pana | amigo
        manito | hermano | hermano, amigo
        loco | loco | trato entre amigos
        bro | hermano | hermano, amigo
        varon | varon | trato entre hombres
        dealer | concesionario | vendedor de vehículos
        diler | concesionario | vendedor de vehículos
        ofertazo | oferta | gran oferta
        ganga | oferta | precio muy bajo
        negociable | negociable | el precio admite rebaja
        neg | negociable | el precio admite rebaja
        """;

    /// <summary>All terms, in alphabetical order.</summary>
    public static IReadOnlyList<SlangTerm> All { get; } = Read();

    private static readonly FrozenDictionary<string, SlangTerm> ByTerm = All.ToFrozenDictionary(term => term.Term, StringComparer.Ordinal);

    /// <summary>The entry of a word in lower case, with or without accents; null when it is not in the lexicon.</summary>
    public static SlangTerm? Find(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        return ByTerm.GetValueOrDefault(word) ?? ByTerm.GetValueOrDefault(Characters.Fold(word));
    }

    /// <summary>The standard words for a term, or null when it is not in the lexicon or is already standard. An accented spelling is only matched as it stands.</summary>
    internal static string? Standard(string word) => ByTerm.GetValueOrDefault(word) is { } term && term.Standard != word ? term.Standard : null;

    private static SlangTerm[] Read() =>
    [
        .. Terms.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Select(parts => new SlangTerm(parts[0], parts[1], parts[2]))
            .OrderBy(term => term.Term, StringComparer.Ordinal),
    ];
}
