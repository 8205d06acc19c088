using MathNet.Numerics.Distributions;

namespace OKLA.ML.Algorithms.Anomalies;

/// <summary>
/// Scores a stream one value at a time without seeing ahead: how unlikely a value is under the Gaussian of the last values, and how unlikely the
/// mean of the last few is (the windowed Gaussian and the likelihood of Lavin, Ahmad 2015, section III). After an alarm-worthy score it stays quiet
/// for a while, so that one event gives one alarm. Memory is two windows; a step is constant time.
/// </summary>
public sealed class StreamingDetector
{
    private readonly double[] _window;
    private readonly int _recent, _quiet;
    private readonly double _alarm;
    private double _mean, _squares, _short;
    private long _seen;
    private int _silent;

    /// <summary>Remembers <paramref name="window"/> values, averages the last <paramref name="recent"/>, and after a score above <paramref name="alarm"/> is silent <paramref name="quiet"/> steps.</summary>
    public StreamingDetector(int window = 1000, int recent = 8, double alarm = 0.5, int quiet = 100)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(recent, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(window, 2 * recent);
        ArgumentOutOfRangeException.ThrowIfNegative(quiet);
        (_window, _recent, _alarm, _quiet) = (new double[window], recent, alarm, quiet);
    }

    /// <summary>
    /// Takes in a value and gives its score in [0, 1): −log10 of the two-sided tail over 20, the greater of the value's and that of the recent mean.
    /// 0 in the silence after an alarm and before 30 values.
    /// </summary>
    public double Next(double value)
    {
        if (!double.IsFinite(value)) throw new ArgumentOutOfRangeException(nameof(value), value, "A value must be finite.");
        int n = (int)Math.Min(_seen, _window.Length);
        double score = 0;
        double oldRecent = _seen >= _recent ? _window[(_seen - _recent) % _window.Length] : 0;
        _short += value - oldRecent;
        if (n >= 30)
        {
            double deviation = Math.Sqrt(Math.Max(_squares / n, 1e-12 * (_mean * _mean + 1e-12)));
            score = Math.Max(Surprise((value - _mean) / deviation), Surprise((_short / _recent - _mean) / deviation * Math.Sqrt(_recent) / 2));
        }

        Remember(value);
        if (_silent > 0)
        {
            _silent--;
            return 0;
        }

        if (score > _alarm) _silent = _quiet;
        return score;
    }

    private static double Surprise(double z)
    {
        double tail = 2 * Normal.CDF(0, 1, -Math.Abs(z));
        return Math.Min(1 - 1e-9, -Math.Log10(Math.Max(tail, 1e-300)) / 20);
    }

    /// <summary>Welford's update, with the oldest value taken out of a full window.</summary>
    private void Remember(double value)
    {
        int at = (int)(_seen % _window.Length);
        if (_seen < _window.Length)
        {
            double step = value - _mean;
            _mean += step / (_seen + 1);
            _squares += step * (value - _mean);
        }
        else
        {
            double old = _window[at], before = _mean;
            _mean += (value - old) / _window.Length;
            _squares = Math.Max(0, _squares + (value - old) * (value - _mean + old - before));
        }

        _window[at] = value;
        _seen++;
    }
}
