using System.Reflection;
using OKLA.Analytics;
using OKLA.Chatbot;
using OKLA.Features;
using OKLA.ML;
using OKLA.Shared.EventLog;
using OKLA.Tracking;

namespace OKLA.Host;

/// <summary>The assemblies of the house, in the order in which their migrations apply.</summary>
internal static class Rooms
{
    /// <summary>Shared first, the host's own next, then the five modules.</summary>
    public static IReadOnlyList<Assembly> Assemblies { get; } =
    [
        typeof(EventLog).Assembly,
        typeof(Rooms).Assembly,
        typeof(TrackingModule).Assembly,
        typeof(FeaturesModule).Assembly,
        typeof(MLModule).Assembly,
        typeof(ChatbotModule).Assembly,
        typeof(AnalyticsModule).Assembly,
    ];
}
