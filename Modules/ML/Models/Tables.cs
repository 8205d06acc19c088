using OKLA.ML.Datasets;
using OKLA.ML.Training;

namespace OKLA.ML.Models;

/// <summary>Data sets as models that users brought learn from them.</summary>
internal sealed class Tables(DatasetStore datasets)
{
    /// <summary>The cells of a version, or of the newest, without the columns that its people ignore.</summary>
    /// <exception cref="TooLittleDataException">There is no such data set, or its rules forbid to learn from it.</exception>
    public async Task<TableData> ReadAsync(string dataset, int? number, CancellationToken ct)
    {
        var version = await datasets.FindAsync(dataset, number, ct) ?? throw new TooLittleDataException($"There is no data set {dataset}{(number is null ? "" : $" of version {number}")}.");
        var blockers = await datasets.BlockersAsync(version, ct);
        if (blockers.Count > 0)
        {
            throw new TooLittleDataException($"The rules of {dataset} forbid to learn from version {version.Version}: {string.Join(" ", blockers)}");
        }

        try
        {
            var table = await datasets.ReadAsync(version, ct);
            var ignored = version.Columns.Where(column => column.Role == ColumnRoles.Ignored).Select(column => column.Name).ToHashSet(StringComparer.Ordinal);
            return new TableData([.. table.Columns.Where(column => !ignored.Contains(column.Name))], dataset, version.Version, version.Sha256, version.CreatedAt);
        }
        catch (DatasetRefusedException tooLarge)
        {
            throw new TooLittleDataException(tooLarge.Message);
        }
    }

    /// <summary>Notes that a version of a model learned from it.</summary>
    public async Task RecordUseAsync(TableData data, string model, int modelVersion, CancellationToken ct)
    {
        if (await datasets.FindAsync(data.Dataset, data.Version, ct) is { } version)
        {
            await datasets.RecordUseAsync(version, model, modelVersion, ct);
        }
    }
}
