namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>How the innovation enters: added, or as a share of the one-step forecast.</summary>
public enum EtsError
{
    /// <summary>y = μ + ε.</summary>
    Additive,

    /// <summary>y = μ·(1 + ε).</summary>
    Multiplicative,
}

/// <summary>The trend of an exponential smoothing model.</summary>
public enum EtsTrend
{
    /// <summary>A level only.</summary>
    None,

    /// <summary>Holt's linear trend.</summary>
    Additive,

    /// <summary>A linear trend that fades by the factor φ a step (Gardner, McKenzie 1985).</summary>
    Damped,
}

/// <summary>The season of an exponential smoothing model.</summary>
public enum EtsSeason
{
    /// <summary>No season.</summary>
    None,

    /// <summary>Winters' additive season.</summary>
    Additive,

    /// <summary>Winters' multiplicative season.</summary>
    Multiplicative,
}

/// <summary>One of the family of exponential smoothing models (Hyndman et al. 2008, table 2.1).</summary>
/// <param name="Error">Error type.</param>
/// <param name="Trend">Trend type.</param>
/// <param name="Season">Season type.</param>
/// <param name="Log">Fitted to the logarithm of the series, forecasts taken back by exp (the median on the original scale).</param>
public readonly record struct EtsForm(EtsError Error, EtsTrend Trend, EtsSeason Season, bool Log = false)
{
    /// <summary>The usual name, as ETS(M,Ad,M), prefixed by "log " on the log scale.</summary>
    public override string ToString()
    {
        string trend = Trend switch { EtsTrend.None => "N", EtsTrend.Additive => "A", _ => "Ad" };
        return $"{(Log ? "log " : "")}ETS({(Error == EtsError.Additive ? 'A' : 'M')},{trend},{Season.ToString()[0]})";
    }
}
