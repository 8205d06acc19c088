using OKLA.ML.Training;

namespace OKLA.ML.Models;

/// <summary>Where models that users brought find their tables.</summary>
internal interface ITables
{
    /// <summary>A version of a data set with its columns' names, types and roles, or the newest; null when there is none.</summary>
    public Task<TableOutline?> FindAsync(string dataset, int? version, CancellationToken ct);

    /// <summary>The cells.</summary>
    /// <exception cref="TooLittleDataException">There is no such data set, or its rules forbid to learn from it.</exception>
    public Task<TableData> ReadAsync(string dataset, int? version, CancellationToken ct);

    /// <summary>Notes that a version of a model learned from it.</summary>
    public Task RecordUseAsync(TableData data, string model, int modelVersion, CancellationToken ct);
}

/// <summary>A data set without its cells.</summary>
/// <param name="Dataset">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Columns">Columns with their roles (feature, target, time, group, weight or ignored).</param>
internal sealed record TableOutline(string Dataset, int Version, IReadOnlyList<(string Name, string Role)> Columns);
