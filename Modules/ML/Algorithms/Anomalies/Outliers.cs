using MathNet.Numerics.Distributions;

namespace OKLA.ML.Algorithms.Anomalies;

/// <summary>Outliers of one variable.</summary>
public static class Outliers
{
    /// <summary>
    /// Modified z-scores 0.6745·(x − median)/MAD (Iglewicz, Hoaglin 1993); above 3.5 in size is their outlier. Where half the values are equal
    /// the mean absolute deviation takes MAD's place (factor 0.7979); 0 for constant values.
    /// </summary>
    public static double[] RobustZ(ReadOnlySpan<double> values)
    {
        Check(values, 1);
        double[] x = values.ToArray(), sorted = [.. x];
        double median = Median(sorted);
        double[] away = Array.ConvertAll(x, v => Math.Abs(v - median));
        double mean = away.Average(), mad = Median(away);
        double scale = mad > 0 ? mad / 0.6744897501960817 : mean / 0.7978845608028654;
        return Array.ConvertAll(x, v => scale > 0 ? (v - median) / scale : 0);
    }

    /// <summary>
    /// Generalised extreme studentised deviate test (Rosner 1983) for up to <paramref name="most"/> outliers among nearly Gaussian values:
    /// places of the outliers at level <paramref name="alpha"/>, most extreme first.
    /// </summary>
    public static int[] GeneralizedEsd(ReadOnlySpan<double> values, int most, double alpha = 0.05)
    {
        Check(values, 3);
        if (most < 1 || most > values.Length - 2) throw new ArgumentOutOfRangeException(nameof(most), most, "Between 1 and n − 2 outliers can be tested.");
        double[] x = values.ToArray();
        var left = Enumerable.Range(0, x.Length).ToList();
        var removed = new List<int>();
        int found = 0;
        for (int i = 1; i <= most; i++)
        {
            double mean = left.Average(j => x[j]), deviation = Math.Sqrt(left.Sum(j => (x[j] - mean) * (x[j] - mean)) / (left.Count - 1));
            if (deviation == 0) break;
            int extreme = left.MaxBy(j => Math.Abs(x[j] - mean));
            double r = Math.Abs(x[extreme] - mean) / deviation;
            removed.Add(extreme);
            left.Remove(extreme);
            int n = x.Length, freedom = n - i - 1;
            double t = StudentT.InvCDF(0, 1, freedom, 1 - alpha / (2 * (n - i + 1)));
            if (r > (n - i) * t / Math.Sqrt((freedom + t * t) * (n - i + 1))) found = i;
        }

        return [.. removed.Take(found)];
    }

    private static void Check(ReadOnlySpan<double> values, int least)
    {
        if (values.Length < least) throw new ArgumentException($"At least {least} values are needed.", nameof(values));
        foreach (double value in values)
            if (!double.IsFinite(value)) throw new ArgumentException("A value is not finite.", nameof(values));
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        int half = values.Length / 2;
        return values.Length % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
    }
}
