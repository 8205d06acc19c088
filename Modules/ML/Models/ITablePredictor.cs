using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Models;

/// <summary>What a <see cref="TableModel"/> learned from its columns, before calibration.</summary>
internal interface ITablePredictor
{
    /// <summary>Answers rows × outputs: numbers in the target's unit, P(1) of two classes, or one probability a class.</summary>
    public float[] Predict(IReadOnlyList<RawColumn> columns, int threads);

    /// <summary>Writes it.</summary>
    public void Save(Stream stream);
}
