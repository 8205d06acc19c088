using Dapper;
using Npgsql;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Datasets;

/// <summary>Where every version of a data set came from, and which versions of models learned from it.</summary>
internal sealed class DatasetLineage(NpgsqlDataSource database) : ILineageSource
{
    private const string Room = "ML";
    private const string Folder = "Modules/ML/Datasets/";

    /// <inheritdoc />
    public async ValueTask<IReadOnlyList<Transformation>> ReadAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var versions = await connection.QueryAsync<(string Dataset, int Version, string Source)>(
            new CommandDefinition("select dataset, version, source from ml.dataset_versions order by dataset, version", cancellationToken: ct));
        var uses = await connection.QueryAsync<(string Dataset, int Version, string Model, int ModelVersion)>(
            new CommandDefinition("select dataset, version, model, model_version from ml.dataset_uses order by model, model_version, dataset, version", cancellationToken: ct));
        var imports = await connection.QueryAsync<(string Model, int Version)>(
            new CommandDefinition("select model, version from ml.model_versions where data ? 'imported' order by model, version", cancellationToken: ct));
        var erasures = await connection.QueryAsync<(string Dataset, int Version, long Rows)>(new CommandDefinition(
            "select dataset, version, sum(rows)::bigint from ml.dataset_erasures group by dataset, version order by dataset, version", cancellationToken: ct));
        return
        [
            .. versions.Select(row => new Transformation(
                $"ml.dataset/{row.Dataset}/{row.Version}", Room, Inputs(row.Source), [$"dataset:{row.Dataset}.{row.Version}"], "Takes a table in as a version of a data set.", Folder + FileOf(row.Source))),
            .. uses.GroupBy(row => (row.Model, row.ModelVersion)).Select(rows => new Transformation(
                $"ml.train/{rows.Key.Model}/{rows.Key.ModelVersion}", Room, [.. rows.Select(row => $"dataset:{row.Dataset}.{row.Version}")], [$"model:{rows.Key.Model}.{rows.Key.ModelVersion}"],
                "Trains a version of a model on a data set.", Folder + "DatasetStore.cs")),
            .. erasures.Select(row => new Transformation(
                $"ml.erase/{row.Dataset}/{row.Version}", Room, ["event:person_erased"], [$"dataset:{row.Dataset}.{row.Version}"],
                $"Took {row.Rows} rows of erased people out, so that its content is another one.", Folder + "DatasetErasure.cs")),
            .. imports.Select(row => new Transformation(
                $"ml.import/{row.Model}/{row.Version}", Room, ["file:import"], [$"model:{row.Model}.{row.Version}"], "Takes a version in that was trained elsewhere.", "Modules/ML/Registry/ImportVersion.cs")),
        ];
    }

    private static string[] Inputs(string source) => source.Split(':', 2) switch
    {
        ["log", var types] => [.. types.Split(',').Select(type => $"event:{type}")],
        ["frame", var id] => [$"frame:{id}"],
        _ => ["file:upload"],
    };

    private static string FileOf(string source) => source.Split(':')[0] switch { "log" => "DatasetFromLog.cs", "frame" => "DatasetFromFrame.cs", _ => "UploadDataset.cs" };
}
