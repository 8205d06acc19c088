using Microsoft.Extensions.Logging;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving;

/// <summary>Whom an answer is for: who asks, or whom they may speak for.</summary>
internal static class Asker
{
    /// <summary>
    /// Whom an answer is for. Somebody who is signed in is asked about alone; whoever may speak for others (an admin, a key of scope <c>predict</c>) says it. Who did not
    /// sign in may name the id of a browser, which is a secret of that browser, but no user: users could else be made to take part in experiments that they never met.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="person">For whom, as the caller says.</param>
    /// <param name="bus">To who knows users.</param>
    /// <param name="logger">Hears of outages.</param>
    /// <param name="ct">Stops it.</param>
    /// <returns>The person; null for nobody that counts.</returns>
    public static async ValueTask<string?> WhomAsync(CurrentUser caller, string? person, IMessageBus bus, ILogger logger, CancellationToken ct)
    {
        if (caller.Id is { } own && !caller.Has(Policies.Scopes.Predict))
        {
            return own;
        }

        if (person is null || caller.Has(Policies.Scopes.Predict))
        {
            return person ?? caller.Id;
        }

        var id = Predictor.Storable(person)!;
        try
        {
            return await bus.InvokeAsync<Person>(new FindPerson(id), ct) is { IsUser: true } known && known.Id == id ? null : id;
        }
        catch (Exception outage) when (outage is NpgsqlException or TimeoutException)
        {
            Log.HistoryUnavailable(logger, outage);
            return null;
        }
    }
}
