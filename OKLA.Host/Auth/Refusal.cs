namespace OKLA.Host.Auth;

/// <summary>Why a credential was refused: for the log and for developers. A caller outside Development gets only <see cref="Refusals.Code"/>.</summary>
internal enum Refusal
{
    None,
    MalformedHeader,
    TokenTooLarge,
    TokenMalformed,
    AlgorithmNotAllowed,
    CriticalHeader,
    WrongTokenType,
    UnknownKey,
    AlgorithmNotOfKey,
    BadSignature,
    BadClaims,
    WrongIssuer,
    WrongAudience,
    Expired,
    NotYetValid,
    IssuedInTheFuture,
    KeyMalformed,
    KeyUnknown,
    KeyWrongSecret,
    KeyRevoked,
    KeyWrongOrigin,
    TooManyFailures,
}

/// <summary>What a caller is told about a refusal.</summary>
internal static class Refusals
{
    /// <summary>The short code of the answer. Coarse on purpose: enough to sign in again, too little to probe with.</summary>
    public static string Code(this Refusal refusal) => refusal switch
    {
        Refusal.None => "credentials_missing",
        Refusal.Expired => "token_expired",
        Refusal.TooManyFailures => "too_many_failures",
        Refusal.KeyMalformed or Refusal.KeyUnknown or Refusal.KeyWrongSecret or Refusal.KeyRevoked or Refusal.KeyWrongOrigin => "key_invalid",
        _ => "token_invalid",
    };

    /// <summary>The sentence of the answer.</summary>
    public static string Text(string code) => code switch
    {
        "credentials_missing" => "Inicia sesión para continuar.",
        "token_expired" => "Tu sesión venció. Inicia sesión otra vez.",
        "too_many_failures" => "Demasiados intentos fallidos. Espera un momento e inténtalo de nuevo.",
        "key_invalid" => "La clave de API no es válida.",
        "forbidden" => "No tienes permiso para hacer esto.",
        _ => "La sesión no es válida. Inicia sesión otra vez.",
    };
}

/// <summary>Left on the request by the handler that refused its credential.</summary>
internal sealed record RefusedCredential(Refusal Refusal, TimeSpan RetryAfter = default);
