using Microsoft.Extensions.Logging;

namespace OKLA.ML.Datasets;

/// <summary>What the data sets room says in the log.</summary>
internal static partial class DatasetLog
{
    [LoggerMessage(3101, LogLevel.Information, "Took in version {Version} of data set {Dataset}: {Rows} rows of {Columns} columns in {Seconds:0.0} s")]
    public static partial void Taken(ILogger logger, string dataset, int version, long rows, int columns, double seconds);

    [LoggerMessage(3102, LogLevel.Information, "{Rows} rows of an erased person went from data set {Dataset} version {Version}")]
    public static partial void Erased(ILogger logger, string dataset, int version, long rows);
}
