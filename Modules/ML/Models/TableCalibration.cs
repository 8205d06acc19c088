using OKLA.ML.Algorithms.Linear;

namespace OKLA.ML.Models;

/// <summary>
/// Makes probabilities say how often things happen. Two classes: Platt's sigmoid on log odds, an isotonic step function, or nothing, whichever has the least
/// log loss on answers that it was not fitted on. More classes: one temperature (Guo et al. 2017, section 4.2) where it helps.
/// </summary>
internal sealed class TableCalibration
{
    private const int Folds = 5;
    private const int LeastRows = 200;

    // An isotonic function of few rows is mostly their noise.
    private const int LeastRowsIsotonic = 1_000;

    private readonly PlattScaling? platt;
    private readonly IsotonicCalibration? isotonic;

    private TableCalibration(PlattScaling? platt, IsotonicCalibration? isotonic, double temperature)
    {
        this.platt = platt;
        this.isotonic = isotonic;
        Temperature = temperature;
    }

    /// <summary>Leaves probabilities as they are.</summary>
    public static TableCalibration None { get; } = new(null, null, 1);

    /// <summary>What it does: none, platt, isotonic or temperature.</summary>
    public string Name => platt is not null ? "platt" : isotonic is not null ? "isotonic" : Temperature != 1 ? "temperature" : "none";

    /// <summary>Log scores of more than two classes are divided by it.</summary>
    public double Temperature { get; }

    /// <summary>The calibrated log odds are <c>Slope · log odds + Offset</c>; null when they are no straight line.</summary>
    public (double Slope, double Offset)? Line => platt is { } p ? (-p.A, -p.B) : isotonic is null ? (1, 0) : null;

    /// <summary>Chooses for answers to rows that the model had not learned from.</summary>
    /// <param name="answers">Rows × outputs; rows without an answer are NaN.</param>
    /// <param name="truth">Class of each row.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="straight">Whether only what keeps contributions exact is allowed: nothing or Platt's sigmoid.</param>
    public static TableCalibration Choose(float[] answers, float[] truth, int classes, bool straight)
    {
        var outputs = BoostedTable.Outputs(classes);
        var rows = Enumerable.Range(0, truth.Length).Where(r => !float.IsNaN(answers[r * outputs])).ToArray();
        if (rows.Length < LeastRows)
        {
            return None;
        }

        if (classes > 2)
        {
            return OfTemperature(answers, truth, classes, rows);
        }

        var p = Array.ConvertAll(rows, r => (double)answers[r]);
        var happened = Array.ConvertAll(rows, r => truth[r] == 1);
        var ways = new List<Func<double[], bool[], TableCalibration>> { (_, _) => None, OfPlatt };
        if (!straight && rows.Length >= LeastRowsIsotonic)
        {
            ways.Add(OfIsotonic);
        }

        return ways.MinBy(way => CrossValidated(way, p, happened))!(p, happened);
    }

    /// <summary>Puts answers right in place (rows × outputs).</summary>
    public void Apply(float[] answers, int classes)
    {
        if (classes == 0)
        {
            return;
        }

        if (classes == 2)
        {
            for (var r = 0; r < answers.Length; r++)
            {
                answers[r] = (float)One(answers[r]);
            }

            return;
        }

        if (Temperature == 1)
        {
            return;
        }

        for (var from = 0; from < answers.Length; from += classes)
        {
            var row = answers.AsSpan(from, classes);
            var sum = 0.0;
            for (var k = 0; k < classes; k++)
            {
                row[k] = (float)Math.Pow(Math.Max(row[k], 1e-12f), 1 / Temperature);
                sum += row[k];
            }

            for (var k = 0; k < classes; k++)
            {
                row[k] = (float)(row[k] / sum);
            }
        }
    }

    public void Write(Stream stream)
    {
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write((byte)(platt is not null ? 1 : isotonic is not null ? 2 : 0));
        writer.Write(Temperature);
        writer.Flush();
        platt?.Save(stream);
        isotonic?.Save(stream);
    }

    public static TableCalibration Read(Stream stream)
    {
        using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        var (kind, temperature) = (reader.ReadByte(), reader.ReadDouble());
        return new TableCalibration(kind == 1 ? PlattScaling.Load(stream) : null, kind == 2 ? IsotonicCalibration.Load(stream) : null, temperature);
    }

    internal static double LogOdds(double p)
    {
        p = Math.Clamp(p, 1e-7, 1 - 1e-7);
        return Math.Log(p / (1 - p));
    }

    private double One(double p) => platt is not null ? platt.Calibrate(LogOdds(p)) : isotonic is not null ? Math.Clamp(isotonic.Calibrate(p), 1e-6, 1 - 1e-6) : p;

    private static TableCalibration OfPlatt(double[] p, bool[] happened) => new(PlattScaling.Fit(Array.ConvertAll(p, LogOdds), happened), null, 1);

    private static TableCalibration OfIsotonic(double[] p, bool[] happened) => new(null, IsotonicCalibration.Fit(p, happened), 1);

    private static double CrossValidated(Func<double[], bool[], TableCalibration> way, double[] p, bool[] happened)
    {
        double sum = 0;
        for (var f = 0; f < Folds; f++)
        {
            int[] train = [.. Enumerable.Range(0, p.Length).Where(i => i % Folds != f)], held = [.. Enumerable.Range(0, p.Length).Where(i => i % Folds == f)];
            var made = way(Array.ConvertAll(train, i => p[i]), Array.ConvertAll(train, i => happened[i]));
            foreach (var i in held)
            {
                var calibrated = Math.Clamp(made.One(p[i]), 1e-6, 1 - 1e-6);
                sum -= Math.Log(happened[i] ? calibrated : 1 - calibrated);
            }
        }

        return sum;
    }

    /// <summary>The temperature of least log loss between ¼ and 4, by thirds of its logarithm; 1 where it gains less than half a percent.</summary>
    private static TableCalibration OfTemperature(float[] answers, float[] truth, int classes, int[] rows)
    {
        double Loss(double temperature)
        {
            double sum = 0;
            foreach (var r in rows)
            {
                double total = 0;
                for (var k = 0; k < classes; k++)
                {
                    total += Math.Pow(Math.Max(answers[r * classes + k], 1e-12), 1 / temperature);
                }

                sum -= Math.Log(Math.Pow(Math.Max(answers[r * classes + (int)truth[r]], 1e-12), 1 / temperature) / total);
            }

            return sum;
        }

        var (low, high) = (Math.Log(0.25), Math.Log(4));
        for (var step = 0; step < 24; step++)
        {
            var (a, b) = (low + (high - low) / 3, high - (high - low) / 3);
            (low, high) = Loss(Math.Exp(a)) < Loss(Math.Exp(b)) ? (low, b) : (a, high);
        }

        var best = Math.Exp((low + high) / 2);
        return Loss(best) < 0.995 * Loss(1) ? new TableCalibration(null, null, best) : None;
    }
}
