using OKLA.ML.Algorithms.Decisions;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tuning;

/// <summary>The knobs of a <see cref="Study"/>.</summary>
public sealed record StudyOptions
{
    /// <summary>One entry an objective: true where more is better.</summary>
    public IReadOnlyList<bool> Maximize { get; init; } = [false];

    /// <summary>Stops bad trials early by their reports; null stops none. Takes one objective.</summary>
    public Pruner? Pruner { get; init; }

    /// <summary>Seed of every draw: trial n's are drawn from (seed, n) alone.</summary>
    public int Seed { get; init; } = 42;
}

/// <summary>
/// A search for good parameters: ask for a trial, try it, tell its value. What it suggests depends on the seed, the trial's number and the trials finished
/// before alone, so that a study made again from its <see cref="Trials"/> goes on as if it had never stopped; trials asked for and not told are then handed
/// out again first. Safe for many threads, which then ask with fewer trials finished.
/// </summary>
public sealed class Study
{
    private readonly Lock _lock = new();
    private readonly Sampler _sampler;
    private readonly StudyOptions _options;
    private readonly List<Trial> _trials;
    private readonly Queue<int> _interrupted;

    /// <summary>Starts a study of <paramref name="space"/>, or goes on with <paramref name="trials"/>.</summary>
    /// <exception cref="ArgumentException">No objective, a pruner with several, or trials that are not numbered from 0 in order.</exception>
    public Study(SearchSpace space, Sampler sampler, StudyOptions? options = null, IEnumerable<Trial>? trials = null)
    {
        Space = space ?? throw new ArgumentNullException(nameof(space));
        _sampler = sampler ?? throw new ArgumentNullException(nameof(sampler));
        _options = options ?? new StudyOptions();
        if (_options.Maximize.Count == 0 || (_options.Pruner is not null && _options.Maximize.Count > 1))
            throw new ArgumentException("A study has an objective, and one only with a pruner.", nameof(options));
        _trials = [.. trials ?? []];
        if (_trials.Where((trial, n) => trial.Number != n).Any()) throw new ArgumentException("Trials must be numbered from 0 in order.", nameof(trials));
        _interrupted = new Queue<int>(_trials.Where(t => t.State == TrialState.Running).Select(t => t.Number));
    }

    /// <summary>The parameters.</summary>
    public SearchSpace Space { get; }

    /// <summary>All trials by number, as of now.</summary>
    public IReadOnlyList<Trial> Trials
    {
        get
        {
            lock (_lock) return [.. _trials];
        }
    }

    /// <summary>The completed trial with the best value of the first objective; null before one is.</summary>
    public Trial? Best => Trials.Where(t => t.State == TrialState.Completed).MinBy(t => Sign(0) * t.Values[0]);

    /// <summary>Completed trials that no other is better than in every objective, by number.</summary>
    public IReadOnlyList<Trial> Front()
    {
        Trial[] completed = [.. Trials.Where(t => t.State == TrialState.Completed)];
        return [.. ParetoFront.Of([.. completed.Select(t => t.Values.Select((value, k) => -Sign(k) * value).ToArray())]).Select(i => completed[i])];
    }

    /// <summary>The next trial to try.</summary>
    public Trial Ask()
    {
        lock (_lock)
        {
            if (_interrupted.TryDequeue(out var number)) return _trials[number] = _trials[number] with { Reports = [] };
            number = _trials.Count;
            var values = _sampler.Suggest(Space, History(), RandomSource.For(_options.Seed, number));
            var trial = new Trial
            {
                Number = number, State = TrialState.Running,
                Parameters = Enumerable.Range(0, values.Length).Where(p => !double.IsNaN(values[p]))
                    .ToDictionary(p => Space.Parameters[p].Name, p => values[p], StringComparer.Ordinal),
            };
            _trials.Add(trial);
            return trial;
        }
    }

