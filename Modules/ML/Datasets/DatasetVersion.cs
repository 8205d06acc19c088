using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Datasets;

/// <summary>A column of a data set.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">One of <see cref="ColumnTypes"/>.</param>
/// <param name="Role">One of <see cref="ColumnRoles"/>.</param>
internal sealed record DatasetColumn(string Name, string Type, string Role);

/// <summary>A table that does not change.</summary>
/// <param name="Dataset">Name of the data set.</param>
/// <param name="Version">Number, from 1.</param>
/// <param name="Sha256">Checksum of the table as CSV: the same table has the same one, however it came.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns in order, with the types and roles that hold.</param>
/// <param name="CreatedAt">When it came (UTC).</param>
internal sealed record DatasetVersion(string Dataset, int Version, string Sha256, long Rows, IReadOnlyList<DatasetColumn> Columns, DateTimeOffset CreatedAt);

/// <summary>A version with its cells, as texts.</summary>
internal sealed record DatasetTable(DatasetVersion Version, IReadOnlyList<RawColumn> Columns);

/// <summary>What columns hold.</summary>
internal static class ColumnTypes
{
    public const string Number = "number";
    public const string Category = "category";
    public const string Text = "text";
    public const string Date = "date";
    public const string Boolean = "boolean";
    public const string Id = "id";

    public static IReadOnlyList<string> All { get; } = [Number, Category, Text, Date, Boolean, Id];
}

/// <summary>What columns are for.</summary>
internal static class ColumnRoles
{
    public const string Feature = "feature";
    public const string Target = "target";
    public const string Time = "time";
    public const string Group = "group";
    public const string Weight = "weight";
    public const string Ignored = "ignored";

    public static IReadOnlyList<string> All { get; } = [Feature, Target, Time, Group, Weight, Ignored];
}

/// <summary>A table, or what was asked about it, cannot be taken as it is.</summary>
/// <param name="field">The part of the request at fault.</param>
/// <param name="message">What is wrong, for the person who sent it.</param>
internal sealed class DatasetRefusedException(string field, string message) : Exception(message)
{
    /// <summary>The part of the request at fault.</summary>
    public string Field { get; } = field;

    /// <summary>Status of the answer.</summary>
    public int Status { get; init; } = 400;
}
