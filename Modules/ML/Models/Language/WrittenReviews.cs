namespace OKLA.ML.Models.Language;

/// <summary>A review written by hand: whether it is praise as a whole, and what it says of each thing.</summary>
internal sealed record WrittenReview(string Text, bool IsPraise, IReadOnlyList<(string Aspect, bool IsPraise)> Aspects)
{
    /// <summary>Reads "+ | text | price+ service-".</summary>
    public static WrittenReview Read(string line)
    {
        var parts = line.Split('|', StringSplitOptions.TrimEntries);
        return new WrittenReview(parts[1], parts[0] == "+", [.. parts[2].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(one => (one[..^1], one[^1] == '+'))]);
    }
}

/// <summary>Reviews written by hand the way Dominican buyers write; <see cref="Looked"/> were looked at while the words of tone were chosen, <see cref="Final"/> measure alone.</summary>
internal static class WrittenReviews
{
    private const string LookedLines =
        """
        + | Excelente trato, el carro estaba tal cual las fotos. | service+ honesty+
        - | El precio muy alto y el vendedor nunca contesta. | price- service-
        + | Buen precio, aunque el traspaso se tardó mucho. | price+ paperwork-
        - | Me engañaron, el motor se calienta. | honesty- condition-
        + | Me aprobaron el préstamo rápido y la jeepeta está impecable. | financing+ condition+
        - | Queda lejos y no hay parqueo, pero el trato fue bueno. | location- service+
        """;

    private const string FinalLines =
        """
        + | Muy buena atención, me explicaron todo con paciencia. | service+
        + | La jeepeta salió buenísima, ni un problema en seis meses. | condition+
        - | Me cobraron más de lo acordado y los papeles todavía no aparecen. | price- paperwork-
        + | Gente seria, cumplieron con todo lo que prometieron. | honesty+
        - | Pésimo servicio, me hicieron esperar tres horas. | service-
        + | El financiamiento salió fácil y con buena tasa. | financing+
        - | El carro tenía la transmisión mala y no me lo dijeron. | condition- honesty-
        + | Precio justo, el vehículo limpio y como nuevo. | price+ condition+
        - | Unos mentirosos, me vendieron un guayo. | honesty- condition-
        + | Está cerca del metro y tiene parqueo cómodo. | location+
        - | Carísimo todo, no vale la pena. | price-
        + | El traspaso salió rápido, sin problemas. | paperwork+
        - | El banco tardó un mes en aprobar el préstamo. | financing-
        + | Vendedor muy amable y honesto. | service+ honesty+
        - | No responden los mensajes, un servicio malísimo. | service-
        + | Buen trato pero la matrícula llegó tarde. | service+ paperwork-
        - | La camioneta vino con fallas en los frenos. | condition-
        + | Nos dieron un descuento y el motor suena perfecto. | price+ condition+
        - | El local queda lejísimo y es difícil llegar. | location-
        + | Confiables cien por ciento, los recomiendo. | honesty+
        - | Precio bueno, pero el aire no enfría. | price+ condition-
        + | Todo transparente, sin cuentos. | honesty+
        - | Un vendedor grosero, no vuelvo. | service-
        + | Económico y en excelentes condiciones. | price+ condition+
        - | Las cuotas salieron altísimas, mala tasa. | financing-
        + | Los documentos estaban al día y el trato fue de primera. | paperwork+ service+
        - | Botaba aceite y la pintura estaba dañada. | condition-
        + | Respondían rapidísimo por WhatsApp. | service+
        - | Me ocultaron que estaba chocado. | honesty- condition-
        + | No está caro para lo que es. | price+
        - | Nunca entregaron la placa, una vaina. | paperwork-
        + | El dealer está bien ubicado y el personal atento. | location+ service+
        - | Llevo dos meses y el traspaso no aparece, qué abuso. | paperwork- honesty-
        + | Muchacho serio, la guagua está nítida. | honesty+ condition+
        - | Perdí el tiempo, el carro ni prendía. | service- condition-
        + | El inicial fue bajito y aprobaron el mismo día. | financing+
        - | Atención regular y precios muy altos. | price-
        + | Cero mentiras, todo como lo dijeron. | honesty+
        """;

    public static IReadOnlyList<WrittenReview> Looked { get; } = Lines(LookedLines);

    public static IReadOnlyList<WrittenReview> Final { get; } = Lines(FinalLines);

    private static WrittenReview[] Lines(string lines) => [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(WrittenReview.Read)];
}
