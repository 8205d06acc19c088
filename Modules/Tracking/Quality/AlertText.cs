using System.Globalization;

namespace OKLA.Tracking.Quality;

/// <summary>Says a breach to an admin.</summary>
internal static class AlertText
{
    private static readonly CultureInfo Spanish = CultureInfo.GetCultureInfo("es-DO");

    /// <summary>One sentence in Spanish.</summary>
    public static string Of(Judgement breach)
    {
        var item = breach.Expectation;
        var field = item.Field == Watch.Whole ? item.Type : $"{item.Type}.{item.Field}";
        string Share(double share) => share.ToString("P1", Spanish);
        string Number(double number) => number.ToString("N2", Spanish);
        return item.Kind switch
        {
            ExpectationKind.Completeness when item.Required => $"{field} es obligatorio y falta en {Share(breach.Observed)} de {breach.Rows} registros.",
            ExpectationKind.Completeness => $"{field} falta en {Share(breach.Observed)} de {breach.Rows} registros; lo usual es {Share(breach.Expected)}.",
            ExpectationKind.Type => $"{field} tiene otro tipo de valor en {Share(breach.Observed)} de {breach.Rows} registros.",
            ExpectationKind.Range => $"{field} está fuera de rango en {Share(breach.Observed)} de {breach.Rows} registros.",
            ExpectationKind.Set => $"{field} tiene valores fuera de la lista en {Share(breach.Observed)} de {breach.Rows} registros.",
            ExpectationKind.Uniqueness => $"{field} se repite demasiado: {Share(breach.Observed)} de valores distintos; se esperaba al menos {Share(breach.Expected)}.",
            ExpectationKind.Freshness => $"{field} dejó de llegar; en ese tiempo se esperaban {breach.Expected.ToString("N0", Spanish)}.",
            ExpectationKind.Volume => $"{field}: llegaron {breach.Observed.ToString("N0", Spanish)}, {breach.Detail} de lo usual ({breach.Expected.ToString("N0", Spanish)}) para ese día y hora.",
            ExpectationKind.Schema => $"{field} cambió de forma: {breach.Detail}.",
            _ when breach.Detail is not null => $"{field} cambió de distribución: {breach.Detail} (PSI {Number(breach.Observed)}).",
            _ => $"{field} cambió de distribución (PSI {Number(breach.Observed)}, se admite {Number(breach.Expected)}).",
        };
    }
}
