using Microsoft.Extensions.Logging;

namespace OKLA.Shared.EventLog;

internal static partial class Log
{
    [LoggerMessage(1101, LogLevel.Error, "The database refuses an event")]
    public static partial void Refused(ILogger logger, Exception fault);

    [LoggerMessage(1102, LogLevel.Error, "Events could not be written: the database cannot be reached")]
    public static partial void Unavailable(ILogger logger, Exception fault);

    [LoggerMessage(1103, LogLevel.Warning, "Subscription {Subscription} waits for the database")]
    public static partial void SubscriptionOutage(ILogger logger, string subscription, Exception fault);

    [LoggerMessage(1104, LogLevel.Error, "Subscription {Subscription} failed, attempt {Attempt}")]
    public static partial void SubscriptionFailed(ILogger logger, string subscription, int attempt, Exception fault);

    [LoggerMessage(1106, LogLevel.Warning,
        "Subscription {Subscription} has not seen older events of its types, which have left the log for {Files} files (positions {First} to {Last}). It goes on without them; to have them, run 'archive load all' and rebuild the subscription")]
    public static partial void EventsMissed(ILogger logger, string subscription, long files, long first, long last);

    [LoggerMessage(1107, LogLevel.Warning,
        "Subscription {Subscription} asks for {Type} since position {Since} and has not seen the older ones; to have them, rebuild the subscription")]
    public static partial void TypePassedOver(ILogger logger, string subscription, string type, long since);

    [LoggerMessage(1108, LogLevel.Information, "Subscription {Subscription} writes more than its version {Version} did: its tables are filled again from the log")]
    public static partial void Rebuilding(ILogger logger, string subscription, int version);

    [LoggerMessage(1109, LogLevel.Warning, "Subscription {Subscription} writes more than its version {Version} did, but its tables stay as they are. {Refusal}")]
    public static partial void NotRebuilt(ILogger logger, string subscription, int version, string refusal);

    [LoggerMessage(1105, LogLevel.Warning, "Lost the connection that listens for appends")]
    public static partial void ListenerLost(ILogger logger, Exception fault);
}
