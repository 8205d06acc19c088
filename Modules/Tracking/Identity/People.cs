using System.ComponentModel.DataAnnotations;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Identity;

/// <summary><c>/api/people</c>: who an id stands for, with the evidence; admins link and split by hand, and every step stays on record.</summary>
internal static class People
{
    /// <summary>A person with every link it ever had.</summary>
    /// <param name="Person">Who it is now.</param>
    /// <param name="Links">Links that hold and links that were split, oldest first.</param>
    public sealed record Answer(Person Person, IReadOnlyList<IdentityLink> Links);

    /// <summary>A link by hand.</summary>
    public sealed record LinkRequest
    {
        /// <summary>The visitor.</summary>
        [Required, MaxLength(200)]
        public required string AnonymousId { get; init; }

        /// <summary>The user.</summary>
        [Required, MaxLength(200)]
        public required string UserId { get; init; }
    }

    /// <summary>Why a link ends.</summary>
    public sealed record SplitRequest
    {
        /// <summary>Said in the record.</summary>
        [Required, MaxLength(500)]
        public required string Reason { get; init; }
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        var people = routes.MapGroup("/api/people").WithTags("People").RequireAuthorization(Policies.Admin);
        people.MapGet("/{id}", GetAsync).WithSummary("Who an id stands for");
        people.MapPost("/links", LinkAsync).WithSummary("Say that a visitor is a user");
        people.MapPost("/links/{linkId:guid}/split", SplitAsync).WithSummary("Give a visitor its own history back");
    }

    internal static async Task<Results<Ok<Answer>, NotFound>> GetAsync([MaxLength(200)] string id, IMessageBus bus, NpgsqlDataSource database, CancellationToken ct)
    {
        if (id.Contains('\0'))
        {
            return TypedResults.NotFound();
        }

        var person = await bus.InvokeAsync<Person>(new FindPerson(id), ct);
        await using var connection = await database.OpenConnectionAsync(ct);
        return TypedResults.Ok(new Answer(person, person.IsUser
            ? await IdentityLinks.OfUserAsync(connection, person.Id, ct) : await IdentityLinks.OfVisitorsAsync(connection, [person.Id], ct)));
    }

    internal static async Task<Results<Ok<IdentityLink>, ValidationProblem, Conflict<ProblemDetails>>> LinkAsync(
        LinkRequest request, CurrentUser admin, NpgsqlDataSource database, KnownPeople people, EventLog log, TimeProvider clock, CancellationToken ct)
    {
        if ($"{request.AnonymousId}{request.UserId}".Contains('\0'))
        {
            return Problems.Invalid("anonymousId", "The character U+0000 cannot be stored.");
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await IdentityLinks.LockAsync(transaction, ct);
        var now = (await IdentityLinks.OfVisitorsAsync(connection, [request.AnonymousId], ct)).FirstOrDefault(link => link.SplitAt is null);
        if (now is not null)
        {
            return now.UserId == request.UserId ? TypedResults.Ok(now) : TypedResults.Conflict(new ProblemDetails
            {
                Title = "Linked to another user", Detail = $"Split link {now.Id} first.", Status = StatusCodes.Status409Conflict,
            });
        }

        var made = new IdentityLink(Guid.CreateVersion7(), request.AnonymousId, request.UserId, clock.GetUtcNow(), admin.Actor);
        await IdentityLinks.AddAsync(connection, [made], ct);
        await log.AppendAsync(transaction, [new StreamEvent(IdentityLinks.StreamOf(made.AnonymousId), IdentityLinks.Linked(made))], ct);
        await transaction.CommitAsync(ct);
        await people.ForgetAsync([made.AnonymousId], [made.UserId], ct);
        return TypedResults.Ok(made);
    }

    internal static async Task<Results<Ok<IdentityLink>, NotFound>> SplitAsync(
        Guid linkId, SplitRequest request, CurrentUser admin, NpgsqlDataSource database, KnownPeople people, EventLog log, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await IdentityLinks.LockAsync(transaction, ct);
        var visitor = await connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            "select anonymous_id from tracking.identity_links where id = @linkId", new { linkId }, cancellationToken: ct));
        if (visitor is null)
        {
            return TypedResults.NotFound();
        }

        var link = (await IdentityLinks.OfVisitorsAsync(connection, [visitor], ct)).Single(link => link.Id == linkId);
        var split = new PersonSplit(link.Id, link.AnonymousId, link.UserId, admin.Actor, request.Reason.Replace('\0', ' '));
        var at = clock.GetUtcNow();
        if (!await IdentityLinks.EndAsync(connection, split, at, ct))
        {
            // It ended before: the same answer again.
            return TypedResults.Ok(link);
        }

        await log.AppendAsync(transaction, [new StreamEvent(IdentityLinks.StreamOf(visitor), NewEvent.Of(EventTypes.PersonSplit, split, at))], ct);
        await transaction.CommitAsync(ct);
        await people.ForgetAsync([link.AnonymousId], [link.UserId], ct);
        return TypedResults.Ok(link with { SplitAt = at, SplitBy = split.By, SplitReason = split.Reason });
    }
}

/// <summary>Answers <see cref="FindPerson"/>.</summary>
internal static class FindPersonHandler
{
    public static ValueTask<Person> HandleAsync(FindPerson query, KnownPeople people, CancellationToken ct) => people.FindAsync(query.Id, ct);
}
