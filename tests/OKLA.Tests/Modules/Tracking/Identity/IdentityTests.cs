using System.Collections.Frozen;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Shared.Caching;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;
using OKLA.Tracking.Identity;
using Log = OKLA.Shared.EventLog.EventLog;

namespace OKLA.Tests.Modules.Tracking.Identity;

public sealed class IdentityTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
    private static readonly CurrentUser Admin = new("ana", Role.Admin, null, FrozenSet<string>.Empty);
    private Room room = null!;

    [SetUp]
    public async Task EmptyAsync()
    {
        room = new Room(Database, Now, services => services.AddSingleton<KnownPeople>().AddSubscription<IdentitySubscription>());
        await ExecuteAsync("truncate events.mt_streams, events.mt_event_progression, tracking.identity_links, tracking.users cascade");
    }

    [TearDown]
    public ValueTask DisposeAsync() => room.DisposeAsync();

    [Test]
    public async Task Who_is_kept_in_memory_is_somebody_else_at_once_after_a_sign_in_and_a_split()
    {
        await using var cached = new Room(Database, Now, services =>
        {
            services.AddSingleton<KnownPeople>().AddSubscription<IdentitySubscription>();
            services.AddMetrics().AddSingleton<HybridCache, NodeCache>();
        });
        var people = cached.Services.GetRequiredService<KnownPeople>();
        async Task<string> FoundAsync(string id) => await people.FindAsync(id, default) is var found && found.IsUser ? $"{found.Id}: {string.Join(", ", found.AnonymousIds)}" : found.Id;
        (await FoundAsync("phone"), await FoundAsync("maria")).ShouldBe(("phone", "maria"));

        await cached.TellAsync(View("phone", "maria", 0));
        (await FoundAsync("phone"), await FoundAsync("maria")).ShouldBe(("maria: phone", "maria: phone"));
        await cached.TellAsync(View("laptop", "maria", 1));
        (await FoundAsync("phone"), await FoundAsync("laptop")).ShouldBe(("maria: phone, laptop", "maria: phone, laptop"));

        await People.SplitAsync((await LinkOfAsync("phone")).Id, new() { Reason = "error" }, Admin, Database, people, Log, cached.Clock, default);
        (await FoundAsync("phone"), await FoundAsync("laptop"), await FoundAsync("maria")).ShouldBe(("phone", "maria: laptop", "maria: laptop"));
        await ExecuteAsync("truncate tracking.identity_links, tracking.users");
        (await FoundAsync("maria")).ShouldBe("maria: laptop", "it is kept in memory");
    }

    [Test]
    public async Task A_visitor_becomes_the_user_who_signs_in_and_the_log_says_so_once()
    {
        await room.TellAsync(View("phone", null, 0), View("phone", "maria", 1), View("phone", "maria", 2), View("laptop", "maria", 3));

        (await PersonAsync("phone")).ShouldBe("maria user: phone, laptop");
        (await PersonAsync("maria")).ShouldBe("maria user: phone, laptop");
        (await PersonAsync("stranger")).ShouldBe("stranger visitor:");
        (await ToldAsync()).ShouldBe(["linked phone maria by sign-in", "linked laptop maria by sign-in"]);
    }

    [Test]
    public async Task Two_known_users_never_merge_by_themselves()
    {
        await room.TellAsync(View("shared", "maria", 0), View("shared", "pedro", 1), View("own", "pedro", 2));

        (await PersonAsync("shared")).ShouldBe("maria user: shared");
        (await PersonAsync("pedro")).ShouldBe("pedro user: own");
    }

    [Test]
    public async Task A_split_gives_the_visitor_back_and_no_later_event_undoes_it()
    {
        await room.TellAsync(View("phone", "maria", 0));
        var link = await LinkOfAsync("phone");

        var split = (await People.SplitAsync(link.Id, new() { Reason = "era de su hermana" }, Admin, Database, new KnownPeople(Database), Log, room.Clock, default)).Result.ShouldBeOfType<Ok<IdentityLink>>().Value!;
        (split.SplitBy, split.SplitReason).ShouldBe(("ana", "era de su hermana"));
        (await People.SplitAsync(link.Id, new() { Reason = "otra vez" }, Admin, Database, new KnownPeople(Database), Log, room.Clock, default)).Result.ShouldBeOfType<Ok<IdentityLink>>().Value!.SplitReason.ShouldBe("era de su hermana");
        await room.TellAsync(View("phone", "maria", 5));

        (await PersonAsync("phone")).ShouldBe("phone visitor:");
        (await ToldAsync()).ShouldBe(["linked phone maria by sign-in", "split phone maria by ana"]);
        (await People.SplitAsync(Guid.NewGuid(), new() { Reason = "x" }, Admin, Database, new KnownPeople(Database), Log, room.Clock, default)).Result.ShouldBeOfType<NotFound>();
    }

    [Test]
    public async Task A_rebuild_gives_the_same_links_and_tells_nothing_twice()
    {
        await room.TellAsync(View("phone", "maria", 0));
        await room.TellAsync(View("phone", "pedro", 1));
        await People.SplitAsync((await LinkOfAsync("phone")).Id, new() { Reason = "error" }, Admin, Database, new KnownPeople(Database), Log, room.Clock, default);
        await room.TellAsync(View("phone", "maria", 2), View("phone", "pedro", 3));
        await People.LinkAsync(new() { AnonymousId = "tablet", UserId = "pedro" }, Admin, Database, new KnownPeople(Database), Log, room.Clock, default);
        await room.Subscriptions.CatchUpAsync();
        var before = await LinksAsync();
        before.Count.ShouldBe(3);
        var told = await ToldAsync();

        await room.Subscriptions.RebuildAsync("tracking.identity");
        await room.Subscriptions.CatchUpAsync();

        (await LinksAsync()).ShouldBe(before);
        (await ToldAsync()).ShouldBe(told);
    }

    [Test]
    public async Task An_admin_s_link_is_refused_while_another_holds()
    {
        await room.TellAsync(View("phone", "maria", 0));

        (await People.LinkAsync(new() { AnonymousId = "phone", UserId = "pedro" }, Admin, Database, new KnownPeople(Database), Log, room.Clock, default)).Result.ShouldBeOfType<Conflict<ProblemDetails>>();
        (await People.LinkAsync(new() { AnonymousId = "phone", UserId = "maria" }, Admin, Database, new KnownPeople(Database), Log, room.Clock, default)).Result.ShouldBeOfType<Ok<IdentityLink>>().Value!.LinkedBy.ShouldBe("sign-in");
    }

    private Log Log => room.Services.GetRequiredService<Log>();

    private static StreamEvent View(string anonymousId, string? userId, int minute) => Room.Behaviour(EventTypes.ItemViewed, anonymousId, userId, "car", Now.AddMinutes(minute - 60));

    private async Task<string> PersonAsync(string id)
    {
        var person = await FindPersonHandler.HandleAsync(new FindPerson(id), new KnownPeople(Database), default);
        return $"{person.Id} {(person.IsUser ? "user" : "visitor")}: {string.Join(", ", person.AnonymousIds)}".TrimEnd();
    }

    private async Task<IdentityLink> LinkOfAsync(string visitor)
    {
        await using var connection = await Database.OpenConnectionAsync();
        return (await IdentityLinks.OfVisitorsAsync(connection, [visitor], default)).Single(link => link.SplitAt is null);
    }

    private async Task<List<IdentityLink>> LinksAsync()
    {
        await using var connection = await Database.OpenConnectionAsync();
        return await IdentityLinks.OfVisitorsAsync(connection, ["phone", "tablet"], default);
    }

    private async Task<List<string>> ToldAsync() => await Log.ReadAsync(0, [EventTypes.PersonLinked, EventTypes.PersonSplit])
        .Select(e => e.Type == EventTypes.PersonLinked && e.Read<PersonLinked>() is var linked ? $"linked {linked.AnonymousId} {linked.UserId} by {linked.By}"
            : e.Read<PersonSplit>() is var split ? $"split {split.AnonymousId} {split.UserId} by {split.By}" : "").ToListAsync();
}
