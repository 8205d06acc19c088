namespace OKLA.ML.Algorithms.Factorization;

/// <summary>Told after every pass of a training.</summary>
/// <param name="Iteration">Passes done, from 1.</param>
/// <param name="Iterations">Passes asked for.</param>
/// <param name="Loss">The objective (or its estimate during the pass), lower is better.</param>
public readonly record struct TrainingProgress(int Iteration, int Iterations, double Loss);
