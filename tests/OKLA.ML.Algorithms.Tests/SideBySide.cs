// Everything here is pure and bound by the processor: a class for each of two cores.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(2)]
