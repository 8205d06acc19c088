namespace OKLA.ML.Algorithms.Anomalies;

/// <summary>Scores a stream one value at a time without seeing ahead. One instance a stream.</summary>
public interface IStreamDetector
{
    /// <summary>Takes in a value and the time it was seen (seconds from any origin, ascending) and gives its score, 0 (usual) or more. What is not finite scores 0.</summary>
    public double Next(double value, double seconds);
}

/// <summary>The detectors by name, each made anew for a stream. The combined one asks what a value was expected to be and whether its neighbourhood was seen before.</summary>
public static class StreamDetectors
{
    /// <summary>Every detector, the combined one last.</summary>
    public static IReadOnlyList<(string Name, Func<IStreamDetector> Make)> All { get; } =
    [
        ("windowed Gaussian", () => new GaussianDetector()),
        ("Gaussian of value and recent mean", () => new GaussianDetector(window: 1000, recent: 8, quiet: 100)),
        ("relative entropy", () => new RelativeEntropyDetector()),
        ("level and spread", () => new LikelihoodDetector(() => [new LevelStatistic(), new SpreadStatistic()])),
        ("seasonal residual", () => new LikelihoodDetector(() => [new ResidualStatistic()])),
        ("nearest neighbours", () => new LikelihoodDetector(() => [new NeighbourStatistic()])),
        ("all four", () => new LikelihoodDetector(() => [new ResidualStatistic(), new LevelStatistic(), new SpreadStatistic(), new NeighbourStatistic()])),
        ("combined", () => new LikelihoodDetector(() => [new ResidualStatistic(), new NeighbourStatistic()])),
    ];
}

/// <summary>
/// The windowed Gaussian of the benchmark (Lavin, Ahmad 2015): how unlikely a value is under the mean and deviation of the last values; with
/// <c>recent</c> above 1 also the mean of the last few, as <see cref="StreamingDetector"/> has it.
/// </summary>
internal sealed class GaussianDetector(int window = 6400, int recent = 1, int quiet = 0) : IStreamDetector
{
    private readonly StreamingDetector _inner = new(window, recent, quiet: quiet);

    public double Next(double value, double seconds) => double.IsFinite(value) ? _inner.Next(value) : 0;
}
