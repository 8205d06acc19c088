namespace OKLA.Host.Demo;

/// <summary>Makes up what sellers write about their vehicles, the way Dominican sellers do: facts left out, short cuts, now and then a telephone number.</summary>
internal static class ListingText
{
    private static readonly string[] Openings =
        ["", "En venta ", "Se vende ", "Oportunidad: ", "Vendo mi ", "Recién importado: ", "Impecable ", "Como nuevo, "];

    private static readonly string[] Extras =
    [
        "cámara de reversa", "asientos en piel", "sunroof", "aire acondicionado bien frío", "llave inteligente", "pantalla táctil con CarPlay", "aros de magnesio", "sensores de parqueo",
        "cristales eléctricos", "bolsas de aire originales", "gomas nuevas", "control crucero", "tercera fila de asientos", "barra antivuelco", "faros LED",
    ];

    private static readonly string[] Histories =
    [
        "Único dueño.", "Mantenimientos al día en la casa.", "Nunca chocado.", "Papeles al día.", "Carfax limpio.", "Motor y transmisión en perfectas condiciones.", "Interior sin detalles.",
        "Tiene detalles de pintura en el bumper.", "Le falta pintar una puerta.", "Marbete y seguro vigentes.",
    ];

    private static readonly string[] Terms =
    [
        "Financiamiento disponible con cualquier banco.", "Se acepta vehículo como parte de pago.", "Precio negociable.", "Precio fijo, no ofertas bajas.", "Con el 30% de inicial se lo lleva.",
        "Recibo vehículo y diferencia.", "Urge vender por viaje.", "Garantía de motor y transmisión por 6 meses.",
    ];

    // What swindlers paste under many listings.
    private static readonly string[] Lures =
    [
        "Lo vendo barato porque me voy del país. Escríbame solo por WhatsApp al {0}, no llame. Se aparta con un depósito y se lo envío a su casa.",
        "Vehículo de incautación, precio de remate. Mande el 50% por transferencia para reservarlo. Contacto directo: {0}.",
        "Urge vender hoy mismo por enfermedad. Envíe su inicial por Western Union y le entregamos en el muelle. Tel {0}.",
    ];

    /// <summary>A description.</summary>
    /// <param name="random">Chance.</param>
    /// <param name="title">Title of the listing.</param>
    /// <param name="gear">How it shifts.</param>
    /// <param name="fuel">Fuel.</param>
    /// <param name="km">Kilometres, when the seller tells.</param>
    /// <param name="isDealer">Whether a dealer writes.</param>
    public static string? Honest(ref SeededRandom random, string title, string gear, string fuel, double? km, bool isDealer)
    {
        // One private seller in six writes nothing.
        if (!isDealer && random.Chance(0.17))
        {
            return null;
        }

        var parts = new List<string> { $"{Openings[random.Next(Openings.Length)]}{title}, {(gear == "mecanica" ? "mecánico" : "automático")}, {FuelWord(fuel)}." };
        if (km is { } driven && random.Chance(0.6))
        {
            parts.Add($"{driven:N0} km.".Replace(',', random.Chance(0.5) ? ',' : '.'));
        }

        var extras = Some(ref random, Extras, random.Next(isDealer ? 6 : 4));
        if (extras.Count > 0)
        {
            parts.Add(char.ToUpperInvariant(extras[0][0]) + string.Join(", ", extras)[1..] + ".");
        }

        parts.AddRange(Some(ref random, Histories, random.Next(3)));
        parts.AddRange(Some(ref random, Terms, random.Next(isDealer ? 3 : 2)));
        if (random.Chance(0.08))
        {
            parts.Add($"Inf. {Telephone(ref random)}.");
        }

        return string.Join(' ', parts);
    }

    /// <summary>What a swindler writes; the same for all listings of one hand.</summary>
    public static string Lure(ref SeededRandom hand) => string.Format(System.Globalization.CultureInfo.InvariantCulture, Lures[hand.Next(Lures.Length)], Telephone(ref hand));

    private static string FuelWord(string fuel) => fuel switch
    {
        "electrico" => "eléctrico",
        "hibrido" => "híbrido",
        _ => fuel,
    };

    private static string Telephone(ref SeededRandom random) => $"{(random.Chance(0.6) ? 809 : random.Chance(0.6) ? 829 : 849)}-555-{random.Next(10_000):0000}";

    private static List<string> Some(ref SeededRandom random, string[] from, int count)
    {
        var some = new List<string>();
        while (some.Count < count)
        {
            var one = from[random.Next(from.Length)];
            if (!some.Contains(one))
            {
                some.Add(one);
            }
        }

        return some;
    }
}
