namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>One maximum-likelihood fit of an ETS form: smoothing parameters and initial states together.</summary>
internal sealed class EtsFit
{
    private const double Least = 1e-4, LeastPhi = 0.8, MostPhi = 0.98;
    private readonly EtsForm _form;
    private readonly int _season;
    private readonly double[] _y, _seasons;
    private readonly bool _freeSeasons, _trend, _damped, _seasonal;
    private double _level, _slope;

    public EtsFit(EtsForm form, int season, double[] y, bool freeSeasons)
    {
        (_form, _season, _y, _freeSeasons) = (form, season, y, freeSeasons);
        (_trend, _damped, _seasonal) = (form.Trend != EtsTrend.None, form.Trend == EtsTrend.Damped, form.Season != EtsSeason.None);
        _seasons = new double[_seasonal ? season : 0];
        InitialStates();
    }

    public double Alpha { get; private set; }

    public double Beta { get; private set; }

    public double Gamma { get; private set; }

    public double Phi { get; private set; } = 1;

    /// <summary>Free smoothing parameters and initial states.</summary>
    public int Parameters { get; private set; }

    public EtsRecursion Start() => new(_form, Alpha, Beta, Gamma, Phi, _level, _slope, [.. _seasons]);

    /// <summary>Minimises L* and returns it.</summary>
    public double Run()
    {
        double scale = Math.Max(Spread(_y), 1e-12);
        var start = new List<double> { 0.3, _level };
        var steps = new List<double> { 0.1, 0.1 * scale };
        if (_trend) Add(0.05, 0.03, _slope, 0.02 * scale);
        if (_damped) Add(0.95, -0.03);
        if (_seasonal) Add(0.1, 0.05);
        if (_seasonal && _freeSeasons)
        {
            double step = _form.Season == EtsSeason.Additive ? 0.05 * scale : 0.03;
            for (int j = 0; j < _season - 1; j++) Add(_seasons[j], step);
        }

        Parameters = start.Count;
        double[] at = [.. start];
        double value = double.MaxValue;
        // A simplex collapses in many dimensions; starting it anew where it stopped is the usual cure.
        for (int round = 0; round < 4; round++)
        {
            double before = value;
            (at, value) = NelderMead.Minimise(Criterion, at, [.. steps], 400 * at.Length);
            if (before - value < 1e-4) break;
        }

        Unpack(at);
        return value;

        void Add(params ReadOnlySpan<double> pairs)
        {
            for (int i = 0; i < pairs.Length; i += 2)
            {
                start.Add(pairs[i]);
                steps.Add(pairs[i + 1]);
            }
        }
    }

    private bool Unpack(double[] at)
    {
        int i = 0;
        Alpha = at[i++];
        _level = at[i++];
        if (_trend)
        {
            Beta = at[i++];
            _slope = at[i++];
        }

        if (_damped) Phi = at[i++];
        if (_seasonal) Gamma = at[i++];
        if (_seasonal && _freeSeasons)
        {
            double sum = 0;
            for (int j = 0; j < _season - 1; j++) sum += _seasons[j] = at[i++];
            _seasons[^1] = (_form.Season == EtsSeason.Additive ? 0 : _season) - sum;
        }

        return Alpha is > Least and < 1 - Least && (!_trend || (Beta > Least && Beta < Alpha)) && (!_damped || Phi is >= LeastPhi and <= MostPhi)
            && (!_seasonal || (Gamma > Least && Gamma < 1 - Alpha)) && (_form.Season != EtsSeason.Multiplicative || _seasons.Min() > 0);
    }

    private double Criterion(double[] at)
    {
        if (!Unpack(at)) return double.MaxValue;
        var state = Start();
        double square = 0, logs = 0;
        bool share = _form.Error == EtsError.Multiplicative;
        foreach (double y in _y)
        {
            double expected = state.Expected;
            if ((share || _form.Season == EtsSeason.Multiplicative) && expected <= 0) return double.MaxValue;
            double error = y - expected;
            if (share)
            {
                error /= expected;
                logs += Math.Log(expected);
            }

            square += error * error;
            state.Update(y);
        }

        // A perfect fit would be minus infinity; the floor keeps constant series comparable.
        return _y.Length * Math.Log(Math.Max(square, 1e-300)) + 2 * logs;
    }

    /// <summary>Indices of a classical decomposition, then a line through the first adjusted observations (Hyndman et al. 2008, section 2.6.1).</summary>
    private void InitialStates()
    {
        double[] adjusted = [.. _y];
        if (_seasonal)
        {
            bool additive = _form.Season == EtsSeason.Additive;
            double[] trend = CentredAverage(_y, _season);
            var count = new int[_season];
            int half = _season / 2;
            for (int t = half; t < _y.Length - half; t++)
            {
                _seasons[t % _season] += additive ? _y[t] - trend[t] : _y[t] / trend[t];
                count[t % _season]++;
            }

            for (int j = 0; j < _season; j++) _seasons[j] = count[j] == 0 ? additive ? 0 : 1 : _seasons[j] / count[j];
            double mean = _seasons.Average();
            for (int j = 0; j < _season; j++) _seasons[j] = additive ? _seasons[j] - mean : Math.Max(_seasons[j] / mean, 0.01);
            for (int t = 0; t < _y.Length; t++) adjusted[t] = additive ? _y[t] - _seasons[t % _season] : _y[t] / _seasons[t % _season];
        }

        int first = Math.Min(_y.Length, Math.Max(10, _seasonal ? 2 * _season : 10));
        double meanT = (first - 1) / 2.0, meanY = adjusted.Take(first).Average(), products = 0, squares = 0;
        for (int t = 0; t < first; t++)
        {
            products += (t - meanT) * (adjusted[t] - meanY);
            squares += (t - meanT) * (t - meanT);
        }

        _slope = _trend ? products / squares : 0;
        _level = _trend ? meanY - _slope * (meanT + 1) : meanY;
        if (_form.Error == EtsError.Multiplicative && _level + _slope <= 0) (_level, _slope) = (meanY, 0);
    }

    /// <summary>Moving average over one season, ends weighing half for an even one; outside half a season from the ends undefined.</summary>
    private static double[] CentredAverage(double[] y, int season)
    {
        var average = new double[y.Length];
        int half = season / 2;
        for (int t = half; t < y.Length - half; t++)
        {
            double sum = 0;
            for (int k = -half; k <= half; k++) sum += (season % 2 == 0 && Math.Abs(k) == half ? 0.5 : 1) * y[t + k];
            average[t] = sum / season;
        }

        return average;
    }

    private static double Spread(double[] y)
    {
        double mean = y.Average();
        return Math.Sqrt(y.Sum(v => (v - mean) * (v - mean)) / y.Length);
    }
}
