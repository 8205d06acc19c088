using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Rollout;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving.Recommendations;

/// <summary>
/// GET /api/recommendations/items/{id}/buyers: who should hear of a vehicle, for its seller and admins. Only people who agreed to advertising are named, and
/// to a dealer only by a handle that means nothing elsewhere; people who met the vehicle already are left out.
/// </summary>
internal static class FindBuyers
{
    /// <summary>People for a vehicle.</summary>
    /// <param name="ItemId">The vehicle.</param>
    /// <param name="Buyers">Best first.</param>
    /// <param name="Asked">People active in the last 30 days who agreed to advertising and had not met it.</param>
    /// <param name="ModelVersion">Version that answered.</param>
    /// <param name="Source">model, previous or rollout:{arm}.</param>
    public sealed record Response(string ItemId, IReadOnlyList<Buyer> Buyers, int Asked, int ModelVersion, string Source);

    /// <summary>Somebody who may want to hear of it.</summary>
    /// <param name="Handle">Who it is: for admins the person's id, for a dealer a name for this vehicle only.</param>
    /// <param name="Score">Comparable within one answer only.</param>
    /// <param name="Percentile">Share of those asked who stand below.</param>
    /// <param name="LastSeenAt">When the person was last active (UTC), to the day.</param>
    public sealed record Buyer(string Handle, double Score, double Percentile, DateTimeOffset LastSeenAt);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/recommendations/items/{id}/buyers", Handle).WithName("FindBuyers").WithSummary("Who should hear of a vehicle, for its seller");

    internal static async Task<Results<Ok<Response>, ForbidHttpResult, ProblemHttpResult>> Handle(
        [MaxLength(200)] string id, CurrentUser caller, LiveModels live, TriedVersions tried, ActiveBuyers buyers, IMessageBus bus, PredictionLog log,
        ILogger<LiveModels> logger, CancellationToken ct, [Range(1, 200)] int limit = 20)
    {
        if (!live.TryGetCard(id, out var card) || !card.Is(ItemKind.Vehicle))
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no vehicle {id}.");
        }

        if (!caller.IsAdmin && (card.Snapshot.Item.SellerId is not { } seller || !caller.MayActForDealer(seller)))
        {
            return TypedResults.Forbid();
        }

        // A seller keeps the version that it meets; what a buyer does who never saw the list is no goal of it, so that nobody is said to have met an arm.
        var turn = tried.TurnOf(ModelNames.BuyerRecommender, card.Snapshot.Item.SellerId ?? id, live.Now.Buyers);
        foreach (var (served, source) in turn.Order.Where(pair => pair.Served.Model.Recommender.IndexOf(id) >= 0))
        {
            var people = await buyers.ReadAsync(served, bus, ct);
            var started = Stopwatch.GetTimestamp();
            try
            {
                var asked = Ranked(served, people, id);
                tried.Count(turn, served.Version, source, Stopwatch.GetElapsedTime(started), failed: false);
                var found = asked.Take(limit).Select((pair, rank) => new Buyer(
                    caller.IsAdmin ? pair.Person.Id : HandleOf(pair.Person.Id, id, buyers.Salt), pair.Score, 1 - ((rank + 1.0) / asked.Length), new DateTimeOffset(pair.Person.LastAt.UtcDateTime.Date, TimeSpan.Zero))).ToArray();
                tried.AskInShadow(turn, [.. asked.Take(limit).Select(pair => pair.Person.Id)], async other =>
                    other.Model.Recommender.IndexOf(id) < 0 ? [] : Ranked(other, await buyers.ReadAsync(other, bus, CancellationToken.None), id).Take(limit).Select(pair => pair.Person.Id));

                // The log says that it was asked, not who was named: that would be a list of people by vehicle.
                log.Write(new PredictionServed(ModelNames.BuyerRecommender, served.Version, source, id, [], [.. found.Select(buyer => buyer.Score)]));
                return TypedResults.Ok(new Response(id, found, asked.Length, served.Version, source));
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                tried.Count(turn, served.Version, source, Stopwatch.GetElapsedTime(started), failed: true);
                Log.PredictionFailed(logger, ModelNames.BuyerRecommender, served.Version, fault);
            }
        }

        return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Service Unavailable", detail: "No version of the model serves yet.");
    }

    /// <summary>Those who had not met the vehicle, best first.</summary>
    private static (ActiveBuyers.Known Person, double Score)[] Ranked(LiveModels.ServedBuyers by, IReadOnlyList<ActiveBuyers.Known> people, string id)
    {
        var item = by.Model.Recommender.IndexOf(id);
        return [.. people.Where(person => !person.Met.Contains(id)).Select(person => (person, Score: by.Model.Score(person.Read, item))).OrderByDescending(pair => pair.Score).ThenBy(pair => pair.person.Id, StringComparer.Ordinal)];
    }

    internal static string HandleOf(string person, string item, byte[] salt) => Convert.ToHexStringLower(HMACSHA256.HashData(salt, Encoding.UTF8.GetBytes($"{item}\n{person}")))[..16];
}

/// <summary>People active in the last 30 days who agreed to advertising, as the model reads them: read again when they are some minutes old or another version serves.</summary>
internal sealed class ActiveBuyers(IOptions<MLOptions> options, TimeProvider clock) : IDisposable
{
    private const int MostPeople = 20_000;
    private static readonly TimeSpan Age = TimeSpan.FromMinutes(5);
    private readonly SemaphoreSlim reading = new(1);
    private readonly Dictionary<int, (object Of, DateTimeOffset At, IReadOnlyList<Known> People)> kept = [];

    /// <summary>Somebody as the model reads them.</summary>
    internal sealed record Known(string Id, BuyerFinder.Reader Read, IReadOnlySet<string> Met, DateTimeOffset LastAt);

    /// <summary>Makes handles that mean nothing to others; another one after each start.</summary>
    public byte[] Salt { get; } = RandomNumberGenerator.GetBytes(32);

    /// <summary>The people.</summary>
    public async Task<IReadOnlyList<Known>> ReadAsync(LiveModels.ServedBuyers served, IMessageBus bus, CancellationToken ct)
    {
        await reading.WaitAsync(ct);
        try
        {
            var now = clock.GetUtcNow();
            if (kept.TryGetValue(served.Version, out var known) && ReferenceEquals(known.Of, served.Model) && now - known.At < Age)
            {
                return known.People;
            }

            // While versions are tried there are two; others are not asked any more.
            foreach (var old in kept.Where(pair => now - pair.Value.At >= Age).Select(pair => pair.Key).ToArray())
            {
                kept.Remove(old);
            }

            var people = await bus.InvokeAsync<IReadOnlyList<ActivePerson>>(new GetActivePeople(now.AddDays(-30), now, MostPeople, options.Value.HistoryItems), ct);
            IReadOnlyList<Known> read = [.. people.Where(person => person.MayBeTold).Select(person => new Known(
                person.PersonId, served.Model.Read(person.History), person.History.Select(item => item.ItemId).ToHashSet(StringComparer.Ordinal), person.History.Max(item => item.LastAt)))];
            kept[served.Version] = (served.Model, now, read);
            return read;
        }
        finally
        {
            reading.Release();
        }
    }

    public void Dispose() => reading.Dispose();
}
