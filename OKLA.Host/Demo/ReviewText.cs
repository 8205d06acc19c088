namespace OKLA.Host.Demo;

/// <summary>Makes up what Dominican buyers write about a seller: about the treatment, the vehicle, the price, the papers and the time it took.</summary>
internal static class ReviewText
{
    private static readonly string[] Good =
    [
        "Excelente trato, gente seria.", "El carro estaba tal cual las fotos.", "Todo un tigre el vendedor, me explicó todo.", "Buen precio y sin cuentos.", "Los papeles salieron rapidísimo.",
        "Me entregaron el mismo día, una chulería.", "Muy atentos por WhatsApp, respondían al momento.", "Quedé jevi con la jeepeta.", "Lo recomiendo con los ojos cerrados.", "Me dieron buen financiamiento.",
    ];

    private static readonly string[] Fair =
    [
        "Normal, ni bien ni mal.", "El trato bien pero el traspaso se tardó.", "El precio un chin alto, pero está en buenas condiciones.", "Cumplieron, aunque hubo que darle seguimiento.", "Estaba bien, con par de detalles que no dijeron.",
    ];

    private static readonly string[] Bad =
    [
        "Pésimo trato, no vuelvo.", "El vehículo vino con más detalles de los que dijeron.", "Me hicieron perder el tiempo, una vaina.", "Nunca contestan el teléfono.", "Los papeles todavía no aparecen.",
        "Me cobraron más de lo acordado, un abuso.", "Eso fue un lío desde el principio.", "Me vendieron un guayo.",
    ];

    /// <summary>A comment that goes with some stars; one in twelve says the opposite of its stars.</summary>
    public static string Of(ref SeededRandom random, int stars)
    {
        var shown = random.Chance(0.08) ? 6 - stars : stars;
        var own = shown >= 4 ? Good : shown == 3 ? Fair : Bad;
        var first = own[random.Next(own.Length)];
        if (!random.Chance(0.45))
        {
            return first;
        }

        var others = random.Chance(0.2) ? Fair : own;
        var second = others[random.Next(others.Length)];
        return second == first ? first : $"{first} {second}";
    }
}
