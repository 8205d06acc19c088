namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>
/// The filter of the ETS state-space models in error-correction form (Hyndman et al. 2008, tables 2.2 and 2.3). Additive and multiplicative errors
/// share the update of the states, because αε·μ is α(y − μ) in both.
/// </summary>
internal struct EtsRecursion(EtsForm form, double alpha, double beta, double gamma, double phi, double level, double slope, double[] seasons)
{
    private readonly double[] _seasons = seasons;
    private double _level = level, _slope = slope;
    private int _at;

    public readonly EtsRecursion Fork()
    {
        var fork = new EtsRecursion(form, alpha, beta, gamma, phi, _level, _slope, [.. _seasons]);
        fork._at = _at;
        return fork;
    }

    private readonly double Base => form.Trend == EtsTrend.None ? _level : _level + phi * _slope;

    public readonly double Expected => form.Season switch
    {
        EtsSeason.None => Base,
        EtsSeason.Additive => Base + _seasons[_at],
        _ => Base * _seasons[_at],
    };

    /// <summary>Takes in one observation.</summary>
    public void Update(double y)
    {
        double ahead = Base;
        double season = form.Season == EtsSeason.None ? 0 : _seasons[_at];
        double adjusted = form.Season switch { EtsSeason.None => y, EtsSeason.Additive => y - season, _ => y / season };
        double before = _level;
        _level = ahead + alpha * (adjusted - ahead);
        if (form.Trend != EtsTrend.None)
        {
            double faded = phi * _slope;
            _slope = faded + beta / alpha * (_level - before - faded);
        }

        if (form.Season == EtsSeason.None) return;
        double seen = form.Season == EtsSeason.Additive ? y - ahead : y / ahead;
        _seasons[_at] = season + gamma * (seen - season);
        _at = _at + 1 == _seasons.Length ? 0 : _at + 1;
    }

    /// <summary>Goes one step ahead without an observation, as if it had been as expected.</summary>
    public void Advance() => Update(Expected);
}