    /// <summary>Notes what trial <paramref name="number"/> has reached at a step; true when it should stop (then call <see cref="TellPruned"/>).</summary>
    /// <exception cref="ArgumentException">The trial is not running, or the step does not lie after its last.</exception>
    public bool Report(int number, int step, double value)
    {
        lock (_lock)
        {
            var trial = Running(number);
            if (trial.Reports.Count > 0 && step <= trial.Reports[^1].Step)
                throw new ArgumentException($"Step {step} does not come after step {trial.Reports[^1].Step}.", nameof(step));
            _trials[number] = trial = trial with { Reports = [.. trial.Reports, new TrialReport(step, value)] };
            return _options.Pruner is { } pruner && pruner.ShouldStop(_trials, trial, Sign(0));
        }
    }

    /// <summary>Tells the values of trial <paramref name="number"/>, one an objective. A value that is not finite makes it a failed trial.</summary>
    /// <exception cref="ArgumentException">The trial is not running, or the values are not one an objective.</exception>
    public void Tell(int number, params double[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Length != _options.Maximize.Count)
            throw new ArgumentException($"{values.Length} values for {_options.Maximize.Count} objectives.", nameof(values));
        var finite = values.All(double.IsFinite);
        lock (_lock) _trials[number] = Running(number) with { State = finite ? TrialState.Completed : TrialState.Failed, Values = finite ? values : [] };
    }

    /// <summary>Ends trial <paramref name="number"/> early; its last report counts as its value.</summary>
    public void TellPruned(int number)
    {
        lock (_lock)
        {
            var trial = Running(number);
            _trials[number] = trial.Reports.Count > 0 && double.IsFinite(trial.Reports[^1].Value)
                ? trial with { State = TrialState.Pruned, Values = [trial.Reports[^1].Value] }
                : trial with { State = TrialState.Failed };
        }
    }

    /// <summary>Ends trial <paramref name="number"/> without a value: later suggestions take no notice of it.</summary>
    public void TellFailed(int number)
    {
        lock (_lock) _trials[number] = Running(number) with { State = TrialState.Failed };
    }

    /// <summary>
    /// Asks and tells on this thread until the study has <paramref name="trials"/> trials. An exception of <paramref name="objective"/> ends the run; the study
    /// made again from its trials tries that one again.
    /// </summary>
    public void Run(int trials, Func<Trial, double> objective, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(objective);
        while (HasLeft(trials))
        {
            cancellation.ThrowIfCancellationRequested();
            var trial = Ask();
            Tell(trial.Number, objective(trial));
        }
    }

    internal int Objectives => _options.Maximize.Count;

    /// <summary>Asks until trial <paramref name="number"/> exists; reports of an interrupted one are kept.</summary>
    internal void AskNumbered(int number)
    {
        lock (_lock)
        {
            _interrupted.Clear();
            while (_trials.Count <= number) Ask();
        }
    }

    internal double LossAt(int number, int step)
    {
        lock (_lock)
        {
            var value = _trials[number].Reports.FirstOrDefault(r => r.Step == step)?.Value ?? double.NaN;
            return double.IsNaN(value) ? double.PositiveInfinity : Sign(0) * value;
        }
    }

    internal void PruneIfRunning(int number)
    {
        lock (_lock)
        {
            if (_trials[number].State == TrialState.Running) TellPruned(number);
        }
    }

    internal void CompleteIfRunning(int number)
    {
        lock (_lock)
        {
            if (_trials[number].State == TrialState.Running) Tell(number, _trials[number].Reports[^1].Value);
        }
    }

    private bool HasLeft(int trials)
    {
        lock (_lock) return _interrupted.Count > 0 || _trials.Count < trials;
    }

    private double Sign(int objective) => _options.Maximize[objective] ? -1 : 1;

    private Trial Running(int number)
    {
        if (number < 0 || number >= _trials.Count || _trials[number].State != TrialState.Running)
            throw new ArgumentException($"Trial {number} is not running.", nameof(number));
        return _trials[number];
    }

    private FinishedTrial[] History() => [.. _trials.Where(t => t.State is TrialState.Completed or TrialState.Pruned)
        .Select(t => new FinishedTrial(t.Number, Space.Vector(t), [.. t.Values.Select((value, k) => Sign(k) * value)], t.State == TrialState.Completed ? int.MaxValue : t.Reports[^1].Step))];
}
