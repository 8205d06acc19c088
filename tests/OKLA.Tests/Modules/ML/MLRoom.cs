using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OKLA.Features;
using OKLA.ML;
using OKLA.Shared.EventLog;
using OKLA.Shared.Jobs;
using OKLA.Shared.Messaging;
using OKLA.Tracking.Identity;

namespace OKLA.Tests.Modules.ML;

/// <summary>A <see cref="Room"/> of Features and ML that knows who signed in, with what they ask of other rooms answered by the handlers that are named.</summary>
internal static class MLRoom
{
    public static Room Open(NpgsqlDataSource database, DateTimeOffset now, Type[] handlers, params (string Key, string Value)[] settings) => new(
        database, now,
        services => services.AddJobs(runJobs: false).AddFeatures().AddML(serve: false).AddMessaging(typeof(FeaturesModule).Assembly, typeof(MLModule).Assembly)
            .AddSingleton<KnownPeople>().AddSingleton(new MessagingServices.MessageTypes(handlers)).AddSubscription<IdentitySubscription>(),
        settings);
}
