using OKLA.ML.Serving;
using OKLA.ML.Training;

namespace OKLA.ML.Models;

/// <summary>A model of a table that a user brought.</summary>
internal sealed class BroughtModel(TableDefinition definition, string owner, string notes, Tables tables, MLOptions options, TimeProvider clock) : ModelDefinition
{
    public override string Name => definition.Name;

    public override string Summary => notes.Length > 0 ? notes : $"What {definition.Target} of {definition.Dataset} is.";

    /// <summary>What to learn.</summary>
    public TableDefinition Definition => definition;

    /// <summary>Who brought it.</summary>
    public string Owner => owner;

    public override bool RequiresApproval => definition.RequireApproval;

    public override ModelTraining NewTraining() => NewTraining(null, null);

    /// <summary>A run that makes an earlier one again, from the data it had.</summary>
    public TableTraining NewTraining(TableRecipe? recipe, int? datasetVersion) =>
        new(definition, ct => tables.ReadAsync(definition.Dataset, datasetVersion ?? definition.DatasetVersion, ct), options, clock, recipe);

    public override IServedModel Load(byte[] artefact) => TableModel.Load(artefact);
}
