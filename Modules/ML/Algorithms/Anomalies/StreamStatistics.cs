namespace OKLA.ML.Algorithms.Anomalies;

/// <summary>Something about the end of a stream that grows when it is unusual: 0 or more, NaN while too little is known.</summary>
internal interface IStreamStatistic
{
    public double Next(double value, double seconds);
}

/// <summary>
/// How far the value is from what was expected: the last value, the smoothed level, or the same time of day (and of week) before, whichever has erred least so far.
/// </summary>
internal sealed class ResidualStatistic : IStreamStatistic
{
    private const double Day = 86_400, Fade = 0.995, Gain = 0.3;
    private readonly Dictionary<int, (double Mean, int Count)> _day = [], _week = [];
    private readonly double[] _errors = new double[4];
    private double _last, _level, _step = double.NaN, _before = double.NaN;
    private long _seen;

    public double Next(double value, double seconds)
    {
        if (_seen > 0 && seconds > _before) _step = double.IsNaN(_step) ? seconds - _before : Math.Min(_step, seconds - _before);
        _before = seconds;
        int slot = double.IsNaN(_step) ? 0 : (int)(Mod(seconds, Day) / _step), weekly = double.IsNaN(_step) ? 0 : (int)(Mod(seconds, 7 * Day) / _step);
        bool daily = !double.IsNaN(_step) && _step <= Day / 4;
        double result = double.NaN;
        if (_seen >= 30)
        {
            // An expectation that is not there yet is as good as the level.
            double[] expected = [_last, _level, daily ? Expected(_day, slot, _level) : _level, daily ? Expected(_week, weekly, _level) : _level];
            int best = 0;
            for (int e = 1; e < expected.Length; e++)
                if (_errors[e] < _errors[best]) best = e;
            result = Math.Abs(value - expected[best]);
            for (int e = 0; e < expected.Length; e++) _errors[e] = Fade * _errors[e] + (1 - Fade) * Math.Abs(value - expected[e]);
        }

        _level = _seen == 0 ? value : _level + 0.1 * (value - _level);
        _last = value;
        if (daily)
        {
            Learn(_day, slot, value);
            Learn(_week, weekly, value);
        }

        _seen++;
        return result;
    }

    private static double Mod(double seconds, double cycle) => seconds - Math.Floor(seconds / cycle) * cycle;

    private static double Expected(Dictionary<int, (double Mean, int Count)> slots, int slot, double otherwise) => slots.TryGetValue(slot, out var known) ? known.Mean : otherwise;

    private static void Learn(Dictionary<int, (double Mean, int Count)> slots, int slot, double value)
    {
        var (mean, count) = slots.GetValueOrDefault(slot);
        slots[slot] = (mean + Math.Max(Gain, 1.0 / (count + 1)) * (value - mean), count + 1);
    }
}

/// <summary>How far the mean of the last few values is from that of a long window, in deviations of the window.</summary>
internal sealed class LevelStatistic(int recent = 10, int window = 600) : IStreamStatistic
{
    private readonly RunningMoments _short = new(recent), _long = new(window);

    public double Next(double value, double seconds)
    {
        double result = _long.Count < 60 ? double.NaN : Math.Abs((_short.MeanWith(value) - _long.Mean) / _long.Deviation);
        _short.Add(value);
        _long.Add(value);
        return result;
    }
}

/// <summary>How much the deviation of the last values differs from what such spans usually have: |log| of their ratio, so that both silence and noise count.</summary>
internal sealed class SpreadStatistic(int recent = 40, int window = 600) : IStreamStatistic
{
    private readonly RunningMoments _short = new(recent), _usual = new(window);

    public double Next(double value, double seconds)
    {
        _short.Add(value);
        if (_short.Count < recent) return double.NaN;
        double spread = Math.Log(_short.Deviation), result = _usual.Count < 60 ? double.NaN : Math.Abs(spread - _usual.Mean);
        _usual.Add(spread);
        return result;
    }
}

/// <summary>
/// Distance of the last stretch of values to the k-th nearest earlier stretch (the nonconformity of Burnaev, Ishimtsev 2016, "conformalized density- and
/// distance-based anomaly detection"), values in deviations of the stream.
/// </summary>
internal sealed class NeighbourStatistic(int length = 20, int neighbours = 5, int kept = 1500) : IStreamStatistic
{
    private readonly float[] _stretches = new float[length * kept];
    private readonly float[] _last = new float[length];
    private readonly RunningMoments _scale = new(3000);
    private long _seen;

    public double Next(double value, double seconds)
    {
        _scale.Add(value);
        Array.Copy(_last, 1, _last, 0, length - 1);
        _last[^1] = (float)value;
        if (++_seen < length) return double.NaN;
        long place = _seen - length;
        int known = (int)Math.Min(place, kept);
        double result = double.NaN;
        if (known >= 5 * length)
        {
            Span<float> nearest = stackalloc float[neighbours];
            nearest.Fill(float.PositiveInfinity);
            for (int i = 0; i < known; i++)
            {
                // Stretches that overlap with this one are near whatever happens.
                if (place - i < length || (place >= kept && Mod(place - i, kept) < length)) continue;
                float distance = System.Numerics.Tensors.TensorPrimitives.Distance(_last, _stretches.AsSpan(i * length, length));
                if (distance >= nearest[^1]) continue;
                int at = neighbours - 1;
                for (; at > 0 && nearest[at - 1] > distance; at--) nearest[at] = nearest[at - 1];
                nearest[at] = distance;
            }

            if (float.IsFinite(nearest[^1])) result = nearest[^1] / _scale.Deviation;
        }

        _last.CopyTo(_stretches.AsSpan((int)(place % kept) * length));
        return result;
    }

    private static long Mod(long a, long b) => ((a % b) + b) % b;
}

/// <summary>Mean and deviation of the last values.</summary>
internal sealed class RunningMoments(int window)
{
    private readonly double[] _values = new double[window];
    private double _squares;
    private long _seen;

    public int Count => (int)Math.Min(_seen, window);

    public double Mean { get; private set; }

    /// <summary>Never 0: a constant stream has a deviation of a millionth of its size.</summary>
    public double Deviation => Math.Max(Math.Sqrt(Math.Max(0, _squares) / Math.Max(1, Count)), 1e-6 * (Math.Abs(Mean) + 1e-6));

    /// <summary>The mean if the value were added now.</summary>
    public double MeanWith(double value) => _seen < window ? Mean + (value - Mean) / (_seen + 1) : Mean + (value - _values[_seen % window]) / window;

    /// <summary>Welford's update, with the oldest value taken out of a full window.</summary>
    public void Add(double value)
    {
        double old = _values[_seen % window], before = Mean;
        Mean = MeanWith(value);
        _squares = _seen < window ? _squares + (value - before) * (value - Mean) : Math.Max(0, _squares + (value - old) * (value - Mean + old - before));
        _values[_seen++ % window] = value;
    }
}
