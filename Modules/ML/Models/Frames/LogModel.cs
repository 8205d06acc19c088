using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Frames;

/// <summary>A table that was read out of the log.</summary>
/// <param name="Data">Its columns, with <see cref="FrameSource.Label"/>, <see cref="FrameSource.At"/> and <see cref="FrameSource.Key"/> among them.</param>
/// <param name="Truth">The true probabilities of rows' outcomes, where a simulation knows them; null where none does.</param>
internal sealed record LogTable(TableData Data, Func<IReadOnlyList<int>, CancellationToken, Task<double[]>>? Truth = null);

/// <summary>
/// A model of this house that learns a table of what the log holds. A model says which rows, what came of them and which columns; all else is
/// the same for all: the newest rows are the test, and rows whose outcome was not known by then are not learned from.
/// </summary>
internal abstract class LogModel(MLOptions options, TimeProvider clock) : ModelDefinition
{
    /// <summary>What the columns describe, where the feature store has it: user, item, dealer or lead.</summary>
    public virtual string? Entity => null;

    /// <summary>How the table is learned; name, target, time and group are set by the house.</summary>
    protected abstract TableDefinition Learning { get; }

    /// <summary>The definition of the table.</summary>
    public TableDefinition Definition => Learning with
    {
        Name = Name, Target = FrameSource.Label, Time = FrameSource.At, Group = FrameSource.Key, Entity = Entity, BudgetSeconds = options.BudgetSeconds,
    };

    public override ModelTraining NewTraining() => new LogTraining(this, options, clock);

    public override IServedModel Load(byte[] artefact) => TableModel.Load(artefact);

    /// <summary>Further figures of calibrated probabilities of the positive class beside what came of the rows.</summary>
    protected internal virtual IEnumerable<MetricRow> More(IReadOnlyList<double> answers, IReadOnlyList<bool> outcomes) => [];

    /// <summary>What of a row's key is independent of others: intervals draw by it.</summary>
    protected internal virtual string UnitOf(string key) => key;

    /// <summary>What the ceiling knows and leaves out, where that is not plain; null elsewhere.</summary>
    protected internal virtual string? TruthIs => null;

    /// <summary>Reads the table: rows whose outcome is known by now.</summary>
    public abstract Task<LogTable> ReadAsync(CancellationToken ct);
}
